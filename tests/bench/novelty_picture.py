#!/usr/bin/env python3
"""Draws where a video is new: its most novel moments side by side, each part of the picture the redder the newer it is.

  novelty_picture.py PATH/longtake VIDEO -o PICTURE.jpg [--moments 4] [--apart 4] [--width 400]

The map is what `longtake analyze --maps` gives, 4x4 parts of each frame; the reddest part is the newest of all moments shown.
Prints the moments. Needs ffmpeg."""
import argparse
import json
import subprocess

SIDE = 4  # parts along each side


def watched(program, video):
    done = subprocess.run([program, "analyze", video, "--maps", "--no-scene", "-q"], capture_output=True, check=True)
    return [record for record in map(json.loads, done.stdout.splitlines()) if record["type"] == "frame"]


def moments(frames, count, apart):
    """The frames with the newest parts, none near a newer one; not the first seconds, in which all is new."""
    chosen = []
    for frame in sorted(frames, key=lambda frame: -max(frame["novelty_map"])):
        if frame["t"] > frames[0]["t"] + 2 and all(abs(frame["t"] - other["t"]) >= apart for other in chosen):
            chosen.append(frame)
        if len(chosen) == count:
            break
    return sorted(chosen, key=lambda frame: frame["t"])


def parts(frame, newest):
    boxes = []
    for i, novelty in enumerate(frame["novelty_map"]):
        x, y = f"iw*{i % SIDE}/{SIDE}", f"ih*{i // SIDE}/{SIDE}"
        boxes.append(f"drawbox=x={x}:y={y}:w=iw/{SIDE}:h=ih/{SIDE}:color=red@{0.7 * novelty / newest:.3f}:t=fill")
    return ",".join(boxes)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("video")
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--moments", type=int, default=4)
    parser.add_argument("--apart", type=float, default=4, help="seconds")
    parser.add_argument("--width", type=int, default=400, help="of one of them")
    options = parser.parse_args()
    shown = moments(watched(options.program, options.video), options.moments, options.apart)
    newest = max(max(frame["novelty_map"]) for frame in shown)
    graph = [f"[0:v]split={len(shown)}" + "".join(f"[in{i}]" for i in range(len(shown)))]
    for i, frame in enumerate(shown):
        graph.append(f"[in{i}]select=eq(n\\,{frame['frame']}),scale={options.width}:-2,format=yuv444p,{parts(frame, newest)}[out{i}]")
    graph.append("".join(f"[out{i}]" for i in range(len(shown))) + f"hstack=inputs={len(shown)}[all]")
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", options.video, "-filter_complex", ";".join(graph), "-map", "[all]",
                    "-frames:v", "1", "-q:v", "4", options.output], check=True)
    for frame in shown:
        print(f"{frame['t']:.2f} s: novelty {frame['novelty']:.3f}, of its newest part {max(frame['novelty_map']):.3f}")


if __name__ == "__main__":
    main()
