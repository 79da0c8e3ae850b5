#!/usr/bin/env python3
"""What `longtake export` writes, read back by the programs that it is for. Usage: export_test.py PATH/longtake [unittest arguments]"""
import base64
import csv
import html.parser
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml
from fractions import Fraction

PROGRAM = ""

# 30 frames, in ticks of 1/1000 s from 1.4 s on, at no constant rate: as Matroska files of phones have them.
PTS = [1400 + 33 * i + (i * i) % 17 + (40 * max(0, i - 20)) for i in range(30)]
AWKWARD = 'a "b", <c> & d=e;f#g \\ ü 猫\nsecond line'


def run(*arguments, **more):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, timeout=300, **more)


def header(**more):
    return {"type": "header", "schema": 1, "longtake": "0.1.0", "model": "0123456789ab", "source": "clip.mkv", "width": 160,
            "height": 90, "time_base": [1, 1000], "fps": "all", "layers": 2, "options": {}, "trained": True} | more


def frame(i):
    return {"type": "frame", "frame": i, "pts": PTS[i], "t": PTS[i] / 1000, "surprise": None if i == 0 else 0.5 * i,
            "layers": [{"before": 2.0 + i, "after": 1.0, "drift": 0.1}, {"before": 3.0, "after": 1.5, "drift": 0.2}],
            "scene": [["street, car", 0.4]]}


def event(kind, at, first=None, last=None):
    return {"type": "event", "kind": kind, "frame": at, "pts": PTS[at], "t": PTS[at] / 1000, "score": 7.25, "confidence": 0.5,
            "span": [at if first is None else first, at if last is None else last]}


def segment(first, last, label=None, scene=0.1):
    out = {"type": "segment", "first": first, "last": last, "pts": [PTS[first], PTS[last]],
           "t": [PTS[first] / 1000, PTS[last] / 1000], "surprise": {"mean": 0.5, "max": 2.0}}
    return out | ({"labels": [[label, 0.9]]} if label else {}) | {"scene": [["street car", scene]]}


END = {"type": "end", "reason": "end_of_stream", "frames": 30, "dropped": {}, "decode_errors": 0, "guards": 0, "events": 2,
       "state_bytes": 1}

# Where segments begin, and where the last one ends: a frame lasts as long as the one before it.
STARTS = [0, 8, 9, 21]
FRAMES = [frame(i) for i in range(30)]
SEGMENTS = [segment(0, 7, AWKWARD), segment(8, 8, scene=0.6), segment(9, 20), segment(21, 29, "=walk;")]
WHOLE = [header(), *FRAMES[:20], event("cut", 8, 7, 8), event("gradual", 12, 11, 14), *FRAMES[20:], *SEGMENTS, END]
TITLES = [AWKWARD, "Segment 2: street car", "Segment 3", "=walk;"]
BOUNDS = [PTS[i] - PTS[0] for i in STARTS] + [PTS[29] - PTS[0] + PTS[29] - PTS[28]]  # ms since the first frame


