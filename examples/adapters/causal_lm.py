# Any causal language model of transformers: --model "stdio:python3 examples/adapters/causal_lm.py ORG/NAME_OR_FOLDER"
# float16 halves the memory; results have another identity than those in float32.
import sys

from dart_eval_adapter import serve
from transformers import AutoModelForCausalLM, AutoTokenizer

name = sys.argv[1]
dtype = sys.argv[2] if len(sys.argv) > 2 else "float32"
model = AutoModelForCausalLM.from_pretrained(name)
serve(model, AutoTokenizer.from_pretrained(name), kind="causal", name=name, dtype=dtype)
