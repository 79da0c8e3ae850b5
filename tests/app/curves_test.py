#!/usr/bin/env python3
"""The verbs that make curves, from outside, on video made by ffmpeg. Usage: curves_test.py PATH/longtake [unittest arguments]"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = ""
MODEL = os.path.join(ROOT, "assets", "models", "default")


def run(*arguments):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, timeout=600)


class Curves(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="longtake-curves-")
        cls.clip, cls.cache, cls.model = cls.path("clip.mp4"), cls.path("cache"), cls.path("model")
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=3", "-f", "lavfi", "-i",
                        "mandelbrot=s=160x90:r=25", "-filter_complex",
                        "[1:v]trim=duration=3[m];[0:v][m]concat=n=2:v=1,format=yuv420p", "-t", "6", cls.clip], check=True)
        done = run("train", "recall", cls.clip, "-o", cls.model, "--steps", 1, "--cache", cls.cache)
        assert done.returncode == 0, done.stderr
        cls.truth, cls.labels = cls.path("truth.csv"), cls.path("labels.csv")
        with open(cls.truth, "w") as file:
            file.write("video,type,start_frame,end_frame\nclip.mp4,cut,75,75\n")
        with open(cls.labels, "w") as file:
            file.write("video,start_s,end_s,label\nclip.mp4,2.8,3.4,change\nclip.mp4,0,6,everything\n")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, name)

    def figures(self, *arguments, plot=None):
        """The JSON object of a verb, its head checked; where a plot is asked for, that it is a picture."""
        arguments = list(arguments) + ["--json"] + (["--plot", self.path(plot)] if plot else [])
        done = run(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        out = json.loads(done.stdout)
        self.assertEqual((out["schema"], out["command"]), (1, " ".join(arguments[:2])))
        self.assertIn("cpu", out["machine"])
        self.assertIn("longtake", out["versions"])
        if plot:
            with open(self.path(plot), "rb") as file:
                start = file.read(8)
            self.assertTrue(start == b"\x89PNG\r\n\x1a\n" if plot.endswith("png") else start.startswith((b"<?xml", b"<svg")), start)
        return out

    def assertFails(self, code, *arguments, says):
        done = run(*arguments)
        text = done.stderr.decode()
        self.assertEqual((done.returncode, done.stdout), (code, b""), text)
        self.assertIn(says, text)
        self.assertEqual(len(text.splitlines()), 1, text)

    def eval(self, verb, *arguments, **options):
        return self.figures("eval", verb, self.clip, "--model", self.model, "--cache", self.cache, *arguments, **options)

    def test_prediction(self):
        got = self.eval("prediction", plot="prediction.png")
        self.assertEqual([h["seconds"] for h in got["horizons"]], [0.08, 0.4, 1.0])
        for horizon in got["horizons"]:
            self.assertEqual(list(horizon["error"]), ["ttt_mlp", "running_means", "persistence"])
            self.assertTrue(all(error > 0 for error in horizon["error"].values()))
        self.assertEqual([c["frames"] for c in got["context"]], [1, 2, 4, 8, 16, 32, 64])
        self.assertTrue(all(c["error"]["persistence"] == 1 and c["clips"] == 1 for c in got["context"]))
        self.assertEqual([p["seconds"] for p in got["inner_loss"]], list(range(6)))
        self.assertTrue(all(len(p["layers"]) == 2 and p["model"] == "ttt_mlp" for p in got["inner_loss"]))
        self.assertEqual((got["clips"], got["frames"]), (1, 75))

    def test_prediction_of_two_models(self):
        other = self.path("other")
        shutil.copytree(self.model, other)
        got = self.eval("prediction", "--model", other)
        self.assertEqual(list(got["horizons"][0]["error"]), ["ttt_mlp:model", "ttt_mlp:other", "running_means", "persistence"])
        errors = got["horizons"][0]["error"]
        self.assertEqual(errors["ttt_mlp:model"], errors["ttt_mlp:other"])
        done = run("models", "init", other, "--seed", 9)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFails(5, "eval", "prediction", self.clip, "--model", self.model, "--model", other, "--cache", self.cache,
                         says="another way")

    def test_recall(self):
        got = self.eval("recall", "--rivals", "slots32,running_mean,none", plot="recall.svg")
        names = ["rls", "slots32", "running_mean", "none"]
        self.assertEqual(got["places"], 8)
        self.assertEqual(list(got["new"]), names)
        self.assertEqual([p["n"] for p in got["return"]], [1, 2, 4], "8 views of one clip: one to return to and a new one")
        for point in got["return"]:
            for figure in ("error", "standard_error", "unshown", "later"):
                self.assertEqual(list(point[figure]), names)
            self.assertGreaterEqual(point["trials"], 100)
        self.assertEqual(got["minutes"], [], "there is no minute of other video")
        self.assertTrue(all(0 <= area <= 1 for area in got["familiarity"]["auroc"].values()))
        self.assertEqual(got["state_bytes"]["none"], 0)
        self.assertEqual(got["state_bytes"]["rls"], 2 * 4 * (192 * 1024 + 192 * 192))

    def test_remember(self):
        videos = [self.path(name) for name in ("a/a/1.mp4", "a/a/2.mp4", "a/b/3.mp4", "b/b/4.mp4")]
        for video, scene in zip(videos, ("testsrc2", "mandelbrot", "smptebars", "rgbtestsrc")):
            os.makedirs(os.path.dirname(video), exist_ok=True)
            subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"{scene}=s=160x90:r=12.5", "-frames:v", "32",
                            "-pix_fmt", "yuv420p", video], check=True)
        arguments = ["--model", self.model, "--cache", self.cache]
        got = self.figures("eval", "remember", self.path("a"), self.path("b"), *arguments)
        self.assertEqual([(g["against"], g["clips"]) for g in got["groups"]], [("other_kind", 4), ("same_kind", 3), ("same_room", 2)])
        self.assertEqual((got["clips"], got["stretches"]), (4, 4))
        for group in got["groups"]:
            self.assertEqual((group["seen"], group["asked"]), (4 * group["clips"], 4 * group["clips"]))
            self.assertEqual(list(group["auroc"]), ["ttt_mlp", "mean_frame"])
            self.assertGreater(group["auroc"]["ttt_mlp"], 0.9, "pictures that have nothing in common")
        same = self.figures("eval", "remember", *videos[:2], videos[0], *arguments)
        self.assertEqual([g["against"] for g in same["groups"]], ["same_room"])
        self.assertEqual(same["clips"], 2, "a file that is given twice is not another clip")
        done = run("eval", "remember", *videos, *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertIn(b"other kind", done.stdout)
        gru = self.path("gru")
        done = run("train", "stack", self.clip, "-o", gru, "--inner", "gru", "--steps", 1, "--cache", self.cache)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFails(5, "eval", "remember", *videos, "--model", gru, "--cache", self.cache, says="no inner loss")
        self.assertFails(4, "eval", "remember", videos[0], *arguments, says="two videos")

    def test_density(self):
        got = self.eval("density", "--truth", self.truth, "--labels", self.labels, plot="density.png")
        self.assertEqual([p["fps"] for p in got["points"]], [1, 2, 5, 10, 25])
        self.assertEqual((got["boundaries"], got["short_events"]), (1, 1))
        self.assertEqual(got["points"][-1]["boundary_f1"], 1, "the cut is found when every frame is looked at")
        for point in got["points"]:
            self.assertGreater(point["cost_per_video_second"], 0)
            self.assertGreater(point["prediction_error"], 0)
            self.assertIn(point["short_event_recall"], (0, 1))
        bare = self.eval("density")
        self.assertTrue(all(p["boundary_f1"] is None and p["short_event_recall"] is None for p in bare["points"]))

    def test_context(self):
        got = self.figures("bench", "context", "--model", self.model, "--frames", 300, plot="context.png")
        curves = {(m["name"], m["mode"]): m for m in got["models"]}
        for name in ("ttt_mlp", "recall:rls", "gru", "attention"):
            for mode in ("single", "forward"):
                points = curves[name, mode]["points"]
                self.assertEqual([p["frames"] for p in points], [100, 300])
                grown = points[1]["state_bytes"] / points[0]["state_bytes"]
                self.assertAlmostEqual(grown, 3 if name == "attention" else 1, delta=0.1)
                low, high = curves[name, mode]["slope_interval"]
                self.assertLessEqual(low, high)
        # Keys and values of 16 tokens and 128 channels, and a flag, in each of two layers.
        self.assertEqual(curves["attention", "single"]["slope_bytes_per_frame"], 2 * 4 * (2 * 16 * 128 + 1))

    def test_tables_for_people(self):
        done = run("eval", "prediction", self.clip, "--model", self.model, "--cache", self.cache)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertIn(b"running_means", done.stdout)

    def test_bad_input(self):
        missing = self.path("missing.mp4")
        for verb in ("prediction", "recall", "remember", "density"):
            self.assertFails(4, "eval", verb, missing, "--model", self.model, "--cache", self.cache, says="missing.mp4")
            self.assertFails(5, "eval", verb, self.clip, "--model", self.path("nowhere"), says="nowhere")
            self.assertFails(2, "eval", verb, says="VIDEO")
        bare = self.path("bare")
        os.mkdir(bare)
        os.link(os.path.join(self.model, "encoder.safetensors"), os.path.join(bare, "encoder.safetensors"))
        self.assertEqual(run("models", "init", bare).returncode, 0)
        # The model is looked at first: videos can take hours.
        self.assertFails(5, "eval", "recall", missing, "--model", bare, "--cache", self.cache, says="recall")
        self.assertFails(2, "eval", "recall", self.clip, "--model", self.model, "--cache", self.cache, "--rivals", "abacus",
                         says="abacus")
        self.assertFails(2, "eval", "recall", self.clip, "--views", "9", says="views")
        self.assertFails(4, "eval", "density", self.clip, "--model", self.model, "--cache", self.cache, "--truth", missing,
                         says="missing.mp4")
        self.assertFails(2, "eval", "prediction", self.clip, "--model", self.model, "--cache", self.cache, "--plot",
                         self.path("plot.txt"), says="plot.txt")
        self.assertFails(5, "bench", "context", "--model", self.path("nowhere"), says="nowhere")
        self.assertFails(2, "bench", "context", "--frames", "1", says="frames")

    def test_every_help_has_an_example(self):
        for verb in (["eval"], ["eval", "prediction"], ["eval", "recall"], ["eval", "remember"], ["eval", "density"], ["bench", "context"]):
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
