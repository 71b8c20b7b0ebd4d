"""HyenaDNA (Nguyen et al. 2023): the long convolution by Fourier transform, the filter computed at every call."""

import torch
import torch.nn.functional as F

from .layers import Model, dense, layer_norm

SHIFT = 0.05


def load(config, w, drop):
    """`drop` is unused, as in dart-eval: the official code fine-tunes without it."""

    def kernel(at: str, tokens: int) -> torch.Tensor:
        """The implicit filter, [d, t]."""
        h = w[f"{at}.pos_emb.z"][:, :tokens]
        frequency = w[f"{at}.implicit_filter.1.freq"]
        for layer in (0, 2, 4):
            h = torch.sin(frequency * dense(w, f"{at}.implicit_filter.{layer}", h))
        h = dense(w, f"{at}.implicit_filter.6", h)
        time = w[f"{at}.pos_emb.t"][:, :tokens]
        decay = torch.exp(-time * w[f"{at}.modulation.deltas"].abs())
        return (h * (decay + SHIFT))[0].T

    def mixer(at: str, x: torch.Tensor) -> torch.Tensor:
        tokens, width = x.shape[1:]
        u = dense(w, f"{at}.in_proj", x).transpose(1, 2)
        weight, bias = w[f"{at}.short_filter.weight"], w[f"{at}.short_filter.bias"]
        u = F.conv1d(u, weight, bias, padding=weight.shape[2] - 1, groups=3 * width)[..., :tokens]
        x0, x1, v = u.split(width, dim=1)
        gated = v * x1
        size = 2 * tokens
        spectrum = torch.fft.rfft(gated, n=size) * torch.fft.rfft(kernel(f"{at}.filter_fn", tokens), n=size)
        y = torch.fft.irfft(spectrum, n=size)[..., :tokens] + gated * w[f"{at}.filter_fn.bias"][:, None]
        return dense(w, f"{at}.out_proj", (y * x0).transpose(1, 2))

    def states(ids):
        r = F.embedding(ids, w["hyena.backbone.embeddings.word_embeddings.weight"])
        for i in range(config["n_layer"]):
            at = f"hyena.backbone.layers.{i}"
            r = r + mixer(f"{at}.mixer", layer_norm(w, f"{at}.norm1", r, 1e-5))
            inner = dense(w, f"{at}.mlp.fc1", layer_norm(w, f"{at}.norm2", r, 1e-5))
            r = r + dense(w, f"{at}.mlp.fc2", F.gelu(inner, approximate="tanh"))
        return layer_norm(w, "hyena.backbone.ln_f", r, config["layer_norm_epsilon"])

    return Model(states, lambda ids: dense(w, "lm_head", states(ids)), lambda ids: dense(w, "score", states(ids)[:, -1]))
