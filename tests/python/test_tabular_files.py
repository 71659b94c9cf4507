"""Tabular models in files and pickles."""

import json
import pickle
import re

import numpy as np
import pyarrow as pa
import pytest
from sklearn.model_selection import KFold

import cmlp
from cmlp.tabular import TableError, TabularClassifier, TabularRegressor
from quick import QUICKEST, RISING


def test_it_serves_what_the_table_had(shop, classifier, tmp_path):
    x = shop.drop(columns="buys")
    want = classifier.predict_proba(x)
    cmlp.save(classifier, tmp_path / "shop.safetensors")
    for model in (cmlp.load(tmp_path / "shop.safetensors"), pickle.loads(pickle.dumps(classifier))):
        assert isinstance(model, TabularClassifier)
        assert model.classes_.tolist() == ["no", "yes"]
        np.testing.assert_array_equal(model.predict_proba(x), want)
        np.testing.assert_array_equal(model.predict_proba(pa.Table.from_pandas(x)), want)
        np.testing.assert_array_equal(model.predict_proba(dict(x.iloc[5])), want[5:6])
        np.testing.assert_array_equal(model.predict_proba(x.iloc[5]), want[5:6])
        np.testing.assert_array_equal(model.predict_proba(x.to_dict("records")[:3]), want[:3])


def test_a_loaded_model_has_its_parameters_and_remarks(tmp_path):
    given = {"hidden": (8, 4), "types": {"id": "drop"}, "class_weight": {"x": 2.0}, "cv": KFold(3)}
    model = TabularClassifier(**QUICKEST, **given).fit({"a": RISING, "id": RISING}, ["x", "NA"] * 20)
    assert model.remarks_
    cmlp.save(model, tmp_path / "m.safetensors")
    loaded = cmlp.load(tmp_path / "m.safetensors")
    assert loaded.get_params() == {**model.get_params(), "cv": None}  # a splitter is no plain data
    assert (loaded.remarks_, loaded.record_) == (model.remarks_, model.record_)
    again = pickle.loads(pickle.dumps(loaded))
    assert again.get_params() == loaded.get_params()


def test_a_loaded_model_takes_arrays_with_the_columns_left_out(tmp_path):
    x = np.random.default_rng(8).normal(size=(60, 3))
    x[:, 1] = 7.0
    model = TabularRegressor("fast", epochs=2).fit(x, x[:, 0])
    cmlp.save(model, tmp_path / "m.safetensors")
    loaded = cmlp.load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))
    assert loaded.feature_names_in_.tolist() == model.feature_names_in_.tolist() == ["x0", "x1", "x2"]


def described(change):
    """A change of the description of the table."""
    return lambda data: json.dumps(change(data))


def spelled(old, new):
    """Another spelling in the description of the table."""
    return lambda data: re.sub(old, new, json.dumps(data))


DAMAGE = {
    "no JSON": lambda data: "{",
    "not an object": lambda data: "[]",
    "later version": described(lambda data: {**data, "version": 99}),
    "no inputs": described(lambda data: {key: data[key] for key in data if key != "inputs"}),
    "no target": described(lambda data: {key: data[key] for key in ("version", "columns")}),
    "unknown kind": spelled('"numeric"', '"magic"'),
    "negative scale": spelled(r'"scale": [\d.e-]+', '"scale": -1'),
    "text for a number": spelled(r'"median": [\d.]+', '"median": "two"'),
    "unknown field": spelled('"median"', '"mode"'),
    "another width": spelled('"indicator": (true|false)', '"indicator": "x"'),
    "a column too few": described(lambda data: {**data, "columns": data["columns"][1:]}),
    "a name that is no text": spelled('"name": "[^"]*"', '"name": {}'),
    "an unknown parameter": described(lambda data: {**data, "parameters": {"speed": 3}}),
    "no classes": spelled(r'\["no", "yes"\]', "[]"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_descriptions_are_one_clear_error(name, classifier, tmp_path):
    cmlp.save(classifier, tmp_path / "m.safetensors")
    net = cmlp.load(tmp_path / "m.safetensors").net_
    text = net.metadata["cmlp.table"]
    net.metadata["cmlp.table"] = DAMAGE[name](json.loads(text))
    assert net.metadata["cmlp.table"] != text
    cmlp.save(net, tmp_path / "m.safetensors")
    with pytest.raises(TableError, match="the model's table description cannot be read"):
        cmlp.load(tmp_path / "m.safetensors")
