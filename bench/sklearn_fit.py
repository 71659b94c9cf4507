"""Times fits of cmlp's estimators beside scikit-learn's: same settings, same data, taken in turn.

python bench/sklearn_fit.py [--rounds 5] [--threads 1]; the ratio is scikit-learn's best time over ours.
Both train for the same epochs (no early end), float64 but where the data are float32; scores are of the rows
trained on.
"""

import argparse
import os
import time
import warnings

ARGUMENTS = argparse.ArgumentParser(description=__doc__)
ARGUMENTS.add_argument("--rounds", type=int, default=5)
ARGUMENTS.add_argument("--threads", type=int, default=1)
OPTIONS = ARGUMENTS.parse_args()
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = str(OPTIONS.threads)

import numpy as np  # noqa: E402  after the number of threads is set
from sklearn import neural_network  # noqa: E402
from sklearn.datasets import load_breast_cancer, load_digits, make_classification, make_regression  # noqa: E402
from sklearn.preprocessing import scale  # noqa: E402

from cmlp import MLPClassifier, MLPRegressor  # noqa: E402

CLASSIFIERS = MLPClassifier, neural_network.MLPClassifier
REGRESSORS = MLPRegressor, neural_network.MLPRegressor


def large(make):
    x, y = make(100_000, 50, random_state=0)
    return x.astype(np.float32), (y / y.std()).astype(np.float32) if y.dtype.kind == "f" else y


def scaled(load):
    x, y = load(return_X_y=True)
    return scale(x), y


CASES = {
    "digits": (CLASSIFIERS, lambda: scaled(load_digits), {"max_iter": 50}),
    "digits, lbfgs": (CLASSIFIERS, lambda: scaled(load_digits), {"max_iter": 50, "solver": "lbfgs"}),
    "breast_cancer": (CLASSIFIERS, lambda: scaled(load_breast_cancer), {"max_iter": 100}),
    "100000 x 50, two classes": (CLASSIFIERS, lambda: large(make_classification), {"max_iter": 3}),
    "100000 x 50, regression": (REGRESSORS, lambda: large(make_regression), {"max_iter": 3}),
}


def main():
    warnings.simplefilter("ignore")
    print("| data | cmlp, ms | scikit-learn, ms | ratio | score, cmlp | score, scikit-learn |")
    print("|---|---|---|---|---|---|")
    for name, (kinds, load, settings) in CASES.items():
        x, y = load()
        best, scores = [np.inf, np.inf], [[], []]
        for round_ in range(OPTIONS.rounds):
            for which, kind in enumerate(kinds):
                model = kind(random_state=round_, tol=0, n_iter_no_change=10**6, **settings)
                start = time.perf_counter()
                model.fit(x, y)
                best[which] = min(best[which], time.perf_counter() - start)
                scores[which].append(model.score(x, y))
        ours, theirs = (f"{np.mean(s):.4f} ± {np.std(s):.4f}" for s in scores)
        times = f"{best[0] * 1e3:.1f} | {best[1] * 1e3:.1f} | {best[1] / best[0]:.1f}"
        print(f"| {name} | {times} | {ours} | {theirs} |", flush=True)


main()
