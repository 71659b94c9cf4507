"""The work of a tabular fit: split, encode, train what the preset tries, score, and describe it."""

import time as clock
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cmlp import nn
from cmlp.tabular import scores as scoring
from cmlp.tabular.columns import TextColumn
from cmlp.tabular.encoder import TableEncoder, check_finite
from cmlp.tabular.errors import TableError, printable
from cmlp.tabular.fitting import NoModelError, Outcome, Rows, fit_network, training_record
from cmlp.tabular.labelled import LabelledTable
from cmlp.tabular.leaks import leak_remarks
from cmlp.tabular.recipe import Recipe, batch_size_for, build_network, describe_network
from cmlp.tabular.scores import Scores
from cmlp.tabular.split import folds, split_groups, split_rows, split_time
from cmlp.tabular.target import Target

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
        With a line on the network, its recipe; returns a context manager that gives the observer of epochs.
    trained : callable
        With the outcome and the recipe.
    """

    prepared: Callable[["Prepared"], None] = lambda prepared: None
    network: Callable[[str, Recipe], Any] | None = None
    trained: Callable[[Outcome, Recipe], None] = lambda outcome, recipe: None


@dataclass(frozen=True)
class Prepared:
    """A table in numbers.

    Parameters
    ----------
    encoder : TableEncoder
        The preprocessing, fitted to the training rows.
    target : Target
        The target.
    train, validation : Rows
        Validation rows are the training rows when none are held out.
    held_out : bool
        Whether validation rows are held out.
    left_out : int
        Rows without a target.
    """

    encoder: TableEncoder
    target: Target
    train: Rows
    validation: Rows
    held_out: bool
    left_out: int


@dataclass
class Result:
    """What a job gives."""

    encoder: TableEncoder
    target: Target
    net: nn.Sequential
    record: dict[str, Any]
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
        self.data: LabelledTable = data
        self.known: NDArray[np.int64] = np.flatnonzero(data.cells.array.is_valid())
        self.model: Any = model
        self.observers = observers or Observers()
        self.left_out: int = len(data.table) - len(self.known)
        self.weight, self.groups, self.time = (
            None if v is None else v[self.known] for v in (data.weight, data.groups, data.time)
        )
        if len(self.known) == 1:
            raise TableError("the table has 1 sample with a target: nothing to learn")
        check_finite(data.table, dict(model.types or {}))
        self.target: Target = Target.fit(data.name, data.cells, model._task)
        self.y: Any = self.target.encode(data.cells.array.drop_null())
        self.trainings_left: int = 1
        self.metric: str | None = model.metric
        if self.metric is not None and self.metric not in METRICS[model._task]:
            raise TableError(f"unknown metric {self.metric!r}; choose from {', '.join(METRICS[model._task])}")
        self.stop_at: float | None = (
            None if model.time_limit is None else clock.monotonic() + model.time_limit
        )

    def run(self) -> Result:
        """Train and score."""
        return self._cross_validated() if self.model.cv else self._held_out()

    def _held_out(self) -> Result:
        rows = self._prepare(self._split())
        self.observers.prepared(rows)
        first, *others = self.model._recipes()
        self.trainings_left = 1 + len(others)
        trained = [self._train(rows, first)]
        for recipe in others:
            if not self._late() and not trained[-1][1].interrupted:
                trained.append(self._train(rows, recipe))
        net, outcome, recipe = min(trained, key=lambda one: one[1].best_value)
        outputs = net.predict(rows.validation.x)
        return self._result(rows, net, outcome, recipe, outputs, rows.validation)

    def _cross_validated(self) -> Result:
        """Scores from folds; the model is trained on all rows for the middle of the folds' best epochs."""
        recipe, *others = self.model._recipes()
        if others:
            raise TableError(
                f"preset {self.model.preset!r} compares {1 + len(others)} networks on one set of "
                "validation rows, which cv does not have: choose another preset, or leave cv out"
            )
        splits = folds(len(self.y), self.model.cv, recipe.seed, self._classes(), self.groups, self.time)
        outputs, scored, epochs = (
            np.empty((len(self.y), self.target.outputs)),
            np.zeros(len(self.y), bool),
            [],
        )
        everything = self._prepare(np.ones(len(self.y), bool))
        self.observers.prepared(everything)
        self.trainings_left = len(splits) + 1
        for k, (_, held) in enumerate(splits):
            train = np.ones(len(self.y), bool)
            train[held] = False
            if self.time is not None:
                train &= self.time < self.time[held].min()
            rows = self._prepare(train, held)
            net, outcome, _ = self._train(rows, recipe)
            if outcome.interrupted:
                raise NoModelError(f"stopped in fold {k + 1} of {len(splits)}")
            outputs[held], scored[held] = net.predict(rows.validation.x), True
            epochs.append(outcome.best_epoch)
        final = replace(recipe, epochs=max(1, int(np.median(epochs))))
        net, outcome, _ = self._train(everything, final)
        held_out = self._rows(everything.validation.x, scored)
        return self._result(everything, net, outcome, final, outputs[scored], held_out)

    def _late(self) -> bool:
        return self.stop_at is not None and clock.monotonic() > self.stop_at

    def _share_of_time(self) -> float | None:
        """Seconds of the next training: an equal share of those that remain."""
        left, self.trainings_left = self.trainings_left, self.trainings_left - 1
        return None if self.stop_at is None else max((self.stop_at - clock.monotonic()) / left, 0.01)

    def _classes(self) -> NDArray[Any] | None:
        return self.y if self.target.classes else None

    def _split(self) -> NDArray[np.bool_]:
        share, seed = self.model.validation, self.model._recipes()[0].seed
        if self.time is not None:
            return split_time(self.time, share)
        if self.groups is not None:
            return split_groups(self.groups, share, seed)
        return split_rows(len(self.y), share, seed, self._classes())

    def _rows(self, x: Any, rows: Any) -> Rows:
        return Rows(x[rows], self.y[rows], None if self.weight is None else self.weight[rows])

    def _prepare(self, train: NDArray[np.bool_], held: Any = None) -> Prepared:
        chosen = np.zeros(len(self.data.table), bool)
        chosen[self.known[train]] = True
        rows = self.data.table.filter(pa.array(chosen))
        encoder = TableEncoder(self.model.types).fit_table(rows, self.data.habits)
        x = encoder.encode(self.data.table)[0]
        x = x[self.known] if self.left_out else x
        held_out = not train.all()
        held = (~train if held_out else train) if held is None else held
        return Prepared(
            encoder, self.target, self._rows(x, train), self._rows(x, held), held_out, self.left_out
        )

    def _train(self, rows: Prepared, recipe: Recipe) -> tuple[nn.Sequential, Outcome, Recipe]:
        recipe = (
            recipe if recipe.batch_size else replace(recipe, batch_size=batch_size_for(len(rows.train.y)))
        )
        inputs = rows.train.x.shape[1]
        net = build_network(inputs, self.target.outputs, recipe)
        options: dict[str, Any] = {
            "loss": "cross_entropy" if self.target.classes else "mse",
            "class_weight": self.model.class_weight,
            "metric": None if self.metric is None else self._monitored,
            "n_threads": self.model.n_threads,
            "time_limit": self._share_of_time(),
        }
        validation = rows.validation if rows.held_out else None
        if self.observers.network is None:
            outcome = fit_network(net, rows.train, validation, recipe, **options)
        else:
            text = describe_network(inputs, self.target.outputs, recipe)
            with self.observers.network(text, recipe) as observer:
                outcome = fit_network(net, rows.train, validation, recipe, observer=observer, **options)
        self.observers.trained(outcome, recipe)
        return net, outcome, recipe

    def _monitored(self, y: NDArray[Any], outputs: NDArray[Any]) -> float:
        """The metric of the validation rows, the lower the better; of two classes, at its best threshold."""
        assert self.metric is not None
        target = self._with_threshold(y, outputs) if self.target.classes else self.target
        value = score(target, y, outputs, None, self._positive())[self.metric]
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

    def _result(
        self,
        rows: Prepared,
        net: nn.Sequential,
        outcome: Outcome,
        recipe: Recipe,
        outputs: Any,
        held_out: Rows,
    ) -> Result:
        target = self._with_threshold(held_out.y, outputs) if self.target.classes else self.target
        scores = score(target, held_out.y, outputs, held_out.weight, self._positive())
        record: dict[str, Any] = {
            "rows": len(rows.train.y),
            "scored_on": len(held_out.y),
            "scored": "folds" if self.model.cv else "held out" if rows.held_out else "training rows",
            "scores": scores,
            "baseline": baseline(target, rows.train.y, held_out, self._positive()),
            **training_record(outcome, recipe),
        }
        if not target.classes and record["scored"] != "training rows":
            record["residuals"] = _residuals(held_out.y[:, 0] - outputs[:, 0])
        if len(target.classes) == 2:
            record |= {"rare_class": target.classes[self._positive()], "threshold": target.threshold}
        return Result(
            rows.encoder,
            target,
            net,
            record,
            [*self.data.cells.remarks, *self._leaks(rows), *self._strong(rows)],
        )

    def _leaks(self, rows: Prepared) -> list[str]:
        columns, start = [], 0
        for column in rows.encoder.columns_:
            width = len(column.features)
            if not isinstance(column, TextColumn):  # a text may contain the target
                columns.append((column.name, rows.train.x[:, start : start + width]))
            start += width
        return leak_remarks(columns, rows.train.y)

    def _strong(self, rows: Prepared) -> list[str]:
        return [
            f"column {printable(note.name)!r}: "
            + (f"{note.treatment}; " if note.treatment.startswith("left out") else "")
            + note.doubt
            for note in rows.encoder.notes_
            if note.doubt
        ]  # fmt: skip


def _residuals(errors: NDArray[Any]) -> list[float]:
    """101 quantiles of what the held-out rows lie above their predictions, in the network's scale."""
    return [float(value) for value in np.quantile(errors.astype(np.float64), np.linspace(0, 1, 101))]


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
