"""`coursemill grade`, sandbox on, against stock `nbgrader autograde`, and otter, on the same work.

A class hands in two notebooks each, one with pandas and one with a TensorFlow GradientTape, six tests in all: most
are right, some are wrong, unfinished or broken. Each has been executed by its student, as submissions are.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import psutil
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

BIN = Path(sys.executable).parent
WORKSHEET = "ps1"
CONFIG = "c = get_config()\nc.CourseDirectory.course_id = 'benchmark'\nc.Execute.timeout = 180\n"
OTTERS = 8
"""Students at most that otter grades."""
STUB = "raise NotImplementedError"
FRAMES: tuple[tuple[str, str], ...] = (
    ("", "import pandas as pd\n\nsales = pd.DataFrame({'item': ['tea', 'mug', 'tea'], 'n': [2, 1, 5]})"),
    ("answer", "def totals(frame):\n    return frame.groupby('item')['n'].sum()"),
    ("test", "assert totals(sales)['tea'] == 7"),
    ("", "sales.describe()"),
    ("answer", "def best(frame):\n    return totals(frame).idxmax()"),
    ("test", "assert best(sales) == 'tea'"),
    ("test", "assert best(pd.DataFrame({'item': ['a', 'b'], 'n': [1, 3]})) == 'b'"),
)
GRADIENTS: tuple[tuple[str, str], ...] = (
    ("", "import tensorflow as tf\n\nx = tf.Variable(3.0)"),
    (
        "answer",
        "def slope(at):\n    at = tf.constant(float(at))\n    with tf.GradientTape() as tape:\n"
        "        tape.watch(at)\n        y = at * at * at - 2 * at\n    return float(tape.gradient(y, at))",
    ),
    ("test", "assert slope(3) == 25"),
    ("test", "assert [slope(at) for at in (0, 1, 2)] == [-2, 1, 10]"),
    (
        "answer",
        "def descend(at, steps, rate):\n    for _ in range(steps):\n        at -= rate * slope(at)\n    return at",
    ),
    ("test", "assert abs(descend(2, 60, 0.05) - (2 / 3) ** 0.5) < 0.01"),
)
LESSONS = {"frames": FRAMES, "gradients": GRADIENTS}
KINDS = ("right", "right", "right", "wrong", "right", "unfinished", "right", "broken")
"""What the students hand in, by turns."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, nargs="*", default=[10, 20], help="sizes of the class")
    parser.add_argument("--stock", type=int, default=20, help="students at most that stock nbgrader grades")
    parser.add_argument("--otter", type=Path, help="the `otter` of an environment with the lessons' libraries")
    parser.add_argument("--jobs", type=int, nargs="*", default=[1, os.cpu_count() or 1])
    options = parser.parse_args()
    print("| students × 2 notebooks | by | seconds | a student, s | times faster | own run time | memory, MB |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        variants = {name: _variants(lesson) for name, lesson in LESSONS.items()}
        for students in options.students:
            _compare(Path(folder), students, variants, options)


def _compare(folder: Path, students: int, variants: Mapping[str, Mapping[str, str]], options: Any) -> None:
    few = min(students, options.stock)
    stock = _stock(_course(folder / f"stock-{few}", few, variants))
    exact = stock.seconds if few == students else stock.seconds / few * students
    said = "nbgrader autograde" + ("" if few == students else f" ({few} of them)")
    _row(students, said, stock.seconds, few, 1.0, "", stock.memory)
    if options.otter:
        few_others = min(students, OTTERS)
        other = _otter(options.otter, folder / f"otter-{students}", few_others, variants)
        _row(students, f"otter run ({few_others} of them)", other.seconds, few_others, 0.0, "", other.memory)
    for jobs in options.jobs:
        course = _course(folder / f"ours-{students}-{jobs}", students, variants)
        ours = _ours(course, jobs)
        _same(course, folder / f"stock-{few}")
        _row(
            students,
            f"coursemill grade --jobs {jobs}",
            ours.seconds,
            students,
            exact / ours.seconds,
            f"{ours.own:.0%}",
            ours.memory,
        )
        again = _ours(course, jobs)
        _row(students, "again, nothing changed", again.seconds, students, exact / again.seconds, "", again.memory)


def _row(students: int, by: str, seconds: float, graded: int, faster: float, own: str, memory: float) -> None:
    times = f"{faster:.1f}" if faster else ""
    print(
        f"| {students} | {by} | {seconds:.1f} | {seconds / graded:.3f} | {times} | {own} | {memory:.0f} |", flush=True
    )


@dataclass(frozen=True, slots=True)
class Took:
    seconds: float
    memory: float
    """MB at most (PSS), of all processes together."""
    own: float = 0.0
    """Share of the workers' time that the cells themselves took."""


def _stock(course: Path) -> Took:
    # The release has to be known to the gradebook; its time is not the grading's.
    subprocess.run([BIN / "nbgrader", "generate_assignment", WORKSHEET], cwd=course, check=True, capture_output=True)
    return _timed([BIN / "nbgrader", "autograde", WORKSHEET], course)[0]


def _otter(command: Path, course: Path, students: int, variants: Mapping[str, Mapping[str, str]]) -> Took:
    """The same work by `otter run`, which takes one notebook, and has no gradebook; its tests run behind all cells."""
    _course(course, students, variants)
    for name, lesson in LESSONS.items():
        tests = course / f"{name}-tests"
        tests.mkdir()
        for number, (role, source) in enumerate(lesson):
            if role == "test":
                case = {"code": f">>> {source}\n"}
                suite = {"cases": [case], "type": "doctest", "scored": True}
                test = {"name": f"cell-{number}", "points": 1, "suites": [suite]}
                (tests / f"cell-{number}.py").write_text(f"OK_FORMAT = True\ntest = {test!r}\n")
        making = [command, "generate", "-t", tests, "-o", course / f"{name}.zip"]
        subprocess.run(making, cwd=course, check=True, capture_output=True)
    whole, memory = 0.0, 0.0
    for notebook in sorted(course.glob("submitted/*/*/*.ipynb")):
        out = notebook.with_suffix(".graded")
        out.mkdir()
        took, _ = _timed([command, "run", "-a", course / f"{notebook.stem}.zip", "-o", out, notebook], course)
        whole, memory = whole + took.seconds, max(memory, took.memory)
    return Took(whole, memory)


def _ours(course: Path, jobs: int) -> Took:
    took, said = _timed([BIN / "coursemill", "grade", WORKSHEET, "--jobs", str(jobs), "--json"], course)
    sheets = [sheet for student in json.loads(said)["students"] for sheet in student["sheets"]]
    whole = sum(sheet["seconds"] for sheet in sheets)
    return Took(took.seconds, took.memory, sum(sheet["own"] for sheet in sheets) / whole if whole else 0.0)


def _timed(command: Sequence[Path | str], course: Path) -> tuple[Took, str]:
    """Run a command of a course; how long it took, its memory, and what it printed."""
    environment = {**os.environ, "PATH": f"{Path(command[0]).parent}{os.pathsep}{os.environ['PATH']}"}
    with (course / "said.txt").open("w+") as said:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=course, env=environment, stdout=said, stderr=subprocess.DEVNULL)
        memory = _Memory(process.pid)
        code = process.wait()
        seconds = time.perf_counter() - began
        said.seek(0)
        assert code in (0, 1), (command, code)
        return Took(seconds, memory.stop()), said.read()


