#!/usr/bin/env python3
"""Times a training step of the stack against the same step in PyTorch: forwards, backwards, AdamW; random frames, two
threads each, in turns.

    python3 -m venv /tmp/rivals && /tmp/rivals/bin/pip install torch numpy
    /tmp/rivals/bin/python tests/bench/train_rivals.py --bench build/release/train_bench --prototype DIR

DIR holds stack.py, the PyTorch prototype of the stack.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time

import torch

ROWS, FRAMES = 8, 28


def prototype_step(folder):
    """A function that takes one training step in PyTorch."""
    sys.path.insert(0, folder)
    import stack

    model = stack.Model("ttt", d=128, C=128, nh=2, layers=2, causal=False, base=1.0)
    optimiser = torch.optim.AdamW(model.parameters(), 3e-3)
    x = torch.randn(ROWS, FRAMES, 16, 128)
    dt = torch.full((ROWS,), 0.08)
    state = None

    def step():
        nonlocal state
        predictions, _, state, _ = model(x, state, dt)
        loss = sum(((p - x) ** 2).mean() for p in predictions) / len(predictions)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1)
        optimiser.step()
        state = stack.detach(state)

    return step


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bench", default="build/release/train_bench")
    parser.add_argument("--prototype", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    step = prototype_step(args.prototype)
    ours = subprocess.Popen([args.bench, str(args.threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def our_step():
        ours.stdin.write("\n")
        ours.stdin.flush()
        return int(ours.stdout.readline()) / 1e9

    def their_step():
        start = time.perf_counter()
        step()
        return time.perf_counter() - start

    contenders = {"longtake": our_step, "pytorch": their_step}
    seconds = {name: [] for name in contenders}
    for turn in range(args.turns):
        for name, contender in contenders.items():
            # The first steps of a turn find the caches, and for a while the cores, full of the other's work.
            took = [contender() for _ in range(8)]
            seconds[name] += took[2:]
    ours.stdin.close()
    ours.wait()
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    print(json.dumps({
        "torch": torch.__version__, "threads": args.threads, "frames_a_step": ROWS * FRAMES,
        "seconds_a_step": {name: {"median": medians[name], "min": min(values), "max": max(values)}
                           for name, values in seconds.items()},
        "ratio": medians["pytorch"] / medians["longtake"]}, indent=2))


if __name__ == "__main__":
    main()
