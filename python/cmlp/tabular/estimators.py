"""`TabularClassifier` and `TabularRegressor`: tables in, predictions out; what `cmlp train` uses."""

import json
from collections.abc import Sequence
from numbers import Real
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, RegressorMixin

from cmlp import nn
from cmlp.files import BAD_DATA
from cmlp.tabular import parameters
from cmlp.tabular import scores as scoring
from cmlp.tabular.encoder import TableEncoder
from cmlp.tabular.errors import TableError
from cmlp.tabular.model import RECORD_KEY, TABLE_KEY, VERSION, TabularModel
from cmlp.tabular.target import Target


class TabularClassifier(ClassifierMixin, TabularModel):  # type: ignore[misc]
    """Classify the rows of a table, whatever its columns are: a scikit-learn estimator.

    Parameters
    ----------
    preset : {"fast", "default", "best"}
        How much is trained: one network for a short time; three, each with other rows held out, whose mean
        predicts; or eight, by the best of three recipes.
    time_limit : float, optional
        Seconds for training, shared by the networks; each has as many epochs as it allows.
    cv : int or scikit-learn splitter, optional
        Folds instead of the preset's number of networks: each row is held out once, and the scores are of
        all rows. With `time` the folds go forwards and the last network predicts.
    types : dict of str, optional
        Columns whose type is given, see `TableEncoder`.
    metric : str, optional
        The score that chooses the epoch, and the threshold of two classes: ``accuracy``, ``balanced
        accuracy``, ``log loss``, ``AUC``, ``average precision``, ``F1``. By default the loss chooses the
        epoch; the threshold is 0.5, or that of the best F1 where fewer than 1 row of 5 is of the rarer class.
    validation : float, default 0.2
        Share of the rows that each network holds out, the share of one network where there are so many that
        theirs are less (`best`: an eighth); of groups about the share. 0: none.
    class_weight : {"balanced"} or dict, optional
        Rows of rare classes count more in training; or the weight of each class, 1 for those not named.
    hidden, activation, dropout, optimizer, lr, epochs, batch_size, patience : optional
        In place of the preset's, see `cmlp.tabular.recipe.Recipe`.
    random_state : int, RandomState or None, default 0
        Of all that is random; None: another seed at each fit.
    n_threads : int, optional
        Threads; no bit depends on it.

    Attributes
    ----------
    classes_ : numpy.ndarray
        The labels, sorted, with their own type.
    encoder_, target_, net_ : TableEncoder, Target, cmlp.nn.Sequential
        The parts of the model; several networks are one, an `cmlp.nn.Ensemble`. Its outputs are logits whose
        softmax is calibrated on the held-out rows.
    out_of_fold_ : numpy.ndarray
        Predictions of the training rows by networks that did not see them.
    feature_importances_ : numpy.ndarray
        Of each column, (columns,).
    record_ : dict
        Scores, those of the trivial prediction, and how training went.
    remarks_ : list of str
        What is doubtful about the data.

    Examples
    --------
    >>> from cmlp.tabular import TabularClassifier
    >>> table = {"price": ["$5", "$7", "$50", "$70"] * 25, "city": ["Rome", "Oslo"] * 50}
    >>> model = TabularClassifier(epochs=30).fit(table, ["cheap", "cheap", "dear", "dear"] * 25)
    >>> model.predict({"price": "$60", "city": "Oslo"}).tolist()
    ['dear']
    """

    _task = "classification"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = parameters.CLASSIFIER

    @property
    def classes_(self) -> NDArray[Any]:
        """The labels in sorted order."""
        return self.target_.decode(np.arange(len(self.target_.classes)))

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities of the classes, (rows, classes).

        Parameters
        ----------
        X : table-like
            Rows with the columns of the training table as its files had them; or one row as a dictionary.
        """
        return scoring.probabilities(self._outputs(X))

    def predict(self, X: Any) -> NDArray[Any]:
        """The class of each row, (rows,); of two classes by the model's threshold.

        Parameters
        ----------
        X : table-like
            As in `predict_proba`.
        """
        shares = self.predict_proba(X)
        return self.target_.decode(self.target_.choose(shares))


class TabularRegressor(RegressorMixin, TabularModel):  # type: ignore[misc]
    """Predict a quantity from the rows of a table, whatever its columns are: a scikit-learn estimator.

    A positive target with a long tail is learned as its logarithm.

    Parameters
    ----------
    preset, time_limit, cv, types, validation, random_state, n_threads : optional
        As for `TabularClassifier`.
    metric : {"RMSE", "MAE", "R2"}, optional
        The score that chooses the epoch; by default the loss does.
    class_weight : None
        Of classes only.
    hidden, activation, dropout, optimizer, lr, epochs, batch_size, patience : optional
        As for `TabularClassifier`.

    Attributes
    ----------
    encoder_, target_, net_, record_, remarks_
        As for `TabularClassifier`.

    Examples
    --------
    >>> from cmlp.tabular import TabularRegressor
    >>> table = {"width": [f"{k} cm" for k in range(100)]}
    >>> model = TabularRegressor(epochs=100).fit(table, [2.5 * k for k in range(100)])
    >>> bool(abs(model.predict({"width": "40 cm"})[0] - 100) < 10)
    True
    """

    _task = "regression"

    def predict(self, X: Any, quantiles: Sequence[float] | None = None) -> NDArray[np.float64]:
        """The predicted value of each row in the target's unit, within what the training rows had, (rows,).

        Parameters
        ----------
        X : table-like
            Rows with the columns of the training table as its files had them; or one row as a dictionary.
        quantiles : sequence of float, optional
            In [0, 1]: give values that so many of such rows stay below instead, (rows, quantiles). They are
            the prediction moved by what held-out rows lay above theirs (split conformal prediction; Lei et
            al., JASA 2018), so the range from 0.05 to 0.95 holds 90 % of new rows of the kind. They stay
            within what the training rows had, too.

        Raises
        ------
        TableError
            For quantiles outside [0, 1], or of a model that was trained without held-out rows.
        """
        outputs = self._outputs(X)[:, 0]
        if quantiles is None:
            return np.asarray(self.target_.decode(outputs), np.float64)
        if np.ndim(quantiles) != 1:
            raise TableError(f"quantiles is {quantiles!r}, it must be a sequence of numbers, as [0.05, 0.95]")
        found = np.empty((len(outputs), len(quantiles)))
        for k, q in enumerate(quantiles):
            found[:, k] = self.quantile(outputs, q)
        return found

    def quantile(self, outputs: NDArray[Any], q: Any) -> NDArray[np.float64]:
        """The value that a share q of rows with these outputs (rows,) stay below, (rows,)."""
        if not isinstance(q, Real) or not 0 <= float(q) <= 1:
            raise TableError(f"quantile {q!r} is not between 0 and 1")
        if "residuals" not in self.record_:
            raise TableError("quantiles need held-out rows; the model was trained without")
        residuals = self.record_["residuals"]
        moved = outputs + np.interp(float(q), np.linspace(0, 1, len(residuals)), residuals)
        return np.asarray(self.target_.decode(self.target_.within(moved)), np.float64)


def from_network(net: nn.Sequential) -> Any:
    """Build the estimator that a model file's network carries.

    Parameters
    ----------
    net : cmlp.nn.Sequential
        A network whose metadata describe the table, see `TabularModel`.

    Returns
    -------
    TabularClassifier or TabularRegressor
        Fitted.

    Raises
    ------
    TableError
        If the description is damaged or of another version.
    """
    try:
        data = json.loads(net.metadata[TABLE_KEY])
        if data["version"] != VERSION:
            raise TableError(
                f"it has version {data['version']!r}, this cmlp reads version {VERSION}: train it again"
            )
        target, encoder = Target.from_dict(data["target"]), TableEncoder.from_dict(data)
        _check_parts(encoder, target, net)
        record = json.loads(net.metadata.get(RECORD_KEY, "{}"))
        model = TabularClassifier() if target.task == "classification" else TabularRegressor()
        model.set_params(**parameters.from_json(data.get("parameters", {})))
        remarks = [str(line) for line in data.get("remarks", [])]
    except (ValueError, NotImplementedError, *BAD_DATA) as error:
        raise TableError(f"the model's table description cannot be read: {error}") from error
    model.encoder_, model.target_, model.net_ = encoder, target, net
    model.record_, model.remarks_ = record if isinstance(record, dict) else {}, remarks
    return model._fitted()


def _check_parts(encoder: TableEncoder, target: Target, net: nn.Sequential) -> None:
    """Refuse parts that do not fit each other, by the prediction of a row without values."""
    names = [column.name for column in encoder.columns_]
    if not all(isinstance(name, str) for name in [target.name, *names]):
        raise TableError("a name is not text")
    row = pa.table([pa.nulls(1)] * len(names), names)
    outputs = net.predict(encoder.encode(row)[0]).shape[1]
    if outputs != target.outputs:
        raise TableError(f"the network has {outputs} outputs, the target {target.outputs}")
