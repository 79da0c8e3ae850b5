#!/usr/bin/env python3
"""Runs `longtake analyze` over the shared set of odd, damaged and unusual media and checks what its manifest expects.

    tests/robustness.py [PROGRAM] [--data DIR] [--jobs N] [--only TEXT] [-- OPTION…]
    tests/robustness.py --pts …     compares the pts of every frame with ffprobe's instead, for timing/ and other VFR files

Options after "--" go to every `longtake analyze`. The last line counts the files that behave; the exit code is 1 unless
all do, and 77 (skipped) without the data or the program.
"""

import argparse
import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parent.parent
SECONDS = 60  # for one file; long ones get SECONDS_PER_FRAME more
SECONDS_PER_FRAME = 0.05

# The manifest is one program's reading. Where longtake does better on purpose: what to expect, frames, and why.
BETTER = {
    "upstream/pixelprobe/corrupted.webm": ("decode", 35, "its sound is damaged, its pictures are not"),
}


class Result:
    def __init__(self, code, seconds, records, broken_lines, stderr):
        self.code = code
        self.seconds = seconds
        self.records = records
        self.broken_lines = broken_lines
        self.complaints = [line for line in stderr.splitlines() if line.strip()]
        ends = [r for r in records if r.get("type") == "end"]
        self.end = ends[-1] if ends else {}
        self.frames = [r for r in records if r.get("type") == "frame"]


def analyze(program, uri, options, limit):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "result.jsonl"
        started = time.monotonic()
        try:
            run = subprocess.run([program, "analyze", uri, "-o", str(out), "--no-progress", *options],
                                 stdin=subprocess.DEVNULL, capture_output=True, timeout=limit)
            code, stderr = run.returncode, run.stderr.decode("utf-8", "replace")
        except subprocess.TimeoutExpired:
            code, stderr = None, ""
        seconds = time.monotonic() - started
        records, broken = [], 0
        for line in out.read_text("utf-8", "replace").splitlines() if out.exists() else []:
            try:
                records.append(json.loads(line))
            except ValueError:
                broken += 1
        return Result(code, seconds, records, broken, stderr)


def problems_with(expect, frames, result):
    """What is wrong with a result, as short phrases; none if it behaves."""
    wrong = []
    if result.code is None:
        return [f"still running after {result.seconds:.0f} s"]
    if result.broken_lines:
        wrong.append(f"{result.broken_lines} lines are no JSON")
    if expect == "reject_or_one_frame":
        expect, frames = ("decode", 1) if result.code == 0 else ("reject", 0)
    if expect == "reject":
        if result.code != 4:
            wrong.append(f"exit {result.code}, not 4")
        if len(result.complaints) != 1:
            wrong.append(f"{len(result.complaints)} lines on stderr, not one sentence")
        if result.frames:
            wrong.append("frames in the result")
        return wrong
    if result.code != 0:
        return wrong + [f"exit {result.code}: {' / '.join(result.complaints)[:100]}"]
    counted = result.end.get("frames")
    if counted != len(result.frames):
        wrong.append(f"the end record counts {counted} frames, there are {len(result.frames)}")
    errors = result.end.get("decode_errors")
    if expect == "decode":
        if counted != frames:
            wrong.append(f"{counted} frames, not {frames}")
        if errors != 0:
            wrong.append(f"{errors} decode errors")
    else:
        if not counted:
            wrong.append("no frames")
        if not errors:
            wrong.append("no decode errors")
        if not any("warning" in line.lower() for line in result.complaints):
            wrong.append("no warning on stderr")
    return wrong


def probed_pts(path):
    out = subprocess.run(["ffprobe", "-v", "quiet", "-select_streams", "v:0", "-show_entries", "frame=pts", "-of",
                          "csv=p=0", f"file:{path}"], capture_output=True, text=True, check=True).stdout
    return [cell for cell in (line.split(",")[0] for line in out.splitlines()) if cell]


def compare_pts(path, result):
    """(problems, remark)"""
    if result.code != 0:
        return [f"exit {result.code}: {' / '.join(result.complaints)[:100]}"], ""
    want, got = probed_pts(path), [r["pts"] for r in result.frames]
    if len(want) != len(got):
        return [f"{len(got)} frames, ffprobe has {len(want)}"], ""
    unknown = want.count("N/A")
    differing = [i for i, (w, g) in enumerate(zip(want, got)) if w != "N/A" and int(w) != g]
    wrong = [f"{len(differing)} pts differ, first at frame {differing[0]}"] if differing else []
    if any(b <= a for a, b in zip(got, got[1:])):
        wrong.append("pts do not increase")
    return wrong, f"{unknown} without a pts in ffprobe" if unknown else ""


def main():
    own, passed_on = sys.argv[1:], []
    if "--" in own:
        cut = own.index("--")
        own, passed_on = own[:cut], own[cut + 1:]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", default=str(ROOT / "build/release/longtake"))
    parser.add_argument("--data", type=pathlib.Path, default=ROOT.parent / "shared/data/robustness")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", default="", help="only files with this in their path")
    parser.add_argument("--pts", action="store_true")
    args = parser.parse_args(own)
    for needed in (args.data / "manifest.csv", pathlib.Path(args.program)):
        if not needed.exists():
            print(f"skipped: {needed} is not there")
            return 77

    with open(args.data / "manifest.csv", newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if args.only in row["path"]]
    if args.pts:
        rows = [r for r in rows if r["expect"] in ("decode", "partial") and "%" not in r["path"]
                and (r["path"].startswith("timing/") or "vfr" in r["path"])]

    def check(row):
        path = row["path"].split(" (")[0]
        expect, frames, remark = BETTER.get(path, (row["expect"], int(row["frames"] or 0), ""))
        uri = os.path.join(args.data, path)
        result = analyze(args.program, uri, passed_on, SECONDS + SECONDS_PER_FRAME * frames)
        if args.pts:
            wrong, remark = compare_pts(uri, result)
        else:
            wrong = problems_with(expect, frames, result)
        return path, expect, result, wrong, remark

    good = 0
    print(f"{'file':58} {'expected':>8} {'frames':>6} {'errors':>6} {'exit':>4} {'s':>6}")
    with ThreadPoolExecutor(args.jobs) as pool:
        for path, expect, result, wrong, remark in pool.map(check, rows):
            good += not wrong
            print(f"{path[-58:]:58} {expect[:8]:>8} {len(result.frames):>6} {result.end.get('decode_errors', '-'):>6} "
                  f"{'-' if result.code is None else result.code:>4} {result.seconds:>6.2f}"
                  f"{'  WRONG: ' + '; '.join(wrong) if wrong else ''}{'  (' + remark + ')' if remark else ''}", flush=True)
    print(f"{good} of {len(rows)} {'have the pts of ffprobe' if args.pts else 'behave'}")
    return 0 if good == len(rows) and rows else 1


if __name__ == "__main__":
    sys.exit(main())
