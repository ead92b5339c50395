"""Stock nbgrader works on what a build wrote, with our nbgrader_config.py, on a clone that has no gradebook."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest

pytestmark = pytest.mark.nbgrader
SETTINGS = Path(__file__).parents[2] / "nbgrader_config.py"
KERNEL = "coursemill-cpu"
NOTE = """
## Open

> [!question|id=think] What would you do?
> Nobody gives points for it.

## Graded

> [!exercise|id=why points=3 grade=manual] Why?
> Say why.

> [!solution]- Model answer
> Because.

> [!rubric]- Rubric
> - 3 pt: says why

> [!quiz|id=pick points=2] Which one?
> - [ ] one
> - [x] two
"""
HOSTILE = """
import os, socket, subprocess, sys
course, port, done = {course!r}, {port}, []
def attack(name, act):
    try:
        act()
        done.append(name)
    except OSError:
        pass
def write(path):
    with open(path, "w") as file:
        file.write("mine")
for up in ("..", "../..", "../../..", course):
    attack("read tests", lambda: os.listdir(up + "/source"))
    attack("read tests", lambda: open(up + "/source/WS/One.ipynb").read())
    attack("read marks", lambda: open(up + "/gradebook.db", "rb").read())
    attack("copy", lambda: os.listdir(up + "/submitted/solved/WS"))
    attack("write", lambda: write(up + "/submitted/hostile/WS/mine.txt"))
    attack("write", lambda: write(up + "/autograded/hostile/WS/mine.txt"))
attack("reach", lambda: socket.create_connection(("127.0.0.1", port), timeout=2))
attack("reach", lambda: socket.create_connection(("8.8.8.8", 53), timeout=2))
write("mine.txt")
sleep = "import time; time.sleep(600)"
subprocess.Popen(["setsid", "-f", sys.executable, "-c", sleep, "daemon-{port}"])
print("done:", done, os.path.exists("helper.py"))
"""
Nbgrader = Callable[..., str]


@pytest.fixture
def nbgrader(vault: Any) -> Nbgrader:
    """Build a course of two notes; return a function that runs an nbgrader application there, and gives its output."""
    vault.put(
        {
            "One.md": vault.note("one") + NOTE,
            "Two, it's a draft.md": vault.note("two", text="```python\nimport helper\n```"),
        }
    )
    vault.put({"_worksheets/WS/helper.py": "x = 1\n"})
    shutil.copy(SETTINGS, vault.root)
    assert vault.build().ok

    def run(*arguments: str) -> str:
        environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(vault.root / ".jupyter")}
        # Started as `.venv/bin/nbgrader` in a shell without the environment: its programs are not on PATH.
        environment["PATH"] = os.pathsep.join(
            p for p in environment["PATH"].split(os.pathsep) if not (Path(p) / "alembic").exists()
        )
        command = [sys.executable, "-m", "nbgrader", *arguments]
        ran = subprocess.run(command, cwd=vault.root, env=environment, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout + ran.stderr

    return run


def submit(vault: Any, student: str, step: str) -> None:
    shutil.copytree(vault.root / step / "WS", vault.root / "submitted" / student / "WS")


def scores(vault: Any, student: str) -> dict[str, tuple[float | None, bool]]:
    """Grade id → automatic score, and whether a person has yet to grade it."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{vault.root}/gradebook.db", "coursemill") as gradebook:
        submission = gradebook.find_submission("WS", student)
        return {g.name: (g.auto_score, g.needs_manual_grade) for nb in submission.notebooks for g in nb.grades}


def test_from_a_clone_to_feedback(vault: Any, nbgrader: Nbgrader) -> None:
    nbgrader("generate_solution", "WS")
    submit(vault, "solved", "solution")
    submit(vault, "untouched", "release")
    nbgrader("autograde", "WS")
    solved, untouched = scores(vault, "solved"), scores(vault, "untouched")
    assert solved.pop("why") == untouched.pop("why") == (None, True), "a person's work"
    assert solved.pop("think") == (None, True), "an answer waits to be read"
    assert untouched.pop("think") == (0, False)
    tests = {"one-test-1": 1, "one-test-2": 2, "two-test-1": 1, "two-test-2": 2, "pick-test-1": 0, "pick-test-2": 2}
    assert sum(tests.values()) == sum(score or 0 for score, _ in solved.values())
    assert {score for score, _ in untouched.values()} == {0}
    assert not any(manual for _, manual in (*solved.values(), *untouched.values()))
    nbgrader("generate_feedback", "WS")
    assert sorted(p.name for p in (vault.root / "feedback/solved/WS").glob("*.html")) == [
        "One.html",
        "Two, it's a draft.html",
    ]
    assert vault.build(check=True).ok, "nothing that is committed has changed"


def test_generate_assignment_writes_what_the_build_wrote(vault: Any, nbgrader: Nbgrader) -> None:
    before = vault.tree()
    nbgrader("generate_assignment", "WS")
    assert vault.tree() == before
    assert vault.build().written == ()


def test_validate_tells_stubs_from_solutions(vault: Any, nbgrader: Nbgrader) -> None:
    assert "VALIDATION FAILED" in nbgrader("validate", "release/WS/One.ipynb")
    assert "Success! Your notebook passes all the tests." in nbgrader("validate", "source/WS/One.ipynb")


@pytest.mark.sandbox
def test_a_setting_runs_submissions_in_the_sandbox(vault: Any, nbgrader: Nbgrader) -> None:
    with (vault.root / "nbgrader_config.py").open("a") as settings:
        settings.write(f'\nc.Execute.kernel_name = "{KERNEL}"\n')
    nbgrader("generate_solution", "WS")
    submit(vault, "solved", "solution")
    submit(vault, "hostile", "release")
    notebook = vault.root / "submitted/hostile/WS/One.ipynb"
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        put_first(notebook, HOSTILE.format(course=str(vault.root), port=port))
        before = contents(vault.root / "submitted")
        nbgrader("autograde", "WS")
    solved, hostile = scores(vault, "solved"), scores(vault, "hostile")
    assert notebook_outputs(vault.root / "autograded/hostile/WS/One.ipynb").startswith("done: [] True\n")
    assert not any(score for score, _ in hostile.values())
    assert sum(score or 0 for score, _ in solved.values()) == 8
    assert contents(vault.root / "submitted") == before
    assert not list(vault.root.rglob("mine.txt"))
    assert not any(f"daemon-{port}" in " ".join(p.info["cmdline"] or ()) for p in psutil.process_iter(["cmdline"]))


def put_first(notebook: Path, code: str) -> None:
    """Let the notebook's first cell be `code`."""
    content = nbformat.read(notebook, 4)
    content.cells.insert(0, nbformat.v4.new_code_cell(code))
    nbformat.write(content, notebook)


def notebook_outputs(notebook: Path) -> str:
    cells = nbformat.read(notebook, 4).cells
    return "".join(out.get("text", "") for cell in cells for out in cell.get("outputs", ()))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
