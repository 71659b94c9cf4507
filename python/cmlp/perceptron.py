"""The perceptron: one neuron, four rules by which it learns, and a log of its mistakes."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from cmlp import _core
from cmlp._frames import caller_level
from cmlp.training.labels import as_labels

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class Perceptron:
    """A linear classifier ``y = phi(w.x + b)``, phi the sign, that learns one row at a time.

    It starts at ``w = 0, b = 0``. Two classes have the targets t = -1 and t = +1 (``classes_[0]`` and
    ``classes_[1]``); more classes are learned by one neuron each, against all others. The arithmetic is
    float64, summed in the order of the columns, so that the same data give the same numbers everywhere.

    Parameters
    ----------
    rule : str, default="rosenblatt"
        How a row x with target t and output ``z = w.x + b`` moves the weights (b as a weight whose x is 1).

        - ``"rosenblatt"``: ``w += lr * t * x`` when the sign of z is wrong, until an epoch has no mistake.
          On separable data that happens after at most (R / margin)^2 mistakes (Novikoff, 1962).
        - ``"pocket"``: the same, and keeps the weights that classified most training rows (Gallant, 1990).
          Each mistake costs up to one look at all rows.
        - ``"averaged"``: the same, and predicts with the mean of the weights after every row
          (Freund and Schapire, 1999).
        - ``"adaline"``: ``w += lr * (t - z) * x`` on every row, the delta rule (Widrow and Hoff, 1960), which
          approaches the least-squares line; ends when an epoch changes the mean squared error by less
          than `tolerance`.
    learning_rate : float, optional
        The lr above; 1 for the three mistake-driven rules (it only scales w and b), 0.01 for adaline.
    epochs : int, default=100
        At most so many passes over the rows.
    shuffle : bool, default=False
        Meet the rows in a new order in each epoch, else as they are given.
    seed : int, default=0
        Of the orders.
    tolerance : float, default=1e-6
        For adaline alone, see there.
    keep_path : bool, "epoch" or "update", default=False
        Keep the weights after every epoch or every update (True), for a picture of the moving line.

    Attributes
    ----------
    classes_ : ndarray of shape (classes,)
        The labels, sorted.
    coef_, intercept_ : ndarray of shape (1, features), (1,) or (classes, features), (classes,)
        The weights w and the biases b; one neuron for two classes.
    mistakes_ : ndarray of shape (n_iter_,) or (n_iter_, classes)
        Rows with the wrong sign in each epoch, while the weights still moved.
    squared_error_ : ndarray of shape (n_iter_,) or (n_iter_, classes)
        Mean of ``(t - z)^2`` in each epoch, in the order of the rows.
    mistakes_left_ : int
        Training rows the learned weights get wrong.
    converged_ : bool
        Whether the rule came to its own end before `epochs` did.
    n_iter_ : int
        Epochs run.
    path_ : ndarray of shape (steps, features + 1) or None
        Weights and bias (last column) from the start on, if kept. For ``"pocket"`` and ``"averaged"`` it is
        the line that moves, not the result.

    Warns
    -----
    UserWarning
        From `fit`, when the rule did not come to its end or the numbers overflowed.

    Examples
    --------
    AND can be learned, and the log shows how:

    >>> from cmlp import Perceptron
    >>> X = [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> neuron = Perceptron().fit(X, ["no", "no", "no", "yes"])
    >>> neuron.mistakes_.tolist()
    [1, 3, 3, 2, 1, 0]
    >>> neuron.predict([[1, 1], [0, 1]]).tolist()
    ['yes', 'no']
    >>> neuron.coef_.tolist(), neuron.intercept_.tolist()
    ([[2.0, 1.0]], [-2.0])

    XOR cannot; `fit` warns and says how many rows are left:

    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     neuron = Perceptron("pocket", shuffle=True).fit(X, [0, 1, 1, 0])
    >>> neuron.converged_, neuron.mistakes_left_, neuron.score(X, [0, 1, 1, 0])
    (False, 1, 0.75)
    """

    classes_: NDArray[Any]
    coef_: NDArray[np.float64]
    intercept_: NDArray[np.float64]
    mistakes_: NDArray[np.int64]
    squared_error_: NDArray[np.float64]
    mistakes_left_: int
    converged_: bool
    n_iter_: int
    path_: NDArray[np.float64] | None

    def __init__(
        self,
        rule: str = "rosenblatt",
        *,
        learning_rate: float | None = None,
        epochs: int = 100,
        shuffle: bool = False,
        seed: int = 0,
        tolerance: float = 1e-6,
        keep_path: bool | Literal["epoch", "update"] = False,
    ) -> None:
        self.rule = rule
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.shuffle = shuffle
        self.seed = seed
        self.tolerance = tolerance
        self.keep_path = keep_path
        self._neuron()

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from zero weights; what was learned before is forgotten.

        Parameters
        ----------
        X : array_like of shape (rows, features)
            Finite numbers.
        y : array_like of shape (rows,)
            Labels of two or more classes, numbers or strings.

        Returns
        -------
        Perceptron
            Itself.

        Raises
        ------
        ValueError
            For shapes that do not fit, no rows, fewer than two classes, or a value that is not finite.
        """
        labels = as_labels(y, "Perceptron.fit")
        classes, codes = np.unique(labels, return_inverse=True)
        if len(classes) == 1:
            raise ValueError(f"Perceptron.fit: y has one class, {classes[0]}; at least two are needed")
        if self.keep_path and len(classes) > 2:
            raise ValueError(f"Perceptron.fit: keep_path follows one line, y has {len(classes)} classes")
        neurons = []
        for code in range(len(classes)) if len(classes) > 2 else [1]:
            neuron = self._neuron()
            neuron.fit(X, np.where(codes == code, 1.0, -1.0))
            neurons.append(neuron)
        self.classes_ = classes
        self._keep(neurons)
        self.mistakes_left_ = int(np.count_nonzero(self.predict(X) != labels))
        self._warn(neurons)
        return self

    def set_weights(self, coef: ArrayLike, intercept: ArrayLike = 0.0, classes: ArrayLike = (0, 1)) -> Self:
        """Take weights given by hand in place of learned ones; a later `fit` begins at zero again.

        Parameters
        ----------
        coef : array_like of shape (features,) or (1, features), or (classes, features) for more than two
            The weights w.
        intercept : float or array_like of shape (1,) or (classes,), default=0.0
            The bias b, or one for each neuron.
        classes : array_like of shape (classes,), default=(0, 1)
            The labels; of two the second is predicted where ``w.x + b > 0``.

        Returns
        -------
        Perceptron
            Itself.

        Raises
        ------
        ValueError
            For shapes that do not fit, or a number that is not finite.

        Examples
        --------
        >>> from cmlp import Perceptron
        >>> neuron = Perceptron().set_weights([1.0, 1.0], -1.5)  # AND
        >>> neuron.predict([[0, 0], [0, 1], [1, 0], [1, 1]]).tolist()
        [0, 0, 0, 1]
        """
        labels = as_labels(classes, "Perceptron.set_weights")
        weights, biases = np.atleast_2d(np.asarray(coef, float)), np.atleast_1d(np.asarray(intercept, float))
        neurons = 1 if len(labels) == 2 else len(labels)
        if len(labels) < 2 or weights.ndim != 2 or weights.shape[0] != neurons or biases.shape != (neurons,):
            raise ValueError(
                f"Perceptron.set_weights: coef has shape {weights.shape} and intercept {biases.shape}, "
                f"{len(labels)} classes need ({neurons}, features) and ({neurons},)"
            )
        if not (np.isfinite(weights).all() and np.isfinite(biases).all()):
            raise ValueError("Perceptron.set_weights: coef or intercept has a number that is not finite")
        self.classes_, self.coef_, self.intercept_ = labels, weights.copy(), biases.copy()
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """The outputs ``z = w.x + b``.

        Parameters
        ----------
        X : array_like of shape (rows, features)
            Finite numbers.

        Returns
        -------
        ndarray of shape (rows,) or (rows, classes)
            Positive on the side of ``classes_[1]``; one column a class when there are more than two.

        Raises
        ------
        ValueError
            Before `fit`, for another number of columns, or a value that is not finite.
        """
        if not hasattr(self, "coef_"):
            raise ValueError(
                "Perceptron.decision_function: there are no weights yet, call fit or set_weights first"
            )
        neurons = zip(self.coef_, self.intercept_, strict=True)
        z = [_core.perceptron_decision_function(X, w, b) for w, b in neurons]
        return z[0] if len(z) == 1 else np.stack(z, axis=1)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The class of each row: the sign of z, or the class with the largest z.

        Takes and raises what `decision_function` does.

        Returns
        -------
        ndarray of shape (rows,)
            Labels out of ``classes_``; z = 0 is ``classes_[0]``.
        """
        z = self.decision_function(X)
        chosen: NDArray[Any] = self.classes_[z.argmax(axis=1) if z.ndim == 2 else (z > 0).astype(np.intp)]
        return chosen

    def score(self, X: ArrayLike, y: ArrayLike) -> float:
        """Share of the rows of X whose class is predicted as y has it, between 0 and 1."""
        predicted, labels = self.predict(X), as_labels(y, "Perceptron.score")
        if len(labels) != len(predicted):
            raise ValueError(f"Perceptron.score: X has {len(predicted)} rows, y has {len(labels)}")
        return float(np.mean(predicted == labels))

    def __repr__(self) -> str:
        options = {name: value for name, value in vars(self).items() if not name.endswith("_")}
        return f"Perceptron({', '.join(f'{name}={value!r}' for name, value in options.items())})"

    def _neuron(self) -> _core.Perceptron:
        """An untaught native perceptron with these options, which it checks."""
        kept = str(self.keep_path)
        return _core.Perceptron(
            rule=self.rule,
            learning_rate=self.learning_rate,
            epochs=self.epochs,
            shuffle=self.shuffle,
            seed=self.seed,
            tolerance=self.tolerance,
            path={"False": "none", "True": "update"}.get(kept, kept),
        )

    def _keep(self, neurons: list[_core.Perceptron]) -> None:
        """Take weights and logs out of the native perceptrons."""
        self.coef_ = np.stack([neuron.weights for neuron in neurons])
        self.intercept_ = np.array([neuron.bias for neuron in neurons])
        self.converged_ = all(neuron.converged for neuron in neurons)
        self.n_iter_ = max(neuron.epochs for neuron in neurons)
        self.mistakes_ = _columns([neuron.mistakes for neuron in neurons])
        self.squared_error_ = _columns([neuron.squared_error for neuron in neurons])
        self.path_ = neurons[0].path if self.keep_path else None

    def _warn(self, neurons: list[_core.Perceptron]) -> None:
        """Say which neurons did not come to their end, and how many rows are left."""
        reasons = [neuron.shortfall for neuron in neurons]
        if len(neurons) > 1:
            named = zip(self.classes_, reasons, strict=True)
            reasons = [f"class {label}: {reason}" for label, reason in named if reason]
        reason = "; ".join(filter(None, reasons))
        if reason:
            left = f"{self.mistakes_left_} of the training rows are still wrong"
            warnings.warn(f"Perceptron.fit: {reason}; {left}", UserWarning, stacklevel=caller_level())


def _columns(logs: list[NDArray[Any]]) -> NDArray[Any]:
    """Logs side by side; one that ended before the longest stays where it ended."""
    if len(logs) == 1:
        return logs[0]
    epochs = max(len(log) for log in logs)
    return np.stack([np.pad(log, (0, epochs - len(log)), mode="edge") for log in logs], axis=1)
