"""The classic attacks under stock `nbgrader autograde`, which pays for each: that is why there is another grader."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from hostile import sheet
from hostile.course import hand_in, lay_out
from hostile.deed import Deed, attacks

pytestmark = pytest.mark.nbgrader
CLASSIC = {name: attack for name, attack in attacks().items() if attack.stock}
FORGER = "gradebook_written"


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course that stock nbgrader has graded, in one batch."""
    root = tmp_path_factory.mktemp("stock")
    lay_out(root, {name: attack.make() for name, attack in CLASSIC.items()} | {"honest": Deed(sheet.ANSWERS)})
    _nbgrader(root, "generate_assignment")
    _nbgrader(root, "autograde")
    return root


@pytest.fixture(scope="module")
def scores(course: Path) -> Mapping[str, float]:
    return _scores(course)


@pytest.mark.parametrize("name", CLASSIC)
def test_stock_pays(name: str, scores: Mapping[str, float]) -> None:
    assert scores[name] == CLASSIC[name].stock > CLASSIC[name].gets


def test_one_student_rewrites_all_grades(course: Path, scores: Mapping[str, float]) -> None:
    assert scores["honest"] == sheet.POINTS
    hand_in(course, FORGER, attacks()[FORGER].make())
    _nbgrader(course, "autograde", "--student", FORGER)
    after = _scores(course)
    assert after["honest"] > sheet.POINTS
    assert after["skip_tag"] > sheet.POINTS


def _scores(root: Path) -> dict[str, float]:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        return {one.student.id: one.score for one in book.assignment_submissions(sheet.WORKSHEET)}


def _nbgrader(root: Path, step: str, *more: str) -> None:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    environment = {**os.environ, "PATH": path, "JUPYTER_CONFIG_DIR": str(root / ".jupyter"), "HOME": str(root)}
    command = [sys.executable, "-m", "nbgrader", step, sheet.WORKSHEET, *more]
    ran = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
