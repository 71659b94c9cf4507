"""Millions of calls of `cmlp._core` with wrong arguments: python core_calls.py SEED CALLS SHARED.

Calls that the package makes are recorded, then made again with some arguments replaced or changed. Each call
is written into SHARED, a file mapped into memory, before it is made, so that the one that ended the process
has a name.
"""

from __future__ import annotations

import contextlib
import mmap
import random
import re
import resource
import signal
import struct
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cmlp import _core

KINDS = (TypeError, ValueError, IndexError, KeyError, OverflowError, MemoryError, RuntimeError, BufferError,
         AttributeError, FloatingPointError)  # fmt: skip
SECONDS = 1.0  # that a call may take before it is interrupted as by Ctrl-C
MEMORY = 3 << 30
TEXT = 2000  # bytes of SHARED that name a call
NAMES = [name for name in vars(_core) if name[0] != "_"]
# What writes files of any name, ends the teams, or starts any number of threads.
LEFT_OUT = ("save", "shutdown", "in_team")


class InterruptedCallError(Exception):
    """The call took too long."""


class Stranger:
    """An object of a kind that nothing takes."""


class Hostile:
    """An object whose every conversion fails."""

    def __index__(self) -> int:
        raise ValueError("no index")

    __float__ = __len__ = __iter__ = __array__ = __index__  # type: ignore[assignment]


class Recorder:
    """Takes the arguments of the calls of `_core`, by name of the callable; the first few of each."""

    def __init__(self, most: int = 12) -> None:
        self.calls: dict[str, list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]]] = {}
        self._most = most

    def wrap(self, owner: Any, name: str, original: Any, path: str) -> None:
        def recorded(*args: Any, **named: Any) -> Any:
            kept = self.calls.setdefault(path, [])
            if len(kept) < self._most:
                kept.append((owner, args[1:], named) if name == "__init__" else (original, args, named))
            return original(*args, **named)

        setattr(owner, name, recorded)


def callables() -> Iterator[tuple[Any, str, Any, str]]:
    """Every function, method and constructor of `_core` with its owner and its path."""
    for name in NAMES:
        thing = getattr(_core, name)
        if isinstance(thing, type):
            for method, value in vars(thing).items():
                if callable(value) and (method[0] != "_" or method in ("__init__", "__call__")):
                    yield thing, method, value, f"{name}.{method}"
        elif callable(thing) and name not in LEFT_OUT:
            yield _core, name, thing, name


def setters() -> dict[str, Callable[..., Any]]:
    """Return the properties that can be set, as functions."""
    found = {}
    for name in NAMES:
        for attribute, value in (
            vars(getattr(_core, name)).items() if isinstance(getattr(_core, name), type) else ()
        ):
            if isinstance(value, property) and value.fset is not None:
                found[f"{name}.{attribute}"] = value.fset
    return found


def record(scenario: Callable[[], None]) -> Recorder:
    """Run what calls the core, and return the calls."""
    recorder = Recorder()
    originals = list(callables())
    for owner, name, original, path in originals:
        recorder.wrap(owner, name, original, path)
    try:
        scenario()
    finally:
        for owner, name, original, _ in originals:
            setattr(owner, name, original)
    return recorder


