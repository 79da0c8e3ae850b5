#!/usr/bin/env python3
"""Cuts golden files down to what the program carries for `selftest` without a folder.

    trim.py GOLDEN_FOLDER OUTPUT_FOLDER        (needs numpy)

Keeps one sequence and the outputs of the double run; leaves out gradients and all that lies on the way.
"""
import json
import os
import sys

import numpy as np

FILES = {  # name: precision in which outputs are kept
    "core_lin_hd16_h2_L48": np.float64,
    "layer_mlp_hd16_h3_L37_gate_qkconv": np.float32,
    "video_mlp_hd16_h2_L128": np.float32,
}


def trim(folder, name, precision, target):
    source = np.load(os.path.join(folder, name + ".npz"))
    config = json.loads(str(source["config"]))
    config["B"] = 1
    config.pop("summary", None)
    kept = {"config": np.array(json.dumps(config))}
    for key in source.files:
        if key.startswith("param/") or key == "token_eta":
            kept[key] = source[key]
        elif key in ("x", "XQ", "XK", "XV", "lr_eta"):
            kept[key] = source[key][:1]
        elif key in ("out64",) or key.startswith("state_end64/"):
            kept[key] = source[key][:1].astype(precision)
    np.savez_compressed(os.path.join(target, name + ".npz"), **kept)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    for file_name, kind in FILES.items():
        trim(sys.argv[1], file_name, kind, sys.argv[2])
