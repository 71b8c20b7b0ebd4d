"""DNABERT-2 (Zhou et al. 2024): an encoder with ALiBi, gated layers and post-layer norms."""

import math

import torch
import torch.nn.functional as F

from .layers import Model, attention, dense, layer_norm, masked_head, pooler_classifier, split_heads


def slopes(heads: int) -> list[float]:
    """Press et al. 2022, arXiv:2108.12409."""
    power = 2 ** math.floor(math.log2(heads))
    geometric = lambda n: [2 ** (-8 * (i + 1) / n) for i in range(n)]
    return geometric(power) + geometric(2 * power)[::2][: heads - power]


def load(config, w, drop):
    heads, epsilon = config["num_attention_heads"], config["layer_norm_eps"]
    falling = -torch.tensor(slopes(heads))[:, None, None]

    def layer(at: str, x: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        q, k, v = (split_heads(z, heads) for z in dense(w, f"{at}.attention.self.Wqkv", x).chunk(3, -1))
        attended = drop(dense(w, f"{at}.attention.output.dense", attention(q, k, v, bias)))
        x = layer_norm(w, f"{at}.attention.output.LayerNorm", attended + x, epsilon)
        gate, passed = dense(w, f"{at}.mlp.gated_layers", x).chunk(2, -1)
        inner = drop(F.gelu(gate) * passed)
        return layer_norm(w, f"{at}.mlp.layernorm", dense(w, f"{at}.mlp.wo", inner) + x, epsilon)

    def states(ids):
        places = torch.arange(ids.shape[1])
        bias = (falling * (places[:, None] - places).abs())[None]
        words, types = (w[f"bert.embeddings.{name}_embeddings.weight"] for name in ("word", "token_type"))
        x = drop(layer_norm(w, "bert.embeddings.LayerNorm", F.embedding(ids, words) + types[0], epsilon))
        for i in range(config["num_hidden_layers"]):
            x = layer(f"bert.encoder.layer.{i}", x, bias)
        return x

    def logits(ids):
        guess = masked_head(w, "cls.predictions.transform", states(ids), 1e-12)
        words = w["bert.embeddings.word_embeddings.weight"]
        return F.linear(guess, words, w["cls.predictions.decoder.bias"])

    return Model(states, logits, lambda ids: pooler_classifier(w, states(ids), drop))
