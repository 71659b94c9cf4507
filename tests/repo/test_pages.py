"""The catalogue's page is what the core's lists say, and every row of it names a test that tries it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cmlp.catalogue import BASES, KINDS, catalogue
from tolerance import TOLERANCE

ROOT = Path(__file__).parents[2]
COMPARED = {"layer": "forward", "schedule": "schedule"}  # kinds whose tolerance goes by another name


def test_pages_are_fresh(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "tests" / "repo" / "pages.py", tmp_path], check=True)
    for made in tmp_path.glob("*.md"):
        committed = (ROOT / "docs" / made.name).read_text(encoding="utf-8")
        assert committed == made.read_text(encoding="utf-8"), "run `nox -s stubs`"


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_says_what_it_is_and_where_it_is_tested(kind: str) -> None:
    for row in catalogue(kind):
        assert row["formula"], f"{row['name']} has no formula"
        assert row["bound"], f"{row['name']} has no error bound"
        assert (ROOT / row["test"]).is_file(), f"{row['name']}: {row['test']} is not there"


@pytest.mark.parametrize("kind", BASES)
def test_every_class_without_a_list_has_its_test(kind: str) -> None:
    """Rows of the core's lists are test parameters; a class must be named by the test that its row names."""
    for row in catalogue(kind):
        words = re.findall(r"\w+", (ROOT / row["test"]).read_text(encoding="utf-8"))
        assert row["name"] != row["type"] or row["name"] in words, f"{row['name']} is not in {row['test']}"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "function"])
def test_bounds_are_those_of_the_tests(kind: str) -> None:
    bounds = dict(zip(("float32", "float64"), KINDS[kind][2].split(", "), strict=True))
    for dtype, bound in bounds.items():
        if (COMPARED.get(kind, kind), dtype) in TOLERANCE:
            assert f"{TOLERANCE[COMPARED.get(kind, kind), dtype]:.0e}" == f"{float(bound):.0e}"


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown kind 'activations'; choose from activation, layer"):
        catalogue("activations")
