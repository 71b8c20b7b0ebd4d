"""Cosine distances of float32 vectors as SciPy computes them: dot products of OpenBLAS's AVX2 kernel, the rest in float64.

Writes test/golden/metrics/cosine-float32.json: distances of pairs of vectors that the test recomputes from the same integers,
and the root mean square error of the squared length. Made with Python 3.11 and
    numpy 1.26.3, scipy 1.12.0
(as the benchmark pins them). Run from the repository's root, then `npm run format`.
"""

import json
import os
from pathlib import Path

os.environ["OPENBLAS_CORETYPE"] = "Haswell"  # read when NumPy loads the library

import numpy as np
import scipy
from scipy.spatial.distance import cosine

assert (np.__version__, scipy.__version__) == ("1.26.3", "1.12.0"), (np.__version__, scipy.__version__)

WIDTHS = [1, 5, 31, 32, 33, 100, 256, 512, 768, 1000, 1024]
PAIRS = 20


def vector(width, seed):
    """Multiples of 2^-31 in [-1, 1), rounded to float32."""
    i = np.arange(width, dtype=np.uint64)
    words = ((i + np.uint64(1)) * np.uint64(2654435761) + np.uint64(seed) * np.uint64(40503 * 65537)) % np.uint64(2**32)
    words = (words * np.uint64(1664525) + np.uint64(1013904223)) % np.uint64(2**32)
    return (words.astype(np.float64) / 2**31 - 1).astype(np.float32)


def near(a, seed):
    """The other allele: adds 1/2,048 of a small vector."""
    return a + vector(len(a), seed + 1000) * np.float32(2**-11)


cases = []
for width in WIDTHS:
    far, close, errors = [], [], []
    for seed in range(PAIRS):
        a = vector(width, seed)
        far.append(float(cosine(a, vector(width, seed + 500))))
        close.append(float(cosine(a, near(a, seed))))
        exact = np.dot(a.astype(np.float64), a.astype(np.float64))
        errors.append((float(np.dot(a, a)) - exact) / exact)
    cases.append({"width": width, "far": far, "near": close, "rms": float(np.sqrt(np.mean(np.square(errors))))})

out = Path("test/golden/metrics/cosine-float32.json")
out.write_text(json.dumps({"versions": {"numpy": np.__version__, "scipy": scipy.__version__}, "cases": cases}) + "\n")
for case in cases:
    print(case["width"], case["rms"], min(case["near"]), max(case["near"]))
