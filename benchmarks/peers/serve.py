"""PyTorch's side of benchmarks/performance.ts: one request per line of JSON, one response per line.

{"open": {"work": …, …}}  prepares a computation and returns the versions; fields as of `Work` in performance/works.ts
{"values": PATH}          writes the outputs of one run, or the losses of three training steps without dropout, as float32
{"run": true}             {"milliseconds": …} of one run
{"peak": true}            {"bytes": …}, the peak resident memory since `values`
"""

import importlib
import json
import os
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

responses = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # output of libraries is no response

STEPS = 3


class Dropout:
    """Dropout of activations while `training` is true."""

    def __init__(self, rate, training):
        self.given, self.training = rate, training

    @property
    def rate(self):
        return self.given if self.training() else 0.0

    def __call__(self, x):
        return F.dropout(x, self.rate, self.rate > 0)


def module_of(family, classes):
    from models import transformers_class

    if family in getattr(transformers_class, classes):
        return None, transformers_class
    return importlib.import_module(f"models.{family.replace('-', '_')}"), None


def checkpoint(functional, folder):
    config = json.loads((Path(folder) / "config.json").read_text())
    weights = load_file(Path(folder) / "model.safetensors", device=str(torch.get_default_device()))
    return config, functional.tie(weights) if hasattr(functional, "tie") else weights


class Query:
    """The forward pass, likelihoods, or embeddings of a language model."""

    def __init__(self, work, family, folder, kind, ids, positions=None, targets=None):
        functional, classes = module_of(family, "QUERIED")
        if functional is None:
            self.model = classes.open_folder(folder, kind, family)
        else:
            self.model = functional.load(*checkpoint(functional, folder), Dropout(0.0, lambda: False))
        self.ids = torch.tensor(ids)
        self.compute = getattr(self, work)
        if positions is not None:
            self.positions, self.targets = torch.tensor(positions), torch.tensor(targets)

    def forward(self):
        return self.model.logits(self.ids)

    def embedding(self):
        return self.model.states(self.ids)

    def causal(self):
        logits = self.model.logits(self.ids)[:, :-1]
        return logits.log_softmax(-1).gather(-1, self.ids[:, 1:, None]).squeeze(-1)

    def masked(self):
        logits = self.model.logits(self.ids)[torch.arange(len(self.ids)), self.positions]
        return logits.log_softmax(-1).gather(-1, self.targets[:, None])

    def run(self):
        with torch.inference_mode():
            return self.compute()

    values = run


class Training:
    """Steps of an optimiser on one batch."""

    def values(self):
        return torch.tensor([self.step() for _ in range(STEPS)])

    def step(self):
        self.optimizer.zero_grad()
        loss = F.cross_entropy(self.logits(), self.labels)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    run = step


class LoraTraining(Training):
    def __init__(self, work, family, folder, adapter, ids, labels):
        from lora import Adapted, Lora

        self.lora = Lora(adapter)
        self.ids, self.labels = torch.tensor(ids), torch.tensor(labels)
        functional, classes = module_of(family, "TRAINED")
        if functional is None:
            model = classes.open_classifier(folder, family, self.lora, 2)
        else:
            config, weights = checkpoint(functional, folder)
            rate = config.get("hidden_dropout_prob", 0.0)
            drop = Dropout(rate, lambda: self.lora.training)
            model = functional.load(config, Adapted(weights, self.lora), drop)
        self.logits = lambda: model.classify(self.ids)
        self.optimizer = torch.optim.AdamW(self.lora.trained(), 1e-4, weight_decay=0.01)

    def values(self):
        losses = super().values()
        self.lora.training = True
        return losses


class NetworkTraining(Training):
    def __init__(self, work, network, start, labels, **_sizes):
        from networks import NETWORKS

        arrays = load_file(start, device=str(torch.get_default_device()))
        given = {name.removeprefix("input "): value for name, value in arrays.items() if name.startswith("input ")}
        w = {name: value.requires_grad_() for name, value in arrays.items() if not name.startswith("input ")}
        self.labels = torch.tensor(labels)
        self.logits = lambda: NETWORKS[network](w, **given)
        self.optimizer = torch.optim.Adam(w.values(), 1e-3)


def opened(threads, device, **work):
    torch.set_num_threads(threads)
    torch.set_default_device(device)
    kinds = {"lora": LoraTraining, "network": NetworkTraining}
    return kinds.get(work["work"], Query)(**work)


def peak():
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


def main():
    work = None
    for line in sys.stdin:
        request = json.loads(line)
        response = {}
        try:
            if "open" in request:
                work = None
                work = opened(**request["open"])
                modules = [sys.modules[name] for name in ("torch", "transformers") if name in sys.modules]
                response = {"versions": [f"{module.__name__} {module.__version__}" for module in modules]}
            elif "values" in request:
                values = work.values()
                values.float().contiguous().detach().cpu().numpy().tofile(request["values"])
                del values
                Path("/proc/self/clear_refs").write_text("5")
            elif "run" in request:
                start = time.perf_counter()
                work.run()
                if torch.cuda.is_available():
                    torch.cuda.synchronize()
                response = {"milliseconds": 1000 * (time.perf_counter() - start)}
            else:
                response = {"bytes": peak()}
        except NotImplementedError as reason:
            response = {"missing": str(reason)}
        except Exception as error:
            response = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(response), file=responses, flush=True)


main()
