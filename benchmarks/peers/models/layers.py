"""Shared layers: dense, norms and attention, by the names of a checkpoint's tensors.

Axes: b batch, t tokens, d width, h heads, c width of a head.
"""

from typing import Callable, Mapping, NamedTuple

import torch
import torch.nn.functional as F

Weights = Mapping[str, torch.Tensor]


class Model(NamedTuple):
    """A model as functions of token ids [b, t]."""

    states: Callable  # [b, t, d]
    logits: Callable  # [b, t, v]
    classify: Callable  # [b, labels], with dropout in training


def dense(w: Weights, at: str, x: torch.Tensor) -> torch.Tensor:
    return F.linear(x, w[f"{at}.weight"], w.get(f"{at}.bias"))


def layer_norm(w: Weights, at: str, x: torch.Tensor, epsilon: float) -> torch.Tensor:
    return F.layer_norm(x, x.shape[-1:], w[f"{at}.weight"], w[f"{at}.bias"], epsilon)


def rms_norm(scale: torch.Tensor, x: torch.Tensor, epsilon: float) -> torch.Tensor:
    return F.rms_norm(x, x.shape[-1:], scale, epsilon)


def split_heads(x: torch.Tensor, heads: int) -> torch.Tensor:
    """[b, t, d] to [b, h, t, c]"""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def attention(q, k, v, bias=None, dropout=0.0) -> torch.Tensor:
    """[b, h, t, c] to [b, t, d], by PyTorch's fused kernel, its fastest on a CPU."""
    return F.scaled_dot_product_attention(q, k, v, attn_mask=bias, dropout_p=dropout).transpose(1, 2).flatten(2)


def masked_head(w: Weights, at: str, x: torch.Tensor, epsilon: float) -> torch.Tensor:
    """Dense, GELU, norm: the transform before a BERT's decoder."""
    return layer_norm(w, f"{at}.LayerNorm", F.gelu(dense(w, f"{at}.dense", x)), epsilon)


def pooler_classifier(w: Weights, x: torch.Tensor, drop) -> torch.Tensor:
    """BERT's classifier of the first token."""
    return dense(w, "classifier", drop(torch.tanh(dense(w, "bert.pooler.dense", x[:, 0]))))
