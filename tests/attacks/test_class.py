"""A class of attackers through the whole of `coursemill grade` and `coursemill feedback`: their neighbours, the course
and this machine stay as they were, and nothing hidden gets out."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from hostile import sheet
from hostile.course import hand_in, lay_out
from hostile.deed import Deed, attacks

pytestmark = [pytest.mark.sandbox, pytest.mark.nbgrader]
CHOSEN = ("gradebook_written", "tests_overwritten", "start_up_files_brought", "modules_shadowed", "skip_tag")
CHOSEN += ("ids_that_are_paths", "printed", "raised_in_a_later_test", "source_of_a_test_inside", "daemon_left")
CHOSEN += ("exit_at_once", "drawn", "representations")
WRITES = {"autograded", "feedback", "build", "gradebook.db", ".nbgrader.log"}
"""What grading may change in a course."""


@dataclass
class Outcome:
    """What came of a class."""

    root: Path
    scores: Mapping[str, float]
    before: Mapping[str, str]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    root = tmp_path_factory.mktemp("class")
    deeds = {name: attacks()[name].make() for name in CHOSEN}
    lay_out(root, {"ada": Deed(sheet.ANSWERS), **deeds, "zoe": Deed(sheet.ANSWERS)})
    _hand_in_traps(root)
    before = _files(root)
    told = json.loads(_coursemill(root, "grade", sheet.WORKSHEET, "--json", "--timeout", "10"))
    _coursemill(root, "feedback", sheet.WORKSHEET)
    return Outcome(root, {one["student"]: one["score"] for one in told["students"]}, before)


def _hand_in_traps(root: Path) -> None:
    """Folders that hold links, pipes and what is no file, in the place of a notebook and beside it."""
    submitted = root / "submitted"
    names = ("linked", "piped", "hard", "beside")
    for name in names:
        hand_in(root, name, Deed())
    book = f"{sheet.WORKSHEET}/{sheet.NAME}.ipynb"
    for name in names[:3]:
        (submitted / name / book).unlink()
    (submitted / "linked" / book).symlink_to(root / "source" / book)
    os.mkfifo(submitted / "piped" / book)
    os.link(submitted / "zoe" / book, submitted / "hard" / book)
    folder = submitted / "beside" / sheet.WORKSHEET
    (folder / "all").symlink_to("/")
    (folder / "book.db").symlink_to(root / "gradebook.db")
    (folder / "stock.csv").unlink()
    (folder / "stock.csv").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe.txt")


def test_each_gets_what_is_deserved_and_the_neighbours_everything(outcome: Outcome) -> None:
    scores = dict(outcome.scores)
    assert scores.pop("ada") == scores.pop("zoe") == scores.pop("hard") == sheet.POINTS, "a hard link is a copy"
    for name in ("linked", "piped"):
        assert scores.pop(name) == 0
    assert scores.pop("beside") == sheet.HONEST
    for name, score in scores.items():
        attack = attacks()[name]
        assert score <= attack.gets if attack.loses else score == attack.gets, name
    assert set(scores) == set(CHOSEN)


def test_the_gradebook_says_the_same(outcome: Outcome) -> None:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{outcome.root}/gradebook.db") as book:
        rows = {one.student.id: one for one in book.assignment_submissions(sheet.WORKSHEET)}
        assert {name: row.score for name, row in rows.items()} == outcome.scores
        assert all(row.max_score == sheet.POINTS for row in rows.values())


def test_the_course_is_as_it_was(outcome: Outcome) -> None:
    after = _files(outcome.root)
    assert {path: after.get(path) for path in outcome.before} == outcome.before
    fresh = {path.split("/")[0] for path in after.keys() - outcome.before.keys()}
    assert fresh <= WRITES


def test_nothing_of_theirs_lives_on(outcome: Outcome) -> None:
    lines = (" ".join(one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"]))
    assert not [line for line in lines if "sleep 987654" in line]


def test_nothing_hidden_is_in_what_students_get(outcome: Outcome) -> None:
    for step in ("autograded", "feedback"):
        for path in (outcome.root / step).rglob("*"):
            if path.is_file() and path.suffix in (".ipynb", ".html"):
                text = _without_sources(path)
                assert not [secret for secret in sheet.SECRETS if secret in text], path


def _without_sources(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        return text
    notebook: dict[str, Any] = json.loads(text)
    return json.dumps([{k: v for k, v in cell.items() if k != "source"} for cell in notebook["cells"]])


def _files(root: Path) -> dict[str, str]:
    """What stands in a course, but for what grading writes: path → digest, or where a link leads."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            found[name] = str(path.readlink())
        elif path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest() if name != "gradebook.db" else ""
        else:
            found[name] = oct(path.stat().st_mode)
    return found


def _coursemill(root: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "coursemill", *arguments]
    ran = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=600)
    assert ran.returncode in (0, 1), ran.stderr[-3000:]
    return ran.stdout
