"""Numbers that the tests of src/evaluation/metrics compare with, made by the field's own libraries.

Writes test/golden/metrics/*.json. Made with Python 3.11 and
    numpy 1.26.4, scipy 1.12.0, scikit-learn 1.4.2, statsmodels 0.14.1, mpmath 1.4.1
(scipy and scikit-learn as the benchmark pins them). Run from the repository's root, then `npm run format`.
"""

import json
from pathlib import Path

import mpmath as mp
import numpy as np
import scipy
import sklearn
import statsmodels

EXPECTED = {"numpy": "1.26.4", "scipy": "1.12.0", "sklearn": "1.4.2", "statsmodels": "0.14.1", "mpmath": "1.4.1"}
found = {module.__name__: module.__version__ for module in (np, scipy, sklearn, statsmodels, mp)}
assert found == EXPECTED, found

mp.mp.dps = 30
OUT = Path("test/golden/metrics")
OUT.mkdir(parents=True, exist_ok=True)


def plain(value):
    """JSON has no NaN and no infinities: they are written as strings."""
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


distributions()
