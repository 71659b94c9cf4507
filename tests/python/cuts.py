"""A fit that ends as a crash does."""

from __future__ import annotations


class Cut(Exception):  # noqa: N818  no error of a program
    """Raised in the middle of a fit."""


def cut_at(epoch):
    """Return a callback that raises after an epoch."""

    def call(event):
        if event["epoch"] == epoch:
            raise Cut

    return call
