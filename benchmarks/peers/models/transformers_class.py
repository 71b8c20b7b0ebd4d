"""The classes of Transformers, and of the package gpn, with their default attention, which is PyTorch's fused kernel."""

from types import SimpleNamespace

import torch
import transformers
from torch.nn.utils import parametrize

from .layers import Model

transformers.utils.logging.disable_progress_bar()
transformers.utils.logging.set_verbosity_error()
WITHOUT_CLASSIFIER = ("mamba", "mamba2")
TRAINED = ("bert", "gpn", "gpt2", "gpt-neox", "llama", "modernbert", *WITHOUT_CLASSIFIER)
QUERIED = (*TRAINED, "mistral-dna")


class LowRank(torch.nn.Module):
    """minLoRA's parametrization of a weight, computed at every access."""

    def __init__(self, update, transposed):
        super().__init__()
        self.update, self.transposed = update, transposed

    def forward(self, weight):
        update = self.update()
        return weight + (update.T if self.transposed else update.view(weight.shape))


class LastToken(torch.nn.Module):
    """A causal model with the classifier `score` on its last token, as the other causal classes have."""

    def __init__(self, causal, labels):
        super().__init__()
        self.backbone = causal.backbone
        self.score = torch.nn.Linear(causal.config.hidden_size, labels, bias=False)

    def forward(self, input_ids):
        states = self.backbone(input_ids=input_ids, use_cache=False).last_hidden_state
        return SimpleNamespace(logits=self.score(states[:, -1]))


PAD = 3  # absent from the batches; classifiers look for it


def opened(automatic, folder, family, **more):
    if family == "gpn":
        import gpn

        gpn.register_auto_classes("gpn")
    config = transformers.AutoConfig.from_pretrained(folder, **more)
    config.pad_token_id = PAD
    return automatic.from_pretrained(folder, config=config, dtype="float32").to(torch.get_default_device()).eval()


def open_folder(folder, kind, family):
    automatic = transformers.AutoModelForCausalLM if kind == "causal" else transformers.AutoModelForMaskedLM
    model = opened(automatic, folder, family)
    base = model.model if family == "gpn" else model.base_model
    more = {"use_cache": False} if kind == "causal" else {}
    return Model(
        lambda ids: base(input_ids=ids, **more).last_hidden_state,
        lambda ids: model(input_ids=ids, **more).logits,
        None,
    )


def open_classifier(folder, family, lora, labels):
    """The model with factors on its weights, and its classifier; its dropout follows `lora.training`."""
    if family in WITHOUT_CLASSIFIER:
        model = LastToken(opened(transformers.AutoModelForCausalLM, folder, family), labels)
    else:
        model = opened(transformers.AutoModelForSequenceClassification, folder, family, num_labels=labels)
    model.requires_grad_(False)
    modules, unused = dict(model.named_modules()), set(lora.factors)
    for name, module in modules.items():
        weight = f"{name}.weight"
        if weight in lora.factors:
            transposed = isinstance(module, transformers.pytorch_utils.Conv1D)
            update = lambda weight=weight: lora.update(weight)
            parametrize.register_parametrization(module, "weight", LowRank(update, transposed))
            unused.discard(weight)
    if unused:
        raise KeyError(f"no modules for the factors of {sorted(unused)[:3]}")
    for name, value in lora.head.items():
        module, _, tensor = name.rpartition(".")
        setattr(modules[module], tensor, torch.nn.Parameter(value.detach()))
        lora.head[name] = getattr(modules[module], tensor)

    def classify(ids):
        model.train(lora.training)
        return model(input_ids=ids).logits

    return Model(None, None, classify)
