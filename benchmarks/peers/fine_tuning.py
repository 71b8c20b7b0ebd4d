"""Runs the training steps of benchmarks/fine-tuning.ts in eager PyTorch: one request and one response per line of JSON.

{"open": {"family": …, "folder": …, "adapter": …, "ids": [[…], …], "labels": […], "threads": …}}
{"losses": 3}   of that many steps from the initial values, without dropout
{"step": true}  {"milliseconds": …} of one step with dropout
{"peak": true}  {"bytes": …}, increase of the peak resident memory since before the weights were opened

Written from the definition of LoRA (Hu et al. 2021). As in minLoRA, each access of a weight computes the adapted weight,
W + s·B·(A ⊙ m) with a new mask m of the input features, differentiated by autograd.
"""

import importlib
import json
import re
import resource
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

FACTOR = re.compile(r"model\.(.+?)\.model\.(.+)\.parametrizations\.weight\.0\.lora_([AB])")
RANK, ALPHA, LORA_DROPOUT, DROPOUT = 8, 16, 0.05, 0.1
LEARNING_RATE, WEIGHT_DECAY = 1e-4, 0.01


class Adapted:
    """Weights by name; those with factors are adapted at every access."""

    def __init__(self, weights, factors):
        self.weights, self.factors, self.training = weights, factors, False

    def __getitem__(self, name):
        w = self.weights[name]
        if name not in self.factors:
            return w
        a, b = self.factors[name]["A"], self.factors[name]["B"]
        exchanged = name.endswith("_embeddings.weight")
        if self.training:
            shape = (a.shape[0], 1) if exchanged else (1, a.shape[1])
            a = a * F.dropout(torch.ones(shape), LORA_DROPOUT)
        update = a @ b if exchanged else b @ a
        return w + ALPHA / RANK * update.view(w.shape)

    def get(self, name):
        return self[name] if name in self.weights else None


def head_of(family, trained):
    """Logits of a sequence from its states, by the family's classifier."""
    if family == "hyenadna":
        return lambda x, drop: F.linear(x[:, -1], trained["model.score.weight"])

    def pooled(x, drop):
        pooler, out = "model.bert.pooler.dense", "model.classifier"
        first = torch.tanh(F.linear(x[:, 0], trained[f"{pooler}.weight"], trained[f"{pooler}.bias"]))
        return F.linear(drop(first), trained[f"{out}.weight"], trained[f"{out}.bias"])

    return pooled


class Tuning:
    def __init__(self, family, folder, adapter, ids, labels, threads):
        torch.set_num_threads(threads)
        self.given = dict(family=family, folder=Path(folder), adapter=adapter)
        self.ids, self.labels = torch.tensor(ids), torch.tensor(labels)
        self.begin()

    def begin(self):
        family, folder = self.given["family"], self.given["folder"]
        self.trained = {name: value.requires_grad_() for name, value in load_file(self.given["adapter"]).items()}
        factors = {}
        for name, value in self.trained.items():
            if match := FACTOR.fullmatch(name):
                module, rest, which = match.groups()
                factors.setdefault(f"{module}.{rest}.weight", {})[which] = value
        self.weights = Adapted(load_file(folder / "model.safetensors"), factors)
        drop = lambda x: F.dropout(x, DROPOUT, self.weights.training)
        module = importlib.import_module(f"models.{family}")
        states = module.load(json.loads((folder / "config.json").read_text()), self.weights, drop).states
        head = head_of(family, self.trained)
        self.logits = lambda: head(states(self.ids), drop)
        self.optimizer = torch.optim.AdamW(self.trained.values(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)

    def step(self):
        self.optimizer.zero_grad()
        loss = F.cross_entropy(self.logits(), self.labels)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def losses(self, count):
        self.weights.training = False
        losses = [self.step() for _ in range(count)]
        self.begin()
        return losses

    def milliseconds(self):
        self.weights.training = True
        start = time.perf_counter()
        self.step()
        return 1000 * (time.perf_counter() - start)


def peak():
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


before = peak()
tuning = None
print(f"PyTorch {torch.__version__}", flush=True)
for line in sys.stdin:
    request = json.loads(line)
    answer = {}
    if "open" in request:
        tuning = Tuning(**request["open"])
    elif "losses" in request:
        answer = {"losses": tuning.losses(request["losses"])}
    elif "step" in request:
        answer = {"milliseconds": tuning.milliseconds()}
    else:
        answer = {"bytes": peak() - before}
    print(json.dumps(answer), flush=True)
