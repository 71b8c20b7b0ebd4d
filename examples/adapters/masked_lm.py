# Any masked language model of transformers: --model "stdio:python3 examples/adapters/masked_lm.py ORG/NAME_OR_FOLDER"
# For a checkpoint without code of its own, "stdio:python3 -m dart_eval_adapter ORG/NAME" does the same.
import sys

from dart_eval_adapter import serve
from transformers import AutoModelForMaskedLM, AutoTokenizer

name = sys.argv[1]
model = AutoModelForMaskedLM.from_pretrained(name)
serve(model, AutoTokenizer.from_pretrained(name), kind="masked", name=name)
