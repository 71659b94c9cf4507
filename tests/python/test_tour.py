"""Every script of the tour runs and draws one picture, the same one each time."""

from __future__ import annotations

import os
import re
import runpy
import struct
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOUR, PAGE, PICTURES = ROOT / "examples" / "tour", ROOT / "docs" / "tour.md", ROOT / "docs" / "pictures"
SCRIPTS = sorted(path.stem for path in TOUR.glob("*.py") if path.stem not in ("__main__", "style"))
LARGEST = 120_000  # bytes

pytest.importorskip("matplotlib")


def run(target: Path, folder: Path) -> str:
    """Run a script, or all of them, with warnings as errors; return what it prints."""
    env = {**os.environ, "MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "error", str(target), "--out", str(folder)]
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def size(picture: Path) -> tuple[int, int]:
    """Width and height of a PNG file, from its header."""
    head = picture.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", head[16:24])


@pytest.fixture(scope="module")
def complete_tour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the pictures of one run of the tour."""
    folder = tmp_path_factory.mktemp("tour")
    run(TOUR, folder)
    return folder


def check_picture(picture: Path) -> None:
    width, height = size(picture)
    assert 900 <= width <= 1400
    assert 400 <= height <= 1100
    assert 10_000 < picture.stat().st_size <= LARGEST


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_tour_draws_one_picture_per_script(name: str, complete_tour: Path) -> None:
    check_picture(complete_tour / f"{name}.png")


TWICE = [name if name == "perceptron" else pytest.param(name, marks=pytest.mark.slow) for name in SCRIPTS]


@pytest.mark.parametrize("name", TWICE)
def test_a_script_alone_draws_the_same_picture(name: str, tmp_path: Path, complete_tour: Path) -> None:
    printed = run(TOUR / f"{name}.py", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}.png"]
    picture = tmp_path / f"{name}.png"
    assert str(picture) in printed
    assert picture.read_bytes() == (complete_tour / picture.name).read_bytes()


def test_the_tour_runs_all_scripts(complete_tour: Path) -> None:
    sections = runpy.run_path(str(TOUR / "__main__.py"))["SECTIONS"]
    assert sorted(sections) == SCRIPTS
    assert sorted(path.stem for path in complete_tour.iterdir()) == SCRIPTS


@pytest.mark.parametrize("name", SCRIPTS)
def test_page_shows_each_script(name: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert f"(pictures/{name}.png)" in text
    assert f"`python examples/tour/{name}.py`" in text
    assert size(PICTURES / f"{name}.png")[0] >= 900
    assert (PICTURES / f"{name}.png").stat().st_size <= LARGEST


def test_page_shows_the_scripts_in_the_order_of_the_tour() -> None:
    sections = runpy.run_path(str(TOUR / "__main__.py"))["SECTIONS"]
    assert re.findall(r"\(pictures/(\w+)\.png\)", PAGE.read_text(encoding="utf-8")) == sections
