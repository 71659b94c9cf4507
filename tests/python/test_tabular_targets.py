"""The column to predict: which task it makes, how it becomes numbers and back."""

import json

import numpy as np
import pyarrow as pa
import pytest

from cmlp.tabular import Target, read_target
from cmlp.tabular.target_cells import choose_task

RNG = np.random.default_rng(7)

TARGETS = {
    "text": (["b", "a", "b"], "classification", ("a", "b")),
    "spellings": (["Yes", "yes ", "Yes", "no"], "classification", ("Yes", "no")),
    "boolean": ([True, False, True], "classification", (False, True)),
    "words for boolean": (["True", "false", "True"], "classification", (False, True)),
    "integers": ([3, 1, 3], "classification", (1, 3)),
    "integers as text": (["3", "1", "3"], "classification", (1, 3)),
    "beyond 2^53": ([2**62 + 1, 2**62, 2**62], "classification", (2**62, 2**62 + 1)),
    "beyond 2^53 as text": ([str(2**62 + 1), str(2**62)], "classification", (2**62, 2**62 + 1)),
    "beyond 64 bits": (["1" * 30, "2" * 30], "classification", ("1" * 30, "2" * 30)),
    "codes": (["007", "012"], "classification", ("007", "012")),
    "integers as floats": ([3.0, 1.0, 3.0], "classification", (1, 3)),
    "words like missing": (["NA", "EU", "None", "nan"], "classification", ("EU", "NA", "None", "nan")),
    "floats": ([0.5, 1.5, 2.0], "regression", ()),
    "many integers": (list(range(21)), "regression", ()),
    "money": (["£1,250", "£900.50", "£1,000"], "regression", ()),
}


@pytest.mark.parametrize("name", TARGETS)
def test_targets(name):
    cells, task, classes = TARGETS[name]
    found = read_target("t", pa.array(cells))
    assert choose_task(found) == task
    target = Target.fit("t", found)
    assert target.classes == classes
    assert [type(label) for label in target.classes] == [type(label) for label in classes]
    assert Target.from_dict(json.loads(json.dumps(target.to_dict()))) == target
    encoded = target.encode(target.read(pa.array(cells)))
    back = target.decode(encoded if classes else encoded[:, 0]).tolist()
    if classes:
        same = (b == c or str(b).lower() == str(c).strip().lower() for b, c in zip(back, cells, strict=True))
        assert all(same)
    else:
        assert back == pytest.approx(found.array.to_pylist(), rel=1e-5, abs=1e-5)
        assert (encoded.mean(), encoded.std()) == pytest.approx((0, 1), abs=1e-6)


def test_a_long_tailed_target_is_learned_as_its_logarithm():
    prices = pa.array(np.exp(RNG.normal(12, 2.5, 2000)))
    target = Target.fit("price", read_target("price", prices))
    assert target.log
    assert target.decode(target.encode(prices)[:, 0]) == pytest.approx(prices.to_pylist(), rel=1e-4)


def test_words_that_may_mean_missing_are_classes_and_said():
    remarks = read_target("t", pa.array(["NA", "EU", "EU"])).remarks
    assert remarks == ("target 't': NA is a class; --missing NA leaves such rows out",)
