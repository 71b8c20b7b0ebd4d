"""Reference values for the tests of src/metrics from SciPy, scikit-learn, statsmodels and mpmath.

Writes test/golden/metrics/*.json. Made with Python 3.11 and
    numpy 1.26.4, scipy 1.12.0, scikit-learn 1.4.2, statsmodels 0.14.1, mpmath 1.4.1
(scipy and scikit-learn as the benchmark pins them). Run from the repository's root, then `npm run format`.
"""

import json
import warnings
from pathlib import Path

import mpmath as mp
import numpy as np
import scipy
import sklearn
import statsmodels
from sklearn.cluster import KMeans, kmeans_plusplus
from sklearn.decomposition import PCA
from sklearn.metrics import (
    adjusted_mutual_info_score,
    average_precision_score,
    matthews_corrcoef,
    roc_auc_score,
)
from statsmodels.stats.proportion import proportion_confint

EXPECTED = {"numpy": "1.26.4", "scipy": "1.12.0", "sklearn": "1.4.2", "statsmodels": "0.14.1", "mpmath": "1.4.1"}
found = {module.__name__: module.__version__ for module in (np, scipy, sklearn, statsmodels, mp)}
assert found == EXPECTED, found

mp.mp.dps = 30
OUT = Path("test/golden/metrics")
OUT.mkdir(parents=True, exist_ok=True)


