"""The state of an optimizer taken over: all of it, or none where a part of it does not fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cmlp.nn.parameter import checked
from cmlp.optim.settings import SETTINGS

if TYPE_CHECKING:
    from cmlp.optim.optimizers import Optimizer

_NAME = "load_state_dict"


def load_state(optimizer: Optimizer, state: Mapping[str, Any]) -> None:
    """Take over a state; raise ValueError and change nothing where it is of another optimizer."""
    groups, core, networks = optimizer.param_groups, optimizer._core, optimizer._networks()
    if state["name"] != optimizer.name or len(state["groups"]) != len(groups):
        raise ValueError(f"{_NAME}: the state is of '{state['name']}' with {len(state['groups'])} groups")
    memory = [tuple(map(float, numbers)) for numbers in _values(state, "memory", len(groups))]
    joined, steps = list(map(int, _values(state, "joined", len(groups)))), int(state["steps"])
    initial = state.get("initial", {})  # states of versions before 0.2 have neither it nor passes
    initial = {key: list(map(float, _values(initial, key, len(groups)))) for key in initial}
    passes = list(map(int, _values(state, "passes", len(networks)))) if "passes" in state else []
    _set_settings_and_arrays(optimizer, state["groups"], state["state"])
    for i, (numbers, begun) in enumerate(zip(memory, joined, strict=True)):
        core.set_memory(numbers, i)
        core.set_joined(begun, i)
    core.steps, optimizer._initial = steps, initial
    for network, count in zip(networks if passes else [], passes, strict=True):
        network.step = count


def _values(state: Mapping[str, Any], key: str, count: int) -> Sequence[Any]:
    """Return a part of the state that has a value for each group, or for each network."""
    values: Sequence[Any] = state[key]
    if len(values) != count:
        raise ValueError(f"{_NAME}: '{key}' has {len(values)} values, not {count}")
    return values


def _set_settings_and_arrays(
    optimizer: Optimizer, settings: Sequence[Mapping[str, Any]], arrays: Sequence[Any]
) -> None:
    """Set the settings, which decide how many arrays there are, and these; or leave all as before."""
    groups, names = optimizer.param_groups, SETTINGS[optimizer.name]
    core: Any = optimizer._core
    before = [{name: group[name] for name in names} for group in groups]
    kept = [array.copy() for array in core.state()]
    try:
        for group, own in zip(groups, settings, strict=True):
            group.update(own)
        values = _arrays(core.state(), arrays)
    except Exception:
        for group, own in zip(groups, before, strict=True):
            group.update(own)
        values = kept
        raise
    finally:
        for array, value in zip(core.state(), values, strict=True):
            array[...] = value


def _arrays(own: Sequence[Any], given: Sequence[Any]) -> list[Any]:
    """Return the state's arrays; raise ValueError unless they have the shapes of the optimizer's own."""
    name = f"{_NAME}: the state is of other parameters"
    if len(given) != len(own):
        raise ValueError(f"{name}: {len(given)} arrays, not {len(own)}")
    pairs = enumerate(zip(own, given, strict=True))
    return [checked(value, array.shape, f"state[{i}]", name) for i, (array, value) in pairs]
