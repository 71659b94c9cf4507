"""What moves the weights of an estimator by batches: optimizers as scikit-learn sets them."""

from __future__ import annotations

from typing import Any

from cmlp import nn, optim


def learns_in_parts(estimator: Any) -> bool:
    """Return True for a solver that goes by batches; raise AttributeError for one that does not."""
    if estimator.solver == "lbfgs":
        raise AttributeError("partial_fit: solver='lbfgs' sees all rows at once")
    return True


def make_optimizer(estimator: Any, net: nn.Sequential) -> optim.Optimizer:
    """Return the optimizer of ``solver``: a name, or a function of (parameters, lr)."""
    parameters, lr = net.parameters(), float(estimator.learning_rate_init)
    if callable(estimator.solver):
        made: Any = estimator.solver(parameters, lr=lr)
        if not isinstance(made, optim.Optimizer):
            raise ValueError(f"solver: {made!r} is not an optimizer of cmlp.optim that goes by batches")
        return made
    if estimator.solver == "sgd":
        momentum = float(estimator.momentum)
        nesterov = bool(estimator.nesterovs_momentum) and momentum > 0
        return optim.SGD(parameters, lr, momentum, nesterov=nesterov, velocity_mode="keras")
    if estimator.solver == "adam":
        betas = float(estimator.beta_1), float(estimator.beta_2)
        return optim.Adam(parameters, lr, betas, float(estimator.epsilon), eps_mode="keras")
    return optim.Optimizer(parameters, estimator.solver, lr=lr)


# The parameters that a change of makes another solver.
_SETTINGS = (
    *("solver", "learning_rate", "learning_rate_init", "power_t", "momentum", "nesterovs_momentum"),
    *("beta_1", "beta_2", "epsilon", "schedule"),
)


class Solver:
    """An optimizer with scikit-learn's schedule of the learning rate; it can be pickled and copied."""

    def __init__(self, estimator: Any, net: nn.Sequential) -> None:
        self.settings: list[Any] = settings_of(estimator)
        self.mode: str = estimator.learning_rate if estimator.solver == "sgd" else "constant"
        self.initial: float = float(estimator.learning_rate_init)
        self.power: float = float(estimator.power_t)
        self.kept: dict[str, Any] | None = None  # the state of an optimizer that is not there any more
        self.optimizer: optim.Optimizer | None = make_optimizer(estimator, net)
        self.scheduler: Any = _scheduler(estimator, self.optimizer)

    def detach(self) -> None:
        """Keep the state alone, for an optimizer over another network."""
        self.__dict__.update(self.__getstate__())

    def attach(self, estimator: Any, net: nn.Sequential) -> None:
        """Have an optimizer over this network again, after `detach` or in a copy."""
        if self.optimizer is None and self.kept is not None:
            self.optimizer = make_optimizer(estimator, net)
            self.scheduler = _scheduler(estimator, self.optimizer)
            if self.scheduler is not None:
                self.scheduler.load_state_dict(self.kept["scheduler"])
            self.optimizer.load_state_dict(self.kept)

    @property
    def learning_rate(self) -> float:
        """Of the next step, before Adam's corrections."""
        if self.optimizer is not None:
            return self.optimizer.lr
        return float(self.kept["groups"][0]["lr"])  # type: ignore[index]

    def __getstate__(self) -> dict[str, Any]:
        kept = self.kept
        if self.optimizer is not None:
            scheduler = None if self.scheduler is None else self.scheduler.state_dict()
            kept = {**self.optimizer.state_dict(), "scheduler": scheduler}
        return {**self.__dict__, "optimizer": None, "scheduler": None, "kept": kept}


def settings_of(estimator: Any) -> list[Any]:
    """Return what a solver is made from."""
    return [getattr(estimator, name) for name in _SETTINGS]


def _scheduler(estimator: Any, optimizer: optim.Optimizer) -> Any:
    return None if estimator.schedule is None else estimator.schedule(optimizer)
