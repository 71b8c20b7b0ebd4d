"""Mistral-DNA: Mixtral (Jiang et al. 2024), for LoRA steps. Transformers joins the weights of the experts in one tensor, which
has no parametrization of each; here every expert has its own, and runs on the tokens that its router selects."""

import torch
import torch.nn.functional as F

from .layers import Model, dense, rms_norm, split_heads


def load(config, w, drop):
    """`drop` is unused: the published configurations have no dropout."""
    heads, groups = config["num_attention_heads"], config["num_key_value_heads"]
    width, epsilon = config["hidden_size"], config["rms_norm_eps"]
    each = config.get("head_dim") or width // heads
    frequencies = config["rope_theta"] ** (-torch.arange(0, each, 2, dtype=torch.float32) / each)

    def norm(at, x):
        return rms_norm(w[f"{at}.weight"], x, epsilon)

    def turned(z):
        angles = torch.outer(torch.arange(z.shape[2], dtype=torch.float32), frequencies).repeat(1, 2)
        a, b = z.chunk(2, -1)
        return z * angles.cos() + torch.cat((-b, a), -1) * angles.sin()

    def attention(at, y):
        q, k, v = (
            split_heads(dense(w, f"{at}.{name}_proj", y), count)
            for name, count in (("q", heads), ("k", groups), ("v", groups))
        )
        z = F.scaled_dot_product_attention(turned(q), turned(k), v, is_causal=True, enable_gqa=heads > groups)
        return dense(w, f"{at}.o_proj", z.transpose(1, 2).flatten(2))

    def experts(at, z):
        shares = dense(w, f"{at}.gate", z).softmax(-1)
        shares, chosen = shares.topk(config["num_experts_per_tok"], -1)
        shares = shares / shares.sum(-1, keepdim=True)
        sums = torch.zeros_like(z)
        for e in range(config["num_local_experts"]):
            rows, place = torch.where(chosen == e)
            if len(rows) == 0:
                continue
            own, x = f"{at}.experts.{e}", z[rows]
            y = dense(w, f"{own}.w2", F.silu(dense(w, f"{own}.w1", x)) * dense(w, f"{own}.w3", x))
            sums = sums.index_add(0, rows, y * shares[rows, place, None])
        return sums

    def states(ids):
        x = F.embedding(ids, w["model.embed_tokens.weight"])
        for i in range(config["num_hidden_layers"]):
            at = f"model.layers.{i}"
            x = x + attention(f"{at}.self_attn", norm(f"{at}.input_layernorm", x))
            z = norm(f"{at}.post_attention_layernorm", x)
            x = x + experts(f"{at}.block_sparse_moe", z.flatten(0, 1)).view(x.shape)
        return norm("model.norm", x)

    return Model(states, lambda ids: dense(w, "lm_head", states(ids)), lambda ids: dense(w, "score", states(ids)[:, -1]))
