"""The table that ``net.summary()`` returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cmlp.nn.sequential import Sequential


def summary_text(net: Any) -> str:
    """Return one line a layer: its name, the columns of its output, its parameters."""
    rows = [("layer", "output", "parameters"), *_rows(net)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [f"{a:<{widths[0]}}  {b:>{widths[1]}}  {c:>{widths[2]}}" for a, b, c in rows]
    rule = "-" * len(lines[0])
    total = f"{net.n_parameters:,} parameters, {net.precision}"
    return "\n".join([lines[0], rule, *lines[1:], rule, total])


def _rows(net: Sequential) -> list[tuple[str, str, str]]:
    counts: dict[int, int] = {}
    for _, layer, data, _ in net._core.parameters():
        counts[layer] = counts.get(layer, 0) + data.size
    return [
        (title, str(width or "any"), f"{counts.get(index, 0):,}")
        for index, (title, width) in enumerate(zip(net._layer_titles(), net._core.widths(), strict=True))
    ]
