"""Factors and head of LoRA (Hu et al. 2021), from the file of dart-eval. As in minLoRA, each access of a weight computes the
adapted weight, W + s·B·(A ⊙ m) with a new mask m of the input features, differentiated by autograd."""

import re

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

FACTOR = re.compile(r"model\.(.+?)\.model\.(.+)\.parametrizations\.weight\.0\.lora_([AB])")
RANK, ALPHA, LORA_DROPOUT = 8, 16, 0.05


class Lora:
    def __init__(self, adapter):
        self.training = False
        self.factors, self.head = {}, {}
        for name, value in load_file(adapter, device=str(torch.get_default_device())).items():
            value.requires_grad_()
            if match := FACTOR.fullmatch(name):
                module, rest, which = match.groups()
                self.factors.setdefault(f"{module}.{rest}.weight", {})[which] = value
            else:
                self.head[name.removeprefix("model.")] = value

    def trained(self):
        return [*self.head.values(), *(factor for pair in self.factors.values() for factor in pair.values())]

    def update(self, name):
        a, b = self.factors[name]["A"], self.factors[name]["B"]
        exchanged = a.shape[1] == RANK == b.shape[0]  # of an embedding, [rows, rank] and [rank, width]
        if self.training:
            a = a * F.dropout(torch.ones((a.shape[0], 1) if exchanged else (1, a.shape[1])), LORA_DROPOUT)
        return ALPHA / RANK * (a @ b if exchanged else b @ a)


class Adapted:
    """Weights by name, with factors added to those that have some, and the head."""

    def __init__(self, weights, lora):
        self.weights, self.lora = weights, lora

    def __getitem__(self, name):
        if name in self.lora.head:
            return self.lora.head[name]
        weight = self.weights[name]
        return weight + self.lora.update(name).view(weight.shape) if name in self.lora.factors else weight

    def __contains__(self, name):
        return name in self.lora.head or name in self.weights

    def get(self, name):
        return self[name] if name in self else None
