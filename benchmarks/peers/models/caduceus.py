"""Caduceus (Schiff et al. 2024), both kinds, with the selective scan as a plain loop over the tokens.

The published code runs this loop without its CUDA kernel: it computes the decays and inputs of all steps first, then the
states step by step.
"""

import torch
import torch.nn.functional as F

from .layers import Model, dense, rms_norm


def mirrored(x: torch.Tensor) -> torch.Tensor:
    """Tokens and channels in reverse order: the complementary strand."""
    return x.flip(1, 2)


def tie(weights):
    """Adds the outer projections of the reverse direction, which are stored once."""
    for name in list(weights):
        if ".mamba_fwd." in name:
            weights.setdefault(name.replace(".mamba_fwd.", ".mamba_rev."), weights[name])
    return weights


def load(config, w, drop):
    """`drop` is unused: the official code fine-tunes without it."""
    width, epsilon = config["d_model"], config["norm_epsilon"]
    layers = config["n_layer"]
    twice = bool(config.get("rcps"))
    inside = ".submodule" if twice else ""
    embeddings = "caduceus.backbone.embeddings.word_embeddings"
    table = f"{embeddings}.embedding.weight" if twice else f"{embeddings}.weight"
    complement = w.get(f"{embeddings}.complement_map")

    def mamba(at: str, direction: str, x: torch.Tensor) -> torch.Tensor:
        own = f"{at}.mamba_{direction}"
        tokens = x.shape[1]
        u, z = F.linear(x, w[f"{own}.in_proj.weight"]).chunk(2, -1)
        weight = w[f"{own}.conv1d.weight"]
        taps, channels = weight.shape[2], weight.shape[0]
        u = F.conv1d(u.transpose(1, 2), weight, w[f"{own}.conv1d.bias"], padding=taps - 1, groups=channels)
        c = F.silu(u[..., :tokens].transpose(1, 2))
        A = -torch.exp(w[f"{own}.A_log"])
        rank, states = w[f"{own}.dt_proj.weight"].shape[1], A.shape[1]
        dt, B, C = dense(w, f"{own}.x_proj", c).split((rank, states, states), -1)
        dt = F.softplus(dense(w, f"{own}.dt_proj", dt))  # [b, t, e]
        decays = torch.exp(torch.einsum("bte,en->bten", dt, A))
        inputs = torch.einsum("bte,btn,bte->bten", dt, B, c)
        h = torch.zeros_like(decays[:, 0])
        steps = []
        for t in range(tokens):
            h = decays[:, t] * h + inputs[:, t]
            steps.append(torch.einsum("ben,bn->be", h, C[:, t]))
        y = (torch.stack(steps, 1) + w[f"{own}.D"] * c) * F.silu(z)
        return F.linear(y, w[f"{own}.out_proj.weight"])

    def both_ways(at: str, x: torch.Tensor) -> torch.Tensor:
        return mamba(at, "fwd", x) + mamba(at, "rev", x.flip(1)).flip(1)

    def block(i: int):
        at = f"caduceus.backbone.layers.{i}"
        return w[f"{at}.norm.weight"], f"{at}.mixer{inside}"

    def one_strand(ids):
        H = F.embedding(ids, w[table])
        R = 0
        for i in range(layers):
            scale, mixer = block(i)
            R = R + H
            H = both_ways(mixer, rms_norm(scale, R, epsilon))
        return rms_norm(w["caduceus.backbone.norm_f.weight"], R + H, epsilon)

    def two_strands(ids):
        other = complement[ids].flip(1)
        H = torch.cat((F.embedding(ids, w[table]), mirrored(F.embedding(other, w[table]))), -1)
        R = torch.zeros_like(H)
        for i in range(layers):
            scale, mixer = block(i)
            a, b = (R + H).split(width, -1)
            R = torch.cat((b, a), -1)
            u, v = rms_norm(scale, b, epsilon), rms_norm(scale, mirrored(a), epsilon)
            H = torch.cat((both_ways(mixer, u), mirrored(both_ways(mixer, v))), -1)
        a, b = (R + H).split(width, -1)
        scale = w["caduceus.backbone.norm_f.weight"]
        first, second = rms_norm(scale, a, epsilon), mirrored(rms_norm(scale, mirrored(b), epsilon))
        return torch.cat((first, second), -1)

    states = two_strands if twice else one_strand

    def logits(ids):
        x, words = states(ids), w[table]
        if not twice:
            return x @ words.T
        first, second = x.split(width, -1)
        return first @ words.T + second.flip(-1) @ words[complement].T

    def classify(ids):
        pooled = states(ids).mean(1)
        if twice:
            first, second = pooled.split(width, -1)
            pooled = (first + second.flip(-1)) / 2
        return dense(w, "score", pooled)

    return Model(states, logits, classify)
