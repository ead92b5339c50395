"""Lessons of a small vault, run once on real kernels; each test looks at one of them."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from coursemill.config import Config
from coursemill.course import run as course_run
from coursemill.course.plan import Plan, Request, plans
from coursemill.effects import kept, kernels
from coursemill.errors import ConfigError, CoursemillError
from coursemill.pure.outcome import Failure, Report, Run

Lines = Callable[[str, str], int]

NOTES = {
    "Passes": """
```python tags="parameters"
epochs = 2  # gpu: 20
```

```python role="setup"
import sys
import helper
```

```python
print("noise", file=sys.stderr)
print(helper.DOUBLE * epochs, open("data.csv").read().strip(), open("Passes.files/own.txt").read())
epochs
```

```text role="output"
... rows   mine
2
```

```python role="file" path="shop/items.py"
PRICE = 3
```

```bash role="run"
python -c "import shop.items as s; print(s.PRICE)" > price.txt
```

```python
print(open("price.txt").read())
```

```text role="output"
3
```

```python tags="raises-exception"
1 / 0
```
""",
    "Helper": """
```python role="setup"
def share(total, people):
    return total / people  # HERE
```

```python
share(1, 1)
share(1, 0)  # CALL
```
""",
    "Assert": """
```python
price = 49
assert price == 50, "read the text, drop the $"  # HERE
```
""",
    "Claims": """
```python
print("a")
print("b")
```

```text role="output"
a
c
```

```python
1 + 1
```

```text role="output"
2
```

```python
print(3)
```

```text role="output"
4
```
""",
    "Hangs": """
```python
import subprocess
import time
left = subprocess.Popen(["sleep", "600"], start_new_session=True)
print(left.pid)
```

```python
for _ in range(3):
    time.sleep(600)  # HERE
```
""",
    "Stubborn": """
```python
import time
while True:
    try:
        time.sleep(600)
    except BaseException:
        pass
```
""",
    "Dies": """
```python
import os, subprocess
print(subprocess.Popen(["sleep", "600"], start_new_session=True).pid)
```

```python
os.system("echo last words >&2")
os._exit(7)  # the cell
```
""",
    "Orphans": """
```python
import os, signal, subprocess
print(subprocess.Popen(["sleep", "600"], start_new_session=True).pid, file=open("/tmp/PIDS", "w"))
os.kill(os.getppid(), signal.SIGKILL)
```
""",
    "Shell": """
```bash role="run"
echo fine
no-such-program  # HERE
```
""",
    "File": """
```python role="file" path="shop/prices.py"
def price(text):
    return float(text)  # HERE
```

```python
from shop.prices import price
price("n/a")
```
""",
    "Syntax": """
```python
x = 1
y = = 2  # HERE
```
""",
    "Exits": """
```python
raise SystemExit
```

```python
x = 1
```
""",
    "Comments": """
```python
# nothing but words
```
""",
    "Imports": """
```python
import os
from pathlib import Path
```

```python role="show" why="f is defined nowhere"
f()
```
""",
    "Listed": """
1. First
   - Second

     ```python
     print("b")
     ```

     ```text role="output"
     c
     ```
