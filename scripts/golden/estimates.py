"""Reference values of metrics.estimate for Mann-Whitney's U, the mean squared error and the AMI.

Values by scikit-learn and SciPy, intervals by NumPy from scikit-learn's values without each block. Writes
test/golden/metrics/estimates.json. Made with Python 3.11 and
    numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1
Run from the repository's root, then `npm run format`.
"""

import json

import numpy as np
from scipy.stats import mannwhitneyu, t
from sklearn.metrics import adjusted_mutual_info_score, mean_squared_error, roc_auc_score

BLOCKS, ROWS = 24, 6  # rows of a block
rng = np.random.default_rng(17)
block = np.repeat(np.arange(BLOCKS), ROWS)
labels = np.tile([1, 0], BLOCKS * ROWS // 2)  # as many of each class in every block
shift = np.repeat(rng.normal(size=BLOCKS), ROWS)
scores = np.round(labels + shift + rng.normal(size=block.size), 3)
measured = np.round(scores + rng.normal(size=block.size), 3)
classes = rng.integers(0, 4, block.size)
clusters = np.where(rng.random(block.size) < 0.6, classes, rng.integers(0, 6, block.size))


def without(statistic, groups):
    return np.array([statistic(groups != group) for group in np.unique(groups)])


def jackknife(statistic, groups, to=lambda v: v, back=lambda v: v):
    """95 % t interval of the delete-one-group jackknife, on a transformed scale."""
    value = statistic(np.full(groups.size, True))
    rest = to(without(statistic, groups))
    count = rest.size
    error = np.sqrt((count - 1) / count * np.sum((rest - to(value)) ** 2))
    half = t.ppf(0.975, count - 1) * error
    return {"value": value, "low": back(to(value) - half), "high": back(to(value) + half)}


def u(rows):
    return mannwhitneyu(scores[rows & (labels == 1)], scores[rows & (labels == 0)]).statistic


pairs = np.sum(labels == 1) * np.sum(labels == 0)
area = jackknife(
    lambda rows: roc_auc_score(labels[rows], scores[rows]),
    block,
    lambda p: np.log(p / (1 - p)),
    lambda x: 1 / (1 + np.exp(-x)),
)
everything = np.full(block.size, True)
assert np.isclose(area["value"] * pairs, u(everything))


def mse(rows):
    return mean_squared_error(measured[rows], scores[rows])


def ami(rows):
    return adjusted_mutual_info_score(classes[rows], clusters[rows])


squares = (scores - measured) ** 2
half = t.ppf(0.975, block.size - 1) * squares.std(ddof=1) / np.sqrt(block.size) / mse(everything)
single = np.arange(block.size)
golden = {
    "columns": {name: values.tolist() for name, values in {
        "block": block, "labels": labels, "scores": scores, "measured": measured,
        "classes": classes, "clusters": clusters,
    }.items()},
    "blocks": {
        "mann-whitney-u": {**{key: value * pairs for key, value in area.items()}, "value": u(everything)},
        "mean-squared-error": jackknife(mse, block, np.log, np.exp),
        "adjusted-mutual-information": jackknife(ami, block),
    },
    "rows": {
        "mean-squared-error": {
            "value": mse(everything),
            "low": mse(everything) * np.exp(-half),
            "high": mse(everything) * np.exp(half),
        },
        "adjusted-mutual-information": jackknife(ami, single),
    },
}
with open("test/golden/metrics/estimates.json", "w") as file:
    json.dump(golden, file)
    file.write("\n")