def plain(value):
    """Writes NaN and infinities as strings, which JSON lacks."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(item) for item in value]
    if isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, (np.integer,)):
        return int(value)
    value = float(value)
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def write(name, cases):
    (OUT / f"{name}.json").write_text(json.dumps(plain({"versions": EXPECTED, **cases})) + "\n")


def distributions():
    """Exact to the last double: 30 digits of mpmath, rounded once."""
    tails = [-8, -3.3, -1, -0.1, 0, 1e-8, 0.3, 0.5, 1, 1.49, 1.5, 1.9, 2, 2.3, 3, 4.7, 8.3, 14.2, 19.37, 30.3, 37.1]
    normal = [{"z": z, "tail": mp.erfc(mp.mpf(z) / mp.sqrt(2)) / 2} for z in tails]

    def quantile(p):
        guess = scipy.stats.norm.ppf(p)
        return mp.findroot(lambda z: mp.log(mp.erfc(-z / mp.sqrt(2)) / 2) - mp.log(mp.mpf(p)), guess)

    probabilities = [1e-300, 1e-100, 1e-20, 1e-5, 0.001, 0.025, 0.1, 0.3, 0.4999, 0.7, 0.975, 0.995]
    quantiles = [{"p": p, "z": quantile(p)} for p in probabilities]

    def incomplete_beta(a, b, x):
        """The hypergeometric series, on the side of the mean where it converges."""
        a, b, x = mp.mpf(a), mp.mpf(b), mp.mpf(x)
        if x > a / (a + b):
            return 1 - incomplete_beta(b, a, 1 - x)
        term = total = mp.mpf(1)
        k = 0
        while term > total * mp.mpf(10) ** -30:
            term *= x * (a + b + k) / (a + 1 + k)
            total += term
            k += 1
        return total * mp.exp(a * mp.log(x) + b * mp.log1p(-x) - mp.log(a) - mp.loggamma(a) - mp.loggamma(b) + mp.loggamma(a + b))

    shapes = [
        (0.5, 0.5, 0.3), (0.5, 0.5, 1e-12), (1, 1, 0.25), (2, 3, 0.4), (3, 2, 0.9), (1.5, 0.5, 0.999999), (10, 10, 0.5),
        (10, 0.5, 0.01), (249, 249, 0.0464), (249, 249, 0.49), (100, 0.5, 0.2), (42418, 0.5, 0.999),
        (120, 81, 0.5), (0.5, 5, 0.02), (5e4, 5.1e4, 0.49),
    ]
    beta = [
        {"a": a, "b": b, "x": x, "value": incomplete_beta(a, b, x)}
        for a, b, x in shapes
    ]

    def t_tail(t, dof):
        x = mp.mpf(dof) / (dof + mp.mpf(t) ** 2)
        return incomplete_beta(mp.mpf(dof) / 2, 0.5, x) / 2

    pairs = [(t, dof) for dof in (1, 2, 3, 5, 30, 498) for t in (0.125, 0.5, 1, 2.5, 12)] + [(12, 84_818), (30, 84_818)]
    t_tails = [{"t": t, "dof": dof, "tail": t_tail(t, dof)} for t, dof in pairs]
    write(
        "distributions",
        {"normalTails": normal, "normalQuantiles": quantiles, "incompleteBeta": beta, "tTails": t_tails},
    )


def tests_and_intervals():
    """Cases that the shared test data lacks: other alternatives of the tests, score intervals, adjusted p-values."""
    rng = np.random.default_rng(11)
    signed_rank = []
    for n, tied in ((3, False), (9, False), (10, True), (30, False), (50, True), (51, False), (70, True)):
        differences = np.round(rng.normal(0.3, 1, n), 0 if tied else 3)
        for alternative in ("two-sided", "less"):
            for method in ("auto", "exact", "approx"):
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    result = scipy.stats.wilcoxon(differences, alternative=alternative, method=method)
                signed_rank.append(
                    {"differences": differences, "alternative": alternative, "method": method,
                     "statistic": result.statistic, "p": result.pvalue}
                )

    rank_sum = []
    for n1, n2, tied in ((3, 5, False), (8, 12, False), (8, 40, True), (9, 9, False), (20, 30, True), (1, 1, False)):
        x = np.round(rng.normal(0, 1, n1), 0 if tied else 3)
        y = np.round(rng.normal(0.4, 1, n2), 0 if tied else 3)
        for alternative in ("two-sided", "greater", "less"):
            for method in ("auto", "exact", "asymptotic"):
                result = scipy.stats.mannwhitneyu(x, y, alternative=alternative, method=method)
                rank_sum.append(
                    {"x": x, "y": y, "alternative": alternative, "method": method, "u": result.statistic,
                     "p": result.pvalue}
                )

    wilson = []
    for count, nobs in ((0, 10), (10, 10), (5, 10), (97, 100), (118, 200), (341_022, 351_233)):
        for level in (0.9, 0.95):
            low, high = proportion_confint(count, nobs, alpha=1 - level, method="wilson")
            wilson.append({"count": count, "nobs": nobs, "level": level, "low": low, "high": high})

    p_values = [np.array([0.01]), np.round(rng.uniform(size=20) ** 3, 6), np.array([0.04, 0.01, 0.04, 1, 0, 0.03])]
    adjusted = [{"p": p, "adjusted": scipy.stats.false_discovery_control(p, method="bh")} for p in p_values]

    ranked = []
    for n in (4, 25, 400):
        x = np.round(rng.normal(size=n), 2)
        y = np.round(0.6 * x + rng.normal(size=n), 1)
        pearson, spearman = scipy.stats.pearsonr(x, y), scipy.stats.spearmanr(x, y)
        low, high = pearson.confidence_interval(0.95)
        ranked.append(
            {"x": x, "y": y, "pearson": pearson.statistic, "pearsonP": pearson.pvalue, "low": low, "high": high,
             "spearman": spearman.statistic, "spearmanP": spearman.pvalue}
        )
    write(
        "tests-and-intervals",
        {"signedRank": signed_rank, "rankSum": rank_sum, "wilson": wilson, "falseDiscovery": adjusted,
         "correlation": ranked},
    )


def clustering():
    rng = np.random.default_rng(12)
    places = rng.normal(0, 4, (6, 5))
    data = np.round(places[rng.integers(0, 6, 150)] + rng.normal(size=(150, 5)), 3)
    runs = []
    for k in (2, 6, 9):
        for seed in (0, 1, 2, 99):
            fitted = KMeans(n_clusters=k, random_state=seed).fit(data)
            centred = data - data.mean(axis=0)
            _, start = kmeans_plusplus(centred, k, random_state=seed)
            runs.append(
                {"k": k, "seed": seed, "start": start, "clusters": fitted.labels_, "inertia": fitted.inertia_,
                 "iterations": fitted.n_iter_}
            )
    # Two equal centres and one far away: an empty cluster must get a row.
    start = np.array([[100.0] * 5, [100.0] * 5, [0.0] * 5])
    fitted = KMeans(n_clusters=3, init=start, n_init=1).fit(data)
    relocated = {"start": start, "clusters": fitted.labels_, "inertia": fitted.inertia_, "iterations": fitted.n_iter_}

    wide = np.round(rng.normal(size=(12, 30)) * np.linspace(3, 0.1, 30), 3)
    fits = []
    for table in (data, wide):
        fitted = PCA(n_components=4, svd_solver="full").fit(table)
        fits.append(
            {"data": table, "mean": fitted.mean_, "components": np.abs(fitted.components_),
             "variance": fitted.explained_variance_, "ratio": fitted.explained_variance_ratio_}
        )

    partitions = []
    for n, classes, clusters in ((30, 3, 3), (200, 5, 50), (1000, 5, 50)):
        truth = rng.integers(0, classes, n)
        found = np.where(rng.uniform(size=n) < 0.5, truth, rng.integers(0, clusters, n))
        partitions.append({"labels": truth, "clusters": found, "ami": adjusted_mutual_info_score(truth, found)})
    write("clustering", {"data": data, "runs": runs, "relocated": relocated, "pca": fits, "partitions": partitions})


def classification():
    rng = np.random.default_rng(13)
    cases = []
    for n, share, digits in ((30, 0.5, 2), (200, 0.1, 1), (500, 0.4, 3)):
        labels = (rng.uniform(size=n) < share).astype(int)
        scores = np.round(rng.normal(size=n) + labels, digits)
        weights = rng.integers(0, 4, n)
        predicted = (scores > 0.5).astype(int)
        cases.append(
            {"labels": labels, "scores": scores, "weights": weights, "predicted": predicted,
             "auroc": roc_auc_score(labels, scores, sample_weight=weights),
             "averagePrecision": average_precision_score(labels, scores, sample_weight=weights),
             "matthews": matthews_corrcoef(labels, predicted, sample_weight=weights)}
        )
    write("classification", {"weighted": cases})


distributions()
tests_and_intervals()
clustering()
classification()
