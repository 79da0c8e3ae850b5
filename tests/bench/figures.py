#!/usr/bin/env python3
"""Makes the whole set of curves: for each a JSON object and a picture, and one page with the tables.

    figures.py PATH/longtake OUTPUT --model DIR [--model DIR …] --videos VIDEO… [--memories DIR…] [--rivals NAME,…]
               [--truth boundaries.csv] [--labels labels.csv] [--density-videos VIDEO…] [--rooms VIDEO…] [--cache DIR]
               [--frames 100000] [--only VERB…]

Models without a recall memory are left out of `eval recall`, models that cannot watch streams out of `eval remember` and
`eval density`. Give videos that no model was trained on; for `eval remember` in folders KIND/ROOM.
"""
import argparse
import json
import pathlib
import subprocess
import sys


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--model", action="append", required=True, dest="models")
    parser.add_argument("--videos", nargs="+", required=True)
    parser.add_argument("--memories", nargs="+", default=[], help="further models, for eval recall only")
    parser.add_argument("--density-videos", nargs="+", help="those that truth and labels are about (default: all)")
    parser.add_argument("--rooms", nargs="+", help="videos in folders KIND/ROOM, to remember (default: all)")
    parser.add_argument("--rivals", help="of eval recall")
    parser.add_argument("--truth")
    parser.add_argument("--labels")
    parser.add_argument("--cache")
    parser.add_argument("--frames", type=int, default=100000)
    parser.add_argument("--only", nargs="+", choices=["prediction", "recall", "remember", "density", "context"])
    return parser.parse_args()


def config(model):
    return json.loads((pathlib.Path(model) / "config.json").read_text())


def number(value):
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}" if abs(value) < 1000 else f"{value:,.0f}"


def table(first, rows):
    """rows: (what stands in the first column, {column: figure})"""
    columns = list(rows[0][1]) if rows else []
    lines = [[first, *columns], ["---"] * (len(columns) + 1)]
    lines += [[str(at), *(number(figures.get(column)) for column in columns)] for at, figures in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def prediction(got):
    ratio = [(h["seconds"], {name: e / h["error"]["persistence"] for name, e in h["error"].items()}) for h in got["horizons"]]
    yield "Error as a fraction of persistence's, by horizon", table("seconds", ratio)
    yield "The same by frames seen", table("frames", [(c["frames"], c["error"]) for c in got["context"]])
    for model in dict.fromkeys(p["model"] for p in got["inner_loss"]):
        points = [p for p in got["inner_loss"] if p["model"] == model]
        rows = [(f"{p['seconds']:g}", {f"layer {i}": loss for i, loss in enumerate(p["layers"])}) for p in points[::10]]
        yield f"Inner loss of {model}", table("seconds", rows)


def recall(got):
    rows = [(p["n"], p["error"]) for p in got["return"]]
    yield f"First frame on return, {got['places']} places", table(
        "others in between", rows + [("new", got["new"]), ("bytes", {k: int(v) for k, v in got["state_bytes"].items()})])
    further = [("unshown", "never a frame that was shown"), ("later", "3 to 10 s later")]
    for figure, words in further:
        yield f"The same, {words}", table("others in between", [(p["n"], p[figure]) for p in got["return"]])
    if got["minutes"]:
        yield "After minutes of other video", table("minutes", [(p["minutes"], p["error"]) for p in got["minutes"]])
    known = got["familiarity"]
    yield f"Which {known['watched']} of {known['places']} places were watched", table(
        "AUROC", [("same scene", known["auroc"]), *((words, known[figure]) for figure, words in further)])


def remember(got):
    rows = [(g["against"].replace("_", " "), {"clips": g["clips"], "questions": g["seen"] + g["asked"], **g["auroc"]})
            for g in got["groups"]]
    yield f"What was watched against what was not, {got['stretches']} stretches of {got['clips']} clips: AUROC", table("against", rows)


def density(got):
    for model in dict.fromkeys(p["model"] for p in got["points"]):
        rows = [(f"{p['fps']:g}", {k: v for k, v in p.items() if k not in ("fps", "model")}) for p in got["points"] if p["model"] == model]
        yield f"Frames a second, {model}", table("fps", rows)


def context(got):
    rows = []
    for curve in got["models"]:
        first, last = curve["points"][0], curve["points"][-1]
        low, high = curve["slope_interval"]
        rows.append((f"{curve['name']}, {curve['mode']}", {
            "frames": last["frames"], "ms/frame at first": first["ns_per_frame"] / 1e6, "at last": last["ns_per_frame"] / 1e6,
            "ns per further frame, low": low, "high": high, "state bytes": last["state_bytes"],
            "bytes per further frame": curve["slope_bytes_per_frame"]}))
    yield "Time and bytes per frame", table("", rows)


def main():
    args = options()
    args.output.mkdir(parents=True, exist_ok=True)
    models = lambda fits: [part for m in args.models if fits(config(m)) for part in ("--model", m)]
    watches = lambda c: c["stack"]["inner"] in ("mlp", "linear")
    cache = ["--cache", args.cache] if args.cache else []  # nothing in the figures depends on it
    truth = [part for name in ("truth", "labels") if getattr(args, name) for part in (f"--{name}", getattr(args, name))]
    verbs = {
        "prediction": (prediction, ["eval", "prediction", *args.videos, *models(lambda c: True)]),
        "recall": (recall, ["eval", "recall", *args.videos, *models(lambda c: "recall" in c),
                            *(part for m in args.memories for part in ("--model", m)),
                            *(["--rivals", args.rivals] if args.rivals else [])]),
        "remember": (remember, ["eval", "remember", *(args.rooms or args.videos), *models(watches)]),
        "density": (density, ["eval", "density", *(args.density_videos or args.videos), *models(watches), *truth]),
        "context": (context, ["bench", "context", *models(lambda c: True), "--frames", str(args.frames)]),
    }
    page = ["# Curves\n"]
    for name, (tables, command) in verbs.items():
        if args.only and name not in args.only:
            continue
        picture = args.output / f"{name}.png" if name != "remember" else None  # three numbers are no curve
        print(f"longtake {' '.join(command)}", file=sys.stderr)
        plot = ["--plot", picture] if picture else []
        kept = cache if command[0] == "eval" else []
        done = subprocess.run([args.program, *command, *kept, "--json", *plot], stdout=subprocess.PIPE)
        if done.returncode != 0:
            sys.exit(done.returncode)
        got = json.loads(done.stdout)
        (args.output / f"{name}.json").write_text(json.dumps(got, indent=1) + "\n")
        page.append(f"## {got['command']}\n")
        page += [f"![{name}]({picture.name})\n"] if picture else []
        page.append(f"`longtake {' '.join(command)}`, {got['machine']['cpu']}, {got['machine']['cores']} cores\n")
        page += [f"{title}:\n\n{body}" for title, body in tables(got)]
    (args.output / "figures.md").write_text("\n".join(page) + "\n")


if __name__ == "__main__":
    main()
