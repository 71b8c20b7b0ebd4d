"""A tiny random Enformer of the package enformer-pytorch (0.8.12, torch 2.15.0, CPU, float32) and its predictions.

Writes test/golden/enformer/{config.json,model.safetensors.gz,predictions.json}: signals of all tracks and bins for three
sequences of 1,280 bases with both forms of gamma features, and the gamma features themselves.

Run as: python scripts/golden/enformer.py
"""

import gzip
import json
import random
import tempfile
from pathlib import Path

import torch
from enformer_pytorch import Enformer, modeling_enformer

OUT = Path(__file__).resolve().parents[2] / "test" / "golden" / "enformer"
LENGTH = 1280
HEADS = {"human": 5, "mouse": 3}


def gammas_over_distances(n, features):
    """The published program scales each density by its maximum over distances; the port has its table for 1,536 bins."""
    distances = torch.arange(-n + 1, n)
    mean = torch.linspace(n / features, n, features)[None]
    deviation = n / (2 * features)
    density = modeling_enformer.gamma_pdf(
        distances.float().abs()[:, None], (mean / deviation) ** 2, mean / deviation**2
    )
    density = density + 1e-8
    return density / density.amax(dim=0, keepdim=True)


def main():
    torch.manual_seed(3)
    model = Enformer.from_hparams(
        dim=48, depth=2, heads=4, output_heads=HEADS, target_length=36, attn_dim_key=6, num_downsamples=5, dim_divisible_by=8
    ).eval()
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if tensor.dtype != torch.float32:
                continue
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 1.5)
            elif name.endswith(("running_mean", "bias", "to_out.weight")):
                tensor.normal_(0, 0.2)
            elif name.endswith(("to_rel_k.weight", "rel_pos_bias")):
                tensor.mul_(6)  # so that predictions depend on the distances
    rng = random.Random(0)
    sequences = ["".join(rng.choices("ACGT", k=LENGTH)) for _ in range(2)]
    sequences.append(sequences[0][:600] + "N" * 40 + sequences[1][640:])
    one_hot = torch.tensor([[[float(base == each) for each in "ACGT"] for base in bases] for bases in sequences])
    bins = LENGTH // 32
    original = modeling_enformer.get_positional_features_gamma
    predictions = {}
    for scale in ("features", "distances"):
        if scale == "distances":
            modeling_enformer.get_positional_features_gamma = lambda positions, features, n, dtype=None: gammas_over_distances(n, features)
        with torch.inference_mode():
            predictions[scale] = {head: model(one_hot)[head].flatten().tolist() for head in HEADS}
    modeling_enformer.get_positional_features_gamma = original
    table = modeling_enformer.TF_GAMMAS
    distances = [0, 1, 5, 48, 200, 750, 1387, 1535]
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        (OUT / "config.json").write_bytes((Path(folder) / "config.json").read_bytes())
        (OUT / "model.safetensors.gz").write_bytes(gzip.compress((Path(folder) / "model.safetensors").read_bytes(), mtime=0))
    golden = {
        "sequences": sequences,
        "bins": 36,
        "predictions": predictions,
        "features": original(torch.arange(-bins + 1, bins), 2, bins)[bins - 1 :].tolist(),
        "published": {"distances": distances, "gammas": [table[1535 + distance].tolist() for distance in distances]},
    }
    (OUT / "predictions.json").write_text(json.dumps(golden) + "\n")


main()
