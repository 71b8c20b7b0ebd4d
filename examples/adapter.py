# A model in another language: dart-eval run --model "stdio:python3 examples/adapter.py" ... (docs/adapters.md)
import json, math, sys

# P(base | preceding base): CG is rare, as in the human genome.
AFTER = {"A": (0.33, 0.17, 0.24, 0.26), "C": (0.35, 0.25, 0.05, 0.35), "G": (0.29, 0.21, 0.26, 0.24), "T": (0.22, 0.2, 0.25, 0.33)}
LOG = {a + b: math.log(p) for a, row in AFTER.items() for b, p in zip("ACGT", row)}

def log_likelihood(sequence):
    return math.log(0.25) * len(sequence[:1]) + sum(LOG[a + b] for a, b in zip(sequence, sequence[1:]))

def answer(request):
    if request["ask"] == "hello":
        return {"protocol": 1, "name": "cpg-depleted", "identity": "cpg-depleted 1", "answers": ["log-likelihood"], "kind": "causal", "tokens": "one-letter"}
    return {"values": [log_likelihood(sequence) for sequence in request["sequences"]]}

for line in sys.stdin:
    request = json.loads(line)
    try: reply = answer(request)
    except Exception as error: reply = {"error": repr(error)}
    print(json.dumps({"id": request["id"], **reply}), flush=True)
