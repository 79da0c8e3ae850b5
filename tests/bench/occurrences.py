#!/usr/bin/env python3
"""Whether things that begin and end have events.
Usage: occurrences.py PATH/longtake DATA [--videos NAME...] [--fps all]

DATA holds labels.csv (video,start_s,end_s,label) and the videos. Every video is watched with `analyze`. A begin or end of a label
is hit if an event lies within --tolerance seconds of it; an event that is that near to no begin or end is false, and one outside
of every labelled stretch altogether is outside. Beginnings in a video's first two seconds, of which nothing can know, and ends in
its last second do not count. Compared are:
  longtake   events novelty and return
  surprise   the highest frame of each run whose boundary probability is at least one half
  pixel      such runs of the change of pixels (--signals pixel), by the test that Longtake's own changes go through: robust
             deviations of a minute of its own past, exponential tail, one false alarm in ten minutes"""
import argparse
import collections
import csv
import json
import math
import os
import subprocess


def pixel_events(frames):
    """core/signals/surprise.h and the way occurrences.h uses it: what goes on teaches nothing, and ends 0.3 s behind its last
    frame above 2 deviations, or after 3 s."""
    past, last, share, excess_mean, period, cluster, likely = [], -1e9, 0.02, 1.0, 0.04, 0.0, False
    events, opened, moved, before = [], None, 0.0, None
    for frame in frames:
        t, value = frame["t"], 10 * frame["signals"]["pixel"]  # of the size of a root mean square of latent numbers
        dt = min(max(t - before, 1e-3), 10) if before is not None else 1e-3
        before, z = t, 0.0
        if past:
            ordered = sorted(past)
            centre = ordered[len(ordered) // 2]
            sigma = 1.4826 * sorted(abs(v - centre) for v in past)[len(past) // 2]
            weight = len(past) / (len(past) + 8)
            variance = weight * sigma**2 + (1 - weight) * (0.4 * centre + 0.03) ** 2
            z = (value - centre) / max(math.sqrt(variance), 0.08 * centre + 0.02)
        if opened is None and t - last >= 0.25 * 0.98:
            past, last = (past + [value])[-256:], t
        period += 0.05 * (dt - period)
        excess, starts = z - 2, 0
        probability = 1 / (1 + 600 / period * (share * math.exp(-excess / excess_mean) if excess > 0 else 1))
        if excess > 0:
            starts = cluster == 0
            cluster, likely = max(cluster, excess), likely or probability >= 0.5
        elif cluster > 0:
            if not likely:
                excess_mean = min(max(excess_mean + (min(cluster, 3 * excess_mean) - excess_mean) / 32, 0.5), 10)
            cluster, likely = 0.0, False
        share = max(share + (1 - math.exp(-dt / 120)) * (starts - share), 1e-3)
        if opened is None and probability >= 0.5 and t >= 2:
            opened = t
            events.append(t)
        if opened is not None:
            moved = t if z >= 2 else max(moved, opened)
            if t - moved >= 0.3 or t - opened >= 3:
                opened = None
    return events


def surprise_events(frames):
    events, best = [], None
    for frame in frames:
        if (frame.get("boundary") or 0) >= 0.5:
            if best is None or frame["surprise"] > best["surprise"]:
                best = frame
        elif best is not None:
            events.append(best["t"])
            best = None
    return events + ([best["t"]] if best is not None else [])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("data")
    parser.add_argument("--videos", nargs="*", default=[], help="those whose name holds one of these (default: all)")
    parser.add_argument("--fps", default="all")
    parser.add_argument("--sensitivity", default="")
    parser.add_argument("--tolerance", type=float, default=1.0)
    options = parser.parse_args()
    truth = collections.defaultdict(list)
    for row in csv.DictReader(open(os.path.join(options.data, "labels.csv"))):
        if not options.videos or any(name in row["video"] for name in options.videos):
            truth[row["video"]].append((float(row["start_s"]), float(row["end_s"])))
    sums = collections.defaultdict(collections.Counter)
    seconds = 0.0
    for video, stretches in truth.items():
        command = [options.program, "analyze", os.path.join(options.data, video), "-q", "--no-scene", "--signals", "pixel",
                   "--fps", options.fps] + (["--sensitivity", options.sensitivity] if options.sensitivity else [])
        done = subprocess.run(command, capture_output=True)
        if done.returncode != 0:
            raise SystemExit(done.stderr.decode())
        records = [json.loads(line) for line in done.stdout.splitlines()]
        frames = [r for r in records if r["type"] == "frame"]
        length = frames[-1]["t"]
        seconds += length
        told = [r for r in records if r["type"] == "event" and r["kind"] in ("novelty", "return")]
        print(json.dumps({"video": video, "events": [[e["kind"], e["t"]] for e in told], "labelled": stretches}))
        found = {"longtake": [e["t"] for e in told], "surprise": surprise_events(frames), "pixel": pixel_events(frames)}
        for name, events in found.items():
            near = lambda a, b: abs(a - b) <= options.tolerance
            begins = [s for s, _ in stretches if s >= 2]
            ends = [e for _, e in stretches if e <= length - 1]
            sums[name].update(
                begins=len(begins), begins_hit=sum(any(near(s, e) for e in events) for s in begins),
                ends=len(ends), ends_hit=sum(any(near(s, e) for e in events) for s in ends), events=len(events),
                false=sum(not any(near(e, s) or near(e, f) for s, f in stretches) for e in events),
                outside=sum(not any(s - options.tolerance <= e <= f + options.tolerance for s, f in stretches) for e in events))
    for name, counts in sums.items():
        print(json.dumps({"signal": name, **counts, "false_an_hour": round(counts["false"] * 3600 / seconds, 1),
                          "outside_an_hour": round(counts["outside"] * 3600 / seconds, 1)}))


if __name__ == "__main__":
    main()
