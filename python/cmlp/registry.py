"""What there is, by name: the core's lists of activations, losses, initialisers, optimizers and metrics."""

from __future__ import annotations

from cmlp import _core


def activations() -> list[str]:
    """Return the names of the activations.

    Examples
    --------
    >>> import cmlp
    >>> cmlp.activations()[:4]
    ['identity', 'sigmoid', 'tanh', 'relu']
    """
    return [row["name"] for row in _core.activations()]


def losses() -> list[str]:
    """Return the names of the losses.

    Examples
    --------
    >>> import cmlp
    >>> "cross_entropy" in cmlp.losses()
    True
    """
    return [row["name"] for row in _core.losses()]


def initializers() -> list[str]:
    """Return the names of the initialisers; layers also take ``"auto"``.

    Examples
    --------
    >>> import cmlp
    >>> "xavier_uniform" in cmlp.initializers()
    True
    """
    return [row["name"] for row in _core.initializers()]


def optimizers() -> list[str]:
    """Return the names of the optimizers.

    Examples
    --------
    >>> import cmlp
    >>> "adam" in cmlp.optimizers()
    True
    """
    return [row["name"] for row in _core.optimizers()]


def schedules() -> list[str]:
    """Return the names of the schedules; their classes are in ``cmlp.optim.lr_scheduler``.

    Examples
    --------
    >>> import cmlp
    >>> "one_cycle" in cmlp.schedules()
    True
    """
    return [row["name"] for row in _core.schedules()]


def metrics() -> list[str]:
    """Return the names of the metrics that ``fit`` and ``evaluate`` take.

    Examples
    --------
    >>> import cmlp
    >>> "accuracy" in cmlp.metrics()
    True
    """
    return [row["name"] for row in _core.metrics()]