class Mutator:
    """Makes wrong arguments of right ones."""

    def __init__(self, chance: random.Random, objects: list[Any]) -> None:
        self._chance = chance
        self._objects = objects

    def value(self) -> Any:
        """Return any value."""
        pick = self._chance.randrange(10)
        if pick < 3:
            return self._chance.choice(self.numbers())
        if pick < 6:
            return self.array()
        if pick < 7:
            return self._chance.choice(self._objects)
        return self._chance.choice(self.others())

    def numbers(self) -> list[Any]:
        """Return numbers of all sizes."""
        return [0, 1, 2, 3, 5, 8, -1, -2, 100, 2**31, 2**53 + 1, 2**62, 2**63 - 1, 2**63, -(2**63),
                2**64, 2**70, 0.5, -0.0, 1e-300, 1e300, -1e30, float("nan"), float("inf"), -float("inf"),
                True, False, np.float32(0.5), np.int64(3), np.uint64(2**63), 1j]  # fmt: skip

    def others(self) -> list[Any]:
        """Return values that are no numbers and no arrays."""
        return [None, "", "relu", "adam", "mse", "cross_entropy", "\0", "ü\ud800", b"", b"cmlp", [], (),
                {}, [None], [1, "a"], {"lr": 1.0}, {1: 2}, {"": None}, Stranger(), Stranger, Hostile(), len,
                lambda *a: 0.5, [[]], [Hostile()], range(3), set(), object]  # fmt: skip

    def array(self) -> Any:
        """Return an array of any shape, type and strides."""
        c = self._chance
        shape = tuple(c.choice((0, 1, 2, 3, 4, 5, 6, 8, 17)) for _ in range(c.choice((0, 1, 1, 2, 2, 2, 3))))
        kind = c.choice(
            ("f4", "f4", "f8", "f8", "i8", "i4", "u1", "?", "f2", "c8", "O", "S3", "M8[s]", ">f4", "V4")
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = np.zeros(shape, kind)
        if made.dtype.kind in "fi" and made.size:
            made[...] = (
                c.choice((0, 1, 2, -1, 3)) if made.dtype.kind == "i" else c.choice((0, 1, -1, np.nan, 1e30))
            )
        change = c.randrange(8)
        if change == 0:
            return made.T
        if change == 1 and made.ndim:
            return made[::-1]
        if change == 2 and made.ndim > 1:
            return made[:, ::2]
        if change == 3:
            made.flags.writeable = False
        if change == 4 and made.ndim and made.dtype.kind == "f":
            return np.lib.stride_tricks.as_strided(made[:1], (4, *made.shape[1:]), (0, *made.strides[1:]))
        return made.tolist() if change == 5 and made.dtype.kind in "fib" else made

    def changed(self, value: Any) -> Any:
        """Return a value like this one, with something changed inside."""
        c = self._chance
        if isinstance(value, dict) and value and c.random() < 0.8:
            new = dict(value)
            key = c.choice(list(new))
            if c.random() < 0.2:
                del new[key]
            else:
                new[key] = self.changed(new[key]) if c.random() < 0.5 else self.value()
            return new
        if isinstance(value, list | tuple) and value and c.random() < 0.8:
            items = list(value)
            at = c.randrange(len(items))
            if c.random() < 0.2:
                del items[at]
            elif c.random() < 0.2:
                items.append(items[at])
            else:
                items[at] = self.changed(items[at]) if c.random() < 0.7 else self.value()
            return type(value)(items) if type(value) in (list, tuple) else items
        if isinstance(value, np.ndarray) and c.random() < 0.6:
            return self.reshaped(value)
        return self.value()

    def reshaped(self, value: Any) -> Any:
        """Return an array cut, widened, turned or of another type."""
        change = self._chance.randrange(6)
        if change == 0 or value.ndim == 0:
            return (
                value.astype(self._chance.choice(("f4", "f8", "i8", "O", "f2")))
                if value.dtype.kind in "fiub"
                else None
            )
        if change == 1:
            return value[: len(value) // 2]
        if change == 2:
            return np.concatenate([value, value])
        if change == 3:
            return value.T
        if change == 4:
            return value[None]
        return value[..., : value.shape[-1] - 1] if value.shape[-1] else value

    def arguments(self, args: tuple[Any, ...], named: dict[str, Any], keep_first: bool) -> Any:
        """Return changed arguments of a call; a method keeps its object."""
        args_list, named = list(args), dict(named)
        places: list[Any] = [*range(keep_first, len(args_list)), *named]
        for _ in range(self._chance.choice((1, 1, 1, 2, 3))):
            if not places:
                break
            where = self._chance.choice(places)
            if isinstance(where, int):
                args_list[where] = self.changed(args_list[where])
            else:
                named[where] = self.changed(named[where])
        if self._chance.random() < 0.03:
            args_list = args_list[:-1] if self._chance.random() < 0.5 else [*args_list, self.value()]
        return args_list, named


def described(value: Any, depth: int = 3) -> str:
    """Write an argument shortly, such as `array(float32, (2, 3))`."""
    if isinstance(value, np.ndarray):
        return f"array({value.dtype}, {value.shape}, {value.strides})"
    if isinstance(value, dict) and depth:
        return "{" + ", ".join(f"{key!r}: {described(v, depth - 1)}" for key, v in value.items()) + "}"
    if isinstance(value, list | tuple) and depth:
        return f"[{', '.join(described(item, depth - 1) for item in value[:6])}]({len(value)})"
    return repr(value)[:60] if isinstance(value, int | float | str | bytes | None) else type(value).__name__


class Runner:
    """Makes the calls and keeps what came out."""

    def __init__(self, seed: int, recorder: Recorder, shared: mmap.mmap) -> None:
        self._chance = random.Random(seed)
        objects = [value for calls in recorder.calls.values() for _, args, _ in calls for value in args
                   if type(value).__module__.endswith("_core")]  # fmt: skip
        self._mutator = Mutator(self._chance, objects)
        self._calls = [(path, calls) for path, calls in sorted(recorder.calls.items())]
        self._calls += self._properties(objects)
        self._shared = shared
        self.found: list[str] = []

    @staticmethod
    def _properties(objects: list[Any]) -> list[tuple[str, Any]]:
        found = []
        for path, setter in setters().items():
            owners = [value for value in objects if type(value).__name__ == path.partition(".")[0]][:3]
            if owners:
                found.append((path, [(setter, (owner, 0), {}) for owner in owners]))
        return found

    def run(self, count: int) -> None:
        """Make so many calls."""
        for k in range(count):
            path, calls = self._chance.choice(self._calls)
            function, args, named = self._chance.choice(calls)
            bad, bad_named = self._mutator.arguments(args, named, "." in path and "__init__" not in path)
            text = f"{path}({described(bad)}, {described(bad_named)})".encode("utf-8", "replace")[:TEXT]
            self._shared[: 12 + len(text)] = struct.pack("<qi", k, len(text)) + text
            self._call(path, function, bad, bad_named, text)
        self._shared[:8] = struct.pack("<q", count)

    def _call(self, path: str, function: Any, args: list[Any], named: dict[str, Any], text: bytes) -> None:
        signal.setitimer(signal.ITIMER_REAL, SECONDS, 0.2)
        try:
            function(*args, **named)
        except InterruptedCallError:
            pass
        except KINDS as error:
            if re.search(r"std::|Unknown", str(error)):
                self.found.append(f"{text.decode()}: {error!r}")
        except SystemError as error:
            if not isinstance(error.__cause__, InterruptedCallError):
                self.found.append(f"{text.decode()}: {error!r}")
        except BaseException as error:  # of a function among the arguments: that is for the caller
            if error.__traceback__ is None or error.__traceback__.tb_next is None:
                self.found.append(f"{text.decode()}: {error!r}")
        finally:
            with contextlib.suppress(InterruptedCallError):
                signal.setitimer(signal.ITIMER_REAL, 0)


def interrupt(number: int, frame: Any) -> None:
    raise InterruptedCallError


def main(seed: int, count: int, shared: str) -> None:
    """Record, then call."""
    from core_scenario import scenario

    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    recorder = record(scenario)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, interrupt)
    with Path(shared).open("r+b") as file:
        runner = Runner(seed, recorder, mmap.mmap(file.fileno(), 12 + TEXT))
        _core.set_num_threads(2)
        runner.run(count)
    missing = {path for *_, path in callables()} - set(recorder.calls)
    print(*sorted(set(runner.found))[:20], sep="\n")
    print("not called:", ", ".join(sorted(missing)))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
