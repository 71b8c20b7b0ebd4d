"""Nucleotide Transformer, second generation (Dalla-Torre et al. 2025): an ESM encoder with rotary positions and gated layers."""

import torch
import torch.nn.functional as F

from .layers import Model, attention, dense, layer_norm, split_heads


def load(config, w, drop):
    """`drop` is unused: the published configurations have no dropout."""
    heads, epsilon = config["num_attention_heads"], config["layer_norm_eps"]
    if config["position_embedding_type"] != "rotary":
        raise NotImplementedError("only the second generation has a peer")

    def turned(z: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        a, b = z.chunk(2, -1)
        return z * cos + torch.cat((-b, a), -1) * sin

    def layer(at: str, x: torch.Tensor) -> torch.Tensor:
        y = layer_norm(w, f"{at}.attention.LayerNorm", x, epsilon)
        q, k, v = (split_heads(dense(w, f"{at}.attention.self.{z}", y), heads) for z in ("query", "key", "value"))
        frequencies = w[f"{at}.attention.self.rotary_embeddings.inv_freq"]
        angles = torch.outer(torch.arange(x.shape[1], dtype=torch.float32), frequencies).repeat(1, 2)
        cos, sin = angles.cos(), angles.sin()
        attended = attention(turned(q, cos, sin), turned(k, cos, sin), v)
        x = x + dense(w, f"{at}.attention.output.dense", attended)
        y = layer_norm(w, f"{at}.LayerNorm", x, epsilon)
        gate, passed = dense(w, f"{at}.intermediate.dense", y).chunk(2, -1)
        return x + dense(w, f"{at}.output.dense", F.silu(gate) * passed)

    def states(ids):
        x = F.embedding(ids, w["esm.embeddings.word_embeddings.weight"])
        for i in range(config["num_hidden_layers"]):
            x = layer(f"esm.encoder.layer.{i}", x)
        return layer_norm(w, "esm.encoder.emb_layer_norm_after", x, epsilon)

    def logits(ids):
        guess = layer_norm(w, "lm_head.layer_norm", F.gelu(dense(w, "lm_head.dense", states(ids))), epsilon)
        return F.linear(guess, w["lm_head.decoder.weight"], w["lm_head.bias"])

    def classify(ids):
        return dense(w, "classifier.out_proj", torch.tanh(dense(w, "classifier.dense", states(ids)[:, 0])))

    return Model(states, logits, classify)
