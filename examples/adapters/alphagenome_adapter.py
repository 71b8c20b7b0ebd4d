# AlphaGenome's API with the setting predicted. It needs the package alphagenome and a key; sequences are sent to Google.
# ALPHAGENOME_API_KEY=... dart-eval run --task chromatin-activity --setting predicted ... --context 16384 \
#   --model "stdio:python3 examples/adapters/alphagenome_adapter.py EFO:0002067"     (K562)
import math, os, sys

from alphagenome.models import dna_client
from dart_eval_adapter import serve_functions

term, length, counted = sys.argv[1], dna_client.SEQUENCE_LENGTH_16KB, 1000
client = dna_client.create(os.environ["ALPHAGENOME_API_KEY"])
REQUEST = {"requested_outputs": [dna_client.OutputType.DNASE], "ontology_terms": [term]}

def activity(sequence):
    padded = sequence.center(length, "N")  # a shorter window lies in the middle of the model's shortest input
    tracks = client.predict_sequence(padded, **REQUEST).dnase.values  # [bases, tracks]
    return math.log1p(float(tracks[(length - counted) // 2 : (length + counted) // 2].mean(axis=1).sum()))

facts = {"batch_size": 8, "longest_sequence": length}
serve_functions(name="alphagenome", identity=f"{term} {length}", activity=lambda all: map(activity, all), **facts)
