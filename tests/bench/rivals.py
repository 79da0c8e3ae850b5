#!/usr/bin/env python3
"""Trains the rivals of a model's layers and of its recall memory by the commands that made the model, on the same videos.

    rivals.py PATH/longtake OUTPUT --model DIR --train VIDEO… --val VIDEO… [--part stack recall] [--cache DIR]

OUTPUT/NAME is a model folder for each of them, for `figures.py --model`. Memories are given as many bytes as they can use, up to
those of the usual one (RECALL below); what they really take is in the figures. What is there already is not trained again.
"""
import argparse
import pathlib
import shutil
import subprocess
import sys

# name: options of `train stack`
STACK = {inner: ["--inner", inner] for inner in
         ("linear", "none", "gru", "lstm", "rwkv", "gla", "mamba", "attention-window", "attention")}
# name: options of `train recall`. Of rls with 192 keys the two halves hold 2·4·(192·1024 + 192·192) bytes; the others have as
# many numbers in keys or hidden layer as make the same, a matrix P for each second-order rule included.
RECALL = {
    "rls": [],
    "rls128": ["--rule", "rls", "--keys", 128],
    "rls64": ["--rule", "rls", "--keys", 64],
    "delta": ["--keys", 228],
    "mlp": ["--hidden", 192],
    "mlp-last": ["--hidden", 228],
    "mlp-rls": ["--hidden", 192],
    "both-rls": ["--keys", 96, "--hidden", 96],
    "none": [],
    "gla": ["--keys", 228],
    "gru": ["--hidden", 256],
    "attention": [],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--model", required=True, help="whose projection and shape the rivals share")
    parser.add_argument("--train", nargs="+", required=True)
    parser.add_argument("--val", nargs="+", default=[])
    parser.add_argument("--part", nargs="+", choices=["stack", "recall"], default=["stack", "recall"])
    parser.add_argument("--only", nargs="+", help="names of rivals")
    parser.add_argument("--stack-steps", type=int, default=300)
    parser.add_argument("--recall-steps", type=int, default=600)
    parser.add_argument("--cache")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    common = [part for name in ("val", "cache") if getattr(args, name)
              for part in (f"--{name}", *([args.cache] if name == "cache" else args.val))]
    jobs = []
    if "stack" in args.part:
        jobs += [("stack", name, [*more, "--steps", args.stack_steps, "--rate", 3e-3]) for name, more in STACK.items()]
    if "recall" in args.part:
        jobs += [("recall", name, [*([] if "--rule" in more else ["--rule", name]), *more, "--steps", args.recall_steps])
                 for name, more in RECALL.items()]
    for part, name, more in jobs:
        folder = args.output / f"{part}-{name}"
        if (folder / "done").exists() or (args.only and name not in args.only):
            continue
        shutil.rmtree(folder, ignore_errors=True)
        if part == "recall":  # its projection is the model's
            shutil.copytree(args.model, folder)
        command = ["train", part, *args.train, "-o", folder, "--model", args.model, *common, *more, "-v"]
        print(f"{part} {name}: {' '.join(map(str, more))}", file=sys.stderr)
        with open(args.output / f"{part}-{name}.log", "w") as log:
            done = subprocess.run([args.program, *map(str, command)], stderr=log)
        if done.returncode != 0:
            sys.exit(done.returncode)
        (folder / "done").touch()


if __name__ == "__main__":
    main()
