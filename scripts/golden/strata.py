"""AUROC of African caQTLs by half of the absolute effect, by pandas and scikit-learn: QTLs of each half against all controls.

Reads test/golden/variant-effects/metrics.json (scripts/golden/variant_effects_metrics.py), writes test/golden/strata/effect-size.json.
Made with Python 3.11 and pandas 3.1.1, scikit-learn 1.9.1. Run from the repository's root, then `npm run format`.
"""

import json
from pathlib import Path

import pandas as pd
import sklearn
from sklearn.metrics import roc_auc_score

golden = json.loads(Path("test/golden/variant-effects/metrics.json").read_text())


def evaluated(rows):
    """Rows that are used and, if the table says so, in peaks."""
    table = pd.DataFrame(rows)
    for flag in ("used", "inPeaks"):
        if flag in table:
            table = table[table[flag].isin([True]) | table[flag].isna()]
    return table


def strata(case):
    rows = pd.DataFrame(case["rows"])
    qtls = rows[rows.significant.isin([True]) & rows.effect.notna()]
    half, edges = pd.qcut(qtls.effect.abs(), 2, labels=False, retbins=True)
    counted = evaluated(case["rows"])
    controls = counted[counted.significant.isin([False])]
    found = []
    for number in range(2):
        members = qtls[half == number]
        positives = counted.loc[counted.index.intersection(members.index)]
        both = pd.concat([positives, controls])
        auroc = roc_auc_score(both.significant.astype(int), both.d.abs())
        found.append({"rows": len(members), "auroc": auroc})
    return {"name": case["name"], "edges": list(edges[1:-1]), "strata": found}


assert (pd.__version__, sklearn.__version__) == ("3.1.1", "1.9.1")
cases = [strata(case) for case in golden["cases"] if case["name"].startswith("African")]
Path("test/golden/strata/effect-size.json").write_text(json.dumps({"cases": cases}, indent=2))
