"""Times fit_many beside the loop of single fits: 5 folds x 4 seeds x 5 rates of small nets.

python bench/fit_many.py [--rounds 3] [--threads 1 2] [--loop]; the ratio is the loop's best time over
fit_many's, which scores the rows held out as well. The loop has one thread, since fits this small gain
nothing by more. --loop times the loop alone, also of a version that has no fit_many.
"""

import argparse
import time
import warnings

import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.model_selection import ParameterGrid, StratifiedKFold
from sklearn.preprocessing import scale

import cmlp

RATES = {"learning_rate_init": [0.0003, 0.001, 0.003, 0.01, 0.03]}
FOLDS, SEEDS = StratifiedKFold(5), range(4)


def data(load, rows=None):
    x, y = load(return_X_y=True)
    chosen = np.random.RandomState(0).permutation(len(x))[:rows]
    return scale(x)[chosen], y[chosen]


CASES = {
    "iris, 4-16-3": (lambda: data(load_iris), (16,)),
    "iris, 4-64-3": (lambda: data(load_iris), (64,)),
    "wine, 13-32-3": (lambda: data(load_wine), (32,)),
    "300 digits, 64-16-10": (lambda: data(load_digits, 300), (16,)),
    "300 digits, 64-64-10": (lambda: data(load_digits, 300), (64,)),
}


def loop(model, x, y):
    for params in ParameterGrid(RATES):
        for train, _ in FOLDS.split(x, y):
            for seed in SEEDS:
                clone(model).set_params(**params, random_state=seed).fit(x[train], y[train])


def best_time(run, rounds):
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def row(name, options):
    load, hidden = CASES[name]
    (x, y), model = load(), cmlp.MLPClassifier(hidden)
    cmlp.set_num_threads(1)
    single = best_time(lambda: loop(model, x, y), options.rounds)
    cells = [f"{single * 1e3:.0f}"]
    for threads in [] if options.loop else options.threads:
        given = {"cv": FOLDS, "seeds": SEEDS, "n_threads": threads}
        many = best_time(lambda given=given: cmlp.fit_many(model, x, y, RATES, **given), options.rounds)
        cells += [f"{many * 1e3:.0f}", f"{single / many:.1f}"]
    return f"| {name} | {' | '.join(cells)} |"


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    arguments.add_argument("--loop", action="store_true")
    options = arguments.parse_args()
    warnings.simplefilter("ignore")
    columns = ["100 fits", "loop, ms"]
    for threads in [] if options.loop else options.threads:
        columns += [f"fit_many on {threads}, ms", "ratio"]
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for name in CASES:
        print(row(name, options), flush=True)


main()
