"""Lessons run where students' code is: in the sandbox, forked from a server that has their imports."""

from pathlib import Path

import pytest

from coursemill.config import Config
from coursemill.course import run as course_run
from coursemill.course.plan import Request
from coursemill.pure.outcome import Report, Run

pytestmark = [pytest.mark.kernel, pytest.mark.sandbox]
NOTES = {
    "Inside": """
```python
import os, sys
import numpy
import helper
print(helper.DOUBLE, open("data.csv").read().strip(), os.path.exists("/etc/hostname"), os.getcwd())
```

```text role="output"
2 rows False /home/student
```

```bash role="run"
echo 3 > three.txt
```

```python
print(open("three.txt").read(), "numpy" in sys.modules)
```
""",
    "Fills": """
```python
import os, time
kept = [os.fork() for _ in range(3)]
kept.append(b"x" * 150_000_000)
time.sleep(60)
```
""",
    "Hangs": """
```python
import time
while True:
    time.sleep(0.1)
```
""",
}
FRONT = {"Fills": "limits: [memory=300 MB]\n", "Hangs": "timeout: 3\n"}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    root = tmp_path_factory.mktemp("course")
    shared = root / "notes" / "_worksheets" / "ws"
    shared.mkdir(parents=True)
    (shared / "helper.py").write_text("DOUBLE = 2\n")
    (shared / "data.csv").write_text("rows\n")
    for name, text in NOTES.items():
        (root / "notes" / f"{name}.md").write_text(f"---\nworksheet: [ws]\n{FRONT.get(name, '')}---\n# {name}\n{text}")
    return course_run.run(Config(root), Request(sandbox=True, jobs=2))


def lesson(report: Report, name: str) -> Run:
    return next(run for run in report.runs if run.lesson == name)


def test_a_lesson_finds_its_files_and_sees_nothing_else(report: Report) -> None:
    run = lesson(report, "Inside")
    assert (run.status, run.failures) == ("passed", ())


def test_a_lesson_has_the_limits_of_its_note(report: Report) -> None:
    run = lesson(report, "Fills")
    assert run.status == "died"
    assert "300 MB are allowed" in run.failures[0].message


def test_a_time_out_is_told_with_its_line(report: Report) -> None:
    run = lesson(report, "Hangs")
    assert run.status == "timeout"
    assert run.failures[0].place in {"notes/Hangs.md:9", "notes/Hangs.md:10"}


def test_what_ran_outside_is_not_taken_for_what_runs_inside(report: Report, tmp_path: Path) -> None:
    root = tmp_path
    (root / "notes").mkdir()
    (root / "notes" / "L.md").write_text("---\nworksheet: [ws]\n---\n# L\n\n```python\nprint(1)\n```\n")
    outside, inside = (course_run.run(Config(root), Request(sandbox=kept_in)) for kept_in in (False, True))
    again = course_run.run(Config(root), Request(sandbox=True))
    assert [one.runs[0].cached for one in (outside, inside, again)] == [False, False, True]


def test_it_works_without_a_server_too(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "L.md").write_text("---\nworksheet: [ws]\n---\n# L\n\n```python\nprint(1)\n```\n")
    (run,) = course_run.run(Config(tmp_path), Request(sandbox=True, preload=False)).runs
    assert run.status == "passed"
