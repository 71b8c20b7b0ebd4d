"""Tiny random networks of the package bpnet-lite (1.1.0, torch 2.15.0, CPU, float32) and their predictions.

Writes test/golden/chrombpnet/{lite,lite-accessibility}.pt, state dicts of a ChromBPNet and of its accessibility network, and
lite.json: predictions for three sequences of 2,114 bases.

Run as: python scripts/golden/bpnet_lite.py
"""

import json
import random
from pathlib import Path

import torch
from bpnetlite.bpnet import BPNet
from bpnetlite.chrombpnet import ChromBPNet

OUT = Path(__file__).resolve().parents[2] / "test" / "golden" / "chrombpnet"
LENGTH = 2114


def main():
    torch.manual_seed(5)
    form = dict(n_outputs=1, n_control_tracks=0, verbose=False)
    bias = BPNet(n_filters=3, n_layers=1, **form)
    accessibility = BPNet(n_filters=4, n_layers=3, **form)
    model = ChromBPNet(bias, accessibility).eval()
    rng = random.Random(1)
    sequences = ["".join(rng.choices("ACGT", k=LENGTH)) for _ in range(2)]
    sequences.append("N" * 30 + sequences[0][30:1000] + "N" * 60 + sequences[1][1060:])
    x = torch.tensor([[[float(base == each) for base in bases] for each in "ACGT"] for bases in sequences])
    golden = {"sequences": sequences}
    with torch.inference_mode():
        for name, network in (("lite", model), ("lite-accessibility", accessibility)):
            profile, counts = network(x)
            golden[name] = {
                "outputLength": profile.shape[-1],
                "counts": counts.flatten().tolist(),
                "logits": profile[:, 0, ::97].tolist(),
            }
            torch.save(network.state_dict(), OUT / f"{name}.pt")
    (OUT / "lite.json").write_text(json.dumps(golden) + "\n")


main()