class Export(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="longtake-export-")
        cls.whole = cls.result("whole.jsonl", WHOLE)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, name)

    @classmethod
    def result(cls, name, records):
        with open(cls.path(name), "w") as file:
            for record in records:
                file.write(json.dumps(record) + "\n")
        return cls.path(name)

    def export(self, to, *more, result=None):
        done = run("export", result or self.whole, "--to", to, "-o", "-", *more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.decode()

    def table(self, *more, result=None):
        return list(csv.DictReader(io.StringIO(self.export("csv", *more, result=result), newline="")))

    def assertFails(self, code, *arguments, says):
        done = run("export", *arguments)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(says, done.stderr.decode())

    def test_csv_has_segments_and_events_in_the_results_own_time(self):
        rows = self.table()
        self.assertEqual([r["type"] for r in rows].count("segment"), 4)
        segments = [r for r in rows if r["type"] == "segment"]
        self.assertEqual([r["label"] for r in segments], TITLES)
        self.assertEqual([float(r["start_s"]) for r in segments], [PTS[i] / 1000 for i in STARTS])
        self.assertEqual([int(r["start_pts"]) for r in segments], [PTS[i] for i in STARTS])
        self.assertEqual([int(r["end_pts"]) for r in segments], [b + PTS[0] for b in BOUNDS[1:]])
        cut, gradual = [r for r in rows if r["type"] == "event"]
        self.assertEqual((cut["label"], cut["frame"], cut["score"], cut["confidence"]), ("cut", "8", "7.25", "0.5"))
        self.assertEqual((int(cut["start_pts"]), int(cut["end_pts"])), (PTS[7], PTS[9]))
        self.assertEqual((int(gradual["start_pts"]), int(gradual["end_pts"]), gradual["frame"]), (PTS[11], PTS[15], "12"))
        times = [float(r["start_s"]) for r in rows]
        self.assertEqual(times, sorted(times))
        self.assertEqual({r["type"] for r in self.table("--rows", "events")}, {"event"})
        self.assertEqual({r["type"] for r in self.table("--rows", "segments")}, {"segment"})

    def test_csv_of_every_frame(self):
        rows = self.table("--rows", "frames")
        self.assertEqual(len(rows), 30)
        self.assertEqual([(int(r["frame"]), int(r["pts"]), float(r["t_s"])) for r in rows],
                         [(f["frame"], f["pts"], f["t"]) for f in FRAMES])
        self.assertEqual([r["surprise"] for r in rows[:3]], ["", "0.5", "1"])
        self.assertEqual((rows[4]["before_0"], rows[4]["after_1"], rows[4]["drift_1"]), ("6", "1.5", "0.2"))
        self.assertEqual((rows[4]["scene"], rows[4]["scene_score"], rows[4]["label"]), ("street, car", "0.4", ""))

    def test_json_holds_every_record(self):
        got = json.loads(self.export("json"))
        self.assertEqual((got["schema"], got["header"], got["end"]), (1, header(), END))
        self.assertEqual(got["segments"], SEGMENTS)
        self.assertEqual(got["frames"], FRAMES)
        self.assertEqual([e["kind"] for e in got["events"]], ["cut", "gradual"])

    def probe(self, path, what):
        done = subprocess.run(["ffprobe", "-v", "error", "-of", "json", *what.split(), path], capture_output=True, check=True)
        return json.loads(done.stdout)

    def test_ffmpeg_takes_the_chapters(self):
        chapters, video = self.path("chapters.txt"), self.path("chaptered.mkv")
        self.assertEqual(run("export", self.whole, "--to", "ffmetadata", "-o", chapters).returncode, 0)
        subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc=s=64x64:r=25:d=3", "-i", chapters,
                        "-map_metadata", "1", "-map_chapters", "1", video], check=True)
        got = self.probe(video, "-show_chapters")["chapters"]
        self.assertEqual([c["tags"]["title"] for c in got], TITLES)
        self.assertEqual([round(float(c["start_time"]) * 1000) for c in got], BOUNDS[:-1])
        self.assertEqual([round(float(c["end_time"]) * 1000) for c in got], BOUNDS[1:])

    def test_ffmpeg_reads_the_subtitles(self):
        flat = [t.replace("\n", " ") for t in TITLES]
        for form, name, shown in (("webvtt", "clip.vtt", flat), ("srt", "clip.srt", [t.replace("<c>", "\u2039c\u203a") for t in flat])):
            path = self.path(name)
            self.assertEqual(run("export", self.whole, "--to", form, "-o", path).returncode, 0)
            packets = self.probe(path, "-show_packets")["packets"]
            self.assertEqual([round(float(p["pts_time"]) * 1000) for p in packets], BOUNDS[:-1], form)
            self.assertEqual([round(float(p["duration_time"]) * 1000) for p in packets],
                             [b - a for a, b in zip(BOUNDS, BOUNDS[1:])], form)
            # Decoded, as a player shows it: the text of each line of ASS stands behind its ninth comma.
            ass = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-f", "ass", "-"], capture_output=True, check=True).stdout
            lines = [l.split(",", 9)[9] for l in ass.decode().splitlines() if l.startswith("Dialogue:")]
            self.assertEqual([l.replace("\\h", " ") for l in lines], shown, form)

    def test_a_time_between_two_milliseconds_is_cut_off(self):
        third = [header(time_base=[1, 3000]), *[frame(i) | {"pts": 100 * i, "t": i / 30} for i in range(30)],
                 segment(0, 1) | {"pts": [0, 100]}, segment(2, 29) | {"pts": [200, 2900]}, END]
        path = self.result("third.jsonl", third)
        self.assertIn("00:00:00.000 --> 00:00:00.066", self.export("webvtt", result=path))  # the frame is at 66.67 ms

    def test_youtube_keeps_to_its_rules(self):
        def film(starts, end):
            pts = [*starts, end]
            frames = [frame(0) | {"frame": i, "pts": p} for i, p in enumerate(sorted({*pts, end - 1}))]
            return [header(time_base=[1, 1]), *frames,
                    *[segment(0, 1, f"<part {i}>") | {"first": i, "last": i, "pts": [a, b - 1]} for i, (a, b) in enumerate(zip(pts, pts[1:]))], END]
        path = self.result("film.jsonl", film([5, 17, 20, 3605, 3720, 3725], 3726))  # the first frame is at 5 s
        lines = self.export("youtube", result=path).splitlines()
        self.assertEqual(lines, ["0:00 \u2039part 0\u203a", "0:12 \u2039part 1\u203a", "1:00:00 \u2039part 3\u203a"])
        short = run("export", self.whole, "--to", "youtube", "-o", "-")
        self.assertIn(b"YouTube shows chapters only", short.stderr)

    def test_edl(self):
        fps = Fraction(30000, 1001)
        text = self.export("edl", "--fps", "29.97", "--start-timecode", "00:59:58;28")
        self.assertIn("FCM: DROP FRAME", text)
        edits = [l for l in text.splitlines() if re.match(r"\d{3} ", l)]

        def count(code):  # back to frames, as SMPTE 12M counts
            h, m, s, f = map(int, re.split("[:;]", code))
            minutes = 60 * h + m
            return (60 * minutes + s) * 30 + f - 2 * (minutes - minutes // 10)

        origin = count("00:59:58;28")
        for i, line in enumerate(edits):
            number, reel, track, cut, *codes = line.split()
            self.assertEqual((number, reel, track, cut), (f"{i + 1:03}", "AX", "V", "C"))
            self.assertEqual(codes[:2], codes[2:])
            for code, ms in zip(codes, BOUNDS[i:i + 2]):
                self.assertEqual(count(code) - origin, int(Fraction(ms, 1000) * fps + Fraction(1, 2)))
        self.assertEqual(len(edits), 4)
        self.assertIn("* COMMENT: =walk;", text)
        self.assertRegex(text, r"\* LOC: 00:59:59;\d\d RED     cut")
        self.assertIn("FCM: NON-DROP FRAME", self.export("edl", "--fps", "25"))
        self.assertFails(2, self.whole, "--to", "edl", "-o", "-", says="--fps")
        for code in ("1:0:0:0", "00:00:00:25", "00:00:00;00", "24:00:00:00", "x"):
            self.assertFails(2, self.whole, "--to", "edl", "--fps", "25", "--start-timecode", code, "-o", "-", says=code)
        self.assertFails(2, self.whole, "--to", "edl", "--fps", "29.97", "--start-timecode", "00:01:00;00", "-o", "-", says="dropped")

    def test_drop_frame_keeps_to_the_clock(self):
        # Ten minutes of the code are 17982 frames, 600 s but for 0.6 ms; an hour ends at 01:00:00;00.
        pts = [0, 17982 * 1001, 107892 * 1001]
        records = [header(time_base=[1, 30000]), *[frame(i) | {"pts": p} for i, p in enumerate(pts)],
                   segment(0, 0) | {"pts": [pts[0], pts[0]]}, segment(1, 1) | {"pts": [pts[1], pts[1]]},
                   segment(2, 2) | {"pts": [pts[2], pts[2]]}, END]
        text = self.export("edl", "--fps", "29.97", "--start-timecode", "00:00:00;00", result=self.result("hour.jsonl", records))
        self.assertIn("00:00:00;00 00:10:00;00 ", text)
        self.assertIn("00:10:00;00 01:00:00;00 ", text)

    def test_otio(self):
        def seconds(time):
            return Fraction(time["value"]) / Fraction(time["rate"])
        got = json.loads(self.export("otio"))
        self.assertEqual(got["OTIO_SCHEMA"], "Timeline.1")
        track, = got["tracks"]["children"]
        clips = track["children"]
        self.assertEqual([c["OTIO_SCHEMA"] for c in clips], ["Clip.1"] * 4)
        self.assertEqual([c["name"] for c in clips], [t.replace("\n", " ") for t in TITLES])
        starts = [seconds(c["source_range"]["start_time"]) * 1000 for c in clips]
        lasts = [seconds(c["source_range"]["duration"]) * 1000 for c in clips]
        self.assertEqual(starts, BOUNDS[:-1])
        self.assertEqual([a + b for a, b in zip(starts, lasts)], BOUNDS[1:])
        self.assertEqual(clips[0]["media_reference"]["target_url"], "clip.mkv")
        markers = got["tracks"]["markers"]
        self.assertEqual([(m["name"], seconds(m["marked_range"]["start_time"]) * 1000) for m in markers],
                         [("cut", PTS[8] - PTS[0]), ("gradual", PTS[12] - PTS[0])])
        coded = json.loads(self.export("otio", "--fps", "25", "--start-timecode", "01:00:00:00"))
        self.assertEqual((coded["global_start_time"]["value"], coded["global_start_time"]["rate"]), (90000, 25))
        self.assertEqual(coded["tracks"]["children"][0]["children"][1]["source_range"]["start_time"]["value"],
                         90000 + int(Fraction(BOUNDS[1] * 25, 1000) + Fraction(1, 2)))

    def test_eaf(self):
        root = xml.fromstring(self.export("eaf"))
        slots = {s.get("TIME_SLOT_ID"): int(s.get("TIME_VALUE")) for s in root.iter("TIME_SLOT")}
        self.assertEqual(list(slots.values()), sorted(slots.values()))
        tiers = {t.get("TIER_ID"): [(slots[a.get("TIME_SLOT_REF1")], slots[a.get("TIME_SLOT_REF2")], a.findtext("ANNOTATION_VALUE"))
                                    for a in t.iter("ALIGNABLE_ANNOTATION")] for t in root.iter("TIER")}
        self.assertEqual(tiers["segments"], list(zip(BOUNDS, BOUNDS[1:], TITLES)))
        self.assertEqual(tiers["cut"], [(PTS[7] - PTS[0], PTS[9] - PTS[0], "cut")])
        self.assertEqual(tiers["gradual"], [(PTS[11] - PTS[0], PTS[15] - PTS[0], "gradual")])
        self.assertEqual(len({a.get("ANNOTATION_ID") for a in root.iter("ALIGNABLE_ANNOTATION")}), 6)
        self.assertTrue(all(t.get("LINGUISTIC_TYPE_REF") == root.find("LINGUISTIC_TYPE").get("LINGUISTIC_TYPE_ID") for t in root.iter("TIER")))

    def test_the_report_is_whole_in_itself(self):
        hostile = "<script>alert(1)</script>&\"'"
        video = self.path("clip.mkv")
        subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "color=red:s=160x90:r=10:d=1[a];color=blue:s=160x90:r=10:d=2[b];[a][b]concat",
                        "-c:v", "ffv1", video], check=True)
        records = [header(source="clip.mkv"), *[frame(i) | {"pts": 100 * i, "t": i / 10} for i in range(30)],
                   event(hostile, 10) | {"pts": 1000, "t": 1.0}, segment(0, 9, hostile) | {"pts": [0, 900]},
                   segment(10, 29) | {"pts": [1000, 2900]}, END]
        path = self.result("report.jsonl", records)
        page = self.export("html", result=path)
        self.assertNotRegex(page, r"https?:|//[a-z]|<script|<link|@import|url\(")
        self.assertIn("prefers-color-scheme: dark", page)
        self.assertIn("Content-Security-Policy", page)

        class Page(html.parser.HTMLParser):
            open, images, words, cells = [], [], "", []

            def handle_starttag(self, tag, attributes):
                if tag == "img":
                    self.images.append(dict(attributes)["src"])
                elif tag != "meta":
                    self.open.append(tag)
                if tag == "td":
                    self.cells.append("")

            def handle_startendtag(self, tag, attributes):
                pass

            def handle_endtag(self, tag):
                assert self.open.pop() == tag

            def handle_data(self, data):
                self.words += data
                if "td" in self.open:
                    self.cells[-1] += data

        read = Page()
        read.feed(page)
        read.close()
        self.assertEqual(read.open, [])
        self.assertIn(hostile, read.cells)
        self.assertIn("00:00:01.000", read.cells)
        # Of two segments, once in the contact sheet, and of the event. The colours are those of the video at these times.
        self.assertEqual(len(read.images), 3)
        colours = []
        for source in read.images:
            kind, data = source.split(",", 1)
            self.assertEqual(kind, "data:image/jpeg;base64")
            pixels = subprocess.run(["ffmpeg", "-v", "error", "-f", "mjpeg", "-i", "-", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
                                    input=base64.b64decode(data, validate=True), capture_output=True, check=True).stdout
            self.assertEqual(len(pixels), 240 * 135 * 3)
            r, g, b = pixels[:3]
            colours.append("red" if r > 200 and b < 50 else "blue" if b > 200 and r < 50 else (r, g, b))
        self.assertEqual(colours, ["red", "blue", "blue"])

        other = run("export", path, "--to", "html", "--video", self.clip_of_another_size(), "-o", "-")
        self.assertEqual(other.returncode, 0)
        self.assertIn(b"not the video", other.stderr)
        self.assertNotIn(b"<img", other.stdout)

    def clip_of_another_size(self):
        path = self.path("other.mkv")
        subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc=s=64x64:d=1", path], check=True)
        return path

    def test_pictures_of_curves(self):
        png, _ = self.to_file(self.whole, "png")
        self.assertEqual(png[:8], b"\x89PNG\r\n\x1a\n")
        drawn = xml.fromstring(self.export("svg"))
        words = " ".join(t.text or "" for t in drawn.iter("{http://www.w3.org/2000/svg}text"))
        for word in "Inner loss", "layer 1 after", "Surprise":
            self.assertIn(word, words)
        self.assertNotIn("Novelty", words, "the result has none")
        self.assertFails(2, self.whole, "--to", "png", "-o", "-", says="no text")

    def formats(self):
        listed = re.search(r"--to FORMAT:\{([^}]*)\}", run("export", "--help").stdout.decode())
        return listed.group(1).split(",")

    def to_file(self, result, form, *more):
        out = self.path("out." + form)
        done = run("export", result, "--to", form, "--fps", "25", "-o", out, *more)
        self.assertEqual(done.returncode, 0, (form, done.stderr))
        with open(out, "rb") as file:
            return file.read(), done.stderr

    def test_every_format_takes_an_empty_result_and_one_of_a_single_frame(self):
        empty = self.result("empty.jsonl", [header(), END | {"frames": 0, "events": 0}])
        one = self.result("one.jsonl", [header(), FRAMES[0], segment(0, 0), END | {"frames": 1, "events": 0}])
        for form in self.formats():
            for result in empty, one:
                first, _ = self.to_file(result, form)
                self.assertEqual(first, self.to_file(result, form)[0], f"{form}: equal input, equal bytes")
        self.assertEqual(self.export("webvtt", result=empty), "WEBVTT\n")
        self.assertIsNone(json.loads(self.export("json", result=self.result("head.jsonl", [header()])))["end"])

    def test_a_result_that_breaks_off_is_exported_as_far_as_it_goes(self):
        text = "".join(json.dumps(r) + "\n" for r in [header(), *FRAMES[:15], SEGMENTS[0], *FRAMES[15:18]])
        path = self.path("broken.jsonl")
        with open(path, "w") as file:
            file.write(text[:-40])
        for form in self.formats():
            self.assertIn(b"breaks off", self.to_file(path, form)[1], form)
        # Nothing tells where the first segment's last frame ended: it is given the mean length of its frames.
        middle = PTS[7] + (PTS[7] - PTS[0]) // 7
        rows = self.table("--rows", "segments", result=path)
        self.assertEqual([(int(r["start_pts"]), int(r["end_pts"])) for r in rows],
                         [(PTS[0], middle), (middle, 2 * PTS[16] - PTS[15])])

    def test_a_gap_is_part_of_no_segment(self):
        late = [dict(f, pts=f["pts"] + (60_000 if f["frame"] > 7 else 0)) for f in FRAMES]
        records = [header(), *late[:8], {"type": "discontinuity", "reason": "gap", "frame": 8, "pts": late[8]["pts"], "gap_s": 60.0},
                   *late[8:], SEGMENTS[0], segment(8, 29) | {"pts": [late[8]["pts"], late[29]["pts"]]}, END]
        rows = self.table("--rows", "segments", result=self.result("gap.jsonl", records))
        self.assertEqual(int(rows[0]["end_pts"]), PTS[7] + (PTS[7] - PTS[0]) // 7)
        self.assertEqual(int(rows[1]["start_pts"]), late[8]["pts"])

    def test_times_count_from_the_videos_start_wherever_the_analysis_began(self):
        late = self.path("late.mkv")  # its first frame is at 1.4 s
        subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc=s=160x90:r=10:d=4", "-output_ts_offset", "1.4", late],
                       check=True)
        self.assertEqual(self.probe(late, "-show_entries stream=start_pts")["streams"][0]["start_pts"], 1400)
        records = [header(source="late.mkv", options={"from": "2.4"}), *[frame(i) | {"pts": 2400 + 100 * i} for i in range(10)],
                   segment(0, 9) | {"pts": [2400, 3300]}, END]
        path = self.result("late.jsonl", records)
        self.assertIn("\n00:00:01.000 --> 00:00:02.000\n", self.export("webvtt", result=path))
        os.remove(late)  # nobody knows where it began
        self.assertIn("\n00:00:02.400 --> 00:00:03.400\n", self.export("webvtt", result=path))

    def test_hostile_results_do_no_harm(self):
        big = 2**63 - 1
        wild = [header(time_base=[1, 2**31 - 1]), FRAMES[0] | {"pts": -big}, FRAMES[1] | {"pts": big, "frame": big}, event("a\x01/<b>", 3) | {"span": [-big, big]},
                segment(0, 1) | {"pts": [big, -big]}, segment(5, 1) | {"pts": [-big, big], "first": -big, "last": big}, END]
        path = self.result("wild.jsonl", wild)
        for form in self.formats():
            done = run("export", path, "--to", form, "--fps", "25", "-o", self.path("wild.out"))
            self.assertEqual(done.returncode, 0, (form, done.stderr))
        xml.fromstring(self.export("eaf", result=path))
        for base in ([0, 1], [1, 0], [-1, 5], [1, 2**40]):
            self.assertFails(4, self.result("base.jsonl", [header(time_base=base), END]), "--to", "csv", "-o", "-", says="time base")

    def test_bad_command_lines(self):
        self.assertFails(2, self.whole, "--to", "elephant", "-o", "-", says="--to")
        self.assertFails(2, self.whole, "-o", "-", says="--to")
        self.assertFails(2, self.whole, "--to", "csv", says="--output")
        self.assertFails(2, self.whole, "--to", "csv", "-o", self.whole, says="overwrite")
        self.assertFails(4, self.path("none.jsonl"), "--to", "csv", "-o", "-", says="none.jsonl")
        self.assertFails(4, self.whole, "--to", "eaf", "--video", self.path("none.mkv"), "-o", "-", says="none.mkv")
        self.assertFails(1, self.whole, "--to", "csv", "-o", self.path("no/such/folder.csv"), says="folder.csv")
        self.assertTrue(os.path.getsize(self.whole) > 1000)

    def test_the_configurations_rate_is_not_that_of_time_codes(self):
        config = self.path("config.toml")
        with open(config, "w") as file:
            file.write("fps = \"5\"\n")
        self.assertFails(2, self.whole, "--to", "edl", "-o", "-", "--config", config, says="--fps")

    def test_help_has_an_example_that_is_true(self):
        done = run("export", "--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn(b"Example: longtake export clip.jsonl --to webvtt -o clip.vtt", done.stdout)


if __name__ == "__main__":
    if shutil.which("ffmpeg") is None:
        print("skipped: ffmpeg is not installed")
        sys.exit(77)
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2, warnings="ignore")
