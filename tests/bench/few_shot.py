#!/usr/bin/env python3
"""How well labels are learned from a few examples.
Usage: few_shot.py PATH/longtake DATA --kinds car,person,hand=place+remove

DATA holds labels.csv (video,start_s,end_s,label) and the videos. For each repeat, examples of every kind are drawn at random:
stretches of --length seconds inside labelled ones, none touching another. They are taught with `label add`, then all videos
are watched with `analyze --labels`. Scored are frames of the rest:
  known       frames that have exactly one of the kinds: macro-F1 of the best label, "unknown" counting as a miss; also the
              share of kinds told right where "unknown" was not said
  background  frames without any label at all: how many are called unknown
  unseen      every kind in turn is not taught: how many of its frames are called unknown
Given are means over the repeats, and standard deviations between them."""
import argparse
import collections
import csv
import json
import os
import random
import statistics
import subprocess
import tempfile


def kinds_of(text):
    """{label in the file: kind}, from "car,hand=place+remove"."""
    out = {}
    for part in text.split(","):
        kind, _, labels = part.partition("=")
        for label in (labels or kind).split("+"):
            out[label] = kind
    return out


def read_truth(folder, kinds, split):
    """{video: [(start, end, kind or None)]}"""
    out = collections.defaultdict(list)
    for row in csv.DictReader(open(os.path.join(folder, "labels.csv"))):
        if split in ("", row.get("split", "")):
            out[row["video"]].append((float(row["start_s"]), float(row["end_s"]), kinds.get(row["label"])))
    return dict(out)


def draw(truth, kind, count, length, taken, chance):
    """`count` stretches of a kind, [(video, from, to)]. Every labelled one is used once before any is used again."""
    stretches = [(video, s, e) for video, rows in truth.items() for s, e, k in rows if k == kind and e - s >= 0.4]
    chance.shuffle(stretches)
    out = []
    for attempt in range(400):
        if len(out) == count:
            return out
        video, start, end = stretches[attempt % len(stretches)]
        span = min(length, end - start)
        begin = round(start + chance.random() * (end - start - span), 2)
        stop = round(begin + span, 2)
        if any(v == video and begin < b and a < stop for v, a, b in taken):
            continue
        taken.append((video, begin, stop))
        out.append((video, begin, stop))
    raise SystemExit(f"few_shot.py: there is no room for {count} examples of {kind}")


class Bench:
    def __init__(self, options):
        self.options = options
        self.kinds = sorted(set(kinds_of(options.kinds).values()))
        self.truth = read_truth(options.data, kinds_of(options.kinds), options.split)
        self.learned_s = []

    def run(self, *arguments):
        done = subprocess.run([self.options.program, *map(str, arguments), "-q", "--no-scene"], capture_output=True)
        if done.returncode != 0:
            raise SystemExit(done.stderr.decode())
        return done.stdout

    def watch(self, examples, folder):
        """Best label of every frame after learning, {video: [(t, label)]}."""
        file = os.path.join(folder, "examples.labels")
        if os.path.exists(file):
            os.remove(file)
        for kind, stretches in examples.items():
            for video, begin, stop in stretches:
                said = json.loads(self.run("label", "add", file, "--video", os.path.join(self.options.data, video),
                                           "--from", begin, "--to", stop, "--name", kind, "--json"))
        self.learned_s.append(said["learned_s"])
        out = {}
        for video in self.truth:
            result = self.run("analyze", os.path.join(self.options.data, video), "--labels", file, "--fps", self.options.fps)
            frames = [f for f in map(json.loads, result.splitlines()) if f["type"] == "frame"]
            out[video] = [(f["t"], f["labels"][0][0]) for f in frames]
        return out

    def frames(self, watched, taken):
        """Frames outside of all examples: (kinds that are true, any label at all, label given)."""
        for video, frames in watched.items():
            for t, given in frames:
                if any(v == video and a <= t < b for v, a, b in taken):
                    continue
                at = [k for s, e, k in self.truth[video] if s <= t < e]
                yield {k for k in at if k is not None}, bool(at), given

    def repeat(self, seed, folder):
        chance = random.Random(seed)
        taken = []
        examples = {k: draw(self.truth, k, self.options.examples, self.options.length, taken, chance) for k in self.kinds}
        pairs, background = [], []
        for true, labelled, given in self.frames(self.watch(examples, folder), taken):
            if len(true) == 1:
                pairs.append((next(iter(true)), given))
            if not labelled:
                background.append(given == "unknown")
        scores = []
        for kind in self.kinds:
            hits = sum(t == g == kind for t, g in pairs)
            scores.append(2 * hits / max(1, sum(t == kind for t, _ in pairs) + sum(g == kind for _, g in pairs)))
        said = [t == g for t, g in pairs if g != "unknown"]
        out = {"macro_f1": statistics.mean(scores), "told_right": statistics.mean(said) if said else 0.0}
        out |= {f"f1 {kind}": score for kind, score in zip(self.kinds, scores)}
        if background:
            out["background_unknown"] = statistics.mean(background)
        unseen = {}
        for kind in self.kinds if not self.options.closed else ():
            others = {k: e for k, e in examples.items() if k != kind}
            given = [g == "unknown" for true, _, g in self.frames(self.watch(others, folder), taken) if true == {kind}]
            unseen[kind] = statistics.mean(given)
        out |= {f"unseen {kind}": share for kind, share in unseen.items()}
        if unseen:
            out["unseen_unknown"] = statistics.mean(unseen.values())
        return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("data")
    parser.add_argument("--kinds", required=True)
    parser.add_argument("--split", default="")
    parser.add_argument("--examples", type=int, default=5)
    parser.add_argument("--length", type=float, default=1.0)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--fps", default="5")
    parser.add_argument("--closed", action="store_true", help="do not leave kinds out in turn")
    bench = Bench(parser.parse_args())
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for i in range(bench.options.repeats):
            results.append(bench.repeat(bench.options.first_seed + i, folder))
            figures = {k: round(v, 3) for k, v in results[-1].items()}
            print(json.dumps({"seed": bench.options.first_seed + i, **figures}), flush=True)
    spread = lambda values: statistics.stdev(values) if len(values) > 1 else 0.0
    out = {key: [r[key] for r in results] for key in results[0]}
    out = {key: [round(statistics.mean(values), 3), round(spread(values), 3)] for key, values in out.items()}
    print(json.dumps(out | {"slowest_learning_s": round(max(bench.learned_s), 3)}))


if __name__ == "__main__":
    main()
