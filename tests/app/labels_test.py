#!/usr/bin/env python3
"""Labels from examples as a user makes and uses them. Usage: labels_test.py PATH/longtake [unittest arguments]"""
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MODEL = os.path.join(ROOT, "assets", "models", "default")
PROGRAM = ""


def run(*arguments):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, timeout=300)


def records(data):
    return [json.loads(line) for line in data.splitlines()]


def of_type(all_records, kind):
    return [r for r in all_records if r["type"] == kind]


def body(data):
    """The lines without header and end record."""
    return [l for l in data.splitlines() if not l.startswith((b'{"type":"header"', b'{"type":"end"'))]


def read(path):
    return open(path, "rb").read()


class Labels(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="longtake-labels-")
        # 3 s bars, 3 s fractal, 3 s bars again, 3 s of something that is never taught.
        cls.clip = cls.path("clip.mp4")
        parts = ["testsrc2=s=320x180:r=12:d=6", "mandelbrot=s=320x180:r=12", "cellauto=s=320x180:r=12"]
        cuts = "[0:v]split[a][b];[a]trim=0:3,setpts=PTS-STARTPTS[p];[b]trim=3:6,setpts=PTS-STARTPTS[r];" \
               "[1:v]trim=duration=3[q];[2:v]trim=duration=3,format=yuv420p[s];[p]format=yuv420p[p1];" \
               "[q]format=yuv420p[q1];[r]format=yuv420p[r1];[p1][q1][r1][s]concat=n=4:v=1"
        inputs = [word for part in parts for word in ("-f", "lavfi", "-i", part)]
        subprocess.run(["ffmpeg", "-v", "error", *inputs, "-filter_complex", cuts, "-t", "12", "-g", "24", cls.clip],
                       check=True)
        cls.labels = cls.path("my.labels")
        for start, name in ((0, "bars"), (3.2, "fractal"), (1.4, "bars"), (4.5, "fractal")):
            done = cls.add(cls.labels, start, start + 0.8, name)
            assert done.returncode == 0, done.stderr
        done = run("analyze", cls.clip, "--labels", cls.labels)
        assert done.returncode == 0, done.stderr
        cls.whole = done.stdout

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, name)

    @classmethod
    def add(cls, file, start, stop, name, *more):
        return run("label", "add", file, "--video", cls.clip, "--from", start, "--to", stop, "--name", name, *more)

    def test_frames_are_named_and_what_was_never_shown_is_unknown(self):
        frames = of_type(records(self.whole), "frame")
        best = {f["frame"]: f["labels"][0][0] for f in frames}
        for first, last, name in ((0, 36, "bars"), (36, 72, "fractal"), (72, 108, "bars"), (108, 144, "unknown")):
            right = sum(best[i] == name for i in range(first, last))
            self.assertGreaterEqual(right, 0.7 * (last - first), f"frames {first} to {last}: {name}")
        for frame in frames:
            scores = [score for _, score in frame["labels"]]
            self.assertEqual(scores, sorted(scores, reverse=True))
            self.assertLessEqual(sum(scores), 1.0001)

    def test_segments_have_labels_and_follow_one_another(self):
        segments = of_type(records(self.whole), "segment")
        self.assertEqual([segments[0]["first"], segments[-1]["last"]], [0, 143])
        for one, two in zip(segments, segments[1:]):
            self.assertEqual(one["last"] + 1, two["first"])
        self.assertEqual(segments[-1]["labels"][0][0], "unknown")
        self.assertEqual(segments[0]["labels"][0][0], "bars")

    def test_the_result_follows_the_schema(self):
        result = self.path("whole.jsonl")
        open(result, "wb").write(self.whole)
        checker = os.path.join(ROOT, "tests", "validate_jsonl.py")
        done = subprocess.run([sys.executable, checker, result], capture_output=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_only_the_past_decides(self):
        part = run("analyze", self.clip, "--labels", self.labels, "--to", "5")
        early = [f for f in of_type(records(self.whole), "frame") if f["t"] < 5]
        self.assertEqual(of_type(records(part.stdout), "frame"), early)

    def test_the_same_bytes_for_any_number_of_threads(self):
        for threads in (1, 5):
            self.assertEqual(run("analyze", self.clip, "--labels", self.labels, "--threads", threads).stdout, self.whole)

    def test_half_saved_and_the_rest_is_the_whole(self):
        memory = self.path("half.ltm")
        for at in ("3.2", "6.4", "11"):
            first = run("analyze", self.clip, "--labels", self.labels, "--to", at, "--save-memory", memory)
            rest = run("analyze", self.clip, "--labels", self.labels, "--from", at, "--memory", memory)
            self.assertEqual((first.returncode, rest.returncode), (0, 0), first.stderr + rest.stderr)
            self.assertEqual(body(first.stdout) + body(rest.stdout), body(self.whole), f"split at {at} s")
        other = run("analyze", self.clip, "--from", "11", "--memory", memory)  # the state of labels is passed over
        self.assertEqual(other.returncode, 0, other.stderr)

    def test_killed_and_continued_is_the_whole(self):
        result, checkpoint = self.path("killed.jsonl"), self.path("killed.ckpt")
        command = ["analyze", self.clip, "--labels", self.labels, "-o", result, "--checkpoint", checkpoint,
                   "--checkpoint-every", "0"]
        kills = 0
        for seed in range(30):
            child = subprocess.Popen([PROGRAM, *command], stderr=subprocess.PIPE)
            try:
                child.communicate(timeout=random.Random(seed).uniform(0.3, 1.2))
                break
            except subprocess.TimeoutExpired:
                child.kill()
                child.communicate()
                kills += 1
        done = run(*command)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(kills, 0)
        self.assertEqual(read(result), self.whole, f"after {kills} kills")

    def test_without_labels_nothing_is_said_of_them(self):
        plain = run("analyze", self.clip).stdout
        self.assertNotIn(b"labels", plain)
        strip = lambda frame: {k: v for k, v in frame.items() if k != "labels"}
        self.assertEqual([strip(f) for f in of_type(records(self.whole), "frame")], of_type(records(plain), "frame"))

    def test_a_changed_file_is_refused_and_left_alone(self):
        file = self.path("damaged.labels")
        whole = read(self.labels)
        for damaged in (whole[:-1], whole[:100], b"", whole[:-5] + b"\x00" + whole[-4:], whole + b"x"):
            open(file, "wb").write(damaged)
            for arguments in (("analyze", self.clip, "--labels", file), ("label", "list", file),
                              ("label", "remove", file, 1),
                              ("label", "merge", file, self.labels, "-o", self.path("merged.labels"))):
                done = run(*arguments)
                self.assertEqual(done.returncode, 5, (arguments, done.stderr))
                self.assertEqual(done.stderr.count(b"\n"), 1, done.stderr)
            self.assertEqual(self.add(file, 1, 2, "more").returncode, 5)
            self.assertEqual(read(file), damaged)
        self.assertEqual(run("analyze", self.clip, "--labels", self.path("none")).returncode, 5)

    def test_of_another_encoder_is_refused(self):
        """A file that claims another encoder, sealed anew as the program would."""
        data = read(self.labels)
        size = int.from_bytes(data[:8], "little")
        header = json.loads(data[8:8 + size])
        text = data[8:8 + size]
        changed = text.replace(header["__metadata__"]["encoder"].encode(), b"0" * 64)
        blank = changed.replace(header["__metadata__"]["sha256"].encode(), b"0" * 64)
        digest = hashlib.sha256(data[:8] + blank + data[8 + size:]).hexdigest().encode()
        file = self.path("other.labels")
        sealed = changed.replace(header["__metadata__"]["sha256"].encode(), digest)
        open(file, "wb").write(data[:8] + sealed + data[8 + size:])
        done = run("analyze", self.clip, "--labels", file)
        self.assertEqual(done.returncode, 5)
        self.assertIn(b"encoder 000000000000", done.stderr)

    def test_undo_remove_merge_list_and_export(self):
        file = self.path("edited.labels")
        shutil.copy(self.labels, file)
        before = read(file)
        said = json.loads(self.add(file, 3.2, 4, "third", "--json").stdout)
        self.assertEqual((said["name"], said["labels"], said["examples"], said["frames"]), ("third", 3, 5, 9))
        self.assertLess(said["learned_s"], 5)
        self.assertEqual(run("label", "undo", file).returncode, 0)
        self.assertEqual(read(file), before)
        self.assertEqual(run("label", "undo", file).returncode, 2)
        self.assertEqual(run("label", "remove", file, 2, 4).returncode, 0)
        listed = json.loads(run("label", "list", file, "--json").stdout)
        self.assertEqual(listed["labels"], [{"name": "bars", "examples": 2}])
        self.assertEqual(run("label", "undo", file).returncode, 0)
        self.assertEqual(read(file), before)
        self.assertEqual(run("label", "remove", file, "--name", "fractal").returncode, 0)
        only_bars = read(file)
        self.assertEqual(json.loads(run("label", "list", file, "--json").stdout)["labels"], listed["labels"])
        both = self.path("both.labels")
        self.assertEqual(run("label", "merge", file, self.labels, "-o", both).returncode, 0)
        self.assertEqual(len(json.loads(run("label", "list", both, "--json").stdout)["examples"]), 4)
        self.assertEqual(read(file), only_bars)
        rows = run("label", "export", self.labels, "--to", "csv").stdout.decode().splitlines()
        self.assertEqual(rows[:2], ["video,start_s,end_s,label", "clip.mp4,0,0.8,bars"])
        self.assertEqual(len(rows), 5)

    def test_bad_usage(self):
        file = self.path("usage.labels")
        for code, start, name in ((2, 1, "unknown"), (2, 1, "a\nb"), (2, 1, ""), (4, 50, "late")):
            done = self.add(file, start, start + 1, name)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertEqual(done.stderr.count(b"\n"), 1, done.stderr)
            self.assertFalse(os.path.exists(file))
        self.assertEqual(run("label", "add", file, "--video", self.path("none.mp4"), "--name", "x").returncode, 4)
        self.assertEqual(run("label", "remove", self.labels).returncode, 2)
        self.assertEqual(run("label", "remove", self.labels, 99).returncode, 2)
        self.assertEqual(run("label", "remove", self.labels, "--name", "none").returncode, 2)
        self.assertEqual(run("label", "export", self.labels, "--to", "xml").returncode, 2)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    if not os.path.exists(os.path.join(MODEL, "encoder.safetensors")):
        print("skipped: no encoder; assets/fetch_encoder.py fetches it")
        sys.exit(77)
    if shutil.which("ffmpeg") is None:
        print("skipped: ffmpeg is not installed")
        sys.exit(77)
    unittest.main(verbosity=2, warnings="ignore")
