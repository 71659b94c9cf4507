"""scikit-learn's MLPClassifier: epochs in fit, which is faster than partial_fit step by step."""

import warnings

from cases import Case, data, weights
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

warnings.simplefilter("ignore", ConvergenceWarning)


class Train:
    """Adam without weight decay; two classes are one logistic output to it, a little less work than two."""

    def __init__(self, case: Case, threads: int) -> None:
        self.case = case
        self.x, self.y = data(case)

    def start(self) -> None:
        self.net = MLPClassifier(
            self.case.widths[1:-1], batch_size=self.case.rows, alpha=0.0, learning_rate_init=1e-3, max_iter=1,
            shuffle=False, warm_start=True, tol=0.0, n_iter_no_change=10**9,
        )  # fmt: skip
        self.net.fit(self.x[: self.case.rows], self.y[: self.case.rows])  # makes the arrays
        if self.case.widths[-1] > 2:
            self.net.coefs_ = [w.copy() for w, _ in weights(self.case)]
            self.net.intercepts_ = [b.copy() for _, b in weights(self.case)]

    def first_loss(self) -> float | None:
        if self.case.widths[-1] == 2:
            return None  # another last layer: nothing to compare
        self.net.fit(self.x[: self.case.rows], self.y[: self.case.rows])
        return float(self.net.loss_)

    def run(self, epochs: int) -> float:
        self.net.max_iter = epochs
        self.net.fit(self.x, self.y)
        return float(self.net.loss_)
