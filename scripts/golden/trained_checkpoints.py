# /// script
# requires-python = "==3.11.*"
# dependencies = ["torch==2.15.0", "transformers==4.37.1", "tokenizers==0.15.2", "numpy==2.4.6"]
# ///
"""Checkpoints of a probing head and of a language model fine-tuned with LoRA, saved by PyTorch, with their logits.

Both are based on toys/mistral-dna in the Mixtral classes of Transformers and have the layout of DART-Eval: a
state dict per epoch in checkpoint_N.pt, next to a train.log; of the fine-tuned model the low-rank factors, the classifier
and an empty buffer alone. Weights are random. The sequences are rows of Task 3: 500 bases, five classes.

Writes test/golden/checkpoints/. Run as: python scripts/golden/trained_checkpoints.py
"""

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import nn
from torch.nn.utils import parametrize
from transformers import MixtralForCausalLM, MixtralForSequenceClassification

ROOT = Path(__file__).resolve().parents[2]
TOY = ROOT / "toys" / "mistral-dna"
OUT = ROOT / "test" / "golden" / "checkpoints"

CLASSES = ["GM12878", "H1ESC", "HEPG2", "IMR90", "K562"]
WINDOW = 500
RANK, ALPHA = 2, 4
# epochs 1 and 3 have the smallest loss and the first is selected; the loss of epoch 2 is undefined
LOSSES = [0.5, 0.25, float("nan"), 0.25]

torch.manual_seed(0)
genome = "".join("ACGT"[i] for i in torch.randint(4, (3000,)).tolist())
rows = [{"start": 230 * i, "label": CLASSES[i % 5]} for i in range(10)]
sequences = [genome[row["start"] : row["start"] + WINDOW] for row in rows]
tokenizer = Tokenizer.from_file(str(TOY / "tokenizer.json"))
encoded = [tokenizer.encode(sequence) for sequence in sequences]


class Head(nn.Module):
    """The probing head: three convolutions, the sum over positions, a dense layer."""

    def __init__(self, width: int, outputs: int):
        super().__init__()
        self.conv1 = nn.Conv1d(width, 32, 1, padding=1)
        self.conv2 = nn.Conv1d(32, 32, 8, padding=1)
        self.conv3 = nn.Conv1d(32, 32, 8, padding=1)
        self.fc1 = nn.Linear(32, outputs)

    def forward(self, states):  # [b, l, c]
        x = states.transpose(1, 2)
        for layer in (self.conv1, self.conv2, self.conv3):
            x = layer(x).relu()
        return self.fc1(x.sum(2))


class LowRank(nn.Module):
    """minLoRA's parametrization: W + alpha / rank · B A, of an embedding W + alpha / rank · A B."""

    def __init__(self, weight, embedding: bool):
        super().__init__()
        outer, inner = weight.shape[0], weight[0].numel()
        self.embedding = embedding
        self.lora_A = nn.Parameter(torch.randn((outer, RANK) if embedding else (RANK, inner)) * 0.2)
        self.lora_B = nn.Parameter(torch.randn((RANK, inner) if embedding else (outer, RANK)) * 0.2)

    def forward(self, weight):
        product = self.lora_A @ self.lora_B if self.embedding else self.lora_B @ self.lora_A
        return weight + ALPHA / RANK * product.view(weight.shape)


class Wrapped(nn.Module):
    """A module whose embedding, dense and convolution weights are parametrized, one name level deeper."""

    def __init__(self, model):
        super().__init__()
        self.model = model
        for module in list(model.modules()):
            if type(module) in (nn.Embedding, nn.Linear, nn.Conv1d):
                factors = LowRank(module.weight, type(module) is nn.Embedding)
                parametrize.register_parametrization(module, "weight", factors)

    def forward(self, *args, **kwargs):
        return self.model(*args, **kwargs)


class Classifier(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model
        self.register_buffer("device_indicator", torch.empty(0))


def save(folder: Path, state) -> None:
    """Saves the best epoch and the log that selects it, without the other epochs' files."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{epoch}\t{loss}\t0.5\n" for epoch, loss in enumerate(LOSSES)]
    (folder / "train.log").write_text("epoch\tval_loss\tval_acc\n" + "".join(lines))
    torch.save(state, folder / "checkpoint_1.pt")


@torch.no_grad()
def probe():
    model = MixtralForCausalLM.from_pretrained(TOY, attn_implementation="eager").eval()
    head = Head(model.config.hidden_size, len(CLASSES))
    save(OUT / "probed", head.state_dict())
    logits = []
    for each in encoded:
        states = model(torch.tensor([each.ids]), output_hidden_states=True).hidden_states[-1]
        token_of = torch.zeros(WINDOW, dtype=torch.long)
        for token, (start, end) in enumerate(each.offsets):
            token_of[start:end] = token
        logits.append(head(states[:, token_of])[0].tolist())
    return logits


@torch.no_grad()
def fine_tuned():
    model = MixtralForSequenceClassification.from_pretrained(
        TOY, num_labels=len(CLASSES), attn_implementation="eager"
    ).eval()
    nn.init.normal_(model.score.weight)
    model.config.pad_token_id = tokenizer.token_to_id("[PAD]")
    model.model = Wrapped(model.model)
    state = Classifier(model).state_dict()
    kept = {
        name: tensor
        for name, tensor in state.items()
        if not name.startswith("model.model.") or name.endswith((".lora_A", ".lora_B"))
    }
    save(OUT / "fine-tuned", kept)
    return [model(torch.tensor([each.ids])).logits[0].tolist() for each in encoded]


if __name__ == "__main__":
    logits = {"probed": probe(), "fine-tuned": fine_tuned()}
    expected = {
        "torch": torch.__version__,
        "genome": genome,
        "rows": rows,
        "recipe": {"rank": RANK, "alpha": ALPHA},
        "logits": logits,
    }
    (OUT / "expected.json").write_text(json.dumps(expected) + "\n")
    for name in ("probed", "fine-tuned"):
        print(name, logits[name][0], sum(f.stat().st_size for f in (OUT / name).iterdir()), "bytes")
    print(len(encoded[0].ids), encoded[0].ids[:4], encoded[0].ids[-3:])
