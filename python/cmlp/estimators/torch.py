"""A network as PyTorch's own modules."""

from __future__ import annotations

from typing import Any

import torch

from cmlp import nn

# Arguments of the layers that have no function in evaluation or another name there.
_ARGUMENTS = {
    "Linear": ("in_features", "out_features"),
    "BatchNorm1d": ("num_features", "eps", "momentum"),
    "LayerNorm": ("normalized_shape", "eps"),
    "Dropout": ("p",),
    "GELU": ("approximate",),
}


class Residual(torch.nn.Sequential):  # type: ignore[misc,unused-ignore]
    """``x + f(x)``."""

    def forward(self, x: Any) -> Any:
        """Return the sum."""
        return x + super().forward(x)  # type: ignore[no-untyped-call,unused-ignore]


class Step(torch.nn.Module):  # type: ignore[misc,unused-ignore]
    """1 where the input is positive, else 0; PyTorch has no layer for it."""

    def forward(self, x: Any) -> Any:
        """Return the steps."""
        return (x > 0).to(x.dtype)


def to_torch(net: nn.Sequential) -> Any:
    """Return the same layers with copies of the weights, in evaluation mode."""
    made = torch.nn.Sequential(*map(_module, net))
    state = {name: torch.from_numpy(value) for name, value in net.state_dict().items()}
    made.to(next(iter(state.values())).dtype)
    _, unexpected = made.load_state_dict(state, strict=False)
    if unexpected:
        raise ValueError(f"get_torch: PyTorch's layers have no {', '.join(unexpected)}")
    return made.eval()


def _module(module: nn.Module) -> Any:
    kind = type(module).__name__
    if isinstance(module, nn.Residual):
        return Residual(*map(_module, module))
    settings = getattr(module, "settings", None) if isinstance(module, nn.Activation) else None
    if settings is None or kind in _ARGUMENTS:
        settings = {name: getattr(module, name) for name in _ARGUMENTS[kind]}
    return Step() if kind == "Step" else getattr(torch.nn, kind)(**settings)
