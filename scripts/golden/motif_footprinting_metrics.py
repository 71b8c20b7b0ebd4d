"""Scores and distances of motifs, and the benchmark's table of them by NumPy, SciPy and pandas.

Writes test/golden/motif-footprinting/metrics.json: for scores (a sequence's log-likelihood, with ties) and for distances
three motifs in 100 backgrounds on both strands, one motif in 20, and one with equal numbers; and the table as
pandas writes it. Made with Python 3.11 and
    numpy 1.26.4, scipy 1.12.0, pandas 2.2.0
Run from the repository's root, then `npm run format`.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import scipy
from scipy.stats import wilcoxon

assert (np.__version__, scipy.__version__, pd.__version__) == ("1.26.4", "1.12.0", "2.2.0")


def p_value(first, second):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return float(wilcoxon(first, second, alternative="greater").pvalue)
    except ValueError:  # every difference is zero
        return float("nan")


rng = np.random.default_rng(2)
motifs = {"strong": (100, 3.0), "weak": (100, 0.4), "none": (100, 0.0), "few": (20, 1.0), "equal": (10, None)}
scores, distances, tables = [], [], {"scores": {}, "distances": {}}
for name, (backgrounds, effect) in motifs.items():
    n = 2 * backgrounds
    raw = np.round(-480 + 10 * rng.standard_normal(n), 1)
    shuffled = raw + np.round(2 * rng.standard_normal(n), 1)
    true = shuffled if effect is None else shuffled + np.round(effect + 3 * rng.standard_normal(n), 0)
    scores += [[i // 2, name, i % 2, float(raw[i]), float(true[i]), float(shuffled[i])] for i in range(n)]
    tables["scores"][name] = {
        "Accuracy": float(np.mean(true - shuffled >= 0)),
        "P-Value": p_value(true, shuffled),
        "Accuracy vs Background": float(np.mean(np.abs(raw - true) > np.abs(raw - shuffled))),
    }
    far = np.round(np.abs(rng.standard_normal(n)) * 1e-3, 6)
    further = far if effect is None else np.round(far + 1e-4 * (effect + rng.standard_normal(n)), 4)
    distances += [[i // 2, name, i % 2, float(further[i]), float(far[i])] for i in range(n)]
    tables["distances"][name] = {
        "Accuracy": float(np.mean(further > far)),
        "P-Value": p_value(further, far),
    }

out = {
    "scores": {"rows": scores, "text": pd.DataFrame(tables["scores"]).T.to_csv(sep="\t")},
    "distances": {"rows": distances, "text": pd.DataFrame(tables["distances"]).T.to_csv(sep="\t")},
}
Path("test/golden/motif-footprinting/metrics.json").write_text(json.dumps(out))
