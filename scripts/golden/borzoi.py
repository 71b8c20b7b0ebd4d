# /// script
# requires-python = "==3.11.*"
# dependencies = ["torch==2.15.0", "transformers==4.57.6", "borzoi-pytorch==0.5.1", "flash-attn==2.8.3"]
# ///
"""Tiny Borzois of the package borzoi-pytorch and their predictions (CPU, float64).

The package fixes the widths of its convolutions: here its own modules are built anew with few channels, and its forward
pass runs unchanged. Weights are the hashes of test/models/hashed-weights.ts, so none are stored. Flashzoi's attention is
the module of flash-attn (installed with FLASH_ATTENTION_SKIP_CUDA_BUILD=TRUE), with its own PyTorch forms of the kernels.
Writes test/golden/borzoi.json: tensors with their shapes, sequences, signals of all tracks and bins, and for tracks of the
published human head their description, ENCODE experiment and the coverage that predicted values stand for.

Run as: python scripts/golden/borzoi.py
"""

import json
import random
import sys
import types
from pathlib import Path

import numpy
import torch
from borzoi_pytorch import pytorch_borzoi_model as borzoi
from borzoi_pytorch import pytorch_borzoi_transformer as attention
from borzoi_pytorch.pytorch_borzoi_utils import undo_squashed_scale
from torch import nn

sys.modules["flash_attn_2_cuda"] = types.ModuleType("flash_attn_2_cuda")
from flash_attn.layers import rotary  # noqa: E402
from flash_attn.modules import mha  # noqa: E402

OUT = Path(__file__).resolve().parents[2] / "test" / "golden" / "borzoi.json"
LENGTH = 2048
BINS = 40
CHANNELS = [6, 7, 8, 9, 10, 11]
JOINED, TRACKS = 13, {"human": 5, "mouse": 3}
# name: config
CASES = {
    "relative": {"dim": 24, "depth": 2, "heads": 4, "attn_dim_key": 5, "attn_dim_value": 7},
    "rotary": {"dim": 264, "depth": 1, "heads": 2, "flashed": True},
}


class ReferenceAttention(mha.MHA):
    """flash-attn's module with its PyTorch attention."""

    def __init__(self, **options):
        super().__init__(**(options | {"use_flash_attn": False}))


def rotated(x, cos, sin, interleaved=False, **_):
    return rotary.apply_rotary_emb_torch(x, cos, sin, interleaved)


def rotated_keys(kv, cos, sin, interleaved=False, **_):
    return torch.stack([rotated(kv[:, :, 0], cos, sin, interleaved), kv[:, :, 1]], dim=2)


def hashed(name, shape):
    """The weights of test/models/hashed-weights.ts; variances are raised by 1 too."""
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x01000193) % 2**32
    at = numpy.arange(int(numpy.prod(shape)), dtype=numpy.uint64)
    z = (at * 0x9E3779B1 + seed) % 2**32
    z = ((z ^ (z >> 16)) * 0x85EBCA6B) % 2**32
    z = ((z ^ (z >> 13)) * 0xC2B2AE35) % 2**32
    z = z ^ (z >> 16)
    raised = (len(shape) == 1 and name.endswith(".weight")) or name.endswith("running_var")
    values = 0.25 * (z.astype(numpy.float64) / 2**31 - 1) + raised
    return torch.tensor(values.astype(numpy.float32).reshape(shape), dtype=torch.float64)


def tiny(config):
    """A Borzoi whose convolutions have few channels."""
    conv_block, dna = borzoi.ConvBlock, borzoi.ConvDna()
    dna.conv_layer = nn.Conv1d(4, CHANNELS[0], 15, padding="same")
    model = borzoi.Borzoi(borzoi.BorzoiConfig(bins_to_return=BINS, enable_mouse_head=True, **config))
    model.conv_dna = dna
    blocks = [conv_block(before, after, 5) for before, after in zip(CHANNELS, CHANNELS[1:])]
    pooled = [module for block in blocks for module in (block, model._max_pool)]
    model.res_tower = nn.Sequential(*pooled[:-1])
    model.unet1 = nn.Sequential(model._max_pool, conv_block(CHANNELS[-1], config["dim"], 5))
    model.horizontal_conv0 = conv_block(CHANNELS[-1], config["dim"], 1)
    model.final_joined_convs[0] = conv_block(config["dim"], JOINED, 1)
    for head, tracks in TRACKS.items():
        setattr(model, f"{head}_head", nn.Conv1d(JOINED, tracks, 1))
    return model.double().eval()


def published_tracks():
    """Coverage per bin of predicted values, for the first and last tracks of each kind and those of the cell lines."""
    predicted = [0.25, 1.0, 40.0, 63.5, 64.5, 80.0, 120.0]
    tracks = []
    for track in (1276, 1345, 1346, 1397, 1510, 1681, 1949, 1950, 1959, 1960, 2181):
        row = borzoi.TRACKS_DF.iloc[track]
        values = undo_squashed_scale(
            torch.tensor(predicted, dtype=torch.float64), row.clip_soft, track_transform=1.0, track_scale=row.scale
        )
        coverage = values * (32 if row.sum_stat == "mean" else 1)
        experiment = row.file.split("/encode/")[1].split("/")[0] if "/encode/" in row.file else None
        facts = {"track": track, "description": row.description, "experiment": experiment}
        tracks.append(facts | {"coverage": coverage.tolist()})
    others = [borzoi.TRACKS_DF.iloc[track].description for track in (1275, 2182)]
    return {"predicted": predicted, "tracks": tracks, "others": others}


def main():
    features = attention.get_positional_embed
    attention.get_positional_embed = lambda *sizes: features(*sizes).double()
    mha.MHA = ReferenceAttention
    mha.apply_rotary_emb_kv_ = rotated_keys
    rotary.apply_rotary_emb_func, rotary.apply_rotary_emb_kv_ = rotated, rotated_keys
    rng = random.Random(0)
    sequences = ["".join(rng.choices("ACGT", k=LENGTH)) for _ in range(2)]
    sequences.append(sequences[0][:1000] + "N" * 40 + sequences[1][1040:])
    one_hot = torch.tensor(
        [[[float(base == each) for base in bases] for each in "ACGT"] for bases in sequences], dtype=torch.float64
    )
    golden = {"sequences": sequences, "bins": BINS, "cases": {}}
    for name, config in CASES.items():
        model = tiny(config)
        state = model.state_dict()
        shapes = {key: list(value.shape) for key, value in state.items() if value.is_floating_point()}
        model.load_state_dict(state | {key: hashed(key, shape) for key, shape in shapes.items()})
        # the package converts the head's input to float32
        model.human_head.float(), model.mouse_head.float()
        with torch.inference_mode():
            signals = {head: model(one_hot, is_human=head == "human").flatten().tolist() for head in TRACKS}
        golden["cases"][name] = {"config": model.config.to_dict(), "tensors": shapes, "signals": signals}
        print(name, len(shapes), {head: (min(each), max(each)) for head, each in signals.items()})
    golden["published"] = published_tracks()
    OUT.write_text(json.dumps(golden) + "\n")


main()
