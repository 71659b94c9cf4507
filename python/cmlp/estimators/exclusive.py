"""One fit of an estimator at a time: a second thread is refused."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_LOCK = threading.Lock()
_FITTING: dict[tuple[int, int], int] = {}  # (process, id of the estimator): the thread that fits it


@contextmanager
def fitting(estimator: Any) -> Iterator[None]:
    """Mark the estimator as being fitted; raise RuntimeError where it is already."""
    key = (os.getpid(), id(estimator))
    with _LOCK:
        check_not_fitting(estimator, "fit", same_thread=True)
        _FITTING[key] = threading.get_ident()
    try:
        yield
    finally:
        del _FITTING[key]


def check_not_fitting(estimator: Any, method: str, same_thread: bool = False) -> None:
    """Raise RuntimeError while another thread fits the estimator; `same_thread`: also while this one does."""
    if not _FITTING:
        return
    thread = _FITTING.get((os.getpid(), id(estimator)))
    if thread is None:
        return
    own = thread == threading.get_ident()
    if same_thread or not own:
        raise RuntimeError(
            f"{method}: {'a callback of' if own else 'another thread is in'} fit of this"
            f" {type(estimator).__name__}; use a copy or wait until fit has returned"
        )
