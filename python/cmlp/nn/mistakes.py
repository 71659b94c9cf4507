"""The classic mistakes: a last layer that does not fit the loss, said once a network with the remedy."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cmlp.nn.losses.base import Loss
    from cmlp.nn.module import Module

_NO_CHANGE = ("Identity", "Flatten", "Dropout", "AlphaDropout")
_PROBABILITIES = ("Sigmoid", "Hardsigmoid", "Softmax", "Step")

# loss: (last layers that fit, None: all but the next), (those that do not), what is wrong and the remedy
_RULES: dict[str, tuple[tuple[str, ...] | None, tuple[str, ...], str]] = {
    "bce": (
        (*_PROBABILITIES, "Hardtanh", "ReLU6"),
        (),
        "'bce' takes probabilities: end the network with nn.Sigmoid(), or use 'bce_with_logits'",
    ),
    "bce_with_logits": (
        None,
        (*_PROBABILITIES, "LogSigmoid", "LogSoftmax"),
        "'bce_with_logits' applies the sigmoid itself: leave the last layer out, or use 'bce'",
    ),
    "binary_focal": (
        None,
        (*_PROBABILITIES, "LogSigmoid", "LogSoftmax"),
        "'binary_focal' applies the sigmoid itself: leave the last layer out",
    ),
    "cross_entropy": (
        None,
        (*_PROBABILITIES, "LogSigmoid"),
        "'cross_entropy' applies the softmax itself: leave the last layer out",
    ),
    "focal": (
        None,
        (*_PROBABILITIES, "LogSigmoid"),
        "'focal' applies the softmax itself: leave the last layer out",
    ),
    "nll": (
        None,
        _PROBABILITIES,
        "'nll' takes log-probabilities: end the network with nn.LogSoftmax(), or use 'cross_entropy'",
    ),
    "kl_div": (
        None,
        _PROBABILITIES,
        "'kl_div' takes log-probabilities: end the network with nn.LogSoftmax()",
    ),
}


def warn_of_last_layer(net: Any, loss: Loss, function: str, stacklevel: int = 3) -> None:
    """Warn, once a network and loss, when the last layer does not fit the loss.

    Parameters
    ----------
    net : Module
    loss : Loss
    function : str
        Named in the warning: "fit".
    stacklevel : int, default 3
        As :func:`warnings.warn` counts it, from here: 3 is the caller of the function that calls this.
    """
    if loss.name not in _RULES or loss.name in net._compared:
        return
    net._compared.add(loss.name)
    fitting, unfit, remedy = _RULES[loss.name]
    last = _last_layer(net)
    if last in unfit or (fitting is not None and last not in fitting):
        warnings.warn(
            f"{function}: the network ends with {last}; {remedy}", UserWarning, stacklevel=stacklevel
        )


def _last_layer(net: Module) -> str:
    """Return the class of the last layer that changes its input."""
    for module in reversed(list(net._children())):
        name = _last_layer(module) if module._is_sequence else type(module).__name__
        if name not in _NO_CHANGE:
            return name
    return "Identity"
