"""How a system is scored: the split of the rows, and the scores of its predictions."""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import accuracy_score, log_loss, root_mean_squared_error
from sklearn.model_selection import train_test_split

CAP = 10_000  # training rows at most; the validation part then has a quarter of that
BINS = 15  # of the calibration error


@dataclass(frozen=True)
class Split:
    """Row numbers of the three parts; a system may use the first two as it likes."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """The rows of training and validation."""
        return np.concatenate([self.train, self.validation])


def split(codes: np.ndarray, task: str, seed: int) -> Split:
    """Split rows at random: 64 % for training (10 000 at most), 16 % for validation, 20 % for test.

    codes: (rows,), classes 0 .. k - 1 or floats. Each part has the classes in their proportions.
    """
    strata = None if task == "regression" else codes
    rest, test = train_test_split(np.arange(len(codes)), test_size=0.2, random_state=seed, stratify=strata)
    inner = None if strata is None else codes[rest]
    train, validation = train_test_split(rest, test_size=0.2, random_state=seed, stratify=inner)
    if len(train) <= CAP:
        return Split(train, validation, test)
    rng = np.random.default_rng(seed)
    train = rng.permutation(train)
    kept = train[:CAP] if strata is None else _with_all_classes(train, codes)
    return Split(kept, rng.permutation(validation)[: CAP // 4], test)


def _with_all_classes(train: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return the first CAP rows, and the next row of each class that is not among them."""
    kept, left = train[:CAP], train[CAP:]
    missing = np.setdiff1d(codes, codes[kept])
    return np.concatenate([kept, [left[np.argmax(codes[left] == label)] for label in missing]]).astype(int)


def scores(task: str, truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Score predictions (rows,) by rmse, probabilities (rows, classes) by accuracy, logloss and ece."""
    if task == "regression":
        return {"rmse": float(root_mean_squared_error(truth, predicted))}
    p = np.clip(predicted, 1e-15, 1)
    p = p / p.sum(axis=1, keepdims=True)
    return {
        "accuracy": float(accuracy_score(truth, p.argmax(axis=1))),
        "logloss": float(log_loss(truth, p, labels=np.arange(p.shape[1]))),
        "ece": calibration_error(truth, p),
    }


def calibration_error(truth: np.ndarray, p: np.ndarray) -> float:
    """Return the expected calibration error of the predicted class, in 15 bins of equal width (Guo 2017).

    It is the mean over the rows of |accuracy - mean probability| of the row's bin.
    """
    top = p.max(axis=1)
    correct = p.argmax(axis=1) == truth
    bins = np.minimum((top * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, correct - top, BINS)  # rows of the bin times its gap
    return float(np.abs(gaps).sum() / len(truth))
