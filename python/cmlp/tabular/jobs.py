"""The work of a tabular fit: encode, train what the preset tries, calibrate, score, and describe it."""

import time as clock
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from cmlp import nn
from cmlp.tabular import scores as scoring
from cmlp.tabular.calibration import temperature
from cmlp.tabular.columns import TextColumn
from cmlp.tabular.encoder import TableEncoder, check_finite
from cmlp.tabular.errors import TableError, printable
from cmlp.tabular.fitting import Rows, training_record
from cmlp.tabular.labelled import LabelledTable
from cmlp.tabular.leaks import leak_remarks
from cmlp.tabular.members import Data, Member, Settings, combine, held_out_outputs
from cmlp.tabular.network import Inputs
from cmlp.tabular.scores import Scores
from cmlp.tabular.search import Search
from cmlp.tabular.split import Rules, Splits, make_splits
from cmlp.tabular.target import Target

# Of two classes, the rarer one with fewer rows than this share has a threshold of its own.
RARE = 0.2
# ... when so many of the scored rows are of it: a threshold from fewer rows would be chance.
ENOUGH = 10
# Held-out rows that a model keeps in memory, for importances.
MEASURED = 2000
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


@dataclass
class Result:
    """What a job gives."""

    encoder: TableEncoder
    target: Target
    net: nn.Sequential
    record: dict[str, Any]
    out_of_fold: NDArray[np.float64]
    held_out: Rows
    remarks: list[str] = field(default_factory=list)


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
        self.metric: str | None = model.metric
        if self.metric is not None and self.metric not in METRICS[model._task]:
            raise TableError(f"unknown metric {self.metric!r}; choose from {', '.join(METRICS[model._task])}")
        self.stop_at: float | None = (
            None if model.time_limit is None else clock.monotonic() + model.time_limit
        )

    def run(self) -> Result:
        """Train and score."""
        model = self.model
        rows, seed = self._of_known, model._seed()
        splits = make_splits(
            Rules(model.validation, model.cv, seed, model._preset().members),
            self.y if self.target.classes else None,
            len(self.y),
            rows(self.table.groups),
            rows(self.table.time),
            rows(self.table.validates),
        )
        prepared = self._prepare()
        self.observers.prepared(prepared)
        return self._result(prepared, *self._train(prepared.data, splits, seed))

    def _of_known(self, values: Any) -> Any:
        """Of values of all rows, those of the rows with a target."""
        return None if values is None else values[self.known]

    def _prepare(self) -> Prepared:
        rows = self.table.table.take(self.known) if self.left_out else self.table.table
        encoder = TableEncoder(self.model.types).fit_table(rows, self.table.habits)
        x = encoder.encode(self.table.table)[0]
        x = x[self.known] if self.left_out else x
        inputs = Inputs(x.shape[1], tuple(encoder.continuous_), sp.issparse(x))
        data = Data(x, self.y, self._of_known(self.table.weight), inputs, self.target.outputs)
        return Prepared(encoder, self.target, data, self.left_out)

    def _train(self, data: Data, splits: Splits, seed: int) -> tuple[list[Member], list[float]]:
        settings = Settings(
            loss="cross_entropy" if self.target.classes else "mse",
            metric=None if self.metric is None else self._monitored,
            class_weight=self.model.class_weight,
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

    def _result(self, rows: Prepared, members: list[Member], weights: list[float]) -> Result:
        data = rows.data
        outputs, scored = held_out_outputs(members, len(self.y), data.outputs)
        factor = 1.0
        if not scored.any():
            chosen, where = np.arange(len(self.y)), "training rows"
            outputs = np.asarray(members[0].net.predict(data.x), np.float64)
        else:
            chosen, where = np.flatnonzero(scored), "folds" if self.model.cv else "held out"
            if self.target.classes:
                weight = None if data.weight is None else data.weight[chosen]
                factor = temperature(outputs[chosen], self.y[chosen], weight)
        outputs, held_out = outputs[chosen] * factor, data.rows(chosen)
        target = self._with_threshold(held_out.y, outputs) if self.target.classes else self.target
        train_y = self.y[members[0].training.train]
        record: dict[str, Any] = {
            "rows": len(self.y) if self.model.cv else len(train_y),
            "scored_on": len(chosen),
            "scored": where,
            "scores": score(target, held_out.y, outputs, held_out.weight, self._positive()),
            "baseline": baseline(target, train_y, held_out, self._positive()),
            **members_record(members),
        }
        if not target.classes and scored.any():
            record["residuals"] = residual_quantiles(held_out.y[:, 0] - outputs[:, 0])
        if len(target.classes) == 2:
            record |= {"rare_class": target.classes[self._positive()], "threshold": target.threshold}
        everywhere = np.full((len(self.table.table), data.outputs), np.nan)
        if scored.any():
            everywhere[self.known[chosen]] = outputs
        net = combine(members, [weight * factor for weight in weights])
        remarks = [*self.table.cells.remarks, *self._leaks(rows), *self._strong(rows)]
        return Result(rows.encoder, target, net, record, everywhere, _some(held_out), remarks)

    def _leaks(self, rows: Prepared) -> list[str]:
        columns, start = [], 0
        for column in rows.encoder.columns_:
            width = len(column.features)
            if not isinstance(column, TextColumn):  # a text may contain the target
                columns.append((column.name, rows.data.x[:, start : start + width]))
            start += width
        return leak_remarks(columns, self.y)

    def _strong(self, rows: Prepared) -> list[str]:
        return [
            f"column {printable(note.name)!r}: "
            + (f"{note.treatment}; " if note.treatment.startswith("left out") else "")
            + note.doubt
            for note in rows.encoder.notes_
            if note.doubt
        ]  # fmt: skip


def _some(rows: Rows) -> Rows:
    """At most so many of the rows as importances are measured on."""
    chosen = np.sort(np.random.default_rng(0).permutation(len(rows.y))[:MEASURED])
    return Rows(rows.x[chosen], rows.y[chosen], None if rows.weight is None else rows.weight[chosen])


def members_record(members: list[Member]) -> dict[str, Any]:
    """What a model file keeps of the training of its networks, as JSON types."""
    records = [training_record(member.outcome) for member in members]
    first = members[0]
    return {
        **records[0],
        "networks": len(members),
        "epochs": max(record["epochs"] for record in records),
        "best_epoch": int(np.median([record["best_epoch"] for record in records])),
        "best_loss": float(np.mean([record["best_loss"] for record in records])),
        "seconds": round(sum(record["seconds"] for record in records), 3),
        "interrupted": any(record["interrupted"] for record in records),
        "recipe": asdict(first.training.recipe.sized(len(first.training.train))),
    }


def residual_quantiles(errors: NDArray[Any]) -> list[float]:
    """101 quantiles of what the held-out rows lie above their predictions, in the network's scale.

    Each is one that so many of new rows stay below, at least: of n rows, the k-th has the level k / (n + 1).
    """
    ordered, n = np.sort(errors.astype(np.float64)), len(errors)
    places = np.clip(np.linspace(0, 1, 101) * (n + 1) - 1, 0, n - 1)
    return [float(value) for value in np.interp(places, np.arange(n), ordered)]


def score(
    target: Target, y: NDArray[Any], outputs: NDArray[Any], weight: Any = None, positive: int = 1
) -> Scores:
    """Scores of a network's outputs on encoded targets."""
    if target.classes:
        shares = scoring.probabilities(outputs)
        return scoring.classification_scores(
            y, shares, predicted=target.choose(shares), positive=positive, weight=weight
        )
    true = target.decode(y[:, 0])
    return scoring.regression_scores(true, target.decode(outputs[:, 0]), weight)


def baseline(target: Target, train_y: NDArray[Any], held_out: Rows, positive: int) -> Scores:
    """Scores of the class shares of the training rows, or of their mean."""
    if target.classes:
        shares = scoring.class_shares(train_y, target.outputs, len(held_out.y))
        return scoring.classification_scores(held_out.y, shares, positive=positive, weight=held_out.weight)
    true, mean = target.decode(held_out.y[:, 0]), target.decode(train_y[:, 0]).mean()
    return scoring.regression_scores(true, np.full(len(true), mean), held_out.weight)
