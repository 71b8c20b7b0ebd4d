"""StripedHyena (Evo 1) by the authors' package, and what it shares with the second generation, in float32 on the CPU.

Attention is the MHA of the package vtx, a copy of flash-attn's that runs without CUDA; its rotation by a Triton kernel is
replaced by the function in PyTorch next to it.
"""

import sys
from contextlib import nullcontext
from types import ModuleType

import torch
from torch.func import functional_call

from .layers import Model

sys.modules["flash_attn_2_cuda"] = ModuleType("flash_attn_2_cuda")
import vortex.model.attention
import vortex.model.rotary

sys.modules["flash_attn"] = ModuleType("flash_attn")
sys.modules["flash_attn.modules"] = ModuleType("flash_attn.modules")
sys.modules["flash_attn.layers"] = ModuleType("flash_attn.layers")
sys.modules["flash_attn.modules.mha"] = vortex.model.attention
sys.modules["flash_attn.layers.rotary"] = vortex.model.rotary

from stripedhyena.model import StripedHyena
from stripedhyena.utils import dotdict

DTYPES = {f"{part}_dtype": torch.float32 for part in ("params", "attn_block", "hyena_block", "mlp")}
SETTINGS = DTYPES | {"use_flash_attn": False, "use_flashfft": False}


def rotation(x, cos, sin, interleaved=False, inplace=False, conjugate=False, **_):
    cos, sin = cos[: x.shape[1]], sin[: x.shape[1]]
    turned = vortex.model.rotary.apply_rotary_emb_torch(x, cos, -sin if conjugate else sin, interleaved)
    return x.copy_(turned) if inplace else turned


vortex.model.rotary.apply_rotary = rotation
torch.cuda.device = nullcontext


def load(config, weights, _drop):
    return model_of(StripedHyena(dotdict(config | SETTINGS)), weights, "backbone.")


def model_of(network, weights, prefix):
    """Functions of a network whose checkpoint has `prefix` before its names; `weights` may have factors of LoRA."""
    network.float().eval().requires_grad_(False)  # dense layers of vtx are made in bfloat16
    stored = getattr(weights, "weights", weights)
    own = {name: stored.get(f"{prefix}{name}") for name in network.state_dict()}
    own["unembed.weight"] = own["embedding_layer.weight"]
    missing = network.load_state_dict({name: value for name, value in own.items() if value is not None}, strict=False)
    if unknown := [name for name in missing.missing_keys if name in dict(network.named_parameters())]:
        raise KeyError(f"no weights for {unknown[:3]}")
    last = []
    network.norm.register_forward_hook(lambda _, __, y: last.append(y))

    def states(ids, changed={}):
        last.clear()
        functional_call(network, dict(changed), (ids,))
        return last[0]

    def classify(ids):
        changed = {name.removeprefix(prefix): weights[name] for name in weights.lora.factors}
        return torch.nn.functional.linear(states(ids, changed)[:, -1], weights["score.weight"])

    return Model(states, lambda ids: network(ids)[0], classify)
