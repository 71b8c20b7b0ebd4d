"""Scores of variants and their metrics by pandas, SciPy and scikit-learn, after the published protocol:
scores and table joined by position and alleles, filters, signs, metrics.

Writes test/golden/variant-effects/metrics.json: African caQTLs (some with allele 2 as reference, some twice, some with long
alleles) and Yoruban dsQTLs, each with scores of two alleles and with a distance. Made with Python 3.11 and
    numpy 1.26.3, scipy 1.12.0, pandas 2.2.0, scikit-learn 1.4.2
Run from the repository's root, then `npm run format`.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import scipy
import sklearn
from scipy.stats import mannwhitneyu, pearsonr, spearmanr
from sklearn.metrics import average_precision_score, roc_auc_score

versions = (np.__version__, scipy.__version__, pd.__version__, sklearn.__version__)
assert versions == ("1.26.3", "1.12.0", "2.2.0", "1.4.2")

KEYS = ["chrom", "start", "allele1", "allele2"]


def metrics(significant, controls, sign, effect):
    labels = [1] * len(significant) + [0] * len(controls)
    size = np.abs(np.concatenate([significant.d, controls.d]))
    r, rho = (f(sign * significant.d, effect(significant))[0] for f in (pearsonr, spearmanr))
    test = mannwhitneyu(np.abs(controls.d), np.abs(significant.d), alternative="less")
    return {
        "auroc": roc_auc_score(labels, size),
        "auprc": average_precision_score(labels, size),
        "pearson": r,
        "spearman": rho,
        "mann-whitney-p": test.pvalue,
        "mann-whitney-u": test.statistic,
    }


def evaluate(table, kind, protocol):
    paper = protocol == "paper"
    rows = table[table.original != "refused"] if paper else table
    if paper:
        rows = rows[KEYS + ["d"]].merge(rows.drop(columns="d"), on=KEYS)
    rows = rows[rows.used]
    if "inPeaks" in rows:
        rows = rows[rows.inPeaks]
    african = rows.favours.iloc[0] == "alternative"
    turned = lambda of: np.where(of.reference == 2, -of.effect, of.effect)
    if african:
        sign, effect = 1, (lambda of: of.effect) if paper else turned
    else:
        sign = 1 if kind == "distance" or (paper and kind == "likelihood") else -1
        effect = lambda of: of.effect
    significant, controls = rows[rows.significant], rows[~rows.significant]
    result = metrics(significant, controls, sign, effect)
    clear = controls[controls.p > 1e-3] if "p" in controls else controls
    labels = [1] * len(significant) + [0] * len(clear)
    result["causality-auprc"] = average_precision_score(labels, np.abs(np.concatenate([significant.d, clear.d])))
    if kind != "distance":
        to_alternative = np.where(significant.reference == 2, -1, 1)
        effect = significant.effect if african else -to_alternative * significant.effect
        result["direction-pearson"] = pearsonr(to_alternative * significant.d, effect)[0]
    return {"significant": len(significant), "controls": len(controls), "metrics": {k: float(v) for k, v in result.items()}}


rng = np.random.default_rng(5)
letters = np.array(list("ACGT"))


def table_of(n, african):
    first = rng.integers(0, 4, n)
    second = (first + rng.integers(1, 4, n)) % 4
    significant = rng.random(n) < 0.3
    effect = np.round(rng.standard_normal(n) * np.where(significant, 1, 0.2), 3)
    reference = np.where(rng.random(n) < (0.2 if african else 0.5), 2, 1)
    table = pd.DataFrame(
        {
            "chrom": rng.choice(["chr1", "chr5", "chr10"], n),
            "start": rng.integers(2000, 5_000_000, n),
            "allele1": letters[first],
            "allele2": letters[second],
            "reference": reference,
            "original": "ok",
            "favours": "alternative" if african else "allele1",
            "significant": significant,
            "used": rng.random(n) < 0.9,
            "effect": effect,
        }
    )
    if african:
        table["inPeaks"] = rng.random(n) < 0.8
        table["p"] = np.where(significant, 1e-5, np.where(rng.random(n) < 0.1, 5e-4, 0.3))
        table.loc[5:9, "original"] = "refused"
        table.loc[5:9, "allele2"] = table.loc[5:9, "allele2"] + "AC"
        again = table.iloc[[3, 3, 40]].assign(effect=lambda of: of.effect + 0.5)
        table = pd.concat([table, again], ignore_index=True)
        toward2 = np.where(table.reference == 2, -table.effect, table.effect)
    else:
        toward2 = -table.effect
    # Rounded, so that there are ties.
    signed = np.round(0.5 * toward2 + 0.5 * rng.standard_normal(len(table)), 1)
    return table, signed


cases = []
for african in (True, False):
    table, signed = table_of(180, african)
    for kind in ("likelihood", "activity", "distance"):
        d = np.abs(signed) if kind == "distance" else signed
        scored = table.assign(d=d)
        cases.append(
            {
                "name": f"{'African' if african else 'Yoruban'} {kind}",
                "kind": kind,
                "rows": json.loads(scored.to_json(orient="records")),
                "expected": {protocol: evaluate(scored, kind, protocol) for protocol in ("paper", "corrected")},
            }
        )

out = Path("test/golden/variant-effects/metrics.json")
out.parent.mkdir(parents=True, exist_ok=True)
out.write_text(json.dumps({"versions": versions, "cases": cases}))
