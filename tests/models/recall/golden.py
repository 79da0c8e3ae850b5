#!/usr/bin/env python3
"""Writes golden.safetensors: what the recall memory's prototype in PyTorch answers, for each rule, with gradients.

    golden.py PROTOTYPE_FOLDER OUTPUT

The prototype centres its input by a running mean; the memory does not, so its rate is set to zero here. It divides by
1024, the width of its values, which are narrower here. Everything is computed in double from parameters that are floats.
"""
import json
import pathlib
import struct
import sys

import torch

RULES = {"delta": "sgd", "rls": "rls", "mlp": "mlp", "mlp-last": "last"}
NAMES = {
    "features.weight": "w1", "features.bias": "b1", "base.weight": "wb", "base.bias": "bb", "gates.weight": "lg",
    "gates.bias": "gb", "keys.weight": "R", "keys.features": "R2", "hidden.weight": "W1", "hidden.bias": "B1",
    "start.weight": "W2", "log_rate": "s1", "log_lambda": "ll",
}
LATENT, KEYS, HIDDEN, FEATURES, BATCH, FRAMES = 8, 16, 12, 24, 2, 9


def write(path, tensors):
    header, data = {}, b""
    for name in sorted(tensors):
        tensor = tensors[name].detach().contiguous()
        kind = {torch.float32: "F32", torch.float64: "F64"}[tensor.dtype]
        raw = tensor.numpy().tobytes()
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def main():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(5)
    source = (pathlib.Path(sys.argv[1]) / "recall_memory.py").read_text()
    assert source.count("e / 1024") == 1
    prototype = {}
    exec(source.replace("e / 1024", f"e / {8 * LATENT}"), prototype)

    tensors = {}
    x = (torch.randn(BATCH, FRAMES, 16, LATENT)).float()
    # Scenes come back, so that there is something to remember.
    x[:, 5:7] = x[:, 1:3] + 0.1 * torch.randn(BATCH, 2, 16, LATENT).float()
    write_rates = torch.rand(BATCH, FRAMES).float()
    weights = torch.randn(BATCH, FRAMES, 16, LATENT).float()
    tensors["x"], tensors["write"], tensors["weights"] = x, write_rates, weights
    for rule, kind in RULES.items():
        net = prototype["FRecall"](kind=kind, d=KEYS, h=HIDDEN, G=FEATURES, D=LATENT, tau=float("inf"), n0=float("inf"))
        with torch.no_grad():
            for parameter in net.parameters():  # nothing at zero, and all of it floats
                parameter.copy_((parameter + 0.05 * torch.randn_like(parameter)).float())
            if kind in ("sgd", "rls"):
                net.W0.zero_()
            if kind == "rls":
                net.le.fill_(-float("inf"))
        prediction, state, _ = net(x.double(), write=write_rates.double())
        (prediction * weights.double()).sum().backward()
        for ours, theirs in NAMES.items():
            if not hasattr(net, theirs):
                continue
            parameter = getattr(net, theirs)
            if parameter.grad is None:  # not of this rule
                continue
            tensors[f"{rule}.{ours}"] = parameter.float()
            tensors[f"{rule}.gradient.{ours}"] = parameter.grad
        tensors[f"{rule}.predictions"] = prediction
        parts = state[2][2:] if kind == "last" else state[2]  # its first layer does not learn
        # [B][2][…] each → [2·B][all], half by half
        flat = torch.cat([part.reshape(BATCH, 2, -1) for part in parts], -1)
        tensors[f"{rule}.state"] = flat.transpose(0, 1).reshape(2 * BATCH, -1)
    write(sys.argv[2], tensors)


if __name__ == "__main__":
    main()
