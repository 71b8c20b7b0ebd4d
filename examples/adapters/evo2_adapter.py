# Evo 2, with the package evo2 on a GPU: --model "stdio:python3 examples/adapters/evo2_adapter.py evo2_7b"
# Equal lengths run together: evo2's own score_sequences adds a padding token to shorter sequences of a batch.
import sys

import torch
from dart_eval_adapter.language_model import LanguageModel
from dart_eval_adapter.protocol import serve_functions
from evo2 import Evo2

name = sys.argv[1] if len(sys.argv) > 1 else "evo2_7b"
evo2 = Evo2(name)  # places the network on the GPU, in its own mix of precisions


def logits(ids):
    return evo2.model(ids)[0]


model = LanguageModel(logits, evo2.tokenizer.tokenize, kind="causal", device="cuda:0", batch_size=8)
facts = {**model.facts(), "score_rounding": None}
serve_functions(name=name, identity=f"{name} torch {torch.__version__}", log_likelihood=model.log_likelihood, **facts)
