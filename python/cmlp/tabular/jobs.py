"""The work of a tabular fit: encode, train what the preset tries, calibrate, score, and describe it."""

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from cmlp.tabular import scores as scoring
from cmlp.tabular.columns import TextColumn
from cmlp.tabular.encoder import TableEncoder, check_finite
from cmlp.tabular.errors import TableError, printable
from cmlp.tabular.labelled import LabelledTable
from cmlp.tabular.leaks import leak_remarks
from cmlp.tabular.members import combine
from cmlp.tabular.network import Inputs
from cmlp.tabular.parameters import class_factors
from cmlp.tabular.results import Result, held_out_rows, make_record, score
from cmlp.tabular.search import Search
from cmlp.tabular.split import Rules, Splits, make_splits
from cmlp.tabular.target import Target
from cmlp.tabular.training import Data, Member, Settings
from cmlp.training.class_weights import weighted_by_class

# Of two classes, the rarer one with fewer rows than this share has a threshold of its own.
RARE = 0.2
# ... when so many of the scored rows are of it: a threshold from fewer rows would be chance.
ENOUGH = 10
METRICS: dict[str, Any] = {"classification": scoring.CLASSIFICATION, "regression": scoring.REGRESSION}


@dataclass(frozen=True)
class Observers:
    """Who is called while a job runs.

    Parameters
    ----------
    prepared : callable
        With the `Prepared` rows before training.
    network : callable
        With a line on the networks and the number of epochs of all of them; returns a context manager that
        gives the observer of epochs.
    trained : callable
        With the members and the seconds of their training.
    """

    prepared: Callable[["Prepared"], None] = lambda prepared: None
    network: Callable[[str, int], Any] = lambda text, epochs: nullcontext(lambda epoch, values: None)
    trained: Callable[[list[Member], float], None] = lambda members, seconds: None


@dataclass(frozen=True)
class Prepared:
    """A table in numbers.

    Parameters
    ----------
    encoder : TableEncoder
        The preprocessing.
    target : Target
        The target.
    data : Data
        The rows that have a target.
    left_out : int
        Rows without a target.
    """

    encoder: TableEncoder
    target: Target
    data: Data
    left_out: int


