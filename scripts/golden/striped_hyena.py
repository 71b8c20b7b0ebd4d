# /// script
# requires-python = "==3.11.*"
# dependencies = ["torch==2.15.0", "stripedhyena==0.2.2", "vtx==1.1.0"]
# ///
"""Tiny models of both generations of StripedHyena by the authors' packages in float64, on the CPU.

Attention is the MHA of vtx, a copy of flash-attn's that runs without CUDA; its rotation by a Triton kernel is replaced
by the function in PyTorch next to it. Dense layers are not in FP8. Weights and contents of the files as in architectures.py.
Writes test/golden/architectures/NAME.json. Run as: python scripts/golden/striped_hyena.py [NAME...]
"""

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType

import torch
from torch.func import functional_call

sys.modules["flash_attn_2_cuda"] = ModuleType("flash_attn_2_cuda")
import vortex.model.attention
import vortex.model.rotary
from vortex.model.layers import TELinear
from vortex.model.model import StripedHyena as StripedHyena2

sys.modules["flash_attn"] = ModuleType("flash_attn")
sys.modules["flash_attn.modules"] = ModuleType("flash_attn.modules")
sys.modules["flash_attn.layers"] = ModuleType("flash_attn.layers")
sys.modules["flash_attn.modules.mha"] = vortex.model.attention
sys.modules["flash_attn.layers.rotary"] = vortex.model.rotary

from stripedhyena.model import StripedHyena
from stripedhyena.utils import dotdict

OUT = Path(__file__).resolve().parents[2] / "test" / "golden" / "architectures"
FLOAT32 = torch.float32

ROWS = [[1, 5, 6, 7, 8, 9, 2], [1, 10, 11, 12, 2, 3, 3]]
MASK = [[1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 0, 0]]
LABELS, RANK, SCALE = 3, 2, 2.0

COMMON = {
    "model_type": "stripedhyena",
    "vocab_size": 512,
    "hidden_size": 16,
    "num_filters": 16,
    "num_layers": 3,
    "num_attention_heads": 2,
    "attn_layer_idxs": [1],
    "hyena_layer_idxs": [0, 2],
    "state_size": 3,
    "short_filter_length": 3,
    "short_filter_bias": True,
    "hyena_filter_groups": 1,
    "proj_groups": 1,
    "model_parallel_size": 1,
    "inner_mlp_size": 24,
    "max_seqlen": 64,
    "eps": 1e-6,
    "tie_embeddings": True,
    "mha_out_proj_bias": True,
    "qkv_proj_bias": True,
    "rotary_emb_base": 10000,
    "column_split_hyena": True,
    "mlp_activation": "gelu",
}
SECOND = {
    "vocab_size": 512,
    "hidden_size": 16,
    "num_filters": 16,
    "num_layers": 4,
    "num_attention_heads": 2,
    "attn_layer_idxs": [2],
    "hcl_layer_idxs": [3],
    "hcm_layer_idxs": [1],
    "hcs_layer_idxs": [0],
    "hcm_filter_length": 128,
    "hcl_filter_groups": 16,
    "hcm_filter_groups": 4,
    "hcs_filter_groups": 8,
    "hcs_filter_length": 4,
    "short_filter_length": 3,
    "short_filter_bias": False,
    "state_size": 3,
    "eps": 1e-6,
    "inner_mlp_size": 24,
    "proj_groups": 1,
    "hyena_filter_groups": 1,
    "column_split_hyena": False,
    "column_split": True,
    "interleave": True,
    "evo2_style_activations": True,
    "model_parallel_size": 1,
    "tie_embeddings": True,
    "mha_out_proj_bias": True,
    "hyena_out_proj_bias": True,
    "hyena_flip_x1x2": False,
    "qkv_proj_bias": False,
    "use_fp8_input_projections": False,
    "max_seqlen": 64,
    "mlp_activation": "gelu",
    "rotary_emb_base": 10000,
    "rotary_emb_scaling_factor": 128,
    "use_interpolated_rotary_pos_emb": True,
}
CASES = {
    "stripedhyena2": SECOND,
    "stripedhyena2-untied": SECOND
    | {"tie_embeddings": False, "hyena_out_proj_bias": False, "mha_out_proj_bias": False, "qkv_proj_bias": True}
    | {"attn_layer_idxs": [0], "hcs_layer_idxs": [2], "column_split": False, "evo2_style_activations": False}
    | {"short_filter_bias": True, "use_interpolated_rotary_pos_emb": False, "mlp_activation": "silu"},
    "stripedhyena": COMMON | {"use_interpolated_rotary_pos_emb": True, "rotary_emb_scaling_factor": 16},
    "stripedhyena-untied": COMMON
    | {"attn_layer_idxs": [2], "hyena_layer_idxs": [0, 1], "tie_embeddings": False, "column_split_hyena": False}
    | {"mlp_activation": "silu", "mha_out_proj_bias": False, "qkv_proj_bias": False, "rotary_emb_base": 500000}
    | {"inner_mlp_size": None, "inner_size_multiple_of": 16, "short_filter_length": 4},
}


def plain_rotation(x, cos, sin, interleaved=False, inplace=False, conjugate=False, **_):
    cos, sin = cos[: x.shape[1]], sin[: x.shape[1]]
    turned = vortex.model.rotary.apply_rotary_emb_torch(x, cos, -sin if conjugate else sin, interleaved)
    return x.copy_(turned) if inplace else turned


