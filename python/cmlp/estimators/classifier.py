"""MLPClassifier: scikit-learn's, over the core."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import type_of_target, unique_labels

from cmlp._foreign_names import names_arguments
from cmlp.estimators import constraints
from cmlp.estimators._sklearn_compat import (
    ClassifierMixin,
    available_if,
    check_partial_fit_first_call,
    fit_context,
)
from cmlp.estimators.base import BaseMLP
from cmlp.estimators.documentation import documented
from cmlp.estimators.losses import Objective, classification, takes_labels
from cmlp.estimators.network import inside_0_1
from cmlp.estimators.solvers import learns_in_parts
from cmlp.estimators.training_run import Rows
from cmlp.estimators.validation import validation_set
from cmlp.estimators.weights import ClassWeights


@documented
class MLPClassifier(ClassifierMixin, BaseMLP):
    """A multilayer perceptron that classifies: a drop-in for scikit-learn's, and more by keyword.

    Up to ``max_fun`` the parameters are scikit-learn's, with its names, defaults and meaning; in float64 the
    same seed gives its weights and its curve.

    Parameters
    ----------
    {sklearn_parameters}
    loss : str or Loss, default="log_loss"
        Any of :func:`cmlp.losses` over logits: "focal", ``nn.CrossEntropyLoss(label_smoothing=0.1)``.
    class_weight : "balanced", dict or None, default=None
        Weight of each class, times that of the row; a list of dicts for several labels a row. "balanced":
        rows / (classes * rows of the class), where every row counts once whatever its ``sample_weight``, as
        in scikit-learn; ``class_weight="balanced"`` of ``Sequential.fit`` counts sample weights.
    {own_parameters}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,), or a list of them
    {attributes}

    Examples
    --------
    >>> from cmlp import MLPClassifier
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier((16,), solver="lbfgs", dtype="float64", random_state=0, max_iter=1000)
    >>> model.fit(X, y).score(X, y) > 0.97
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = constraints.CLASSIFIER
    _numeric_targets = False
    _class_weights: ClassWeights | None = None

    @names_arguments
    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int | str = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        loss: Any = "log_loss",
        class_weight: Any = None,
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        batch_norm: bool = False,
        layer_norm: bool = False,
        residual: bool = False,
        init: str = "sklearn",
        schedule: Any = None,
        clip_grad_norm: float | None = 0.0,
        max_steps: int | None = None,
        scoring: Any = None,
        callbacks: Any = None,
        missing: str | None = None,
        dtype: str | None = None,
        n_threads: int | None = None,
        time_limit: float | None = None,
        transform_layer: int = -1,
    ) -> None:
        self._keep(locals())

    # ---- targets

    def _targets(self, y: Any, first: bool, incremental: bool, trained_on: bool) -> npt.NDArray[Any]:
        y = column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y
        if (first and not incremental) or not hasattr(self, "classes_"):
            self._learn_classes(y)
        else:
            self._compare_classes(unique_labels(y), incremental)
        if not trained_on:
            return self._encoded(y, self._objective)
        objective = classification(self.loss, self._label_binarizer.y_type_)
        targets = self._encoded(y, objective)
        self._take_objective(objective, self._outputs(targets), first)
        return targets

    def _encoded(self, y: Any, objective: Objective) -> npt.NDArray[Any]:
        if objective.out == "softmax":
            codes: npt.NDArray[Any] = np.searchsorted(self.classes_, y).astype(np.int64)
            return codes
        hot = self._label_binarizer.transform(y)
        return objective.target(hot.toarray() if hasattr(hot, "toarray") else hot).astype(np.float32)

    def _learn_classes(self, y: Any) -> None:
        self._label_binarizer = LabelBinarizer().fit(y)
        self.classes_: npt.NDArray[Any] = self._label_binarizer.classes_

    def _compare_classes(self, classes: Any, incremental: bool) -> None:
        if not incremental and set(classes) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit."
                f" Previously got {self.classes_}, `y` has {classes}"
            )
        if len(np.setdiff1d(classes, self.classes_, assume_unique=True)):
            raise ValueError(
                "`y` has classes not in `self.classes_`."
                f" `self.classes_` has {self.classes_}. 'y' has {classes}."
            )

    def _outputs(self, y: npt.NDArray[Any]) -> int:
        return len(self.classes_) if y.ndim == 1 else y.shape[1]

    def _strata(self, y: npt.NDArray[Any]) -> npt.NDArray[Any] | None:
        if y.ndim == 1:
            return y if len(self.classes_) == 2 else None
        return y > 0 if y.shape[1] == 1 else None

    def _weights(self, sample_weight: Any, x: Any, y: Any, trained_on: bool) -> npt.NDArray[Any] | None:
        weight = super()._weights(sample_weight, x, y, trained_on)
        if trained_on:
            given = self.class_weight
            self._class_weights = None if given is None else ClassWeights(given, self.classes_, y)
        if self._class_weights is None:
            return None if weight is None else np.asarray(weight)
        own: npt.NDArray[Any] = self._class_weights(y)
        return own if weight is None else np.asarray(weight * own)

    @property
    def _one_against_rest(self) -> bool:
        """Whether each output separates one of several classes from all others."""
        return self.out_activation_ == "logistic" and self._label_binarizer.y_type_ == "multiclass"

    def _metric(self) -> str | None:
        return "accuracy" if self._objective.out == "softmax" or self.n_outputs_ == 1 else None

    def _score_of(self, z: npt.NDArray[Any], rows: Rows) -> float:
        if rows.y.ndim == 1:
            right = z.argmax(axis=1) == rows.y
        elif self._one_against_rest:
            right = z.argmax(axis=1) == rows.y.argmax(axis=1)
        else:
            right = ((z > 0) == (rows.y > 0)).all(axis=1)
        return float(np.average(right, weights=rows.weight))

    def _prediction_from(self, z: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return probabilities, none of them 0 or 1; of two classes both, each from its own logit."""
        p = inside_0_1(super()._prediction_from(np.concatenate((-z, z), axis=1) if z.shape[1] == 1 else z))
        return inside_0_1(p / p.sum(axis=1, keepdims=True)) if self._one_against_rest else p

    def _predicted(self, z: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return self._labels_of(z, 0.0)

    def _labels_of(self, scores: npt.NDArray[Any], border: float) -> npt.NDArray[Any]:
        """Return the class of each row's largest score; for yes-or-no scores those above `border`."""
        if self._label_binarizer.y_type_.startswith("multilabel"):
            return self._label_binarizer.inverse_transform(scores, border)  # type: ignore[no-any-return]
        if self.n_outputs_ > 1:
            return self.classes_[scores.argmax(axis=1)]  # type: ignore[no-any-return]
        positive = scores[:, -1] > border if len(self.classes_) > 1 else np.zeros(len(scores), int)
        return self.classes_[positive.astype(int)]  # type: ignore[no-any-return]

    def _score_labels(self, y: Any, predicted: Any) -> float:
        """Return what ``score`` does, the accuracy."""
        if hasattr(predicted, "toarray"):
            return float(accuracy_score(y, predicted))
        right = np.asarray(y).reshape(predicted.shape) == predicted
        return float(right.reshape(len(right), -1).all(axis=1).mean())

    # ---- the public face

    @fit_context(prefer_skip_nested_validation=True)
    @documented
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        eval_set: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
        checkpoint: Any = None,
        every: int = 1,
        resume: bool = False,
    ) -> Self:
        """Fit to rows and their classes.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            float32 and float64 are taken as they are, other numbers become float64.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Classes of any kind; for several labels a row, a matrix of 0 and 1.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight 2 is the row twice, 0 the row absent.
        {validation}
        {checkpoints}

        Returns
        -------
        MLPClassifier
            Itself.
        """
        validation = validation_set(eval_set, X_val, y_val, sample_weight_val)
        return self._fit(X, y, sample_weight, validation, checkpoint=(checkpoint, every, resume))

    @available_if(learns_in_parts)
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
        """Train one more epoch on these rows.

        Parameters
        ----------
        X, y, sample_weight
            As in ``fit``.
        classes : array-like of shape (n_classes,), default=None
            All classes there will be; needed in the first call.
        """
        if self.class_weight == "balanced":
            raise ValueError("partial_fit sees a part of the rows: class_weight='balanced' needs all of them")
        if check_partial_fit_first_call(self, classes):
            multilabel = type_of_target(y).startswith("multilabel")
            self._label_binarizer = LabelBinarizer().fit(y if multilabel else classes)
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Return the likeliest class of each row, or the labels above one half."""
        return self._predicted(self._raw(X))

    def predict_proba(self, X: Any) -> npt.NDArray[Any]:
        """Return the probability of each class, (n_samples, n_classes)."""
        return self._prediction_from(self._raw(X))

    def predict_log_proba(self, X: Any) -> npt.NDArray[Any]:
        """Return the logarithm of each probability."""
        return np.log(self.predict_proba(X))  # type: ignore[no-any-return]

    def _loss_grad_lbfgs(self, packed: Any, X: Any, y: Any, sample_weight: Any, *_: Any) -> Any:
        """Return loss and gradient for binarised targets, as scikit-learn's method of this name does."""
        y = y.argmax(axis=1) if self.out_activation_ == "softmax" else y
        return self._full_batch_objective()(packed, X, y, sample_weight)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = takes_labels(self.loss)
        return tags
