#!/usr/bin/env python3
"""The program as a user runs it: real video in, JSON lines out. Usage: program_test.py PATH/longtake [unittest arguments]"""
import hashlib
import json
import os
import pty
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = ""
MODEL = os.path.join(ROOT, "assets", "models", "default")


def run(*arguments, **options):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, timeout=300, **options)


def records(path_or_bytes):
    data = path_or_bytes if isinstance(path_or_bytes, bytes) else open(path_or_bytes, "rb").read()
    return [json.loads(line) for line in data.splitlines()]


def of_type(all_records, kind):
    return [r for r in all_records if r["type"] == kind]


def body(data):
    """The lines without header and end record."""
    return [l for l in data.splitlines() if not l.startswith((b'{"type":"header"', b'{"type":"end"'))]


class Program(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="longtake-program-")
        cls.clip = cls.path("cut.mp4")
        # One true change, at 4 s.
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=4", "-f", "lavfi", "-i",
                        "mandelbrot=s=320x180:r=25", "-filter_complex",
                        "[1:v]trim=duration=4[m];[0:v][m]concat=n=2:v=1,format=yuv420p", "-t", "8", "-g", "30", cls.clip],
                       check=True)
        cls.stream = cls.path("cut.ts")
        subprocess.run(["ffmpeg", "-v", "error", "-i", cls.clip, "-c", "copy", cls.stream], check=True)
        done = run("analyze", cls.clip, "-o", cls.path("whole.jsonl"))
        assert done.returncode == 0, done.stderr
        cls.whole = open(cls.path("whole.jsonl"), "rb").read()
        cls.recalling = cls.fresh_model("recalling", {"rule": "rls"})
        cls.recall = ("--model", cls.recalling, "--maps", "--no-scene")
        cls.part = (*cls.recall, "--from", "3", "--to", "5")  # the change is its frame 25
        done = run("analyze", cls.clip, *cls.part)
        assert done.returncode == 0, done.stderr
        cls.recalled = done.stdout

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, name)

    @classmethod
    def fresh_model(cls, name, recall):
        """A model folder like the default one, with fresh weights and this recall memory, or none."""
        folder = cls.path(name)
        os.mkdir(folder)
        os.symlink(os.path.join(MODEL, "encoder.safetensors"), os.path.join(folder, "encoder.safetensors"))
        config = json.load(open(os.path.join(MODEL, "config.json")))
        config.pop("recall", None)
        config.pop("shots", None)
        if recall:
            config["recall"] = recall
        json.dump(config, open(os.path.join(folder, "config.json"), "w"))
        done = run("models", "init", folder)
        assert done.returncode == 0, done.stderr
        return folder

    def assertFails(self, code, *arguments, says=""):
        done = run(*arguments)
        text = done.stderr.decode(errors="replace")
        self.assertEqual(done.returncode, code, text)
        self.assertEqual(done.stdout, b"", "nothing goes to standard output when nothing was done")
        self.assertEqual(len(text.strip().splitlines()), 1, f"one sentence, not: {text}")
        self.assertIn(says, text)
        return text

    # --- what comes out

    def test_the_result_follows_the_schema(self):
        checker = os.path.join(ROOT, "tests", "validate_jsonl.py")
        done = subprocess.run([sys.executable, checker, self.path("whole.jsonl")], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_every_frame_is_there_with_its_own_time(self):
        probe = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "frame=pts", "-of",
                                "csv=p=0", self.clip], capture_output=True, text=True, check=True)
        expected = [int(line.strip(",")) for line in probe.stdout.split()]
        frames = of_type(records(self.whole), "frame")
        self.assertEqual([f["pts"] for f in frames], expected)
        self.assertEqual([f["frame"] for f in frames], list(range(200)))
        end = records(self.whole)[-1]
        self.assertEqual((end["reason"], end["frames"], end["decode_errors"], end["guards"]), ("end_of_stream", 200, 0, 0))

    def test_the_cut_is_found_and_splits_the_segments(self):
        events = [e for e in of_type(records(self.whole), "event") if e["kind"] in ("boundary", "cut", "gradual")]
        self.assertEqual([(e["kind"], e["frame"]) for e in events], [("cut", 100)])
        segments = of_type(records(self.whole), "segment")
        self.assertEqual([(s["first"], s["last"]) for s in segments], [(0, 99), (100, 199)])

    def test_every_layer_learns(self):
        frames = of_type(records(self.whole), "frame")
        for layer in range(2):
            self.assertLess(sum(f["layers"][layer]["after"] for f in frames),
                            sum(f["layers"][layer]["before"] for f in frames))
            self.assertLess(frames[90]["layers"][layer]["before"], frames[0]["layers"][layer]["before"])

    # --- the same bytes whatever the circumstances

    def test_the_same_bytes_for_any_number_of_threads_and_again(self):
        for threads in (1, 2, 4):
            done = run("analyze", self.clip, "--threads", threads)
            self.assertEqual(done.returncode, 0)
            self.assertEqual(done.stdout, self.whole, f"{threads} threads")

    def test_half_saved_and_the_rest_is_the_whole(self):
        memory = self.path("half.ltm")
        for at in ("4.0", "3.9", "4.08", "6"):  # before, at and right behind the cut, while its event is not certain yet
            first = run("analyze", self.clip, "--to", at, "--save-memory", memory)
            rest = run("analyze", self.clip, "--from", at, "--memory", memory)
            self.assertEqual((first.returncode, rest.returncode), (0, 0), first.stderr + rest.stderr)
            self.assertEqual(body(first.stdout) + body(rest.stdout), body(self.whole), f"split at {at} s")

    def test_killed_and_continued_is_the_whole(self):
        result, checkpoint = self.path("killed.jsonl"), self.path("killed.ckpt")
        command = [PROGRAM, "analyze", self.clip, "-o", result, "--checkpoint", checkpoint, "--checkpoint-every", "0"]
        kills = 0
        for seed in range(40):
            child = subprocess.Popen(command, stderr=subprocess.PIPE)
            try:
                child.communicate(timeout=random.Random(seed).uniform(0.15, 0.8))
                if child.returncode == 0:
                    break
            except subprocess.TimeoutExpired:
                child.kill()
                child.communicate()
                kills += 1
        done = run(*command[1:])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(open(result, "rb").read(), self.whole, f"after {kills} kills")
        self.assertGreater(kills, 0)
        self.assertFalse(os.path.exists(checkpoint), "a complete result leaves nothing to continue")

    def test_a_stream_through_a_pipe_gives_the_same_bytes(self):
        from_file = run("analyze", self.stream, "--source-name", "cut")
        with open(self.stream, "rb") as pipe:
            feeder = subprocess.Popen(["cat"], stdin=pipe, stdout=subprocess.PIPE)
            from_pipe = run("analyze", "-", "--source-name", "cut", stdin=feeder.stdout)
        self.assertEqual(from_file.returncode, 0, from_file.stderr)
        self.assertEqual(from_pipe.returncode, 0, from_pipe.stderr)
        self.assertEqual(from_pipe.stdout, from_file.stdout)

    # --- parts of a video

    def test_from_and_to_are_exact(self):
        done = run("analyze", self.clip, "--from", "1.0", "--to", "2.0")
        self.assertEqual([f["t"] for f in of_type(records(done.stdout), "frame")], [(25 + i) / 25 for i in range(25)])
        self.assertEqual(records(done.stdout)[-1]["reason"], "range_end")

    def test_thinned_frames_keep_their_own_times(self):
        done = run("analyze", self.clip, "--fps", "5")
        self.assertEqual([f["t"] for f in of_type(records(done.stdout), "frame")], [i / 5 for i in range(40)])

    def test_what_is_masked_is_not_seen(self):
        done = run("analyze", self.clip, "--mask", "0,0 1,0 1,1 0,1")
        kinds = [e["kind"] for e in of_type(records(done.stdout), "event")]
        self.assertEqual(kinds, ["black"], done.stderr)

    # --- memory

    def test_a_memory_goes_on_to_another_video(self):
        memory, both = self.path("one.ltm"), self.path("both.ltm")
        self.assertEqual(run("analyze", self.clip, "--save-memory", memory).returncode, 0)
        again = run("analyze", self.stream, "--memory", memory, "--save-memory", both)
        self.assertEqual(again.returncode, 0, again.stderr)
        frames = of_type(records(again.stdout), "frame")
        self.assertEqual(frames[0]["frame"], 0)
        self.assertLess(frames[0]["layers"][0]["before"], of_type(records(self.whole), "frame")[0]["layers"][0]["before"])
        info = json.loads(run("memory", "info", "--json", both).stdout)
        self.assertEqual((info["videos"], info["frames"], info["source"]), (2, 400, "cut.ts"))
        self.assertEqual(os.path.getsize(memory), os.path.getsize(both), "the size does not grow")

    def test_a_changed_memory_is_refused_and_left_alone(self):
        memory = self.path("bad.ltm")
        run("analyze", self.clip, "--to", "1", "--save-memory", memory)
        data = bytearray(open(memory, "rb").read())
        data[len(data) // 2] ^= 1
        open(memory, "wb").write(data)
        self.assertFails(5, "analyze", self.clip, "--memory", memory, says="damaged")
        self.assertFails(5, "memory", "verify", memory, says="damaged")
        self.assertFails(5, "memory", "info", memory, says="damaged")
        self.assertEqual(open(memory, "rb").read(), bytes(data))

    def test_a_checkpoint_of_other_settings_is_refused(self):
        result, checkpoint = self.path("other.jsonl"), self.path("other.ckpt")
        child = subprocess.Popen([PROGRAM, "analyze", self.clip, "-o", result, "--checkpoint", checkpoint,
                                  "--checkpoint-every", "0"], stderr=subprocess.DEVNULL)
        while not os.path.exists(checkpoint) and child.poll() is None:
            time.sleep(0.01)
        child.kill()
        child.wait()
        self.assertTrue(os.path.exists(checkpoint))
        before = open(result, "rb").read()
        self.assertFails(5, "analyze", self.clip, "-o", result, "--checkpoint", checkpoint, "--fps", "5", says="settings")
        self.assertFails(5, "analyze", self.stream, "-o", result, "--checkpoint", checkpoint, says="belongs to")
        self.assertEqual(open(result, "rb").read(), before, "a refused run leaves the result alone")

    # --- recall

    def test_every_frame_says_how_new_it_is(self):
        frames = of_type(records(self.recalled), "frame")
        self.assertEqual(len(frames), 50)
        for frame in frames:
            self.assertAlmostEqual(sum(frame["novelty_map"]) / 16, frame["novelty"], places=5)
        keys = [key for key in frames[5] if key != "novelty_map"]
        self.assertEqual(keys, ["type", "frame", "pts", "t", "surprise", "novelty", "sustained", "boundary", "layers"])
        novelty = [frame["novelty"] for frame in frames]
        self.assertLess(novelty[1], 0.5 * novelty[0], "the frame before it is known")
        self.assertGreater(novelty[25], 5 * novelty[24], "behind the cut everything is new")
        self.assertLess(novelty[30], 0.5 * novelty[25])
        unmapped = of_type(records(run("analyze", self.clip, "--model", self.recalling, "--to", "0.2").stdout), "frame")
        self.assertTrue(all("novelty" in frame and "novelty_map" not in frame for frame in unmapped) and unmapped)
        path = self.path("recalled.jsonl")
        open(path, "wb").write(self.recalled)
        checker = os.path.join(ROOT, "tests", "validate_jsonl.py")
        done = subprocess.run([sys.executable, checker, path], capture_output=True, text=True)
        self.assertIn(done.returncode, (0, 77), done.stdout + done.stderr)

    def test_plain_signals_are_there_when_asked_for(self):
        self.assertNotIn(b'"signals"', self.whole)
        done = run("analyze", self.clip, "--from", "3", "--to", "5", "--no-scene", "--signals", "flow,pixel")
        self.assertEqual(done.returncode, 0, done.stderr)
        frames = of_type(records(done.stdout), "frame")
        self.assertEqual({tuple(f["signals"]) for f in frames}, {("pixel", "flow")})
        self.assertEqual(frames[0]["signals"], {"pixel": 0.0, "flow": 0.0})
        changes = [f["signals"]["pixel"] for f in frames]
        self.assertEqual(changes.index(max(changes)), 25, "the picture changes there")
        self.assertEqual(of_type(records(done.stdout), "header")[0]["options"]["signals"], "flow; pixel")
        every = run("analyze", self.clip, "--from", "3", "--to", "3.2", "--signals", "all")
        self.assertEqual([tuple(f["signals"]) for f in of_type(records(every.stdout), "frame")][0],
                         ("pixel", "cell", "histogram", "feature", "flow"))
        self.assertFails(2, "analyze", self.clip, "--signals", "sound", says="pixel, cell, histogram, feature, flow")

    def test_a_model_without_recall_says_nothing_of_it(self):
        plain = self.fresh_model("plain", None)
        done = run("analyze", self.clip, "--model", plain, "--to", "0.5", "--maps")
        self.assertEqual(done.returncode, 0)
        self.assertNotIn(b"novelty", done.stdout)
        self.assertIn(b"--maps", done.stderr)
        memory = self.path("plain.ltm")
        run("analyze", self.clip, "--model", plain, "--to", "0.5", "--save-memory", memory)
        self.assertNotIn("recall", json.loads(run("memory", "info", "--json", memory).stdout))
        self.assertFails(5, "analyze", self.clip, "--model", self.recalling, "--memory", memory, says="belongs to")

    def test_what_was_seen_before_is_less_new(self):
        memory, both = self.path("seen.ltm"), self.path("seen twice.ltm")
        first = run("analyze", self.clip, *self.part, "--save-memory", memory)
        again = run("analyze", self.stream, *self.part, "--memory", memory, "--save-memory", both)
        self.assertEqual((first.returncode, again.returncode), (0, 0), again.stderr)
        novelty = [[f["novelty"] for f in of_type(records(done.stdout), "frame")] for done in (first, again)]
        self.assertLess(sum(novelty[1]), sum(novelty[0]))
        for start in (0, 25):
            self.assertLess(novelty[1][start], 0.3 * novelty[0][start])
        self.assertEqual(os.path.getsize(memory), os.path.getsize(both), "the size does not grow")
        self.assertEqual(json.loads(run("memory", "info", "--json", both).stdout)["recall"]["frames"], 100)
        self.assertIn(b"100 frames", run("memory", "info", both).stdout)
        size = sum(r["state_bytes"] for r in of_type(records(again.stdout), "end"))
        self.assertGreater(size, json.loads(run("memory", "info", "--json", both).stdout)["recall"]["bytes"])

    def test_recall_gives_the_same_bytes_on_one_thread_in_two_parts_and_after_a_kill(self):
        self.assertEqual(run("analyze", self.clip, *self.part, "--threads", 1).stdout, self.recalled)
        memory = self.path("part.ltm")
        first = run("analyze", self.clip, *self.recall, "--from", "3", "--to", "4.08", "--save-memory", memory)
        rest = run("analyze", self.clip, *self.recall, "--from", "4.08", "--to", "5", "--memory", memory)
        self.assertEqual(body(first.stdout) + body(rest.stdout), body(self.recalled))

        result, checkpoint = self.path("recall killed.jsonl"), self.path("recall killed.ckpt")
        command = ("analyze", self.clip, *self.part, "-o", result, "--checkpoint", checkpoint, "--checkpoint-every", "0")
        child = subprocess.Popen([PROGRAM, *map(str, command)], stderr=subprocess.DEVNULL)
        while child.poll() is None and (not os.path.exists(checkpoint) or os.path.getsize(result) < 10_000):
            time.sleep(0.01)
        child.kill()
        child.wait()
        self.assertTrue(os.path.exists(checkpoint), "the run ended before it could be killed")
        self.assertEqual(run(*command).returncode, 0)
        self.assertEqual(open(result, "rb").read(), self.recalled)

    def test_a_recall_memory_that_does_not_fit_is_refused(self):
        folder = self.fresh_model("unfit", {"rule": "delta"})
        self.assertEqual(run("models", "verify", "--model", folder).returncode, 0)
        self.assertIn(b"recall.safetensors", run("models", "show", "--model", folder).stdout)
        weights, config, sums = (os.path.join(folder, name) for name in ("recall.safetensors", "config.json", "SHA256SUMS"))

        def seal(changed):
            lines = [line.split() for line in open(sums)]
            with open(sums, "w") as file:
                for digest, name in lines:
                    path = os.path.join(folder, name)
                    file.write(f"{hashlib.sha256(open(path, 'rb').read()).hexdigest() if path == changed else digest}  {name}\n")

        whole, text = open(weights, "rb").read(), open(config).read()
        open(weights, "wb").write(whole[:-1])
        self.assertFails(5, "analyze", self.clip, "--model", folder, says="recall.safetensors is damaged")
        seal(weights)
        self.assertFails(5, "analyze", self.clip, "--model", folder, says="recall.safetensors")
        open(weights, "wb").write(whole[:-2] + b"\x00\x7c")
        seal(weights)
        self.assertFails(5, "models", "verify", "--model", folder, says="not finite")
        open(weights, "wb").write(whole)
        seal(weights)
        open(config, "w").write(text.replace('"keys": 192', '"keys": 191'))
        seal(config)
        self.assertFails(5, "analyze", self.clip, "--model", folder, says="keys.weight")
        open(config, "w").write(text)
        seal(config)
        os.remove(weights)
        self.assertFails(5, "models", "verify", "--model", folder, says="recall.safetensors is missing")

    # --- bad input, one clear sentence, the documented exit code

    def test_bad_input(self):
        text = self.path("text.mp4")
        open(text, "w").write("this is no video")
        empty = self.path("empty.mp4")
        open(empty, "w").close()
        for name in (text, empty, self.path("missing.mp4"), self.folder):
            self.assertFails(4, "analyze", name, "-o", self.path("none.jsonl"), says=os.path.basename(name))
            self.assertFalse(os.path.exists(self.path("none.jsonl")))

    def test_bad_usage(self):
        self.assertFails(2)
        self.assertFails(2, "analyze")
        self.assertFails(2, "analyse", self.clip)
        self.assertFails(2, "analyze", self.clip, "--no-such-option")
        self.assertFails(2, "analyze", self.clip, "--from", "yesterday", says="yesterday")
        self.assertFails(2, "analyze", self.clip, "--fps", "-3")
        self.assertFails(2, "analyze", self.clip, "--roi", "0,0 1,1")
        self.assertFails(2, "analyze", self.clip, "--threads", "0")
        self.assertFails(2, "analyze", self.clip, "--device", "toaster", says="toaster")
        self.assertFails(2, "analyze", self.clip, "--checkpoint", self.path("x"), says="-o")

    def test_bad_model_and_device(self):
        self.assertFails(5, "analyze", self.clip, "--model", self.path("nowhere"), says="nowhere")
        self.assertFails(6, "analyze", self.clip, "--device", "cuda", says="cuda")

    def test_a_rival_is_whole_but_does_not_watch(self):
        rival = self.path("rival")
        os.makedirs(rival)
        shutil.copy(os.path.join(MODEL, "encoder.safetensors"), rival)
        config = json.load(open(os.path.join(MODEL, "config.json")))
        config.pop("recall", None)
        config.pop("shots", None)
        config["stack"]["inner"] = "gru"
        json.dump(config, open(os.path.join(rival, "config.json"), "w"))
        for verb in ("init", rival), ("verify", "--model", rival):
            done = run("models", *verb)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFails(5, "analyze", self.clip, "--model", rival, says='"gru"')
        for options in ("stack", "--inner", "elephant"), ("recall", "--rule", "elephant"), ("stack", "--layers", "0"), \
                ("stack", "--optimiser", "elephant"), ("stack", "--inner", "cnn", "--mini-batch", "token"), \
                ("stack", "--optimiser", "adam", "--init", rival), \
                ("stack", "--inner", "lstm", "--init", rival), ("recall", "--rule", "gla", "--init", rival):
            self.assertFails(2, "train", *options, self.clip, "-o", self.path("nothing"))
            self.assertFalse(os.path.exists(self.path("nothing")))

    def test_a_full_disk_is_said(self):
        done = run("analyze", self.clip, "-o", "/dev/full")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"No space left", done.stderr)

    def test_options_may_stand_before_the_verb(self):
        self.assertEqual(run("--to", "1", "analyze", self.clip).stdout, run("analyze", self.clip, "--to", "1").stdout)

    def test_it_starts_without_libtorch_and_qt(self):
        needed = subprocess.run(["readelf", "-d", PROGRAM], capture_output=True, text=True, check=True).stdout
        if "libdnnl" not in needed:
            self.skipTest("the encoder runs in LibTorch here")
        linked = subprocess.run(["ldd", PROGRAM], capture_output=True, text=True, check=True).stdout
        self.assertIn("libavcodec", linked)
        self.assertNotRegex(linked, "(?i)libtorch|libqt")

    def test_verbs_that_need_libtorch_are_handed_over(self):
        self.assertEqual(run("selftest").returncode, 0)
        self.assertFails(4, "eval", "prediction", "/no/such.mp4", says="/no/such.mp4")
        alone = self.path("alone")
        os.mkdir(alone)
        shutil.copy(PROGRAM, alone)
        done = subprocess.run([os.path.join(alone, "longtake"), "selftest"], capture_output=True, text=True)
        if done.returncode != 0:  # where LibTorch is in the program itself, nothing is missing
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, "^longtake: error: cannot start .*longtake-lab.*LibTorch")

    def test_every_help_has_an_example(self):
        for verb in ([], ["analyze"], ["memory"], ["memory", "info"], ["memory", "verify"], ["models"], ["models", "list"],
                     ["models", "show"], ["models", "verify"], ["models", "init"], ["info"], ["selftest"], ["bench"],
                     ["bench", "pipeline"], ["bench", "memory"]):
            done = run(*verb, "--help")
            self.assertEqual(done.returncode, 0)
            self.assertIn(b"Example: longtake", done.stdout, " ".join(verb))

    # --- configuration

    def test_settings_from_file_environment_and_command_line(self):
        config = self.path("config.toml")
        with open(config, "w") as file:
            file.write('fps = "5"\nno-scene = true\nthreads = 1\n')
        frames = of_type(records(run("analyze", self.clip, "--config", config).stdout), "frame")
        self.assertEqual(len(frames), 40)
        self.assertNotIn("scene", frames[0])
        environment = dict(os.environ, LONGTAKE_FPS="10")
        done = run("analyze", self.clip, "--config", config, env=environment)
        self.assertEqual(records(done.stdout)[-1]["frames"], 80, "the environment outweighs the file")
        done = run("analyze", self.clip, "--config", config, "--fps", "1", env=environment)
        self.assertEqual(records(done.stdout)[-1]["frames"], 8, "the command line outweighs the environment")

    def test_a_wrong_configuration_is_refused_with_what_was_meant(self):
        config = self.path("wrong.toml")
        for text, says in (('fsp = "5"\n', '"fps"'), ('threads = "many"\n', "line 1"), ("fps = \n", "line 1"),
                           ("no-scene = 3\n", "true or false")):
            with open(config, "w") as file:
                file.write(text)
            self.assertFails(2, "analyze", self.clip, "--config", config, says=says)
        self.assertFails(2, "analyze", self.clip, "--config", self.path("no.toml"), says="no.toml")

    def test_without_the_window_studio_says_so(self):
        alone = self.path("windowless")
        os.mkdir(alone)
        program = shutil.copy(PROGRAM, alone)
        done = subprocess.run([program, "studio", "clip.mp4"], env={"PATH": alone}, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("there is no longtake-studio", done.stderr)
        studio = os.path.join(alone, "longtake-studio")
        with open(studio, "w") as file:
            file.write('#!/bin/sh\nprintf "%s|" "$@"\n')
        os.chmod(studio, 0o755)
        done = subprocess.run([program, "--model", "m", "studio", "a b.mp4", "--theme", "dark"], stdout=subprocess.PIPE, text=True)
        self.assertEqual(done.stdout, "--model|m|a b.mp4|--theme|dark|")

    # --- signals and terminals

    def stop(self, which):
        result, checkpoint = self.path(f"stopped{which}.jsonl"), self.path(f"stopped{which}.ckpt")
        command = ["analyze", self.clip, "-o", result, "--checkpoint", checkpoint]
        child = subprocess.Popen([PROGRAM, *command], stderr=subprocess.PIPE)
        while not os.path.exists(result) and child.poll() is None:
            time.sleep(0.005)
        time.sleep(0.2)
        child.send_signal(which)
        child.communicate(timeout=60)
        last = records(result)[-1]
        return command, child.returncode, last, result

    def test_signals_stop_cleanly_and_the_run_can_be_continued(self):
        for which, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            command, returned, last, result = self.stop(which)
            self.assertEqual((returned, last["type"], last["reason"]), (code, "end", "stopped"))
            self.assertLess(last["frames"], 200, "the signal came too late to test anything")
            self.assertEqual(run(*command).returncode, 0)
            self.assertEqual(open(result, "rb").read(), self.whole)

    def test_no_thread_that_computes_takes_a_signal(self):
        """In the middle of a matrix product the stack pointer is in the heap, and a signal's frame would overwrite it."""
        child = subprocess.Popen([PROGRAM, "analyze", self.clip, "--threads", "3"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(child.communicate)
        child.stdout.readline()
        threads = {}
        for thread in os.listdir(f"/proc/{child.pid}/task"):
            with open(f"/proc/{child.pid}/task/{thread}/status") as status:
                fields = dict(line.split(":", 1) for line in status)
            threads[int(thread)] = int(fields["SigBlk"], 16)
        child.kill()
        self.assertGreater(len(threads), 4)
        both = 1 << (signal.SIGINT - 1) | 1 << (signal.SIGTERM - 1)
        open_to_them = [thread for thread, blocked in threads.items() if blocked & both == 0]
        # The one that waits for signals, and what libraries started before main().
        waits = max(open_to_them)
        self.assertEqual([thread for thread in threads if thread > waits and threads[thread] & both != both], [])
        self.assertLessEqual(len(open_to_them), 2)
        self.assertEqual(threads[child.pid] & both, both)

    def test_nothing_moves_unless_there_is_a_terminal(self):
        self.assertEqual(run("analyze", self.clip, "--to", "1").stderr, b"")
        try:
            leader, follower = pty.openpty()
        except OSError as error:
            self.skipTest(str(error))
        child = subprocess.Popen([PROGRAM, "analyze", self.clip], stdout=subprocess.DEVNULL, stderr=follower)
        os.close(follower)
        shown = b""
        while True:
            try:
                piece = os.read(leader, 4096)
            except OSError:
                break
            if not piece:
                break
            shown += piece
        child.wait()
        os.close(leader)
        self.assertIn(b"frames", shown)
        self.assertIn(b"real time", shown)

    def test_progress_as_json(self):
        done = run("analyze", self.clip, "--progress", "json")
        for line in done.stderr.splitlines():
            self.assertEqual(json.loads(line)["type"], "progress")
        self.assertTrue(done.stderr)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    if not os.path.exists(os.path.join(MODEL, "encoder.safetensors")):
        print("skipped: the encoder's weights are not there (assets/fetch_encoder.py fetches them)")
        sys.exit(77)
    if shutil.which("ffmpeg") is None:
        print("skipped: ffmpeg is not installed")
        sys.exit(77)
    unittest.main(verbosity=2, warnings="ignore")
