"""The order of categories that have one: low, medium, high; S, M, L; 18-25, 26-35; level 1, level 2."""

import math
import re
from collections.abc import Sequence

# Known scales from low to high; spellings of one step side by side. Lower case.
SCALES: tuple[tuple[tuple[str, ...], ...], ...] = (
    (
        ("none",),
        ("very low", "lowest"),
        ("low", "lo", "l"),
        ("medium", "med", "moderate", "middle", "mid", "average", "avg", "normal", "m"),
        ("high", "hi", "h"),
        ("very high", "highest", "critical", "extreme"),
    ),
    (
        ("xxxs",),
        ("xxs",),
        ("xs", "x-small", "extra small"),
        ("s", "small"),
        ("m", "medium", "med"),
        ("l", "large"),
        ("xl", "x-large", "extra large"),
        ("xxl", "2xl", "xx-large"),
        ("xxxl", "3xl"),
        ("4xl",),
    ),
    (
        ("tiny",),
        ("small",),
        ("medium",),
        ("big", "large"),
        ("huge",),
    ),
    (
        ("never",),
        ("rarely", "seldom", "almost never"),
        ("sometimes", "occasionally"),
        ("often", "frequently", "usually"),
        ("very often", "almost always"),
        ("always",),
    ),
    (
        ("never",),
        ("yearly", "annually"),
        ("quarterly",),
        ("monthly",),
        ("weekly",),
        ("daily",),
        ("hourly",),
    ),
    (
        ("terrible", "very poor", "very bad", "awful"),
        ("poor", "bad", "below average", "po"),
        ("fair", "average", "ok", "okay", "acceptable", "satisfactory", "mediocre", "fa"),
        ("good", "above average", "ta", "gd"),
        ("very good", "great"),
        ("excellent", "outstanding", "superb", "ex"),
    ),
    (
        ("strongly disagree", "completely disagree"),
        ("disagree",),
        ("somewhat disagree", "slightly disagree"),
        ("neutral", "undecided", "neither agree nor disagree", "neither"),
        ("somewhat agree", "slightly agree"),
        ("agree",),
        ("strongly agree", "completely agree"),
    ),
    (
        ("very dissatisfied", "very unsatisfied"),
        ("dissatisfied", "unsatisfied"),
        ("neutral", "neither satisfied nor dissatisfied"),
        ("satisfied",),
        ("very satisfied",),
    ),
    (("mild", "minor"), ("moderate",), ("severe", "major", "serious"), ("critical", "fatal")),
    (("slow",), ("medium", "normal"), ("fast",), ("very fast",)),
    (("cold",), ("cool",), ("mild",), ("warm",), ("hot",)),
    (
        ("beginner", "novice", "entry", "junior"),
        ("intermediate", "mid", "regular"),
        ("advanced", "senior"),
        ("expert", "lead", "principal"),
    ),
    (("bronze", "basic", "free"), ("silver", "standard"), ("gold", "premium"), ("platinum",), ("diamond",)),
    (
        ("no formal education", "none"),
        ("primary", "primary school", "elementary"),
        ("secondary", "secondary school", "high school"),
        ("college", "some college", "associate", "associate's degree"),
        ("bachelor", "bachelors", "bachelor's", "bachelor's degree", "undergraduate"),
        ("master", "masters", "master's", "master's degree", "graduate"),
        ("phd", "ph.d.", "doctorate", "doctoral"),
    ),
)
_NUMBER = r"[$€£]?\s*([0-9][0-9.,]*)\s*([km]?)\s*(?:%|€|\p{L}*)".replace(r"\p{L}", "[^\\W\\d_]")
_BETWEEN = re.compile(rf"[\[(]?\s*{_NUMBER}\s*(?:-|–|—|to|\.\.+|,\s|bis|a|à)\s*{_NUMBER}\s*[\])]?")
_BELOW = re.compile(rf"(?:<=?|≤|under|below|less than|up to|until|at most|max\.?|bis)\s*{_NUMBER}")
_ABOVE = re.compile(
    rf"(?:(?:>=?|≥|over|above|more than|at least|from|min\.?|ab)\s*{_NUMBER}"
    rf"|{_NUMBER}\s*(?:\+|and (?:over|above|more|older|up)|or (?:over|above|more|older)|plus))"
)
_NUMBERED = re.compile(
    r"(?:(?:level|grade|stage|tier|rank|floor|step|phase|year|round|class|category|cat\.?|stufe|niveau)\s*)([0-9]+)"
    r"|([0-9]+)(?:st|nd|rd|th)(?:\s+\w+)?|([0-9]+)\s*(?:stars?|★)"
)
# At least so many steps make a scale, and of ranges at most so large a share may be none (such as "unknown").
FEWEST, STRAY = 3, 0.25


def positions(categories: Sequence[str]) -> tuple[float | None, ...]:
    """The places of categories on a scale from -1 to 1, None for one that has none; empty without a scale.

    Parameters
    ----------
    categories : sequence of str
        In lower case.

    Examples
    --------
    >>> from cmlp.tabular.scales import positions
    >>> positions(["high", "low", "medium"]), positions(["26-35", "36+", "18-25", "unknown"])
    ((1.0, -1.0, 0.0), (0.0, 1.0, -1.0, None))
    >>> positions(["red", "green", "blue"])
    ()
    """
    for steps in (
        *(_steps(scale, categories) for scale in SCALES),
        _ranges(categories),
        _numbers(categories),
    ):
        known = sorted({step for step in steps if step is not None})
        if len(known) >= FEWEST and steps.count(None) <= STRAY * len(steps):
            place = {step: 2.0 * k / (len(known) - 1) - 1.0 for k, step in enumerate(known)}
            return tuple(None if step is None else place[step] for step in steps)
    return ()


def _steps(scale: Sequence[Sequence[str]], categories: Sequence[str]) -> list[float | None]:
    """The step of each category; none at all where a category is not on the scale."""
    steps = {word: float(k) for k, words in enumerate(scale) for word in words}
    return [steps[category] for category in categories] if steps.keys() >= set(categories) else []


def _ranges(categories: Sequence[str]) -> list[float | None]:
    return [_middle(category) for category in categories]


def _middle(category: str) -> float | None:
    """The middle of a range of numbers, or a little beside its only end."""
    if between := _BETWEEN.fullmatch(category):
        low, high = _value(*between.groups()[:2]), _value(*between.groups()[2:])
        return (low + high) / 2 if low <= high else None
    if below := _BELOW.fullmatch(category):
        return math.nextafter(_value(*below.groups()), -math.inf)
    if above := _ABOVE.fullmatch(category):
        return math.nextafter(_value(*(part for part in above.groups() if part is not None)), math.inf)
    return None


def _numbers(categories: Sequence[str]) -> list[float | None]:
    matches = [_NUMBERED.fullmatch(category) for category in categories]
    return [float(next(filter(None, match.groups()))) if match else None for match in matches]


def _value(digits: str, scale: str = "") -> float:
    """The number of 1,000 or 1.5 or 10 k."""
    plain = re.sub(r"[.,](?=[0-9]{3}(?:\D|$))", "", digits).replace(",", ".").rstrip(".")
    return float(plain) * {"k": 1e3, "m": 1e6}.get(scale, 1.0)
