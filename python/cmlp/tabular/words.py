"""Words that people write into cells for "missing", "yes" and "no"."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

# Lower case. In a column of numbers, dates or yes/no these cells are missing; in a column of text the words
# are categories like any other (NA is Namibia), the signs are missing.
SIGNS = ("?", "-", "--", "---", "–", "—", ".", "..", "...", "*", "/", "#", "??", "???")
WORDS = (
    *(
        "na",
        "n/a",
        "n.a.",
        "n.a",
        "#n/a",
        "nan",
        "null",
        "none",
        "nil",
        "missing",
        "unknown",
        "unk",
        "undefined",
    ),
    *(
        "not available",
        "not applicable",
        "not known",
        "no data",
        "no answer",
        "not specified",
        "blank",
        "empty",
    ),
    *("tbd", "tba", "#null!", "#value!", "#div/0!", "#ref!", "#name?", "#num!", "<na>", "nat", "void", "\\n"),
    *("k.a.", "keine angabe", "unbekannt", "inconnu", "desconocido", "-999", "-9999"),
)
YES = (
    "yes",
    "y",
    "true",
    "t",
    "on",
    "1",
    "x",
    "✓",
    "ja",
    "oui",
    "si",
    "sí",
    "sim",
    "да",
    "wahr",
    "vrai",
    "+",
)
NO = ("no", "n", "false", "f", "off", "0", "nein", "nee", "non", "não", "nao", "нет", "falsch", "faux")


def missing_signs(text: Any) -> Any:
    """The tidy text of a column with signs such as ``?`` and ``-`` taken as missing."""
    return _without(text, SIGNS)


def missing_words(text: Any) -> Any:
    """The tidy text of a column with signs and words such as ``n/a`` and ``unknown`` taken as missing."""
    return _without(text, (*SIGNS, *WORDS))


def _without(text: Any, words: tuple[str, ...]) -> Any:
    found = pc.is_in(pc.utf8_lower(text), pa.array(words, text.type))
    return pc.if_else(found, pa.scalar(None, text.type), text) if pc.any(found).as_py() else text


def yes_no(text: Any) -> NDArray[np.float64]:
    """1 for yes, 0 for no in any spelling, NaN for anything else."""
    low = pc.utf8_lower(text)
    yes = pc.is_in(low, pa.array(YES, low.type)).to_numpy(zero_copy_only=False)
    no = pc.is_in(low, pa.array(NO, low.type)).to_numpy(zero_copy_only=False)
    return np.where(yes, 1.0, np.where(no, 0.0, np.nan))
