"""DART-Eval's probing head and its networks, as functions of tensors by the names of dart-eval, in the usual PyTorch style:
channels first, tokens repeated over their bases before the first convolution."""

import torch
import torch.nn.functional as F


def convolution(w, at, x, **more):
    return F.conv1d(x, w[f"{at}.weight"], w[f"{at}.bias"], **more)


def dense(w, at, x):
    return F.linear(x, w[f"{at}.weight"], w[f"{at}.bias"])


def position(w):
    return dense(w, "position.spread", w["position.values"])


def on_bases(w, bases):  # [b, l, c]
    x = F.relu(convolution(w, "conv1", bases.swapaxes(1, 2), padding=1))
    x = F.relu(convolution(w, "conv2", x, padding=1))
    return dense(w, "output", F.relu(convolution(w, "conv3", x, padding=1)).sum(2))


def probing_head(w, embedding, index):
    bases = index.long()[:, :, None].expand(-1, -1, embedding.shape[2])
    return on_bases(w, torch.gather(embedding, 1, bases))


def probing_head_like(w, x):
    wide = convolution(w, "first", x.swapaxes(1, 2), padding=20).swapaxes(1, 2) + position(w)
    return on_bases(w, F.relu(wide))


def chrombpnet_like(w, x):
    x = F.relu(convolution(w, "first", x.swapaxes(1, 2)) + position(w).swapaxes(0, 1))
    for i in range(7):
        y = F.relu(convolution(w, f"dilated.{i}", x, dilation=2**i))
        cut = (x.shape[2] - y.shape[2]) // 2
        x = x[:, :, cut : cut + y.shape[2]] + y
    return dense(w, "output", x.mean(2))


NETWORKS = {
    "probing-head": probing_head,
    "probing-head-like": probing_head_like,
    "chrombpnet-like": chrombpnet_like,
}
