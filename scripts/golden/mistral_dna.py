# /// script
# requires-python = "==3.11.*"
# dependencies = ["torch==2.15.0", "transformers==5.23.0"]
# ///
"""A tiny Mixtral with features that no published Mistral-DNA has: a sliding window, heads wider than the states, one key head.

Mixtral class of Transformers in float64. Weights are the hashes of test/models/hashed-weights.ts, under the names
of the published checkpoints. Writes test/golden/mistral-dna.json.
Run as: python scripts/golden/mistral_dna.py
"""

import json
import tempfile
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from transformers import MixtralConfig, MixtralForCausalLM

OUT = Path(__file__).resolve().parents[2] / "test" / "golden" / "mistral-dna.json"

CONFIG = {
    "architectures": ["MixtralForCausalLM"],
    "model_type": "mixtral",
    "vocab_size": 24,
    "hidden_size": 32,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 1,
    "head_dim": 12,
    "num_local_experts": 5,
    "num_experts_per_tok": 3,
    "hidden_act": "silu",
    "rms_norm_eps": 1e-5,
    "rope_theta": 1e6,
    "sliding_window": 3,
    "tie_word_embeddings": False,
}
ROWS = [[1, 5, 6, 7, 8, 9, 2], [1, 10, 11, 12, 2, 3, 3]]
MASK = [[1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 0, 0]]


def hashed(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x01000193) & 0xFFFFFFFF
    z = (torch.arange(torch.Size(shape).numel(), dtype=torch.int64) * 0x9E3779B1 + seed) & 0xFFFFFFFF
    z = ((z ^ (z >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
    z = ((z ^ (z >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
    z = z ^ (z >> 16)
    values = 0.25 * (z.double() / 2**31 - 1) + (1 if len(shape) == 1 else 0)
    return values.reshape(shape).float()


def shapes():
    d, inner, v = CONFIG["hidden_size"], CONFIG["intermediate_size"], CONFIG["vocab_size"]
    queries = CONFIG["num_attention_heads"] * CONFIG["head_dim"]
    keys = CONFIG["num_key_value_heads"] * CONFIG["head_dim"]
    yield "model.embed_tokens.weight", (v, d)
    for i in range(CONFIG["num_hidden_layers"]):
        at = f"model.layers.{i}"
        yield f"{at}.self_attn.q_proj.weight", (queries, d)
        yield f"{at}.self_attn.k_proj.weight", (keys, d)
        yield f"{at}.self_attn.v_proj.weight", (keys, d)
        yield f"{at}.self_attn.o_proj.weight", (d, queries)
        yield f"{at}.block_sparse_moe.gate.weight", (CONFIG["num_local_experts"], d)
        for e in range(CONFIG["num_local_experts"]):
            yield f"{at}.block_sparse_moe.experts.{e}.w1.weight", (inner, d)
            yield f"{at}.block_sparse_moe.experts.{e}.w3.weight", (inner, d)
            yield f"{at}.block_sparse_moe.experts.{e}.w2.weight", (d, inner)
        yield f"{at}.input_layernorm.weight", (d,)
        yield f"{at}.post_attention_layernorm.weight", (d,)
    yield "model.norm.weight", (d,)
    yield "lm_head.weight", (v, d)


with tempfile.TemporaryDirectory() as folder:
    weights = {name: hashed(name, shape) for name, shape in shapes()}
    save_file(weights, Path(folder) / "model.safetensors", metadata={"format": "pt"})
    (Path(folder) / "config.json").write_text(json.dumps(CONFIG))
    # the library renames and stacks the experts on loading
    model, report = MixtralForCausalLM.from_pretrained(
        folder,
        dtype=torch.float64,
        attn_implementation="eager",
        experts_implementation="eager",
        output_loading_info=True,
    )
assert not any(report.values()), report
assert model.config.sliding_window == 3 and isinstance(model.config, MixtralConfig)

with torch.no_grad():
    output = model.eval()(
        input_ids=torch.tensor(ROWS),
        attention_mask=torch.tensor(MASK),
        output_hidden_states=True,
    )

OUT.write_text(
    json.dumps(
        {
            "made_by": f"torch {torch.__version__.split('+')[0]}, transformers {transformers.__version__}",
            "config": CONFIG,
            "rows": ROWS,
            "mask": MASK,
            "last_hidden": output.hidden_states[-1].flatten().tolist(),
            "logits": output.logits.flatten().tolist(),
        }
    )
)
