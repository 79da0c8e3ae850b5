#!/usr/bin/env python3
"""The encoder written a second time, in Python and PyTorch, from the description of EfficientNet-Lite0 alone.

Nothing is shared with the C++ code: the file is read here, padding is done by hand, normalisations stay where they are,
and numbers are doubles. What this gives is what the tests hold the C++ code to.

    python3 reference_encoder.py golden OUT.safetensors        writes the outputs for the two test pictures
    python3 reference_encoder.py compare ENCODER_BENCH VIDEO…  middle frames of videos: names, and distance from C++

Needs torch and numpy (Debian: python3-torch), and ffmpeg for videos.
"""

import json
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

ROOT = Path(__file__).resolve().parents[3]
WEIGHTS = ROOT / "assets/models/default/encoder.safetensors"
SIDE = 224
SIZES = {"tokens": 16 * 320, "embedding": 1280, "probabilities": 1000}


def read_weights(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    out = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        out[name] = torch.tensor(np.frombuffer(data[begin:end], "<f4").astype(np.float64)).reshape(entry["shape"])
    return out


def test_picture(shift=0):
    """The same formula as in test_picture.h."""
    y, x, c = np.meshgrid(np.arange(SIDE), np.arange(SIDE) + shift, np.arange(3), indexing="ij")
    value = (x * (c + 2) + y * (5 - c)) // 4 + ((x // 28 + y // 28) % 2) * 60 + (x * x + 3 * y * y + 7 * c) % 31
    return (value % 256).astype(np.uint8)


def convolve(w, x, conv, norm, stride=1):
    """TensorFlow's "same" padding, the convolution, then the normalisation with running statistics."""
    kernel = w[conv + ".weight"]
    side, k = x.shape[-1], kernel.shape[-1]
    missing = max((-(-side // stride) - 1) * stride + k - side, 0)
    x = F.pad(x, [missing // 2, missing - missing // 2] * 2)
    groups = x.shape[1] if kernel.shape[1] == 1 else 1
    y = F.conv2d(x, kernel, stride=stride, groups=groups)
    mean, var, gamma, beta = (w[f"{norm}.{n}"][:, None, None] for n in ("running_mean", "running_var", "weight", "bias"))
    return (y - mean) / torch.sqrt(var + 1e-3) * gamma + beta


def relu6(x):
    return torch.clamp(x, 0, 6)


@torch.no_grad()
def encode(w, rgb):
    x = torch.tensor((rgb.astype(np.float64) - 127) / 128).permute(2, 0, 1)[None]
    x = relu6(convolve(w, x, "_conv_stem", "_bn0", 2))
    # Strides of the sixteen blocks; everything else is read off the shapes of the weights.
    for i, stride in enumerate([1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1]):
        block = f"_blocks.{i}."
        y = x
        if block + "_expand_conv.weight" in w:
            y = relu6(convolve(w, y, block + "_expand_conv", block + "_bn0"))
        y = relu6(convolve(w, y, block + "_depthwise_conv", block + "_bn1", stride))
        y = convolve(w, y, block + "_project_conv", block + "_bn2")
        x = x + y if x.shape == y.shape else y
    tokens = torch.stack([
        x[0, :, i * 7 // 4 : -(-(i + 1) * 7 // 4), j * 7 // 4 : -(-(j + 1) * 7 // 4)].mean((1, 2))
        for i in range(4) for j in range(4)
    ])
    embedding = relu6(convolve(w, x, "_conv_head", "_bn1")).mean((2, 3))[0]
    probabilities = torch.softmax(w["_fc.weight"] @ embedding + w["_fc.bias"], 0)
    outputs = {"tokens": tokens, "embedding": embedding, "probabilities": probabilities}
    return {name: value.numpy() for name, value in outputs.items()}


def write_golden(w, path):
    header, body = {"__metadata__": {"made_by": "tests/models/encoder/reference_encoder.py golden"}}, b""
    for shift in (0, 3):
        for name, value in sorted(encode(w, test_picture(shift)).items()):
            data = value.astype("<f4").tobytes()
            shape = list(value.shape)
            header[f"shift{shift}.{name}"] = {"dtype": "F32", "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
            body += data
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def middle_frame(video):
    probe = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", video]
    duration = float(subprocess.run(probe, capture_output=True, check=True).stdout)
    command = ["ffmpeg", "-v", "error", "-ss", str(duration / 2), "-i", video, "-frames:v", "1",
               "-vf", f"scale={SIDE}:{SIDE}:flags=area", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"]
    pixels = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(pixels, np.uint8).reshape(SIDE, SIDE, 3)


def compare(w, bench, videos):
    names = (ROOT / "assets/imagenet_classes.txt").read_text().splitlines()
    for video in videos:
        frame = middle_frame(video)
        want = encode(w, frame)
        answer = subprocess.run([bench, "raw"], input=frame.tobytes(), capture_output=True, check=True).stdout
        got = np.split(np.frombuffer(answer, np.float32).astype(np.float64), np.cumsum(list(SIZES.values()))[:-1])
        errors = [np.linalg.norm(g - want[n].ravel()) / np.linalg.norm(want[n]) for n, g in zip(SIZES, got)]
        top = np.argsort(-got[2])[:3]
        same = "same" if top[0] == np.argmax(want["probabilities"]) else "OTHER"
        print(f"{Path(video).name:34}", *(f"{n} {e:.1e}" for n, e in zip(SIZES, errors)), f"first name {same}:",
              ", ".join(f"{names[i]} {got[2][i]:.2f}" for i in top))


def main():
    w = read_weights(WEIGHTS)
    match sys.argv[1:]:
        case ["golden", path]:
            write_golden(w, Path(path))
        case ["compare", bench, *videos]:
            compare(w, bench, videos)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
