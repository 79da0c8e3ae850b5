#!/usr/bin/env python3
"""Memories in use: landmarks, queries, comparisons. Usage: memory_test.py PATH/longtake [unittest arguments]"""
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = ""
MODEL = os.path.join(ROOT, "assets", "models", "default")
SCENES = {"bars": "smptehdbars=s=320x180:r=25", "fractal": "mandelbrot=s=320x180:r=25", "pattern": "testsrc2=s=320x180:r=25",
          "cells": "cellauto=s=320x180:r=25:rule=110:scroll=1", "life": "life=s=320x180:r=25:mold=10:seed=7:ratio=0.2",
          "colours": "rgbtestsrc=s=320x180:r=25"}


def run(*arguments):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, timeout=300)


def of(done):
    return json.loads(done.stdout)


def tensors(path):
    """Names to bytes of a memory file, and its metadata."""
    data = open(path, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    metadata = header.pop("__metadata__")
    data = data[8 + size:]
    return {name: data[tensor["data_offsets"][0]:tensor["data_offsets"][1]] for name, tensor in header.items()}, metadata


class Memory(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="longtake-memory-")
        for name, source in SCENES.items():
            cls.ffmpeg("-f", "lavfi", "-i", source, "-t", "4", "-pix_fmt", "yuv420p", "-g", "25", cls.path(f"{name}.mp4"))
        cls.watch("bars", "one.ltm")
        cls.watch("pattern", "two.ltm", "--memory", cls.path("one.ltm"))
        cls.watch("fractal", "other.ltm")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, name)

    @classmethod
    def ffmpeg(cls, *arguments):
        subprocess.run(["ffmpeg", "-v", "error", "-y", *arguments], check=True)

    @classmethod
    def watch(cls, scene, memory, *options):
        done = run("analyze", cls.path(f"{scene}.mp4"), "--fps", "5", "--no-scene", *options,
                   "--save-memory", cls.path(memory))
        assert done.returncode == 0, done.stderr
        return done.stdout

    def picture(self, scene, at, name):
        """As another copy of the video would show it: cropped, brighter."""
        self.ffmpeg("-ss", str(at), "-i", self.path(f"{scene}.mp4"), "-frames:v", "1",
                    "-vf", "crop=iw*0.95:ih*0.95,eq=brightness=0.05", self.path(name))
        return self.path(name)

    def query(self, *arguments):
        done = run("memory", "query", *arguments, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def assertFails(self, code, *arguments, says=""):
        done = run(*arguments)
        text = done.stderr.decode(errors="replace")
        self.assertEqual(done.returncode, code, text)
        self.assertEqual(done.stdout, b"")
        self.assertEqual(len(text.strip().splitlines()), 1, f"one sentence, not: {text}")
        self.assertIn(says, text)

    # --- what a memory keeps

    def test_landmarks_name_their_videos_and_the_size_stays(self):
        info = of(run("memory", "info", "--json", self.path("two.ltm")))
        self.assertEqual({mark["source"] for mark in info["landmarks"]}, {"bars.mp4", "pattern.mp4"})
        self.assertEqual({mark["video"] for mark in info["landmarks"]}, {1, 2})
        self.assertAlmostEqual(info["watched_s"], 7.6, places=5)
        self.watch("cells", "short.ltm", "--to", "0.3")
        sizes = {os.path.getsize(self.path(name)) for name in ("one.ltm", "two.ltm", "short.ltm")}
        self.assertEqual(len(sizes), 1, "the size does not grow with what was watched")
        self.assertIn(b"landmarks", run("memory", "info", self.path("two.ltm")).stdout)

    def test_half_saved_and_the_rest_gives_the_bytes_of_the_whole(self):
        self.watch("pattern", "first half.ltm", "--to", "2.2")
        self.watch("pattern", "joined.ltm", "--from", "2.2", "--memory", self.path("first half.ltm"))
        self.watch("pattern", "whole.ltm")
        joined, whole = tensors(self.path("joined.ltm"))[0], tensors(self.path("whole.ltm"))[0]
        self.assertEqual(joined.keys(), whole.keys())
        for name in whole:
            if not name.startswith("label."):  # which says how it was watched
                self.assertEqual(joined[name], whole[name], name)

    def test_no_landmark_images_keeps_pictures_out(self):
        self.assertTrue(any(tensors(self.path("one.ltm"))[0]["landmarks.pictures"]))
        self.watch("bars", "private.ltm", "--no-landmark-images")
        self.watch("bars", "wiped.ltm", "--no-landmark-images", "--memory", self.path("one.ltm"))
        for name in ("private.ltm", "wiped.ltm"):
            kept = tensors(self.path(name))[0]
            self.assertFalse(any(kept["landmarks.pictures"]) or any(kept["landmarks.has_picture"]), name)
        self.assertEqual(os.path.getsize(self.path("private.ltm")), os.path.getsize(self.path("one.ltm")))
        info = of(run("memory", "info", "--json", self.path("wiped.ltm")))
        self.assertFalse(any(mark["picture"] for mark in info["landmarks"]))

    def test_masked_pixels_never_reach_pictures(self):
        self.watch("pattern", "masked.ltm", "--mask", "0,0 0.5,0 0.5,1 0,1")
        pictures = tensors(self.path("masked.ltm"))[0]["landmarks.pictures"]
        rows = [pictures[at:at + 96] for at in range(0, len(pictures), 96)]  # 32 pixels
        self.assertFalse(any(any(row[:48]) for row in rows))
        self.assertTrue(any(any(row[48:]) for row in rows))

    # --- queries

    def test_a_picture_that_was_seen_is_found_with_its_time(self):
        picture = self.picture("pattern", 2.4, "seen.png")
        answer = self.query(self.path("two.ltm"), "--image", picture)
        self.assertEqual(list(answer), ["familiarity", "confidence", "percentile", "nearest"])
        self.assertGreater(answer["familiarity"], 0.5)
        best = answer["nearest"][0]
        self.assertEqual(list(best), ["t", "pts", "source", "score"])
        self.assertEqual(best["source"], "pattern.mp4")
        self.assertLess(abs(best["t"] - 2.4), 1.1)
        self.assertGreater(answer["percentile"], 90)
        self.assertRegex(run("memory", "query", self.path("two.ltm"), "--image", picture).stdout.decode(),
                         r'^seen at about 00:0[1-3] of "pattern\.mp4" \(familiarity [01]\.\d\d, more than ')

    def test_what_was_not_seen_is_not_seen(self):
        for scene in ("fractal", "cells"):
            picture = self.picture(scene, 2, f"{scene}.png")
            self.assertLess(self.query(self.path("two.ltm"), "--image", picture)["familiarity"], 0.5)
            self.assertTrue(run("memory", "query", self.path("two.ltm"), "--image", picture).stdout.startswith(b"not seen"))
        done = run("memory", "query", self.path("two.ltm"), "--clip", self.path("fractal.mp4"), "--from", "1", "--to", "2.5")
        self.assertTrue(done.stdout.startswith(b"not seen"), done.stdout)

    def test_a_query_changes_nothing(self):
        before = open(self.path("two.ltm"), "rb").read()
        first = self.query(self.path("two.ltm"), "--clip", self.path("bars.mp4"))
        self.assertEqual(self.query(self.path("two.ltm"), "--video", self.path("bars.mp4")), first)
        self.assertEqual(open(self.path("two.ltm"), "rb").read(), before)

    def test_a_folder_has_one_answer_a_file(self):
        folder = self.path("asked")
        os.makedirs(folder)
        for scene in ("bars", "cells"):
            shutil.copy(self.path(f"{scene}.mp4"), folder)
        open(os.path.join(folder, "notes.txt"), "w").write("no video")
        answers = self.query(self.path("two.ltm"), "--folder", folder)
        self.assertEqual([os.path.basename(one["file"]) for one in answers], ["bars.mp4", "cells.mp4"])
        self.assertGreater(answers[0]["familiarity"], 0.5)
        self.assertLess(answers[1]["familiarity"], 0.5)
        self.assertEqual(len(run("memory", "query", self.path("two.ltm"), "--folder", folder).stdout.splitlines()), 2)

    def test_several_memories_are_ranked(self):
        names = [self.path(name) for name in ("one.ltm", "other.ltm", "two.ltm")]
        ranked = self.query(*names, "--clip", self.path("fractal.mp4"))
        self.assertEqual(ranked[0]["memory"], self.path("other.ltm"))
        self.assertEqual(len(ranked), 3)

    def test_frames_tell_how_familiar_they_are_to_another_memory(self):
        def compared(scene, *more):
            lines = self.watch(scene, "ignored.ltm", "--compare", self.path("two.ltm"), *more).splitlines()
            return [record for record in map(json.loads, lines) if record["type"] == "frame"]

        def familiarity(scene, *more):
            frames = compared(scene, *more)
            self.assertEqual(list(frames[3])[:9], ["type", "frame", "pts", "t", "surprise", "novelty", "sustained", "familiarity",
                                                   "deviation"])
            return [frame["familiarity"] for frame in frames]
        whole = familiarity("pattern")
        self.assertGreater(min(whole), 0.5)
        self.assertLess(max(familiarity("cells")), 0.5)
        self.assertEqual(familiarity("pattern", "--to", "2") + familiarity("pattern", "--from", "2"), whole)
        known, new = compared("pattern", "--maps"), compared("cells", "--maps")
        for frame in known + new:
            self.assertEqual(frame["deviation"], max(frame["deviation_map"]))
        self.assertLess(max(frame["deviation"] for frame in known), min(frame["deviation"] for frame in new))

    # --- figures

    def test_compare_is_not_symmetric(self):
        done = run("memory", "compare", self.path("one.ltm"), self.path("two.ltm"), "--json")
        figures = json.loads(done.stdout)
        self.assertEqual(figures["b_knows_a"]["known"], figures["b_knows_a"]["landmarks"], "the second went on from the first")
        self.assertLess(figures["a_knows_b"]["known"], figures["a_knows_b"]["landmarks"])
        self.assertTrue(0 < figures["distance"] < 1.415)
        self.assertEqual(of(run("memory", "compare", self.path("one.ltm"), self.path("one.ltm"), "--json"))["distance"], 0)
        self.assertIn(b"apart", run("memory", "compare", self.path("one.ltm"), self.path("two.ltm")).stdout)

    def test_selftest_and_evaluation(self):
        figures = of(run("memory", "selftest", self.path("two.ltm"), "--json"))
        self.assertGreater(figures["auroc"], 0.95)
        self.assertLess(figures["calibration_error"], 0.1)
        self.assertEqual(len(figures["decay"]), 4)
        self.assertIn(b"AUROC", run("memory", "selftest", self.path("two.ltm")).stdout)
        clips = [self.path(f"{scene}.mp4") for scene in ("bars", "pattern", "cells", "life")]
        done = run("eval", "familiarity", "--seen", *clips[:2], "--unseen", *clips[2:], self.path("two.ltm"), "--json")
        figures = json.loads(done.stdout)
        self.assertEqual((figures["schema"], figures["command"], figures["auroc"]), (1, "eval familiarity", 1.0))
        self.assertEqual([sorted(point) for point in figures["decay"]], 2 * [["age_s", "auroc", "familiarity", "seen"]])
        self.assertLess(figures["decay"][0]["age_s"], 4)
        self.assertGreater(figures["decay"][1]["age_s"], 3.5)

    def test_decay_is_drawn(self):
        clips = ["--seen", self.path("bars.mp4"), "--unseen", self.path("life.mp4")]
        for verb in (["memory", "selftest"], ["eval", "familiarity", *clips]):
            picture = self.path(f"{verb[1]}.svg")
            self.assertEqual(run(*verb, self.path("two.ltm"), "--plot", picture).returncode, 0)
            drawn = open(picture).read()
            for words in ("AUROC", "mean familiarity", "guessing", "seconds watched since"):
                self.assertIn(words, drawn)
            self.assertFails(2, *verb, self.path("two.ltm"), "--plot", self.path("picture.txt"))

    # --- bad input

    def test_damaged_and_old_memories_are_refused_and_left_alone(self):
        data = bytearray(open(self.path("two.ltm"), "rb").read())
        data[-1000] ^= 1
        bad = self.path("bad.ltm")
        open(bad, "wb").write(data)
        clip = self.path("bars.mp4")
        for verb in (("memory", "query", bad, "--clip", clip), ("memory", "selftest", bad),
                     ("memory", "compare", bad, self.path("one.ltm")), ("analyze", clip, "--compare", bad),
                     ("eval", "familiarity", "--seen", clip, "--unseen", clip, bad)):
            self.assertFails(5, *verb, says="damaged")
        self.assertEqual(open(bad, "rb").read(), bytes(data))
        old = self.path("old.ltm")
        open(old, "wb").write(open(self.path("two.ltm"), "rb").read().replace(b'"schema":"2"', b'"schema":"1"'))
        self.assertFails(5, "memory", "query", old, "--clip", clip, says="before memories kept landmarks")

    def test_bad_usage_and_input(self):
        memory = self.path("two.ltm")
        self.assertFails(2, "memory", "query", memory)
        self.assertFails(2, "memory", "query", memory, "--clip", "a", "--image", "b")
        self.assertFails(2, "memory", "compare", memory)
        self.assertFails(2, "eval", "familiarity", "--seen", "a", memory)
        self.assertFails(4, "memory", "query", memory, "--image", self.path("none.png"), says="none.png")
        self.assertFails(4, "memory", "query", memory, "--clip", self.path("bars.mp4"), "--from", "100", says="bars.mp4")
        self.assertFails(5, "memory", "query", self.path("none.ltm"), "--clip", self.path("bars.mp4"), says="none.ltm")

    def test_every_help_has_an_example(self):
        for verb in (["memory", "query"], ["memory", "compare"], ["memory", "selftest"], ["eval", "familiarity"],
                     ["train", "familiarity"]):
            done = run(*verb, "--help")
            self.assertEqual(done.returncode, 0)
            self.assertIn(b"Example: longtake", done.stdout, " ".join(verb))


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    if not os.path.exists(os.path.join(MODEL, "encoder.safetensors")):
        print("skipped: the encoder's weights are not there (assets/fetch_encoder.py fetches them)")
        sys.exit(77)
    if shutil.which("ffmpeg") is None:
        print("skipped: ffmpeg is not installed")
        sys.exit(77)
    unittest.main(verbosity=2, warnings="ignore")
