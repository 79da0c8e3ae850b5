#!/usr/bin/env python3
"""The verbs that judge finished results, from outside: results written by hand, answers worked out by hand.
Usage: eval_test.py PATH/longtake [unittest arguments]"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

PROGRAM = ""


def run(*arguments):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, timeout=300)


class Eval(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="longtake-eval-")

    def tearDown(self):
        shutil.rmtree(self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def file(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def result(self, name, video, frames, events=(), segments=(), fps="all", time_base=(1, 25), **header):
        """frames: (pts, keys) of each. events: (kind, pts)."""
        head = {"type": "header", "schema": 1, "longtake": "0.1.0", "model": "0", "source": video, "width": 4, "height": 4,
                "time_base": time_base, "fps": fps, "layers": 0, "options": {}, "trained": False} | header
        lines = [head]
        second = time_base[0] / time_base[1]
        for i, (pts, keys) in enumerate(frames):
            lines.append({"type": "frame", "frame": i, "pts": pts, "t": pts * second, "layers": []} | keys)
        for kind, pts in events:
            lines.append({"type": "event", "kind": kind, "frame": 0, "pts": pts, "t": pts * second, "score": 9.0,
                          "confidence": 1.0, "span": [0, 0]})
        for first, last, label in segments:
            lines.append({"type": "segment", "first": first, "last": last, "pts": [first, last], "t": [0.0, 0.0],
                          "labels": [[label, 1.0]]})
        lines.append({"type": "end", "reason": "end_of_stream", "frames": len(frames), "dropped": {}, "decode_errors": 0,
                      "guards": 0, "events": len(events), "state_bytes": 0})
        return self.file(name, "".join(json.dumps(line) + "\n" for line in lines))

    def figures(self, *arguments):
        done = run("eval", *arguments, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn(b"nan", done.stdout.lower())
        out = json.loads(done.stdout)
        self.assertEqual(list(out)[:4], ["schema", "command", "machine", "versions"])
        self.assertEqual((out["schema"], out["command"]), (1, f"eval {arguments[0]}"))
        text = run("eval", *arguments)
        self.assertEqual(text.returncode, 0, text.stderr)
        self.assertNotIn(b"nan", text.stdout.lower())
        self.assertNotIn(b"inf", text.stdout.lower())
        return out

    def assertFails(self, code, *arguments, says):
        done = run("eval", *arguments)
        text = done.stderr.decode()
        self.assertEqual((done.returncode, done.stdout), (code, b""), text)
        self.assertIn(says, text)
        self.assertEqual(len(text.splitlines()), 1, text)

    def still(self, count, **keys):
        return [(i, keys) for i in range(count)]

    def test_boundaries(self):
        truth = self.file("truth.csv", "video,type,start_frame,end_frame\nvideos/a.mp4,cut,20,20\nvideos/a.mp4,cut,40,40\n"
                          "videos/a.mp4,fade,60,70\nvideos/a.mp4,flash_no_boundary,30,32\n")
        # A hit at 21; 31 at the flash and 50 are false; 65 hits the fade; novelty is no boundary.
        result = self.result("a.jsonl", "a.mp4", self.still(90),
                             [("cut", 21), ("cut", 31), ("boundary", 50), ("gradual", 65), ("novelty", 40)])
        got = self.figures("boundaries", "--truth", truth, result)
        self.assertEqual(got["all"], {"precision": 0.5, "recall": 2 / 3, "f1": 4 / 7, "truth": 3, "found": 4})
        self.assertEqual(got["cut"], {"precision": 1 / 3, "recall": 0.5, "f1": 2 / 5, "truth": 2, "found": 3})
        self.assertEqual(got["fade"], {"precision": 0.5, "recall": 1, "f1": 2 / 3, "truth": 1, "found": 2})
        self.assertEqual(got["dissolve"], {"precision": 0, "recall": None, "f1": 0, "truth": 0, "found": 1})
        self.assertEqual((got["flash_false_alarms"], got["tolerance"], got["signal"]), (1, 2, "events"))
        self.assertAlmostEqual(got["false_alarms_per_hour"], 2 * 3600 / 3.6)  # 90 frames are 3.6 s
        self.assertIsNone(got["intervals"]["all"]["f1"], "one video says nothing of others")
        self.assertEqual(self.figures("boundaries", "--truth", truth, "--tolerance", 0, result)["cut"]["recall"], 0)

    def test_intervals_are_the_same_each_time_and_hold_the_figure(self):
        rows = "video,type,start_frame,end_frame\n"
        results = []
        for i in range(6):
            rows += f"{i}.mp4,cut,20,20\n"
            results.append(self.result(f"{i}.jsonl", f"{i}.mp4", self.still(40), [("cut", 20 if i < 4 else 30)]))
        truth = self.file("truth.csv", rows)
        got, again = (self.figures("boundaries", "--truth", truth, *results) for _ in range(2))
        self.assertEqual(got["intervals"], again["intervals"])
        low, high = got["intervals"]["cut"]["recall"]
        self.assertLess(low, 4 / 6)
        self.assertGreater(high, 4 / 6)

    def test_a_thinned_result_is_judged_in_time(self):
        os.mkdir(self.path("videos"))
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=4", "-video_track_timescale",
                        "12800", self.path("videos/a.mp4")], check=True)
        truth = self.file("truth.csv", "video,type,start_frame,end_frame\nvideos/a.mp4,cut,50,50\n")
        # Five frames a second: frame 10 of the result is frame 50 of the video, at 2 s.
        frames = [(i * 2560, {"surprise": float(i == 10)}) for i in range(20)]
        result = self.result("a.jsonl", "a.mp4", frames, [("cut", 25600)], fps="5", time_base=(1, 12800))
        self.assertEqual(self.figures("boundaries", "--truth", truth, result)["cut"]["f1"], 1)
        abnormal = self.file("abnormal.csv", "video,start_frame,end_frame\na.mp4,48,52\n")
        got = self.figures("anomaly", "--truth", abnormal, "--root", self.path("videos"), result)
        self.assertEqual((got["frame_auc"], got["abnormal"]), (1, 1))
        shutil.rmtree(self.path("videos"))
        self.assertFails(4, "boundaries", "--truth", truth, result, says="--root")

    def test_signals(self):
        truth = self.file("truth.csv", "video,type,start_s,end_s\na.mp4,cut,0.8,0.8\n")
        frames = [(i, {"surprise": 50.0 if i == 20 else float(i % 3), "boundary": None}) for i in range(40)]
        got = self.figures("boundaries", "--truth", truth, "--signals", "all", self.result("a.jsonl", "a.mp4", frames))
        self.assertEqual([s["signal"] for s in got["signals"]], ["surprise"])
        self.assertEqual(got["signals"][0]["all"]["f1"], 1)

    def test_labels(self):
        truth = self.file("labels.csv", "video,start_s,end_s,label,coarse,split\na.mp4,0,0.4,walk,up,test\n"
                          "a.mp4,0.4,0.8,sit,down,test\nb.mp4,0,1,walk,up,train\n")
        # 20 labelled frames: 10 walk, of which 8 are called so and 2 sit; 10 sit. What follows is not judged.
        frames = [(i, {"labels": [["walk" if i < 8 or i >= 20 else "sit", 0.9], ["run", 0.1]]}) for i in range(30)]
        result = self.result("a.jsonl", "a.mp4", frames, segments=[(0, 9, "walk"), (10, 29, "sit")])
        got = self.figures("labels", "--truth", truth, "--split", "test", result)
        self.assertEqual((got["frame_accuracy"], got["frames"], got["videos"]), (18 / 20, 20, 1))
        self.assertAlmostEqual(got["macro_f1"], (16 / 18 + 20 / 22) / 2)  # walk 2·8/(2·8+2), sit 2·10/(2·10+2)
        self.assertEqual(got["segment_f1"], {"10": 1, "25": 1, "50": 1})  # walk 8/10, sit 10/12
        self.assertEqual(got["edit"], 1)
        self.assertEqual(got["per_class"]["walk"], {"precision": 1, "recall": 0.8, "f1": 16 / 18, "frames": 10})
        self.assertEqual(got["by_segment_records"]["frame_accuracy"], 1)
        self.assertEqual(self.figures("labels", "--truth", truth, "--column", "coarse", result)["frame_accuracy"], 0)
        self.assertFails(4, "labels", "--truth", truth, "--column", "fine", result, says='"fine"')
        self.assertFails(4, "labels", "--truth", truth, "--split", "val", result, says='"val"')
        self.assertFails(4, "labels", "--truth", truth, self.result("b.jsonl", "b.mp4", self.still(3)), says="no labels")

    def test_anomaly(self):
        truth = self.file("abnormal.csv", "video,start_frame,end_frame\na.mp4,2,4\nb.mp4,0,0\n")
        # Abnormal 5 and 1, others 0 and 4; frame 0 has no value. Pairs won: 3 of 4. From the top 5+ 4- 1+ 0-: (1 + 2/3) / 2.
        a = self.result("a.jsonl", "a.mp4", [(i, {"novelty": v}) for i, v in enumerate([None, 0.0, 5.0, 1.0, 4.0])])
        got = self.figures("anomaly", "--truth", truth, "--signal", "novelty", a)
        self.assertEqual((got["frame_auc"], got["frame_ap"], got["signal"]), (0.75, (1 + 2 / 3) / 2, "novelty"))
        self.assertEqual(got["per_video"][0]["video"], "a.mp4")
        b = self.result("b.jsonl", "b.mp4", [(0, {"novelty": 2.0})])
        got = self.figures("anomaly", "--truth", truth, "--signal", "novelty", a, b)
        self.assertIsNone(got["per_video"][1]["frame_auc"], "nothing is abnormal there")
        self.assertEqual(got["frame_auc"], 4 / 6)  # 1 loses to 2 as well
        self.assertFails(4, "anomaly", "--truth", truth, a, says="novelty")
        self.assertEqual([s["signal"] for s in self.figures("anomaly", "--truth", truth, "--signal", "all", a)["signals"]], ["novelty"])

    def test_bad_input(self):
        truth = self.file("truth.csv", "video,type,start_frame,end_frame\na.mp4,cut,20,20\n")
        good = self.result("a.jsonl", "a.mp4", self.still(30), [("cut", 20)])
        self.assertFails(2, "boundaries", good, says="--truth")
        self.assertFails(2, "boundaries", "--truth", truth, says="RESULT")
        self.assertFails(2, "boundaries", "--truth", truth, "--tolerance", -1, good, says="tolerance")
        self.assertFails(2, "boundaries", "--truth", truth, "--signals", "elephant", good, says="elephant")
        self.assertFails(2, "boundaries", "--truth", truth, good, good, says="both")
        self.assertFails(4, "boundaries", "--truth", self.path("none.csv"), good, says="none.csv")
        self.assertFails(4, "boundaries", "--truth", truth, self.path("none.jsonl"), says="none.jsonl")
        self.assertFails(4, "boundaries", "--truth", truth, truth, says="line 1")
        self.assertFails(4, "boundaries", "--truth", good, good, says="no column")
        later = self.result("later.jsonl", "a.mp4", self.still(30), schema=2)
        self.assertFails(4, "boundaries", "--truth", truth, later, says="schema is not 1")
        lines = open(good).read()
        damaged = self.file("damaged.jsonl", lines.replace('"frame": 7,', '"frame": "7",'))
        self.assertFails(4, "boundaries", "--truth", truth, damaged, says="line 9")

    def test_a_last_line_that_was_cut_off_is_ignored(self):
        truth = self.file("truth.csv", "video,type,start_frame,end_frame\na.mp4,cut,20,20\n")
        good = self.result("a.jsonl", "a.mp4", self.still(30), [("cut", 20)])
        cut_off = self.file("b.jsonl", open(good).read()[:-20])
        self.assertEqual(self.figures("boundaries", "--truth", truth, cut_off)["cut"]["f1"], 1)
        self.assertIn(b"breaks off", run("eval", "boundaries", "--truth", truth, cut_off).stderr)

    def test_results_of_other_videos_are_left_out_or_refused(self):
        truth = self.file("truth.csv", "video,type,start_frame,end_frame\na.mp4,cut,20,20\n")
        a = self.result("a.jsonl", "/somewhere/a.mp4", self.still(30), [("cut", 20)])
        b = self.result("b.jsonl", "b.mp4", self.still(30), [("cut", 5)])
        self.assertFails(4, "boundaries", "--truth", truth, "-q", b, says="none of the results")
        got = self.figures("boundaries", "--truth", truth, a, b)
        self.assertEqual((got["videos"], got["all"]["f1"]), (1, 1))

    def test_every_help_has_an_example(self):
        for verb in "boundaries", "labels", "anomaly":
            done = run("eval", verb, "--help")
            self.assertEqual(done.returncode, 0)
            self.assertIn(f"Example: longtake eval {verb}".encode(), done.stdout)


if __name__ == "__main__":
    if shutil.which("ffmpeg") is None:
        print("skipped: ffmpeg is not installed")
        sys.exit(77)
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2, warnings="ignore")
