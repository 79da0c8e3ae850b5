#!/usr/bin/env python3
"""Does `longtake memory query` know again what it watched, on real videos?

  query_check.py PATH/longtake --data DIR --list assets/models/splits/final.txt [--draws 2] [--pictures 100]

Half of the listed videos, drawn anew for each memory, is watched one after the other at 12.5 frames a second; the rest is
never shown. Then, all of it but the plain pictures re-encoded (x264, crf 36), cropped by 5 % and brightened by 10 %:
  pictures  of landmarks' moments ("seen", and when: within 2 s, of the right video), and of videos that were not watched
  plain     pictures of the same landmarks' moments and of the same others, as they are
  clips     of two seconds, from both; AUROC against unwatched clips of the same room, the same kind and other kinds (videos
            of one folder are of a kind; of fall-adl, one person's are of a room, of overhead-actions, one scene's)
Prints figures; needs ffmpeg with libx264.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile

DEGRADED = "crop=iw*0.95:ih*0.95,lutyuv=y=clip(val*1.1\\,0\\,255),scale=trunc(iw/2)*2:trunc(ih/2)*2,format=yuv420p"


def room(video):
    folder, name = video.split("/")[0], os.path.splitext(os.path.basename(video))[0]
    if folder == "fall-adl":
        return folder, name.split("_")[0]
    if folder == "overhead-actions":
        return folder, name.rsplit("_", 1)[1]
    return name, name  # the others have nothing in common but their folder


def kinship(video, watched):
    kind, place = room(video)
    rooms = [room(other) for other in watched]
    if (kind, place) in rooms:
        return "same room"
    return "same kind" if kind in (other for other, _ in rooms) else "other kind"


def auroc(positive, negative):
    won = sum((p > n) + 0.5 * (p == n) for p in positive for n in negative)
    return won / (len(positive) * len(negative)) if positive and negative else float("nan")


def calibration_error(answers):
    steps = {}
    for said, seen in answers:
        step = steps.setdefault(min(9, int(said * 10)), [0.0, 0])
        step[0] += said
        step[1] += seen
    return sum(abs(said - seen) for said, seen in steps.values()) / len(answers)


class Check:
    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, folder

    def longtake(self, *what):
        done = subprocess.run([self.arguments.program, *map(str, what), "-q"], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(map(str, what))}: {done.stderr}")
        return done.stdout

    def path(self, video):
        return os.path.join(self.arguments.data, video)

    def length(self, video):
        shown = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0",
                                self.path(video)], capture_output=True, text=True, check=True)
        return float(shown.stdout)

    def cut(self, video, start, what, into):
        """A picture (what: 1 frame) or clip (what: seconds), degraded unless it is a PNG, and unless it was kept."""
        if os.path.exists(into):
            return
        os.makedirs(os.path.dirname(into), exist_ok=True)
        much = ["-frames:v", "1"] if what == 1 else ["-t", str(what)]
        how = [] if into.endswith(".png") else ["-vf", DEGRADED, "-c:v", "libx264", "-crf", "36", "-preset", "veryfast"]
        subprocess.run(["ffmpeg", "-v", "error", "-y", "-ss", f"{start:.6f}", "-i", self.path(video), *much, "-an", *how,
                        into], check=True)

    def ask(self, memory, folder):
        answers = json.loads(self.longtake("memory", "query", memory, "--folder", folder, "--json"))
        return {os.path.basename(one["file"]): one for one in answers}

    def draw(self, number, videos, pictures, figures):
        rng = random.Random(number)
        order = videos[:]
        rng.shuffle(order)
        watched, others = sorted(order[: len(order) // 2]), sorted(order[len(order) // 2:])
        memory = os.path.join(self.folder, f"{number}.ltm")
        for i, video in enumerate(watched if not os.path.exists(memory) else []):
            before = ("--memory", memory) if i else ()
            self.longtake("analyze", self.path(video), "--fps", "12.5", "--no-scene", "-o", "/dev/null", *before,
                          "--save-memory", memory)
        info = json.loads(self.longtake("memory", "info", "--json", memory))
        by_name = {os.path.basename(video): video for video in watched}

        marks = rng.sample(info["landmarks"], min(pictures, len(info["landmarks"])))
        # Half a frame early, since ffmpeg takes the first frame from then on.
        moments = {f"seen{i}": (by_name[mark["source"]], max(0, mark["t"] - 0.01)) for i, mark in enumerate(marks)}
        for i in range(len(marks)):
            video = rng.choice(others)
            moments[f"unseen{i}"] = (video, rng.uniform(0, self.length(video) - 0.5))
        for what, ending in (("pictures", "mp4"), ("plain", "png")):
            folder = os.path.join(self.folder, f"{what}{number}")
            for name, (video, start) in moments.items():
                self.cut(video, start, 1, os.path.join(folder, f"{name}.{ending}"))
            answers = self.ask(memory, folder)
            for i, mark in enumerate(marks):
                answer = answers[f"seen{i}.{ending}"]
                best = answer["nearest"][0]
                when = best["source"] == mark["source"] and abs(best["t"] - mark["t"]) <= 2
                figures[what].append({"seen": True, "familiarity": answer["familiarity"], "when": when})
                figures[what].append({"seen": False, "familiarity": answers[f"unseen{i}.{ending}"]["familiarity"],
                                      "kin": kinship(moments[f"unseen{i}"][0], watched)})

        folder = os.path.join(self.folder, f"clips{number}")
        for seen, those in ((True, watched), (False, others)):
            for video in those:
                for i in range(4):
                    start = rng.uniform(0, max(0, self.length(video) - 2.2))
                    name = f"{'seen' if seen else 'unseen'}.{os.path.splitext(os.path.basename(video))[0]}.{i}.mp4"
                    self.cut(video, start, 2, os.path.join(folder, name))
                    figures["kin"][f"{number}/{name}"] = "watched" if seen else kinship(video, watched)
        for name, answer in self.ask(memory, folder).items():
            figures["clips"].append({"kin": figures["kin"][f"{number}/{name}"], "familiarity": answer["familiarity"]})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--data", required=True)
    parser.add_argument("--list", required=True, action="append")
    parser.add_argument("--draws", type=int, default=2)
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--keep", help="folder in which memories, pictures and clips stay, and are found by the next run")
    parser.add_argument("--json", help="also write every answer into this file")
    arguments = parser.parse_args()
    arguments.program = os.path.abspath(arguments.program)
    videos = [line.strip() for name in arguments.list for line in open(name) if line.strip()]
    figures = {"pictures": [], "plain": [], "clips": [], "kin": {}}
    with tempfile.TemporaryDirectory(prefix="longtake-query-") as passing:
        if arguments.keep:
            os.makedirs(arguments.keep, exist_ok=True)
        check = Check(arguments, arguments.keep or passing)
        for number in range(arguments.draws):
            check.draw(number, videos, -(-arguments.pictures // arguments.draws), figures)

    out = {"videos": len(videos), "memories": arguments.draws}
    for what in ("pictures", "plain"):
        seen = [one for one in figures[what] if one["seen"]]
        unseen = [one for one in figures[what] if not one["seen"]]
        out[what] = {"seen": len(seen), "unseen": len(unseen)}
        out[what]["seen_said_seen"] = sum(one["familiarity"] >= 0.5 for one in seen) / len(seen)
        out[what]["when_within_2s"] = sum(one["when"] for one in seen) / len(seen)
        out[what]["seen_and_when_within_2s"] = sum(one["familiarity"] >= 0.5 and one["when"] for one in seen) / len(seen)
        out[what]["unseen_said_not_seen"] = sum(one["familiarity"] < 0.5 for one in unseen) / len(unseen)
        for kin in ("other kind", "same kind", "same room"):
            those = [one["familiarity"] < 0.5 for one in unseen if one["kin"] == kin]
            if those:
                out[what][f"unseen_said_not_seen, {kin}"] = sum(those) / len(those)
        out[what]["auroc"] = auroc([one["familiarity"] for one in seen], [one["familiarity"] for one in unseen])
        out[what]["calibration_error"] = calibration_error([(one["familiarity"], one["seen"]) for one in figures[what]])
    known = [one["familiarity"] for one in figures["clips"] if one["kin"] == "watched"]
    strange = [one["familiarity"] for one in figures["clips"] if one["kin"] != "watched"]
    out["clips"] = {"seen": len(known), "unseen": len(strange), "auroc": auroc(known, strange)}
    for kin in ("other kind", "same kind", "same room"):
        those = [one["familiarity"] for one in figures["clips"] if one["kin"] == kin]
        if those:
            out["clips"][f"auroc, {kin}"] = auroc(known, those)
            out["clips"][f"unseen, {kin}"] = len(those)
    out["clips"]["calibration_error"] = calibration_error(
        [(one["familiarity"], one["kin"] == "watched") for one in figures["clips"]])
    print(json.dumps(out, indent=2))
    if arguments.json:
        json.dump(figures, open(arguments.json, "w"))


if __name__ == "__main__":
    main()
