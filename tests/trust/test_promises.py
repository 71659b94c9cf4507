"""Every promise of docs/trust.md names tests that exist and has passed a run; the page is the list's."""

from __future__ import annotations

import json
import re

import pytest

from promises import PROMISES
from trust_page import FIGURES, PAGE, ROOT, page

ALL = [pytest.param(promise, id=promise.says[:60]) for promises in PROMISES.values() for promise in promises]
LAST = json.loads(FIGURES.read_text(encoding="utf-8"))


@pytest.mark.parametrize("promise", ALL)
def test_promise_names_tests_that_exist(promise):
    assert promise.tests
    for test in promise.tests:
        file, _, name = test.partition("::")
        text = (ROOT / file).read_text(encoding="utf-8")
        assert re.search(rf"^def {name}\(" if name else r"^def test_", text, re.MULTILINE), test


@pytest.mark.parametrize("promise", ALL)
def test_promise_was_kept_in_its_last_run(promise):
    assert LAST[promise.says]["passed"] > 0
    assert "failed" not in LAST[promise.says]


def test_page_has_every_promise_and_its_last_run():
    assert PAGE.read_text(encoding="utf-8") == page(LAST), "run python tests/trust/trust_page.py"
