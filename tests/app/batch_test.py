#!/usr/bin/env python3
"""`longtake batch` as a user runs it, on many small videos. Usage: batch_test.py PATH/longtake [unittest arguments]"""
import fcntl
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = ""
# What people call their files.
NAMES = [b"plain.mp4", b"with space.mp4", b"quote's \"and\" more.mp4", b"line\nend.mp4", b"-leading.mp4", b"100%.mp4",
         b"caf\xe9.mp4", "日本.mp4".encode(), b"sub/below.mp4", b"sub/plain.mp4", b"no-ending"]
BROKEN = b"broken.mp4"


def run(*arguments, **options):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, timeout=600, **options)


def bytes_of(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


class Batch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="longtake-batch-").encode()
        cls.videos = os.path.join(cls.folder, b"videos")
        os.makedirs(os.path.join(cls.videos, b"sub"))
        for number, name in enumerate(NAMES):
            subprocess.run([b"ffmpeg", b"-v", b"error", b"-f", b"lavfi", b"-i",
                            b"testsrc2=s=160x90:r=10:d=%d,hue=h=%d" % (2 + number % 2, 30 * number), b"-pix_fmt", b"yuv420p",
                            b"-f", b"mp4", b"file:" + os.path.join(cls.videos, name)], check=True)
        whole = bytes_of(os.path.join(cls.videos, b"plain.mp4"))
        write(os.path.join(cls.videos, BROKEN), whole[:300])
        write(os.path.join(cls.videos, b"notes"), b"not a video")
        write(os.path.join(cls.videos, b"photo.png"), b"\x89PNG\r\n\x1a\n")
        os.symlink(b"..", os.path.join(cls.videos, b"sub", b"loop"))
        cls.alone = {}
        for name in NAMES:
            out = os.path.join(cls.folder, b"alone.jsonl")
            done = run("analyze", b"-o" + out, "--", os.path.join(cls.videos, name))
            assert done.returncode == 0, done.stderr
            cls.alone[name] = bytes_of(out)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def setUp(self):
        self.out = tempfile.mkdtemp(dir=self.folder)

    def batch(self, *arguments, code=0, **options):
        done = run("batch", *arguments, b"-o" + self.out, **options)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def summary(self, *arguments, **options):
        return json.loads(self.batch(*arguments, "--summary", "json", **options).stdout)

    def result(self, name):
        return os.path.join(self.out, name + b".jsonl")

    def assertAllWhole(self, names=NAMES):
        for name in names:
            self.assertEqual(bytes_of(self.result(name)), self.alone[name], name)

    def manifest(self):
        with sqlite3.connect(os.path.join(self.out, b"manifest.sqlite")) as database:
            rows = database.execute("SELECT path, state, attempts, error FROM videos").fetchall()
        return {os.path.relpath(path, self.videos): (state, attempts, error) for path, state, attempts, error in rows}

    def test_every_video_of_a_folder_as_if_alone(self):
        said = self.summary(self.videos, code=3)
        self.assertAllWhole()
        self.assertEqual((said["done"], said["failed"], said["no_video"]), (len(NAMES), 1, 1))
        kept = self.manifest()
        self.assertEqual(kept[BROKEN][0], "failed")
        self.assertIn("broken.mp4", kept[BROKEN][2])
        self.assertEqual(kept[b"notes"][0], "no video")
        self.assertNotIn(b"photo.png", kept)
        self.assertEqual(sorted(kept), sorted([*NAMES, BROKEN, b"notes"]))
        left = [name for _, _, files in os.walk(self.out) for name in files if b"checkpoint" in name]
        self.assertEqual(left, [])

    def test_what_is_done_is_not_done_again(self):
        self.summary(self.videos, code=3)
        before = {name: os.stat(self.result(name)).st_mtime_ns for name in NAMES}
        self.summary(self.videos, code=3)
        self.assertEqual({name: os.stat(self.result(name)).st_mtime_ns for name in NAMES}, before)
        self.assertTrue(all(attempts == 1 for _, attempts, _ in self.manifest().values()))
        # A missing result and other settings are done again; what was only touched is not.
        os.remove(self.result(b"plain.mp4"))
        os.utime(os.path.join(self.videos, b"sub/below.mp4"))
        self.summary(self.videos, code=3)
        self.assertEqual({name: n for name, (_, n, _) in self.manifest().items() if n > 1}, {b"plain.mp4": 2})
        self.assertAllWhole()
        self.summary(self.videos, "--fps", "5", code=3)
        self.assertNotEqual(bytes_of(self.result(b"plain.mp4")), self.alone[b"plain.mp4"])

    def test_failures_are_retried_when_asked_and_when_they_changed(self):
        mended = os.path.join(self.out, b"in")
        os.mkdir(mended)
        video = os.path.join(mended, b"v.mp4")
        shutil.copy(os.path.join(self.videos, BROKEN), video)
        self.batch(mended, code=3)
        self.batch(mended, code=3)
        self.batch(mended, "--retry-failed", code=3)
        with sqlite3.connect(os.path.join(self.out, b"manifest.sqlite")) as database:
            self.assertEqual(database.execute("SELECT attempts FROM videos").fetchall(), [(2,)])
        shutil.copy(os.path.join(self.videos, b"plain.mp4"), video)
        self.batch(mended)
        self.assertTrue(bytes_of(self.result(b"v.mp4")).endswith(self.alone[b"plain.mp4"][-200:]))

    def test_killed_at_any_moment_it_goes_on_to_the_same_bytes(self):
        rng = random.Random(7)
        for _ in range(6):
            with subprocess.Popen([PROGRAM, "batch", self.videos, b"-o" + self.out, "--checkpoint-every", "0.2"],
                                  stderr=subprocess.DEVNULL) as child:
                time.sleep(rng.uniform(0.1, 1.5))
                child.kill()
        done_before = [name for name, (state, _, _) in self.manifest().items() if state == "done"]
        attempts = {name: self.manifest()[name][1] for name in done_before}
        self.summary(self.videos, code=3)
        self.assertAllWhole()
        self.assertEqual({name: self.manifest()[name][1] for name in done_before}, attempts)

    def test_stopped_it_says_how_to_go_on(self):
        with subprocess.Popen([PROGRAM, "batch", self.videos, b"-o" + self.out], stderr=subprocess.PIPE) as child:
            while not os.path.exists(self.result(b"-leading.mp4")):
                time.sleep(0.02)
            child.send_signal(signal.SIGTERM)
            said = child.stderr.read().decode()
            self.assertEqual(child.wait(), 143, said)
        self.assertIn("goes on", said)
        self.summary(self.videos, code=3)
        self.assertAllWhole()

    def test_lists_patterns_and_filters(self):
        paths = [os.path.join(self.videos, name) for name in NAMES]
        self.batch("-", input=b"\0".join(paths))
        self.assertAllWhole([b"plain.mp4", b"line\nend.mp4"])
        listed = os.path.join(self.out, b"list")
        write(listed, b"\n".join(paths[:2]) + b"\n")
        said = self.summary(b"@" + listed)
        self.assertEqual(said["done"], 2)
        said = self.summary(os.path.join(self.videos, b"*l*.mp4"), "--exclude", "line*")
        self.assertEqual(sorted(os.path.basename(one["path"]) for one in said["videos"]), ["-leading.mp4", "plain.mp4"])
        said = self.summary(self.videos, "--include", "sub/*")
        self.assertEqual([one["result"] for one in said["videos"]], ["sub/below.mp4.jsonl", "sub/plain.mp4.jsonl"])

    def test_names_of_results(self):
        both = [os.path.join(self.videos, b"plain.mp4"), os.path.join(self.videos, b"sub/plain.mp4")]
        self.batch(*both)
        self.assertEqual(sorted(name for name in os.listdir(self.out) if name.startswith(b"plain")),
                         [b"plain.mp4-2.jsonl", b"plain.mp4.jsonl"])
        self.batch(*both, "--name", "../{number}-{stem}.jsonl", "--memories")
        self.assertTrue({b"1-plain.jsonl", b"2-plain.jsonl", b"1-plain.ltm"} <= set(os.listdir(self.out)))
        self.assertIn(b"{nonsense}", self.batch(*both, "--name", "{nonsense}", code=2).stderr)

    def test_side_by_side_gives_the_same(self):
        self.summary(self.videos, "--jobs", "3", "--threads", "3", code=3)
        self.assertAllWhole()

    def test_a_dry_run_does_nothing(self):
        os.rmdir(self.out)
        done = self.batch(self.videos, "--dry-run")
        self.assertIn(b"13 of 13 videos", done.stdout)
        self.assertFalse(os.path.exists(self.out))

    def test_the_first_failure_ends_it_when_asked(self):
        said = self.summary(self.videos, "--fail-fast", code=3)
        self.assertEqual(said["failed"], 1)
        self.assertGreater(said["waiting"], 0)

    def test_one_at_a_time_in_a_folder(self):
        self.batch(os.path.join(self.videos, b"plain.mp4"))
        with open(os.path.join(self.out, b"manifest.sqlite.lock")) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.assertIn(b"another batch", self.batch(self.videos, code=2).stderr)

    def test_bad_input(self):
        self.assertIn(b"/no/such", self.batch("/no/such", code=4).stderr)
        self.assertIn(b"nothing to watch", self.batch(self.videos, "--include", "*.xyz", code=4).stderr)
        self.assertIn(b"manifest", run("batch", self.videos, "-o", "/proc/none").stderr)
        self.assertIn(b"--memories", self.batch(self.videos, "--save-memory", "m.ltm", code=2).stderr)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
