"""What a fit gives: calibrated outputs on the held-out rows, their scores, and the record for the file."""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cmlp import nn
from cmlp.tabular import scores as scoring
from cmlp.tabular.calibration import log_loss, temperature
from cmlp.tabular.encoder import TableEncoder
from cmlp.tabular.fitting import Rows, training_record
from cmlp.tabular.scores import Scores
from cmlp.tabular.target import Target
from cmlp.tabular.training import Data, Member

# Held-out rows that a model keeps in memory, for importances.
MEASURED = 2000


@dataclass
class Result:
    """What a job gives.

    Parameters
    ----------
    encoder, target, net : TableEncoder, Target, cmlp.nn.Sequential
        The parts of the model.
    record : dict
        JSON types: scores, and how training went.
    out_of_fold : numpy.ndarray
        Outputs of every row of the caller's table by networks that did not train on it, (rows, outputs), NaN
        where there is none.
    held_out : Rows
        Some of the rows that were held out.
    remarks : list of str
        What is doubtful about the data.
    """

    encoder: TableEncoder
    target: Target
    net: nn.Sequential
    record: dict[str, Any]
    out_of_fold: NDArray[np.float64]
    held_out: Rows
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class HeldOut:
    """Outputs on the rows that networks did not train on; on all rows where none were held out.

    Parameters
    ----------
    rows : Rows
        The rows.
    places : numpy.ndarray
        Their numbers among those with a target, (rows,).
    outputs : numpy.ndarray
        Times `factor`, within the range of the training rows, (rows, outputs).
    factor : float
        1 / temperature of the probabilities; 1 for a quantity.
    apart : bool
        Whether they were held out.
    train_y : numpy.ndarray
        Targets of the rows that the first network trained on.
    """

    rows: Rows
    places: NDArray[np.int64]
    outputs: NDArray[np.float64]
    factor: float
    apart: bool
    train_y: NDArray[Any]

    def sample(self) -> Rows:
        """At most so many of the rows as importances are measured on."""
        chosen = np.sort(np.random.default_rng(0).permutation(len(self.places))[:MEASURED])
        x, y, weight = self.rows
        return Rows(x[chosen], y[chosen], None if weight is None else weight[chosen])


def held_out_rows(data: Data, members: list[Member], target: Target) -> HeldOut:
    """The rows that were held out, with the members' mean outputs, calibrated on them."""
    total, count = np.zeros((len(data.y), data.outputs)), np.zeros(len(data.y))
    for member in members:
        total[member.training.held] += member.outputs
        count[member.training.held] += 1
    places, apart = np.flatnonzero(count), bool(count.any())
    if apart:
        outputs = total[places] / count[places, None]
    else:
        places = np.arange(len(data.y))
        outputs = np.mean([member.net.predict(data.x) for member in members], axis=0, dtype=np.float64)
    rows, factor = data.rows(places), 1.0
    if apart and target.classes:
        factor = temperature(outputs, rows.y, data.training_rows(places).weight)
    train_y = data.y[members[0].training.train]
    return HeldOut(rows, places, target.within(outputs * factor), factor, apart, train_y)


def make_record(
    members: list[Member], held_out: HeldOut, target: Target, positive: int, folded: bool
) -> dict[str, Any]:
    """What a model file keeps of a fit, as JSON types."""
    rows, outputs = held_out.rows, held_out.outputs
    record: dict[str, Any] = {
        "rows": _trained_rows(members) if folded else len(held_out.train_y),
        "scored_on": len(rows.y),
        "scored": "training rows" if not held_out.apart else "folds" if folded else "held out",
        "scores": score(target, rows.y, outputs, rows.weight, positive),
        "baseline": baseline(target, held_out.train_y, rows, positive),
        **_training_of(members),
    }
    if not target.classes and held_out.apart:
        record["residuals"] = _residual_quantiles(rows.y[:, 0] - outputs[:, 0])
    if len(target.classes) == 2:
        record |= {"rare_class": target.classes[positive], "threshold": target.threshold}
    return record


def _trained_rows(members: list[Member]) -> int:
    """How many rows at least one network trained on."""
    return len(np.unique(np.concatenate([member.training.train for member in members])))


def _training_of(members: list[Member]) -> dict[str, Any]:
    """How the networks were trained."""
    records = [training_record(member.outcome) for member in members]
    first = members[0].training
    recipe = first.recipe.sized(len(first.train))
    return {
        **records[0],
        "networks": len(members),
        "epochs": max(record["epochs"] for record in records),
        "best_epoch": int(np.median([record["best_epoch"] for record in records])),
        "best_loss": float(np.mean([record["best_loss"] for record in records])),
        "seconds": round(sum(record["seconds"] for record in records), 3),
        "interrupted": any(record["interrupted"] for record in records),
        "recipe": {**asdict(recipe), "hidden": list(recipe.hidden)},
    }


def _residual_quantiles(errors: NDArray[Any]) -> list[float]:
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


def main_loss(target: Target, y: NDArray[Any], outputs: NDArray[Any], weight: Any = None) -> float:
    """The log loss of classes or the RMSE of a quantity: what importances are measured by."""
    if target.classes:
        return log_loss(np.asarray(outputs, np.float64), y, weight)
    return score(target, y, outputs, weight)["RMSE"]


def baseline(target: Target, train_y: NDArray[Any], held_out: Rows, positive: int) -> Scores:
    """Scores of the class shares of the training rows, or of their mean."""
    if target.classes:
        shares = scoring.class_shares(train_y, target.outputs, len(held_out.y))
        return scoring.classification_scores(held_out.y, shares, positive=positive, weight=held_out.weight)
    true, mean = target.decode(held_out.y[:, 0]), target.decode(train_y[:, 0]).mean()
    return scoring.regression_scores(true, np.full(len(true), mean), held_out.weight)
