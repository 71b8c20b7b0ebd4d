# /// script
# requires-python = "==3.11.*"
# dependencies = ["torch==2.15.0", "transformers==4.37.1", "numpy==1.26.4"]
# ///
"""A tiny first-generation Nucleotide Transformer: ESM class of Transformers in float64.

Weights are the hashes of test/models/hashed-weights.ts. Writes test/golden/nucleotide-transformer-v1.json.
Run as: python scripts/golden/nucleotide_transformer_v1.py
"""

import json
from pathlib import Path

import torch
import transformers
from transformers import EsmConfig, EsmForMaskedLM, EsmForSequenceClassification

OUT = Path(__file__).resolve().parents[2] / "test" / "golden" / "nucleotide-transformer-v1.json"

CONFIG = {
    "vocab_size": 24,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 40,
    "max_position_embeddings": 18,
    "layer_norm_eps": 1e-12,
    "position_embedding_type": "absolute",
    "emb_layer_norm_before": False,
    "tie_word_embeddings": False,
    "token_dropout": True,
    "pad_token_id": 1,
    "mask_token_id": 2,
    "model_type": "esm",
}
# the second row has a mask token in it, which changes the scale of the others
ROWS = [[3, 6, 7, 8, 9, 10, 11], [3, 12, 2, 14, 15, 1, 1]]
MASK = [[1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 0, 0]]


def hashed(name, shape):
    h = 0x811C9DC5
    for byte in name.encode():
        h = (h ^ byte) * 0x01000193 & 0xFFFFFFFF
    values = []
    for i in range(torch.Size(shape).numel()):
        z = (i * 0x9E3779B1 + h) & 0xFFFFFFFF
        z = (z ^ z >> 16) * 0x85EBCA6B & 0xFFFFFFFF
        z = (z ^ z >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
        values.append(0.25 * ((z ^ z >> 16) / 2**31 - 1))
    tensor = torch.tensor(values, dtype=torch.float64).reshape(shape)
    if len(shape) == 1 and name.endswith(".weight"):
        tensor += 1
    return tensor.to(torch.float32).to(torch.float64)


def filled(model):
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(hashed(name, parameter.shape))
    return model.double().eval()


def summary(tensor):
    flat = tensor.flatten()
    return {
        "sum": flat.sum().item(),
        "squares": (flat**2).sum().item(),
        "first": flat[:3].tolist(),
        "last": flat[-3:].tolist(),
    }


def pseudo_log_likelihood(model, row):
    total = 0.0
    for i in range(1, len(row)):
        masked = torch.tensor([row])
        masked[0, i] = CONFIG["mask_token_id"]
        logits = model(masked, attention_mask=torch.ones_like(masked)).logits
        total += torch.log_softmax(logits[0, i], -1)[row[i]].item()
    return total


def main():
    torch.set_default_dtype(torch.float64)
    model = filled(EsmForMaskedLM(EsmConfig(**CONFIG)))
    classifier = filled(EsmForSequenceClassification(EsmConfig(**CONFIG, num_labels=3)))
    ids = torch.tensor(ROWS)
    golden = {"made with": f"torch {torch.__version__}, transformers {transformers.__version__}", "config": CONFIG}
    golden |= {"rows": ROWS, "mask": MASK}
    with torch.no_grad():
        for run, mask in [("masked", torch.tensor(MASK)), ("unmasked", torch.ones_like(ids))]:
            output = model(ids, attention_mask=mask, output_hidden_states=True)
            tensors = {f"hidden{i}": summary(state) for i, state in enumerate(output.hidden_states)}
            golden[run] = tensors | {"logits": summary(output.logits)}
            golden[f"{run} classes"] = classifier(ids, attention_mask=mask).logits.flatten().tolist()
        real = [[id for id, keep in zip(row, mask) if keep] for row, mask in zip(ROWS, MASK)]
        golden["pseudo-log-likelihoods"] = [pseudo_log_likelihood(model, row) for row in real]
    OUT.write_text(json.dumps(golden, indent=2) + "\n")


if __name__ == "__main__":
    main()
