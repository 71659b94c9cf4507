"""Numbers as people write them: money, thousands, percent, units, K and M, parentheses for negatives."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cmlp.tabular.units import are_of_one_quantity, conversions
from cmlp.tabular.words import missing_words

MONEY = (
    r"(?:(?:US|A|C|R|HK|NZ|S)?\$|[€£¥₹₽₩₪₫₴₺฿]|Rs\.?|kr\.?|zł|Kč|Ft|RM|"
    r"USD|EUR|GBP|JPY|CHF|CNY|RMB|INR|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|RUB|BRL|ZAR|MXN|SGD|HKD|KRW|TRY|ILS)"
)
# open ( sign money sign digits exponent unit sign ) : every part but the digits may be absent.
WRITTEN = (
    r"^(?P<open>\()?\s*(?P<sign>[-+−–]?)\s*(?P<before>"
    + MONEY
    + r")?\s*(?P<inner>[-+−–]?)\s*(?P<approx>[~≈])?"
    r"(?P<digits>[0-9](?:[0-9.,'’_ \x{a0}\x{202f}]*[0-9.,])?|[.,][0-9]+)(?P<power>[eE][-+]?[0-9]+)?"
    r"\s?(?P<unit>%|‰|[\p{L}°µ$€£¥₹][\p{L}°µ$€£¥₹/²³.]*[23]?(?: [\p{L}/²³.]+)?)?"
    r"\s*(?P<tail>[-−])?\s*(?P<close>\))?$"
)
GROUPS = {
    ".": r"[,'’_ \x{a0}\x{202f}]",
    ",": r"[.'’_ \x{a0}\x{202f}]",
}  # what may part thousands, by the decimal mark
SCALES = {"k": 1e3, "m": 1e6, "mn": 1e6, "mio": 1e6, "b": 1e9, "bn": 1e9, "mrd": 1e9, "t": 1e12}
# At least this share of the filled cells must be numbers, and have the same unit.
SHARE = 0.9


@dataclass(frozen=True)
class NumberFormat:
    """How a column of text writes its numbers.

    Parameters
    ----------
    decimal : str
        ``.`` or ``,``.
    unit : str
        What stands beside each number (``$``, ``kg``, ``%``), as most cells write it; numbers in other units
        of the same quantity are converted to it.
    scaled : bool
        Whether a letter multiplies: 12.5K, 3M, 1bn.
    """

    decimal: str = "."
    unit: str = ""
    scaled: bool = False

    def parse(self, text: Any) -> NDArray[np.float64]:
        """Numbers of a column of tidy text, NaN where a cell is missing or no number."""
        quick = _cast(text) if self.decimal == "." else None
        return self.values(_parts(text)) if quick is None else quick

    def values(self, parts: Any) -> NDArray[np.float64]:
        """Numbers of cells in their parts, NaN where a cell is none."""
        values = _values(parts, self.decimal)
        units = _units(parts)
        if factors := SCALES if self.scaled else conversions(self.unit.lower()):
            values = values * np.array([factors.get(unit, 1.0) for unit in units.to_pylist()])
        elif "%" not in self.unit:
            values = np.where(np.asarray(pc.equal(units, "%")), values / 100, values)
        return values

    def description(self) -> str:
        """What is unusual about it, for the report."""
        said = ["decimal comma"] if self.decimal == "," else []
        said += [f"in {self.unit}"] if self.unit else []
        return ", ".join(said + (["K, M, B multiply"] if self.scaled else []))


class Reading(NamedTuple):
    """How a column writes its numbers, its numbers, and whether each cell is one as a program writes it."""

    format: NumberFormat
    values: NDArray[np.float64]
    plain: bool


def read_numbers(text: Any, decimal: str = "") -> Reading | None:
    """Find how a column of tidy text writes its numbers, and read them; arguments as of `find_format`."""
    quick = _cast(text)
    if quick is not None and decimal != ",":
        return Reading(NumberFormat(), quick, True)
    parts = _parts(text)
    form = _written_format(parts.filter(text.is_valid()), decimal)
    if form is None:
        return None
    values = quick if quick is not None and form.decimal == "." else form.values(parts)
    return Reading(form, values, quick is not None and form == NumberFormat())


def find_format(text: Any, decimal: str = "") -> NumberFormat | None:
    """Find how a column of tidy text writes its numbers.

    Parameters
    ----------
    text : pyarrow.StringArray
        The cells, missing words taken out.
    decimal : str
        The decimal mark of the rest of the table, for a column that can be read in two ways.

    Returns
    -------
    NumberFormat or None
        None when fewer than 9 of 10 filled cells are numbers, or their units differ.
    """
    if decimal != "," and _cast(text) is not None:
        return NumberFormat()
    return _written_format(_parts(text.drop_null()), decimal)


def _written_format(parts: Any, decimal: str) -> NumberFormat | None:
    """The format of filled cells in their parts."""
    if len(parts) == 0 or parts.null_count > (1 - SHARE) * len(parts):
        return None
    found = _decimal(parts) or decimal or "."
    if np.isfinite(_values(parts, found)).sum() < SHARE * len(parts):
        return None
    counts = {
        pair["values"]: pair["counts"] for pair in pc.value_counts(_units(parts).drop_null()).to_pylist()
    }
    scaled = (
        bool(counts) and set(counts) <= {"", *SCALES} and not set(counts) <= {"", "m"} and set(counts) != {""}
    )
    named = {unit: n for unit, n in counts.items() if unit}
    if not named or scaled:
        return NumberFormat(found, "", scaled)
    unit = max(named, key=lambda name: named[name])
    if set(named) == {"%"}:  # beside plain numbers 5% is 0.05
        return NumberFormat(found, "" if counts.get("") else "%")
    usual, stated = (
        named[unit] >= SHARE * sum(named.values()),
        2 * sum(named.values()) >= sum(counts.values()),
    )
    if usual or (stated and are_of_one_quantity(named)):
        return NumberFormat(found, _as_written(parts, unit) if stated else "")
    return None


def best_format(text: Any, decimal: str = "") -> NumberFormat:
    """The format of a column that a user calls numbers, however few of its cells are."""
    found = find_format(text, decimal)
    if found:
        return found
    parts = _parts(text)
    units = set(_units(parts).drop_null().to_pylist())
    return NumberFormat(_decimal(parts) or decimal or ".", "", bool(units - {""}) and units <= {"", *SCALES})


def decimal_mark(text: Any) -> str:
    """The decimal mark that a column of tidy text shows; nothing when it can be read in two ways."""
    text = text.drop_null()
    if len(text) == 0:
        return ""
    parts = _parts(text)
    return _decimal(parts) if parts.null_count <= (1 - SHARE) * len(text) else ""


def _cast(text: Any) -> NDArray[np.float64] | None:
    """The numbers if each cell is finite and written as a program writes it."""
    try:
        values = np.asarray(pc.cast(text, pa.float64()).to_numpy(zero_copy_only=False), np.float64)
    except pa.ArrowInvalid:
        return None
    return None if np.isinf(values).any() else values


def _parts(text: Any) -> Any:
    return pc.extract_regex(missing_words(text), WRITTEN)


def _decimal(parts: Any) -> str:
    digits = pc.struct_field(parts, "digits").drop_null()
    dot, comma = (pc.sum(pc.match_substring_regex(digits, _shape(mark))).as_py() or 0 for mark in ".,")
    return "" if dot == comma else "." if dot > comma else ","


def _shape(decimal: str) -> str:
    group = GROUPS[decimal]
    western = rf"[1-9][0-9]{{0,2}}(?:{group}[0-9]{{3}})+"
    indian = r"[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}"
    return rf"^(?:{western}|{indian if decimal == '.' else western}|[0-9]+)?(?:\{decimal}[0-9]*)?$"


def _values(parts: Any, decimal: str) -> NDArray[np.float64]:
    digits = pc.struct_field(parts, "digits")
    fits = pc.match_substring_regex(digits, _shape(decimal))
    bare = pc.replace_substring_regex(digits, GROUPS[decimal], "")
    bare = pc.replace_substring(bare, decimal, ".")
    power = pc.fill_null(pc.struct_field(parts, "power"), "")
    joined = pc.binary_join_element_wise(bare, power, pa.scalar("", bare.type))
    number = pc.cast(pc.if_else(fits, joined, pa.scalar(None, joined.type)), pa.float64())
    values = np.asarray(number.to_numpy(zero_copy_only=False), np.float64)
    values = np.where(np.isinf(values), np.nan, values)
    return np.where(_negative(parts), -values, values)


def _negative(parts: Any) -> NDArray[np.bool_]:
    flags = np.zeros(len(parts), bool)
    for name in ("open", "sign", "inner", "tail"):
        is_set = pc.is_in(pc.struct_field(parts, name), pa.array(["(", "-", "−", "–"]))
        flags |= is_set.to_numpy(zero_copy_only=False)
    return flags


def _written_units(parts: Any) -> Any:
    before = pc.fill_null(pc.struct_field(parts, "before"), "")
    unit = pc.fill_null(pc.struct_field(parts, "unit"), "")
    return pc.if_else(pc.equal(before, ""), unit, before)


def _units(parts: Any) -> Any:
    return pc.utf8_lower(_written_units(parts))


def _as_written(parts: Any, unit: str) -> str:
    """Return the most frequent way to write a unit, upper and lower case as in the cells."""
    written = _written_units(parts).drop_null()
    counts = pc.value_counts(written.filter(pc.equal(pc.utf8_lower(written), unit))).to_pylist()
    return str(max(counts, key=lambda pair: pair["counts"])["values"])
