"""Every plot of cmlp.plot on real data, on one sheet: `python examples/plots.py [--out DIR]`."""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer, load_digits, make_moons
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cmlp import MLPClassifier, plot

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("--out", type=Path, default=Path("docs/pictures"))
out = arguments.parse_args().out

figure, grid = plt.subplots(3, 3, figsize=(16, 13.5), layout="constrained")

x, y = load_digits(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x / 16, y, random_state=0)
digits = MLPClassifier((64, 32), dropout=0.1, learning_rate_init=0.003, max_iter=40, tol=0, random_state=0)
digits.fit(x_train, y_train, eval_set=(x_test, y_test))
plot.loss_curve(digits, ax=grid[0, 0])
plot.score_curve(digits, ax=grid[0, 1])
plot.confusion_matrix(digits, x_test, y_test, ax=grid[0, 2])
plot.weights(digits, shape=(8, 8), units=25, ax=grid[1, 0])
plot.activation_histograms(digits, x_test, ax=grid[1, 1])
plot.gradient_flow(digits, x_test, y_test, ax=grid[1, 2])

moons, side = make_moons(300, noise=0.2, random_state=0)
bend = MLPClassifier((16, 16), activation="tanh", solver="lbfgs", alpha=0.3, random_state=0, max_iter=500)
plot.decision_boundary(bend.fit(moons, side), moons, side, ax=grid[2, 0])

data = load_breast_cancer()
parts = train_test_split(data.data, data.target, test_size=0.4, random_state=0)
mlp = MLPClassifier((16,), learning_rate_init=0.003, max_iter=60, tol=0, random_state=0)
cancer = make_pipeline(StandardScaler(), mlp).fit(parts[0], parts[2])
plot.calibration_curve(cancer, parts[1], parts[3], bins=5, ax=grid[2, 1])
names = list(data.feature_names)
plot.permutation_importance(cancer, parts[1], parts[3], names=names, most=12, repeats=10, ax=grid[2, 2])

out.mkdir(parents=True, exist_ok=True)
figure.savefig(out / "plots.png", dpi=75)
print(f"wrote {out / 'plots.png'}")
