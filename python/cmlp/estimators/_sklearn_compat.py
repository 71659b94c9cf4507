"""scikit-learn's private functions that cmlp uses, and types for its base classes, which have none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.multiclass import _check_partial_fit_first_call as check_partial_fit_first_call
from sklearn.utils.validation import _check_sample_weight as check_sample_weight
from sklearn.utils.validation import _num_samples as num_samples

__all__ = [
    "BaseEstimator",
    "ClassNamePrefixFeaturesOutMixin",
    "ClassifierMixin",
    "Interval",
    "MetaEstimatorMixin",
    "Options",
    "RegressorMixin",
    "StrOptions",
    "TransformerMixin",
    "available_if",
    "check_partial_fit_first_call",
    "check_sample_weight",
    "fit_context",
    "num_samples",
    "safe_indexing",
]

if TYPE_CHECKING:
    from typing import Self

    Function = TypeVar("Function", bound=Callable[..., Any])

    class BaseEstimator:
        """Parameters by name."""

        def __getattr__(self, name: str) -> Any:  # parameters and fitted attributes
            raise AttributeError(name)

        def get_params(self, deep: bool = True) -> dict[str, Any]:
            """Return the arguments of the constructor."""
            raise NotImplementedError

        def set_params(self, **params: Any) -> Self:
            """Set arguments of the constructor."""
            raise NotImplementedError

        def __sklearn_tags__(self) -> Any:
            raise NotImplementedError

        def __getstate__(self) -> dict[str, Any]:
            raise NotImplementedError

        def __setstate__(self, state: dict[str, Any]) -> None:
            raise NotImplementedError

    class MetaEstimatorMixin:
        """Of estimators that contain another one."""

    class ClassifierMixin:
        """Score of a classifier."""

        def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
            """Return the mean accuracy."""
            raise NotImplementedError

    class RegressorMixin:
        """Score of a regressor."""

        def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
            """Return R squared."""
            raise NotImplementedError

    class TransformerMixin:
        """Fit and transform in one call."""

        def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> Any:
            """Fit, and return the transformed rows."""
            raise NotImplementedError

        def set_output(self, *, transform: str | None = None) -> Self:
            """Choose the container of transformed rows."""
            raise NotImplementedError

    class ClassNamePrefixFeaturesOutMixin:
        """Names of transformed columns."""

        def get_feature_names_out(self, input_features: Any = None) -> Any:
            """Return the names."""
            raise NotImplementedError

    def fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[Function], Function]:
        """Check the parameters before fit."""
        raise NotImplementedError

    def available_if(check: Callable[[Any], bool]) -> Callable[[Function], Function]:
        """Make a method available only if the check is true."""
        raise NotImplementedError

else:
    from sklearn.base import (
        BaseEstimator,
        ClassifierMixin,
        ClassNamePrefixFeaturesOutMixin,
        MetaEstimatorMixin,
        RegressorMixin,
        TransformerMixin,
    )
    from sklearn.base import _fit_context as fit_context
    from sklearn.utils.metaestimators import available_if