class Job:
    """One fit of a `TabularClassifier` or `TabularRegressor`.

    Parameters
    ----------
    model : TabularModel
        The parameters.
    data : LabelledTable
        The rows.
    observers : Observers
        Who is called meanwhile.
    """

    def __init__(self, model: Any, data: LabelledTable, observers: Observers | None = None) -> None:
        # Tables keep the rows without a target, so that messages name the caller's rows.
        self.table: LabelledTable = data
        self.known: NDArray[np.int64] = np.flatnonzero(data.cells.array.is_valid())
        self.model: Any = model
        self.observers = observers or Observers()
        self.left_out: int = len(data.table) - len(self.known)
        if len(self.known) == 1:
            raise TableError("the table has 1 sample with a target: nothing to learn")
        check_finite(data.table, dict(model.types or {}))
        self.target: Target = Target.fit(data.name, data.cells, model._task)
        self.y: Any = self.target.encode(data.cells.array.drop_null())
        self._check_classes_of_eval_set()
        self.metric: str | None = model.metric
        if self.metric is not None and self.metric not in METRICS[model._task]:
            raise TableError(f"unknown metric {self.metric!r}; choose from {', '.join(METRICS[model._task])}")
        self.stop_at: float | None = None if model.time_limit is None else time.monotonic() + model.time_limit

    def run(self) -> Result:
        """Train and score."""
        model = self.model
        rows, seed = self._of_known, model._seed()
        splits = make_splits(
            Rules(model.validation, self._folds(), seed, model._preset().members),
            self.y if self.target.classes else None,
            len(self.y),
            rows(self.table.groups),
            rows(self.table.time),
            rows(self.table.validates),
        )
        prepared = self._prepare()
        self.observers.prepared(prepared)
        return self._result(prepared, *self._train(prepared.data, splits, seed))

    def _check_classes_of_eval_set(self) -> None:
        """Refuse a class that no row trains."""
        validates = self._of_known(self.table.validates)
        if validates is None or not self.target.classes:
            return
        untrained = np.setdiff1d(self.y[validates], self.y[~validates])
        if len(untrained):
            label = self.target.decode(untrained[:1])[0]
            raise TableError(f"eval_set has the class {label!r}, which no row of X has")

    def _folds(self) -> Any:
        """The folds: given row numbers are of all rows, those of the networks of rows with a target."""
        given = self.model.cv
        if given is None or isinstance(given, Integral) or hasattr(given, "split"):
            return given
        place = np.full(len(self.table.table), -1)
        place[self.known] = np.arange(len(self.known))
        try:
            parts = [[place[_row_numbers(rows)] for rows in part] for part in given]
            found = [(train[train >= 0], held[held >= 0]) for train, held in parts]
        except (TypeError, ValueError, IndexError) as error:
            raise TableError(f"cv gives pairs of training and held-out row numbers: {error}") from error
        if not found or not all(len(train) and len(held) for train, held in found):
            raise TableError("cv has no folds, or a fold without training or without held-out rows")
        return found

    def _of_known(self, values: Any) -> Any:
        """Of values of all rows, those of the rows with a target."""
        return None if values is None else values[self.known]

    def _prepare(self) -> Prepared:
        rows = self.table.table.take(self.known) if self.left_out else self.table.table
        encoder = TableEncoder(self.model.types).fit_table(rows, self.table.habits)
        x = encoder.encode(self.table.table)[0]
        x = x[self.known] if self.left_out else x
        inputs = Inputs(x.shape[1], tuple(encoder.continuous_), sp.issparse(x))
        weight = self._of_known(self.table.weight)
        data = Data(x, self.y, weight, inputs, self.target.outputs, self._loss_weight(weight))
        return Prepared(encoder, self.target, data, self.left_out)

    def _loss_weight(self, weight: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
        factors = class_factors(self.model.class_weight, self.target.classes)
        return weight if factors is None else weighted_by_class(self.y, weight, factors)

    def _train(self, data: Data, splits: Splits, seed: int) -> tuple[list[Member], list[float]]:
        settings = Settings(
            classes=bool(self.target.classes),
            metric=None if self.metric is None else self._monitored,
            n_threads=self.model.n_threads,
        )
        search = Search(data, splits, settings, self.observers, self.stop_at)
        return search.run(self.model._recipes(data.inputs, seed))

    def _monitored(self, y: NDArray[Any], outputs: NDArray[Any], weight: Any) -> float:
        """The metric of the validation rows, the lower the better; of two classes, at its best threshold."""
        assert self.metric is not None
        target = self._with_threshold(y, outputs) if self.target.classes else self.target
        value = score(target, y, outputs, weight, self._positive())[self.metric]
        return -value if self.metric in scoring.HIGHER_IS_BETTER else value

    def _positive(self) -> int:
        return scoring.rarest(self.y) if len(self.target.classes) == 2 else 1

    def _with_threshold(self, y: NDArray[Any], outputs: NDArray[Any]) -> Target:
        """The target with the threshold that suits the metric, or F1 where one of two classes is rare."""
        if len(self.target.classes) != 2 or len(np.unique(y)) < 2:
            return self.target
        wanted = self.metric if self.metric in ("accuracy", "balanced accuracy", "F1") else None
        positive = self._positive()
        rare = np.mean(self.y == positive) < RARE and np.sum(y == positive) >= ENOUGH
        if self.metric is None and self.model.class_weight is None and rare:
            wanted = "F1"
        if wanted is None:
            return self.target
        shares = scoring.probabilities(outputs)
        return replace(self.target, threshold=scoring.best_threshold(y, shares, positive, wanted))

    def _result(self, prepared: Prepared, members: list[Member], weights: list[float]) -> Result:
        held_out = held_out_rows(prepared.data, members, self.target)
        target = self.target
        if target.classes:
            target = self._with_threshold(held_out.rows.y, held_out.outputs)
        record = make_record(members, held_out, target, self._positive(), bool(self.model.cv))
        everywhere = np.full((len(self.table.table), self.target.outputs), np.nan)
        if held_out.apart:
            everywhere[self.known[held_out.places]] = held_out.outputs
        return Result(
            prepared.encoder,
            target,
            combine(members, [weight * held_out.factor for weight in weights]),
            record,
            everywhere,
            held_out.sample(),
            [*self.table.cells.remarks, *self._leaks(prepared), *self._strong(prepared)],
        )

    def _leaks(self, rows: Prepared) -> list[str]:
        columns = [
            (column.name, rows.data.x[:, rows.encoder.places_[column.name]])
            for column in rows.encoder.columns_
            if not isinstance(column, TextColumn)  # a text may contain the target
        ]
        return leak_remarks(columns, self.y)

    def _strong(self, rows: Prepared) -> list[str]:
        return [
            f"column {printable(note.name)!r}: "
            + (f"{note.treatment}; " if note.treatment.startswith("left out") else "")
            + note.doubt
            for note in rows.encoder.notes_
            if note.doubt
        ]  # fmt: skip


def _row_numbers(rows: Any) -> NDArray[Any]:
    """Row numbers, or a mask, as an index; of no rows too."""
    array = np.asarray(rows)
    return array if array.size else array.astype(np.int64)
