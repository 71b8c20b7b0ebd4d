# Nucleotide Transformer v3, whose repositories contain their own code: this script runs it (trust_remote_code=True).
# --model "stdio:python3 examples/adapters/nucleotide_transformer_v3.py InstaDeepAI/NTv3_100M_pre COMMIT"; its input is a multiple of 128 tokens.
import sys

import torch
from dart_eval_adapter import serve
from transformers import AutoModelForMaskedLM, AutoTokenizer

name, commit = sys.argv[1:3]
model = AutoModelForMaskedLM.from_pretrained(name, revision=commit, trust_remote_code=True).eval()
tokenizer = AutoTokenizer.from_pretrained(name, revision=commit, trust_remote_code=True)
model.to("cuda" if torch.cuda.is_available() else "cpu")


def logits(ids):
    short = -ids.shape[1] % 128
    return model(torch.nn.functional.pad(ids, (0, short), value=tokenizer.pad_token_id)).logits[:, : ids.shape[1]]


serve(logits, tokenizer, kind="masked", name=name, identity=f"{name}@{commit} padded on the right to 128")
