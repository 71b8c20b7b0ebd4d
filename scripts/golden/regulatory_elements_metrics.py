"""Scores of elements and controls with the benchmark's zero-shot metrics by NumPy and SciPy.

Writes test/golden/regulatory-elements/metrics.json: four sets of scores, one with ties and equal differences, one of 40
rows (the exact test), one with every difference zero. Made with Python 3.11 and
    numpy 1.26.4, scipy 1.12.0
Run from the repository's root, then `npm run format`.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import scipy
from scipy.stats import wilcoxon

assert (np.__version__, scipy.__version__) == ("1.26.4", "1.12.0"), (np.__version__, scipy.__version__)


def metrics(element, control):
    difference = element - control
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            test = wilcoxon(difference, alternative="greater")
        rank_sum, p = float(test.statistic), float(test.pvalue)
    except ValueError:  # every difference is zero
        rank_sum, p = None, None
    q05, q25, median, q75, q95 = (float(np.percentile(difference, q)) for q in (5, 25, 50, 75, 95))
    return {
        "acc": float(np.mean(difference > 0)),
        "pval": p if p is None or np.isfinite(p) else None,
        "signed_rank_sum": rank_sum,
        "mean_diff": float(np.mean(difference)),
        "median_diff": median,
        "q05_diff": q05,
        "q25_diff": q25,
        "q75_diff": q75,
        "q95_diff": q95,
    }


rng = np.random.default_rng(5)
sets = {}
control = -470 + 12 * rng.standard_normal(700)
sets["float32 scores"] = (np.float32(control + 1.5 + 3 * rng.standard_normal(700)), np.float32(control))
control = np.round(-470 + 12 * rng.standard_normal(500))
sets["many ties"] = (control + rng.integers(-3, 5, 500), control)
control = -470 + 12 * rng.standard_normal(40)
sets["40 rows"] = (control + rng.standard_normal(40) - 0.2, control)
sets["no difference"] = (control[:30], control[:30])

out = {}
for name, (element, control) in sets.items():
    element, control = element.astype(float), control.astype(float)
    out[name] = {"element": element.tolist(), "control": control.tolist(), "metrics": metrics(element, control)}
path = Path("test/golden/regulatory-elements/metrics.json")
path.write_text(json.dumps(out))