""",
    "Prose": "\nOnly words.\n",
}
FRONT = {"Hangs": "timeout: 20\n", "Stubborn": "timeout: 15\n"}
OTHERS = {
    "Asks": "---\nworksheet: [ws]\nrequires: [no-such-program]\n---\n# A\n\n```python\nx = 1\n```\n",
    "Fast": "---\nworksheet: [ws]\naccelerators: [gpu]\n---\n# A\n\n```python\nx = 1\n```\n",
    "Open": "---\nworksheet: [ws]\n---\n# A\n\n```python\nx = 1\n",
}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Config:
    root = tmp_path_factory.mktemp("course")
    notes = root / "notes"
    for name, template in NOTES.items():
        text = template.replace("/tmp/PIDS", str(root / "pids"))
        write(notes / f"{name}.md", f"---\nworksheet: [ws]\n{FRONT.get(name, '')}---\n# {name}\n{text}")
    for name, text in OTHERS.items():
        write(notes / f"{name}.md", text)
    write(notes / "Passes.files" / "own.txt", "mine")
    write(notes / "_worksheets" / "ws" / "helper.py", "DOUBLE = 2\n")
    write(notes / "_worksheets" / "ws" / "data.csv", "rows\n")
    return Config(root)


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.fixture(scope="module")
def report(course: Config) -> Report:
    return course_run.run(course, Request(kernels=("cpu", "gpu"), jobs=2))


@pytest.fixture
def lines(course: Config) -> Lines:
    """The number of the line of a note that holds some text."""

    def number(name: str, text: str) -> int:
        note = course.path("notes", f"{name}.md").read_text().splitlines()
        return next(n for n, line in enumerate(note, 1) if text in line)

    return number


def outcome(report: Report, lesson: str, kernel: str = "cpu") -> Run:
    (found,) = [r for r in report.runs if (r.lesson, r.kernel) == (lesson, kernel)]
    return found


def failure(report: Report, lesson: str) -> Failure:
    (found,) = outcome(report, lesson).failures
    return found


def notebook(course: Config, run: Run) -> nbformat.NotebookNode:
    node = nbformat.read(course.path(run.notebook), as_version=4)
    nbformat.validate(node)
    return node


@pytest.mark.kernel
def test_a_lesson_finds_its_files_and_true_claims_pass(report: Report, course: Config) -> None:
    run = outcome(report, "Passes")
    assert (run.status, run.reason, run.failures) == ("passed", "", ())
    assert (run.statements, run.seconds > 0) == (9, True)
    assert run.notebook == "build/runs/cpu/ws/Passes.ipynb"
    executed = notebook(course, run)
    assert "/tmp" not in json.dumps(executed.metadata)
    assert not any("papermill-error-cell-tag" in c.metadata.get("tags", []) for c in executed.cells)


@pytest.mark.kernel
def test_an_error_in_a_helper_is_told_by_its_line_and_the_call(report: Report, lines: Lines) -> None:
    told = failure(report, "Helper")
    assert told.place == f"notes/Helper.md:{lines('Helper', 'HERE')}"
    assert told.message == "ZeroDivisionError: division by zero"
    assert told.trace[0] == f"notes/Helper.md:{lines('Helper', 'CALL')}: share(1, 0)  # CALL"
    assert told.trace[1].startswith(f"{told.place} in share: return total / people")


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("lesson", "message"),
    [
        ("Assert", r"AssertionError: read the text, drop the \$"),
        ("Shell", "a program ended with exit status 127: bash: line 2: no-such-program: command not found"),
        ("File", "ValueError: could not convert string to float: 'n/a'"),
        ("Syntax", "SyntaxError: invalid syntax"),
    ],
)
def test_a_failure_names_the_notes_line(report: Report, lines: Lines, lesson: str, message: str) -> None:
    told = failure(report, lesson)
    assert outcome(report, lesson).status == "failed"
    assert told.place == f"notes/{lesson}.md:{lines(lesson, 'HERE')}"
    assert re.fullmatch(message, told.message)
    assert "\x1b" not in "".join(told.trace)


@pytest.mark.kernel
def test_failed_notebooks_are_kept_with_what_they_printed(report: Report, course: Config) -> None:
    for lesson in ("Assert", "Dies", "Hangs"):
        executed = notebook(course, outcome(report, lesson))
        assert any(c.get("outputs") for c in executed.cells), lesson


@pytest.mark.kernel
def test_every_false_claim_shows_its_difference(report: Report, lines: Lines) -> None:
    run = outcome(report, "Claims")
    assert (run.status, run.statements) == ("failed", 4)
    assert [f.difference for f in run.failures] == ["  a\n- c\n+ b", "- 4\n+ 3"]
    assert run.failures[0].place == f"notes/Claims.md:{lines('Claims', 'role=')}"
    listed = failure(report, "Listed")
    assert (listed.place, listed.difference) == (f"notes/Listed.md:{lines('Listed', 'role=')}", "- c\n+ b")


@pytest.mark.kernel
def test_a_lesson_that_takes_too_long_is_ended_with_all_it_started(
    report: Report, course: Config, lines: Lines, alive: Callable[[int], bool]
) -> None:
    run = outcome(report, "Hangs")
    assert (run.status, run.reason, run.statements) == ("timeout", "still running after 20 s", 4)
    assert failure(report, "Hangs").place == f"notes/Hangs.md:{lines('Hangs', 'HERE')}"
    printed = next(c.outputs[0].text for c in notebook(course, run).cells if c.get("outputs"))
    assert not alive(int(printed))


@pytest.mark.kernel
def test_a_cell_that_catches_the_interrupt_is_ended_all_the_same(report: Report) -> None:
    run = outcome(report, "Stubborn")
    assert run.status == "timeout"
    assert run.seconds < 40


@pytest.mark.kernel
def test_a_kernel_that_dies_says_how(
    report: Report, course: Config, lines: Lines, alive: Callable[[int], bool]
) -> None:
    run = outcome(report, "Dies")
    told = failure(report, "Dies")
    assert (run.status, run.statements) == ("died", 2)
    assert told.message == "the kernel ended with exit status 7\nlast words"
    assert told.place == f"notes/Dies.md:{lines('Dies', 'os.system')}"
    printed = next(c.outputs[0].text for c in notebook(course, run).cells if c.get("outputs"))
    assert not alive(int(printed))


@pytest.mark.kernel
def test_a_lesson_that_kills_its_worker_is_told_and_cleaned_up(
    report: Report, course: Config, alive: Callable[[int], bool]
) -> None:
    run = outcome(report, "Orphans")
    assert (run.status, run.reason) == ("died", "the worker was killed by SIGKILL (out of memory?)")
    assert run.notebook == ""
    assert not alive(int(course.path("pids").read_text()))


@pytest.mark.kernel
def test_a_lesson_that_leaves_early_has_not_passed(report: Report) -> None:
    assert outcome(report, "Exits").status == "failed"
    assert failure(report, "Exits").message.startswith("SystemExit")


@pytest.mark.kernel
def test_what_proves_nothing_is_empty_and_comments_are_a_problem(report: Report) -> None:
    comments, prose = outcome(report, "Comments"), outcome(report, "Prose")
    assert (comments.status, comments.problem) == ("empty", True)
    assert (prose.status, prose.problem, prose.notebook) == ("empty", False, "")
    imports = outcome(report, "Imports")
    assert (imports.status, imports.reason, imports.problem) == ("empty", "nothing but imports was executed", True)
    assert (imports.statements, imports.imports, imports.shown) == (2, 2, 1)


@pytest.mark.kernel
def test_what_cannot_run_here_says_why(report: Report) -> None:
    asks = outcome(report, "Asks")
    assert (asks.status, asks.reason, asks.problem) == ("unavailable", "no-such-program is not installed", False)
    assert outcome(report, "Fast").status == "not offered"
    assert outcome(report, "Passes", "gpu").status == "not offered"
    if not kernels.probe("gpu").available:
        assert outcome(report, "Fast", "gpu").status == "unavailable"
        assert outcome(report, "Fast", "gpu").reason


@pytest.mark.kernel
def test_a_note_with_mistakes_fails_with_their_lines(report: Report, lines: Lines) -> None:
    run = outcome(report, "Open")
    assert (run.status, run.reason) == ("failed", "the note has mistakes")
    assert run.failures[0].place == f"notes/Open.md:{lines('Open', 'python')}"
    assert run.failures[0].message.startswith("CM201 ")


@pytest.mark.kernel
def test_only_passes_are_kept(report: Report, course: Config) -> None:
    again = [p for p in planned(course, Request()) if p.run.status == "passed"]
    assert [p.run.lesson for p in again] == ["Passes"]
    assert again[0].run == replace(outcome(report, "Passes"), cached=True)
    assert not any(p.due for p in planned(course, Request(names=("Passes",))))
    assert all(p.due for p in planned(course, Request(names=("Passes",), fresh=True)))


def planned(course: Config, request: Request) -> list[Plan]:
    return plans(course, request, [kernels.probe("cpu")])


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("notes/Passes.md", None),
        ("notes/Passes.files/own.txt", "yours"),
        ("notes/_worksheets/ws/helper.py", "DOUBLE = 3\n"),
        ("notes/_worksheets/ws/new.txt", ""),
        ("build/runs/cpu/ws/Passes.ipynb", "{}"),
    ],
)
def test_whatever_a_lesson_depends_on_makes_it_run_again(
    report: Report, course: Config, file: str, text: str | None
) -> None:
    path = course.path(file)
    before = path.read_text() if path.exists() else None
    path.write_text((before or "") + "\n```python\nx = 5\n```\n" if text is None else text)
    try:
        assert all(p.due for p in planned(course, Request(names=("Passes",))))
    finally:
        path.unlink() if before is None else path.write_text(before)
    assert not any(p.due for p in planned(course, Request(names=("Passes",))))


@pytest.mark.kernel
def test_another_environment_makes_it_run_again(
    report: Report, course: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept.kernels, "installed", lambda: ("numpy-99",))
    assert all(p.due for p in planned(course, Request(names=("Passes",))))


@pytest.mark.kernel
def test_parameters_are_passed_on_and_make_another_run(report: Report, course: Config) -> None:
    request = Request(names=("Passes", "Assert"), parameters=(("epochs", "3"),))
    by_lesson = {p.run.lesson: p for p in planned(course, request)}
    assert by_lesson["Passes"].due
    assert by_lesson["Passes"].run.parameters == {"epochs": 3}
    assert by_lesson["Assert"].run.parameters == {}


def test_an_unknown_parameter_names_those_that_there_are(course: Config) -> None:
    with pytest.raises(ConfigError, match="Passes: epochs"):
        planned(course, Request(parameters=(("epoch", "3"),)))


def test_an_unknown_lesson_is_refused(course: Config) -> None:
    with pytest.raises(CoursemillError, match="Pases"):
        course_run.run(course, Request(names=("Pases",)))


def test_a_lesson_of_two_worksheets_is_run_once_unless_their_files_differ(tmp_path: Path) -> None:
    write(tmp_path / "notes" / "A.md", "---\nworksheet: [one, two]\n---\n# A\n\n```python\nx = 1\n```\n")
    assert [p.run.worksheet for p in planned(Config(tmp_path), Request())] == ["one"]
    write(tmp_path / "notes" / "_worksheets" / "two" / "helper.py", "")
    write(tmp_path / "notes" / "_worksheets" / "one" / "other.py", "")
    assert [p.run.worksheet for p in planned(Config(tmp_path), Request())] == ["one", "two"]


def test_accelerators_set_the_parameters_that_the_note_gives_them(course: Config) -> None:
    text = "---\nworksheet: [ws]\naccelerators: [cpu, gpu]\n---\n# A\n\n" + NOTES["Passes"]
    write(course.path("notes", "Both.md"), text)
    gpu = kernels.Kernel("gpu", True, devices=("GPU 0",))
    try:
        plan, on_gpu = plans(course, Request(names=("Both",)), [kernels.probe("cpu"), gpu])
    finally:
        course.path("notes", "Both.md").unlink()
    assert (plan.run.parameters, on_gpu.run.parameters) == ({}, {"epochs": 20})
