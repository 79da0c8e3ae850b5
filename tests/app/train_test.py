#!/usr/bin/env python3
"""Training as a user runs it, on small videos made by ffmpeg. Usage: train_test.py PATH/longtake [unittest arguments]"""
import glob
import hashlib
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = ""
MODEL = os.path.join(ROOT, "assets", "models", "default")
SVG = "{http://www.w3.org/2000/svg}"


def run(*arguments, **options):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, timeout=600, **options)


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def digest(path):
    return hashlib.sha256(contents(path)).hexdigest()


def log_lines(path):
    return [json.loads(line) for line in contents(path).splitlines()]


class Train(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="longtake-train-")
        cls.videos = cls.path("videos")
        os.mkdir(cls.videos)
        for name, source in (("a.mp4", "testsrc2=s=160x90:r=25:d=6"), ("b.mp4", "mandelbrot=s=160x90:r=25,trim=duration=4"),
                             ("c.mkv", "life=s=160x90:r=25:mold=10:seed=1,trim=duration=4")):
            subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-pix_fmt", "yuv420p",
                            os.path.join(cls.videos, name)], check=True)
        # A model that trains in moments.
        cls.model = cls.path("small")
        os.mkdir(cls.model)
        shutil.copyfile(os.path.join(MODEL, "encoder.safetensors"), os.path.join(cls.model, "encoder.safetensors"))
        config = json.loads(contents(os.path.join(MODEL, "config.json")))
        config["stack"].update(latent=24, channels=32, swiglu=48)
        config["name"] = "small"
        config.pop("recall", None)
        config.pop("shots", None)
        with open(os.path.join(cls.model, "config.json"), "w") as file:
            json.dump(config, file)
        done = run("models", "init", cls.model)
        assert done.returncode == 0, done.stderr
        cls.cache = cls.path("cache")
        cls.whole = {}  # part: its folder, trained without interruption; seed 1, 7 steps

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, name)

    @classmethod
    def command(cls, part, output, *more, steps=7):
        # Folders of one name, since a model is called after its folder.
        return ["train", part, cls.videos, "-o", os.path.join(output, "model"), "--model", cls.model, "--cache", cls.cache,
                "--steps", str(steps), *map(str, more)]

    def train(self, part, output, *more, **how):
        done = run(*self.command(part, self.path(output), *more, **how))
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return self.files(output)

    def files(self, output):
        """What a model folder holds, by digest."""
        folder = os.path.join(self.path(output), "model")
        return {name: digest(os.path.join(folder, name)) for name in os.listdir(folder)}

    def config(self, output):
        return json.loads(contents(os.path.join(self.path(output), "model", "config.json")))

    def trained(self, part):
        if part not in self.whole:
            type(self).whole[part] = self.train(part, "whole-" + part, "--log", self.path(f"whole-{part}.jsonl"))
        return self.whole[part]

    def assertFails(self, code, *arguments, says="", encodes=False):
        before = set(os.listdir(self.cache)) if os.path.isdir(self.cache) else set()
        done = run(*arguments)
        text = done.stderr.decode(errors="replace")
        self.assertEqual(done.returncode, code, text)
        self.assertEqual(len(text.strip().splitlines()), 1, f"one sentence, not: {text}")
        self.assertIn(says, text)
        if not encodes:
            after = set(os.listdir(self.cache)) if os.path.isdir(self.cache) else set()
            self.assertEqual(after - before, set(), "told before anything was encoded")

    # --- the same bytes

    def test_a_seed_is_a_model(self):
        for part in ("stack", "recall"):
            again = self.train(part, "again-" + part)
            self.assertEqual(again, self.trained(part), part)
            other = self.train(part, "other-" + part, "--seed", 2)
            self.assertNotEqual(other[part + ".safetensors"], again[part + ".safetensors"])

    def test_threads_change_no_bit(self):
        for part in ("stack", "recall"):
            for threads in (1, 3):
                files = self.train(part, f"{part}-{threads}-threads", "--threads", threads)
                self.assertEqual(files, self.trained(part), f"{part}, {threads} threads")

    def test_killed_and_continued_is_the_whole(self):
        chance = random.Random(1)
        for part in ("stack", "recall"):
            wanted = self.trained(part)
            output, log = "killed-" + part, self.path(f"killed-{part}.jsonl")
            command = self.command(part, self.path(output), "--log", log, "--checkpoint-every", 0, "-q")
            killed = 0
            for lines in (0, 1, 3, 4, 6):  # in the log when the end comes, or a little later
                child = subprocess.Popen([PROGRAM, *command], stderr=subprocess.DEVNULL)
                while child.poll() is None and lines > 0 and (not os.path.exists(log) or contents(log).count(b"\n") < lines):
                    time.sleep(0.005)
                time.sleep(chance.uniform(0, 0.02))
                child.kill()
                if child.wait() == 0:  # too quick for us
                    break
                killed += 1
            else:
                done = run(*command)
                self.assertEqual(done.returncode, 0, done.stderr)
            self.assertGreater(killed, 2)
            self.assertEqual(self.files(output), wanted, part)
            self.assertEqual(contents(log), contents(self.path(f"whole-{part}.jsonl")), part)

    # --- what is written

    def shots(self, output, *more):
        return ["train", "shots", self.videos, "-o", os.path.join(self.path(output), "model"), "--model", self.model, "--films",
                "1", "--steps", "12", "--cache", self.path("films-" + output), *map(str, more)]

    def test_a_shot_head_is_a_function_of_its_seed(self):
        done = run(*self.shots("shots", "--threads", 1))
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        trained = self.files("shots")
        self.assertEqual(set(trained),
                         {"config.json", "SHA256SUMS", "encoder.safetensors", "stack.safetensors", "shots.safetensors"})
        self.assertEqual(self.config("shots")["shots"], {"file": "shots.safetensors"})

        # With other threads, killed while films are made and while they are learned from.
        for there in ("films-shots-killed/*.films", "shots-killed/model/training.checkpoint"):
            child = subprocess.Popen([PROGRAM, *self.shots("shots-killed", "--threads", 3, "--checkpoint-every", 0)],
                                     stderr=subprocess.DEVNULL)
            while child.poll() is None and not glob.glob(self.path(there)):
                time.sleep(0.005)
            child.kill()
            child.wait()
        done = run(*self.shots("shots-killed", "--threads", 3))
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertEqual(self.files("shots-killed"), trained)

    def test_a_complete_model_is_written(self):
        for part in ("stack", "recall"):
            files = self.trained(part)
            self.assertEqual(set(files), {"config.json", "encoder.safetensors", "stack.safetensors", "SHA256SUMS"} |
                             ({"recall.safetensors"} if part == "recall" else set()))
            folder = os.path.join(self.path("whole-" + part), "model")
            for name in files:  # nothing done to it changes another model
                self.assertEqual(os.stat(os.path.join(folder, name)).st_nlink, 1, name)
            done = run("models", "verify", "--model", folder)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(self.config("whole-" + part)["trained"], part == "stack")
            seen = run("analyze", os.path.join(self.videos, "a.mp4"), "--model", folder)
            self.assertEqual(seen.returncode, 0, seen.stderr)
        self.assertEqual(self.trained("recall")["stack.safetensors"], digest(os.path.join(self.model, "stack.safetensors")))

    def test_the_log_has_every_step_once(self):
        for part in ("stack", "recall"):
            self.trained(part)
            lines = log_lines(self.path(f"whole-{part}.jsonl"))
            self.assertEqual([line["step"] for line in lines], list(range(8)))
            for line in lines[1:]:
                self.assertLessEqual({"loss", "rate", "gradient", "parts"}, set(line))
            self.assertEqual([line["step"] for line in lines if "held_out" in line], [0, 7])

    def test_a_part_is_trained_after_the_other(self):
        self.train("stack", "both")
        files = self.train("recall", "both", steps=2)
        self.assertEqual(files["stack.safetensors"], self.trained("stack")["stack.safetensors"])
        self.assertTrue(self.config("both")["trained"])
        self.assertEqual(run("models", "verify", "--model", os.path.join(self.path("both"), "model")).returncode, 0)

    def test_init_goes_on_from_weights(self):
        for part in ("stack", "recall"):
            self.trained(part)
            log = self.path(f"init-{part}.jsonl")
            init = os.path.join(self.path("whole-" + part), "model")
            self.train(part, "init-" + part, "--init", init, "--rate", 1e-6, "--log", log, steps=1)
            scores = [line["held_out"]["score"] for line in log_lines(self.path(f"whole-{part}.jsonl")) if "held_out" in line]
            start = log_lines(log)[0]["held_out"]["score"]
            # The best of them is what is kept, as 16-bit floats.
            self.assertAlmostEqual(start, min(scores), delta=0.01, msg=part)
        self.assertLess(start, scores[0] - 0.02, "a fresh memory knows less")

    def test_videos_to_judge_by(self):
        log = self.path("val.jsonl")
        self.train("stack", "val", "--val", os.path.join(self.videos, "b.mp4"), "--log", log, steps=1)
        self.assertNotEqual(log_lines(log)[0], log_lines(self.path("whole-stack.jsonl"))[0] if self.trained("stack") else None)

    def test_a_budget_ends_it(self):
        log = self.path("budget.jsonl")
        files = self.train("recall", "budget", "--budget", "1s", "--log", log, steps=100000)
        self.assertLess(log_lines(log)[-1]["step"], 100000)
        self.assertIn("recall.safetensors", files)

    def test_curves_as_a_picture(self):
        picture = self.path("recall.png")
        self.train("recall", "plot-recall", "--plot", picture, steps=2)
        data = contents(picture)
        self.assertEqual(data[:8], b"\x89PNG\r\n\x1a\n")
        self.assertEqual(struct.unpack(">II", data[16:24]), (2 * 760, 2 * 290 * 3))
        picture = self.path("stack.svg")
        self.train("stack", "plot-stack", "--plot", picture, steps=2)
        words = {text.text for text in xml.etree.ElementTree.parse(picture).getroot().iter(SVG + "text")}
        self.assertLessEqual({"loss", "loss, smoothed", "0.08_s", "0.4_s", "1_s, smoothed", "layer 0", "layer 1", "rate"}, words)

    def test_a_stopped_training_shows_all_of_its_curve(self):
        log, picture = self.path("shown.jsonl"), self.path("shown.svg")
        more = ["--log", log, "--plot", picture, "--checkpoint-every", 0, "-q"]
        # Many more steps than it takes until it is stopped.
        child = subprocess.Popen([PROGRAM, *self.command("recall", self.path("shown"), *more, steps=60)],
                                 stderr=subprocess.DEVNULL)
        while not os.path.exists(log) or len(contents(log).splitlines()) < 8:
            time.sleep(0.02)
            self.assertIsNone(child.poll())
        child.terminate()
        self.assertEqual(child.wait(), 143, "stopped, with a checkpoint")
        self.train("recall", "shown", *more, steps=60)
        self.assertEqual([line["step"] for line in log_lines(log)], list(range(61)))
        lines = [line.get("points").split() for line in xml.etree.ElementTree.parse(picture).getroot().iter(SVG + "polyline")]
        self.assertEqual(max(map(len, lines)), 60)

    # --- what is wrong is told at once

    # --- labels

    def truth(self, name="truth.csv"):
        """a.mp4 is bars, b.mp4 and c.mkv are not; the last seconds of each are for --test."""
        rows = ["video,start_s,end_s,kind,split"]
        for video, kind, end in (("a.mp4", "bars", 6), ("b.mp4", "other", 4), ("c.mkv", "other", 4)):
            rows += [f"videos/{video},0,{end - 1},{kind},train", f"videos/{video},{end - 1},{end},{kind},val"]
        with open(self.path(name), "w") as file:
            file.write("\n".join(rows) + "\n")
        return self.path(name)

    def labels(self, output, *more, steps=24):
        given = {"--truth": self.truth(), "--column": "kind", "--split": "train", "-o": self.path(output), "--model": self.model,
                 "--cache": self.cache, "--steps": steps, "--threads": 2, **dict(zip(more[::2], more[1::2]))}
        return ["train", "labels", *[str(word) for pair in given.items() for word in pair]]

    def test_labels_are_learned_and_used(self):
        done = run(*self.labels("kinds.labels", "--test", "val"), "--json")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        said = json.loads(done.stdout)
        self.assertEqual((said["schema"], said["command"], said["labels"], said["steps"]), (1, "train labels", ["bars", "other"], 24))
        self.assertEqual(said["test"]["net"]["frame_accuracy"], 1)
        self.assertGreater(said["test"]["linear_probe"]["frame_accuracy"], 0.6)

        for video, kind, frames in (("a.mp4", "bars", 150), ("c.mkv", "other", 100)):
            done = run("analyze", os.path.join(self.videos, video), "--labels", self.path("kinds.labels"), "--model", self.model)
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            records = [json.loads(line) for line in done.stdout.splitlines()]
            labels = [r["labels"] for r in records if r["type"] == "frame"]
            self.assertEqual(len(labels), frames)
            # Of a window's first eight slots nothing is learned: they have too little behind them.
            self.assertEqual({l[0][0] for l in labels[16:]}, {kind})
            self.assertAlmostEqual(sum(share for _, share in labels[-1]), 1, delta=0.02)
            self.assertEqual({r["labels"][0][0] for r in records if r["type"] == "segment"}, {kind})
            self.assertEqual(len(records[0]["options"]["labels"]), 12)
        # What is there to be learned from examples says so.
        self.assertFails(5, "label", "list", self.path("kinds.labels"), says="train labels")

    def test_a_split_watching_with_learned_labels_is_the_whole(self):
        done = run(*self.labels("split.labels"))
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        common = [os.path.join(self.videos, "a.mp4"), "--labels", self.path("split.labels"), "--model", self.model, "-q"]
        memory = self.path("split.ltm")
        lines = []
        for part in (["--to", "2.5", "--save-memory", memory], ["--from", "2.5", "--memory", memory], []):
            done = run("analyze", *common, *part)
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            lines.append([l for l in done.stdout.splitlines() if b'"type":"frame"' in l])
        self.assertEqual([json.loads(l)["labels"] for l in lines[0] + lines[1]], [json.loads(l)["labels"] for l in lines[2]])

    def test_killed_labels_go_on_to_the_same_bytes(self):
        done = run(*self.labels("whole.labels", "--threads", 1))
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        for _ in range(2):
            child = subprocess.Popen([PROGRAM, *self.labels("killed.labels", "--checkpoint-every", 0)], stderr=subprocess.DEVNULL)
            while child.poll() is None and not os.path.exists(self.path("killed.labels.checkpoint")):
                time.sleep(0.005)
            child.kill()
            child.wait()
        done = run(*self.labels("killed.labels"))
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertEqual(digest(self.path("killed.labels")), digest(self.path("whole.labels")))
        self.assertFalse(os.path.exists(self.path("killed.labels.checkpoint")))
        other = run(*self.labels("other.labels", "--seed", 2))
        self.assertEqual(other.returncode, 0, other.stderr.decode())
        self.assertNotEqual(digest(self.path("other.labels")), digest(self.path("whole.labels")))

    def test_labels_that_cannot_be_learned(self):
        self.assertFails(2, *self.labels("bad.labels", "--views", "mirrored"), says="plain view")
        self.assertFails(2, *self.labels("bad.labels", "--views", "sideways"), says="--views")
        self.assertFails(2, "train", "labels", "-o", self.path("bad.labels"), says="--truth")
        self.assertFails(4, *self.labels("bad.labels", "--split", "none"), says="none")
        self.assertFails(4, *self.labels("bad.labels", "--val", "none"), says="none")
        self.assertFails(4, *self.labels("bad.labels", "--test", "none"), says="none")
        self.assertFails(4, *self.labels("bad.labels", "--column", "label"), says="label")
        self.assertFails(4, *self.labels("bad.labels", "--root", self.path("nowhere")), says="nowhere")
        with open(self.path("one.csv"), "w") as file:
            file.write("video,start_s,end_s,kind,split\nvideos/a.mp4,0,1,bars,train\n")
        self.assertFails(4, *self.labels("bad.labels", "--truth", self.path("one.csv")), says="2 to 64 can be told apart")
        self.assertFails(1, *self.labels("no/where.labels"), says="where.labels")
        self.assertFalse(os.path.exists(self.path("bad.labels")))

    def test_bad_usage(self):
        output = self.path("bad")
        for more, says in ((["--plot", self.path("curve.jpg")], ".png or .svg"), (["--steps", 0], "--steps"),
                           (["--budget", "soon"], "no length of time"), (["--budget", "-3m"], "no length of time"),
                           (["--rate", 0], "--rate"), (["--seed", "x"], "--seed")):
            self.assertFails(2, *self.command("stack", output, *more), says=says)
        self.assertFails(2, "train", "stack", self.videos, says="--output")
        self.assertFails(2, "train", "stack", "-o", output, says="VIDEO")
        self.assertFails(2, "train", says="subcommand")

    def test_bad_input(self):
        os.makedirs(self.path("no-videos/inner"), exist_ok=True)
        more = ["-o", self.path("bad/model"), "--model", self.model, "--cache", self.cache, "-q"]
        self.assertFails(4, "train", "stack", self.path("none.mp4"), *more, says="none.mp4")
        self.assertFails(4, "train", "stack", self.path("no-videos"), *more, says="no video")
        with open(self.path("no-videos/inner/text.mp4"), "w") as file:
            file.write("no video")
        self.assertFails(4, "train", "recall", self.path("no-videos"), *more, says="no video")
        self.assertFails(4, "train", "stack", self.videos, *more, "--val", self.path("none.mp4"), says="none.mp4")
        self.assertFails(4, "train", "stack", self.videos, *more, "--val", self.path("no-videos"), says="no video")
        self.assertFails(5, "train", "stack", self.videos, *more, "--init", self.path("none"), says="none")
        short = self.path("short.mp4")
        subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=0.2", short], check=True)
        for part in ("stack", "recall"):
            self.assertFails(4, "train", part, short, *more, says="--val", encodes=True)

    def test_bad_output(self):
        with open(self.path("plain"), "w") as file:
            file.write("a file")
        more = [self.videos, "--model", self.model, "--cache", self.cache]
        for output in (self.path("plain"), self.path("plain/model"), "/proc/model", "/proc/self"):
            self.assertFails(1, "train", "stack", *more, "-o", output, says=output)
        fine = ["-o", self.path("fine")]
        self.assertFails(1, "train", "stack", *more, *fine, "--log", self.path("no/where.jsonl"), says="where.jsonl")
        self.assertFails(1, "train", "stack", *more, *fine, "--plot", self.path("no/where.png"), says="where.png")
        self.assertFails(1, "train", "stack", *more, *fine, "--checkpoint", "/proc/self/checkpoint", says="/proc/self")

    def test_a_checkpoint_of_another_training_is_refused(self):
        checkpoint = self.path("other.checkpoint")
        command = self.command("recall", self.path("other"), "--checkpoint", checkpoint, "--checkpoint-every", 0, "-q", steps=1000)
        child = subprocess.Popen([PROGRAM, *command])
        while not os.path.exists(checkpoint):
            time.sleep(0.02)
        child.kill()
        child.wait()
        self.assertFails(5, *command, "--seed", 2, says="other settings or videos", encodes=True)
        with open(checkpoint, "r+b") as file:
            file.truncate(1000)
        self.assertFails(5, *command, says="other.checkpoint", encodes=True)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    if not shutil.which("ffmpeg"):
        print("skipped: ffmpeg, which makes the videos, is not installed")
        sys.exit(77)
    if not os.path.exists(os.path.join(MODEL, "encoder.safetensors")):
        print("skipped: the encoder has not been fetched (assets/fetch_encoder.py)")
        sys.exit(77)
    unittest.main(verbosity=2)
