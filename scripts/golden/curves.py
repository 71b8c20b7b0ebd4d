"""ROC, precision-recall and calibration curves of scikit-learn 1.9.1 on rounded scores with ties.

Writes test/golden/metrics/curves.json. Run from the repository's root: python3 scripts/golden/curves.py
"""

import json
from pathlib import Path

import numpy as np
from sklearn.calibration import calibration_curve
from sklearn.metrics import precision_recall_curve, roc_curve

PLACES = [0, 0.1, 0.25, 0.5, 0.8, 1]

rng = np.random.default_rng(3)
labels = (rng.random(40) < 0.4).astype(int)
scores = np.round(rng.normal(size=40) + 0.8 * labels, 1)

fpr, tpr, _ = roc_curve(labels, scores, drop_intermediate=False)
precision, recall, thresholds = precision_recall_curve(labels, scores)


def roc_at(x):
    last = np.flatnonzero(fpr <= x + 1e-12)[-1]
    if last == len(fpr) - 1:
        return tpr[-1]
    return tpr[last] + (tpr[last + 1] - tpr[last]) * (x - fpr[last]) / (fpr[last + 1] - fpr[last])


def precision_at(x):
    reached = [k for k in range(len(thresholds)) if recall[k] >= x - 1e-12 and recall[k] > 0]
    return precision[reached[-1]]


# Distinct probabilities, so that quantile bins are those of equally many rows.
probabilities = (np.argsort(np.argsort(rng.random(40))) + 0.5) / 40
outcomes = (rng.random(40) < probabilities).astype(int)
observed, predicted = calibration_curve(outcomes, probabilities, n_bins=10, strategy="quantile")

golden = {
    "scores": scores.tolist(),
    "labels": labels.tolist(),
    "places": PLACES,
    "roc": [float(roc_at(x)) for x in PLACES],
    "precision": [float(precision_at(x)) for x in PLACES],
    "probabilities": probabilities.tolist(),
    "outcomes": outcomes.tolist(),
    "observed": observed.tolist(),
    "predicted": predicted.tolist(),
}
Path("test/golden/metrics/curves.json").write_text(json.dumps(golden) + "\n")
