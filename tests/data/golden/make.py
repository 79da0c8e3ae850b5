#!/usr/bin/env python3
"""Chooses the golden files that lie in the repository, so that its tests need nothing else.

    make.py GOLDEN_FOLDER OUTPUT_FOLDER        (needs numpy)

Copies the small ones as they are and cuts the loss file down to the cases among them.
"""
import json
import os
import shutil
import sys

import numpy as np

FILES = [
    "core_lin_hd16_h2_L48", "core_mlp_hd16_h2_L48", "layer_lin_hd16_h2_L16", "layer_lin_hd16_h4_L40_gate",
    "layer_mlp_hd16_h1_L32", "layer_mlp_hd16_h2_L9", "layer_mlp_hd16_h2_L33_clamp",
    "layer_mlp_hd16_h3_L37_gate_qkconv", "model_mlp_hd16_h2_L32_plain", "video_mlp_hd16_h2_L128",
]


def main(source, target):
    for name in FILES:
        shutil.copyfile(os.path.join(source, name + ".npz"), os.path.join(target, name + ".npz"))
    losses = np.load(os.path.join(source, "spec_inner_loss.npz"))
    config = json.loads(str(losses["config"]))
    config["cases"] = [case for case in config["cases"] if case in FILES]
    kept = {key: losses[key] for key in losses.files if key.split("/")[0] in FILES}
    np.savez_compressed(os.path.join(target, "spec_inner_loss.npz"), config=np.array(json.dumps(config)), **kept)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