class _Memory:
    """Looks once a second at what a process, its descendants and the sandbox's servers take."""

    def __init__(self, pid: int) -> None:
        self._pid, self._most, self._stopped = pid, 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> float:
        self._stopped.set()
        self._thread.join()
        return self._most / 1e6

    def _watch(self) -> None:
        while not self._stopped.wait(1.0):
            self._most = max(self._most, sum(map(_pss, self._processes())))

    def _processes(self) -> list[psutil.Process]:
        try:
            own = psutil.Process(self._pid)
            found = {p.pid: p for p in [own, *own.children(recursive=True)]}
        except psutil.Error:
            return []
        for process in psutil.process_iter(["cmdline"]):
            if "sandbox.inmate" in " ".join(process.info["cmdline"] or ()):
                found[process.pid] = process
        return list(found.values())


def _pss(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss)
    except psutil.Error:
        return 0.0


def _course(root: Path, students: int, variants: Mapping[str, Mapping[str, str]]) -> Path:
    """A stock nbgrader course with a class that has handed in; made anew."""
    shutil.rmtree(root, ignore_errors=True)
    (root / "source" / WORKSHEET).mkdir(parents=True)
    (root / "nbgrader_config.py").write_text(CONFIG)
    for name, lesson in LESSONS.items():
        (root / "source" / WORKSHEET / f"{name}.ipynb").write_text(nbformat.writes(_notebook(lesson, "source")))
    for number in range(students):
        folder = root / "submitted" / f"student{number:04d}" / WORKSHEET
        folder.mkdir(parents=True)
        for name in LESSONS:
            text = variants[name][KINDS[number % len(KINDS)]]
            # No two are the same, as in a class: nothing is to be had by comparing bytes.
            (folder / f"{name}.ipynb").write_text(text.replace("{student}", folder.parent.name))
    return root


def _variants(lesson: Sequence[tuple[str, str]]) -> dict[str, str]:
    """What each kind of student hands in, executed."""
    found = {}
    for kind in dict.fromkeys(KINDS):
        notebook = _notebook(lesson, kind)
        NotebookClient(notebook, timeout=180, allow_errors=True).execute()
        found[kind] = nbformat.writes(notebook)
    return found


def _notebook(lesson: Sequence[tuple[str, str]], kind: str) -> Any:
    """The instructor's notebook (`source`), or what a kind of student makes of it."""
    cells = [] if kind == "source" else [new_markdown_cell("By {student}", id="name")]
    for number, (role, source) in enumerate(lesson):
        text = source
        if role == "answer" and kind == "source":
            head, body = source.split("\n", 1)
            text = f"{head}\n    ### BEGIN SOLUTION\n{body}\n    ### END SOLUTION"
        elif role == "answer":
            text = _answer(source, kind, last=number > 3)
        cells.append(new_code_cell(text, id=f"cell-{number}", metadata=_metadata(role, number)))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


def _answer(source: str, kind: str, *, last: bool) -> str:
    head = source.split("\n", 1)[0]
    if kind == "right" or not last:
        return source
    return {"wrong": f"{head}\n    return 0", "unfinished": f"{head}\n    {STUB}", "broken": f"{head}\n  return ("}[
        kind
    ]


def _metadata(role: str, number: int) -> dict[str, Any]:
    if not role:
        return {}
    graded = {"schema_version": 3, "grade_id": f"cell-{number}", "task": False}
    if role == "test":
        return {"nbgrader": {**graded, "grade": True, "locked": True, "solution": False, "points": 1}}
    return {"nbgrader": {**graded, "grade": False, "locked": False, "solution": True}}


def _same(ours: Path, stock: Path) -> None:
    """Both must have come to the same scores, where both have graded; else the times say nothing."""
    from nbgrader.api import Gradebook

    scores = []
    for course in (ours, stock):
        with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
            scores.append({s.student.id: s.score for s in book.assignment_submissions(WORKSHEET)})
    assert scores[1], "stock nbgrader graded nobody"
    assert {student: scores[0][student] for student in scores[1]} == scores[1], "the scores differ"


if __name__ == "__main__":
    main()