def hashed(name, shape):
    h = 0x811C9DC5
    for byte in name.encode():
        h = (h ^ byte) * 0x01000193 & 0xFFFFFFFF
    z = (torch.arange(torch.Size(shape).numel(), dtype=torch.int64) * 0x9E3779B1 + h) & 0xFFFFFFFF
    z = ((z ^ (z >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
    z = ((z ^ (z >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
    values = 0.25 * ((z ^ (z >> 16)).double() / 2**31 - 1)
    raised = values + (1 if len(shape) == 1 and name.endswith(".weight") else 0)
    return raised.reshape(shape).to(FLOAT32).to(torch.float64)


def summary(tensor):
    flat = tensor.detach().flatten()
    return {
        "sum": flat.sum().item(),
        "squares": (flat**2).sum().item(),
        "first": flat[:3].tolist(),
        "last": flat[-3:].tolist(),
    }


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.10g}")
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    return [rounded(each) for each in value] if isinstance(value, list) else value


DTYPES = {f"{part}_dtype": torch.float64 for part in ("params", "attn_block", "hyena_block", "mlp")}
SETTINGS = DTYPES | {"use_flash_attn": False, "use_flashfft": False, "final_norm": True}


class Causal(torch.nn.Module):
    """Weights by their names in checkpoints, and hidden states next to the logits."""

    def __init__(self, config, network, prefix):
        super().__init__()
        self.network, self.prefix = network.double().eval(), prefix
        self.permutes = network.config.get("column_split", True) and type(network) is StripedHyena2
        self.heads, self.states = config["num_attention_heads"], []
        for block in network.blocks:
            block.register_forward_pre_hook(lambda _, given: self.states.append(given[0]))
        network.norm.register_forward_hook(lambda _, __, y: self.states.append(y))
        state = {
            name: hashed(prefix + name, value.shape) if isinstance(value, torch.nn.Parameter) else value
            for name, value in network.state_dict(keep_vars=True).items()
        }
        if "unembed.weight" in state and config["tie_embeddings"]:
            state["unembed.weight"] = state["embedding_layer.weight"]
        load = network.custom_load_state_dict if type(network) is StripedHyena2 else network.load_state_dict
        load(state)

    def tensors(self):
        return {self.prefix + name: list(value.shape) for name, value in self.network.state_dict().items()}

    def loaded(self, name, weight):
        """A weight of a checkpoint as the network stores it: queries, keys and values of all heads."""
        if not self.permutes or not name.endswith("Wqkv"):
            return weight
        rows = torch.arange(len(weight)).reshape(self.heads, 3, -1).transpose(0, 1).flatten()
        return weight[rows]

    def forward(self, ids):
        """Logits, and the hidden states: the input of every block, and the normed output of the last."""
        self.states = []
        logits, _ = self.network(ids)
        return logits, self.states


def network_of(config):
    second = "hcl_layer_idxs" in config
    given = dotdict(config | SETTINGS)
    # The Hugging Face repositories of the first generation have the network in a module `backbone`.
    return (StripedHyena2(given), "") if second else (StripedHyena(given), "backbone.")


def likelihood(model, row):
    """Of the tokens between the first and the last, given those before."""
    predicted = torch.log_softmax(model(torch.tensor([row]))[0][0], -1)
    return sum(predicted[i - 1, row[i]].item() for i in range(1, len(row) - 1))


def lora_step(model, classify):
    """Logits, loss and gradients of the factors A and B of every dense layer, for the labels 1 and 0."""
    factors, changed = {}, {}
    for name, module in model.network.named_modules():
        if type(module) not in (torch.nn.Linear, TELinear):
            continue
        weight, (out, columns) = f"{model.prefix}{name}.weight", module.weight.shape
        a = hashed(f"{weight}:A", (RANK, columns)).requires_grad_()
        b = hashed(f"{weight}:B", (out, RANK)).requires_grad_()
        factors[weight] = (a, b)
        stored = hashed(weight, module.weight.shape)
        changed[f"network.{name}.weight"] = model.loaded(name, stored + SCALE * (b @ a))
    classes = classify(functional_call(model, changed, (torch.tensor(ROWS),))[1])
    loss = torch.nn.functional.cross_entropy(classes, torch.tensor([1, 0]))
    loss.backward()
    return {
        "modules": len(factors),
        "values": sum(a.numel() + b.numel() for a, b in factors.values()),
        "classes": classes.detach().flatten().tolist(),
        "loss": loss.item(),
        "gradients": {
            weight: {
                which: {"sum": factor.grad.sum().item(), "squares": (factor.grad**2).sum().item(), "first": []}
                for which, factor in zip("AB", pair)
            }
            for weight, pair in factors.items()
        },
    }


def golden(name):
    config = CASES[name]
    model = Causal(config, *network_of(config))
    score = hashed("score.weight", (LABELS, config["hidden_size"]))

    def classify(states):
        return states[-1][:, -1] @ score.T

    with torch.no_grad():
        logits, states = model(torch.tensor(ROWS))
        run = {f"hidden{i}": summary(state) for i, state in enumerate(states)} | {"logits": summary(logits)}
        real = [[id for id, keep in zip(row, mask) if keep] for row, mask in zip(ROWS, MASK)]
        likelihoods = [likelihood(model, row) for row in real]
        classes = classify(states).flatten().tolist()
    result = {
        "made_by": f"torch {torch.__version__.split('+')[0]}, stripedhyena 0.2.2, vtx 1.1.0",
        "kind": "causal",
        "config": config,
        "rows": ROWS,
        "mask": MASK,
        "tensors": model.tensors(),
        "masked": run,
        "unmasked": run,
        "classes": classes,
        "likelihoods": likelihoods,
        "lora": lora_step(model, classify),
    }
    (OUT / f"{name}.json").write_text(json.dumps(rounded(result)) + "\n")


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    torch.float32 = torch.float64  # filters, convolutions and angles, which the packages compute in float32
    torch.cuda.device = nullcontext
    vortex.model.rotary.apply_rotary = plain_rotation
    for case in sys.argv[1:] or CASES:
        golden(case)
