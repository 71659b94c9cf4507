"""What a resumed fit must have in common with the one that wrote the file: settings by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cmlp.nn.sequential import Sequential
    from cmlp.training.early_stopping import EarlyStopping
    from cmlp.training.options import FitOptions
    from cmlp.training.resume import FitCheckpoint, TrainingParts
    from cmlp.training.run import Rule


def rule_settings(parts: TrainingParts) -> dict[str, str]:
    """Return the settings of the optimizer as the fit begins, of the schedulers and of the callbacks."""
    rule = parts.rule
    groups = [{key: value for key, value in group.items() if key != "params"} for group in rule.param_groups]
    initial = getattr(rule, "_initial", {})
    for setting, values in initial.items():
        for group, value in zip(groups, values, strict=True):
            if setting in group:
                group[setting] = value
    return {
        "optimizer": type(rule).__name__,
        "the settings of the optimizer": repr(groups),
        "scheduler": repr(parts.schedules.settings()),
        "callbacks with a state": ", ".join(parts.observed.names()),
    }


def settings_of(
    options: FitOptions, loss: Any, stopping: EarlyStopping | None, **others: Any
) -> dict[str, str]:
    """Return the settings of a fit that its bits depend on, by name; None and 0 are the same: off."""
    values = {
        **vars(options.batching),
        **vars(options.step),
        "loss": (loss.name, loss.settings, loss.reduction),
        "early_stopping": stopping,
        **others,
    }
    return {name: repr(value or None) for name, value in values.items()}


def check_same(checkpoint: FitCheckpoint, found: Sequential, settings: Mapping[str, str]) -> None:
    """Raise ValueError that names what differs between this fit and the one that wrote the file."""
    own, net = dict(checkpoint.settings), checkpoint.parts.net
    if _is_used(checkpoint.parts.rule):  # its settings may be those after a fit
        own["the settings of the optimizer"] = settings["the settings of the optimizer"]
    found_differences = differences(own, settings)
    for name, here, there in (
        ("the layers", net._core.layers(), found._core.layers()),
        ("the seed of the network", net._core.seed, found._core.seed),
        ("the dtype of the network", net.dtype.name, found.dtype.name),
        ("the precision of the network", net.precision, found.precision),
    ):
        if here != there:
            found_differences.append(f"{name}: {here} here, {there} in the file")
    refuse(checkpoint.path, found_differences)


def differences(own: Mapping[str, str], settings: Mapping[str, str]) -> list[str]:
    """Return what differs between settings and those of a file, in words."""
    return [
        f"{name} is {value}, that of the file {settings.get(name, 'None')}"
        for name, value in own.items()
        if value != settings.get(name, "None")
    ]


def refuse(path: str, found: Sequence[str]) -> None:
    """Raise ValueError where anything differs."""
    if found:
        raise ValueError(
            f"fit: resume: {path} is of another training: {'; '.join(found)}. Give the same arguments,"
            " another path, or resume=False to begin again"
        )


def _is_used(rule: Rule) -> bool:
    return bool(getattr(rule._core, "steps", 0))
