"""The command: what it prints, writes and exits with."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import psutil
import pytest
from click.testing import CliRunner, Result

from coursemill.effects import kernels
from coursemill.faces import cli
from coursemill.faces.commands import run as run_command
from coursemill.pure.outcome import Kernel, Report, Run

PROSE = "---\nworksheet: [ws]\n---\n# A\n\nWords.\n"
GPU = "---\nworksheet: [ws]\naccelerators: [cpu, gpu]\nrequires: [no-such-program]\n---\n# A\n\n```python\nx = 1\n```\n"
PASSES = "---\nworksheet: [ws]\n---\n# A\n\n```python\nprint(1)\n```\n"
SLEEPS = """\
---
worksheet: [ws]
---
# A

```python
import pathlib, subprocess, time
left = subprocess.Popen(["sleep", "600"], start_new_session=True)
pathlib.Path("PIDS").write_text(f"{left.pid} {left.args}")
time.sleep(600)
```
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "notes").mkdir()
    return tmp_path


def note(root: Path, name: str, text: str) -> None:
    (root / "notes" / f"{name}.md").write_text(text)


def call(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli.cli, ["--root", str(root), "run", *arguments])


def test_the_table_has_every_lesson_and_a_total(root: Path) -> None:
    note(root, "Prose", PROSE)
    note(root, "Needy", GPU)
    done = call(root)
    assert done.exit_code == cli.OK
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["Needy", "cpu", "unavailable", "0", "0"] in rows
    assert ["Prose", "cpu", "empty", "0", "0"] in rows
    assert "unavailable: no-such-program is not installed (put `no-such-program` on PATH)" in done.stdout
    assert "2 lessons" in done.stdout
    assert "1 empty, 1 unavailable" in done.stdout
    assert done.stderr.splitlines() == [
        "unavailable Needy on cpu: no-such-program is not installed",
        "empty Prose on cpu: it has no code",
    ]
    assert (root / "build" / "reports" / "run.html").is_file()


def test_json_junit_and_the_page_go_where_they_are_asked_to(root: Path) -> None:
    note(root, "Prose", PROSE)
    done = call(root, "--json", "--junit", str(root / "a" / "junit.xml"), "--html", str(root / "b" / "page.html"))
    assert json.loads(done.stdout)["counts"] == {"empty": 1}
    assert ElementTree.parse(root / "a" / "junit.xml").getroot().tag == "testsuites"
    page = (root / "b" / "page.html").read_text()
    assert 'href="../notes/Prose.md"' in page


def test_a_required_kernel_that_is_not_there_exits_with_3(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note(root, "Needy", GPU)
    monkeypatch.setattr(kernels, "_hardware", lambda name: Kernel(name, False, "no NVIDIA driver", "get one"))
    assert call(root, "--kernel", "gpu").exit_code == cli.OK
    done = call(root, "--require", "gpu")
    assert done.exit_code == cli.UNAVAILABLE
    assert "unavailable: no NVIDIA driver (get one)" in done.stdout


def test_wrong_names_are_refused(root: Path) -> None:
    note(root, "Prose", PROSE)
    assert "there is no lesson" in str(call(root, "Pros").exception)
    assert call(root, "--kernel", "abacus").exit_code == cli.USAGE


def test_a_course_without_lessons_says_what_one_is(root: Path) -> None:
    done = call(root)
    assert "a lesson is a note with `worksheet:`" in done.stdout


def report(*runs: Run, required: tuple[str, ...] = (), interrupted: bool = False) -> Report:
    return Report(runs, (Kernel("gpu", False),), 1.0, "", required, interrupted)


@pytest.mark.parametrize(
    ("result", "code"),
    [
        (report(Run("A", "a", "ws", "cpu", "passed")), 0),
        (report(Run("A", "a", "ws", "cpu", "unavailable")), 0),
        (report(Run("A", "a", "ws", "cpu", "empty")), 0),
        (report(Run("A", "a", "ws", "cpu", "empty", code=1)), 1),
        (report(Run("A", "a", "ws", "cpu", "failed")), 1),
        (report(Run("A", "a", "ws", "cpu", "died"), required=("gpu",)), 1),
        (report(Run("A", "a", "ws", "cpu", "passed"), required=("gpu",)), 3),
        (report(Run("A", "a", "ws", "cpu", "cancelled"), interrupted=True), 130),
    ],
)
def test_exit_codes(result: Report, code: int) -> None:
    assert run_command.exit_code(result) == code


@pytest.mark.kernel
def test_an_unchanged_run_imports_nothing_heavy(root: Path) -> None:
    note(root, "Passes", PASSES)
    program = (
        "import sys\nfrom coursemill.faces.cli import cli\n"
        "try:\n    cli.main(sys.argv[1:])\nexcept SystemExit as end:\n    print(end.code, *sorted(sys.modules))"
    )
    command = [sys.executable, "-c", program, "--root", str(root), "run"]
    first = subprocess.run(command, capture_output=True, text=True, check=True)
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "passed (cached)" not in first.stdout
    assert "passed (cached)" in again.stdout
    code, *modules = again.stdout.splitlines()[-1].split()
    assert code == "0"
    assert not {"papermill", "nbformat", "jupyter_client", "nbgrader", "IPython"} & set(modules)


@pytest.fixture
def sleeping(root: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A run whose one lesson has started a server and sleeps."""
    note(root, "Sleeps", SLEEPS.replace("PIDS", str(tmp_path / "pids")))
    note(root, "Waits", PASSES)
    (tmp_path / "tmp").mkdir()
    command = [sys.executable, "-m", "coursemill", "--root", str(root), "run", "--jobs", "1", "--json"]
    environment = {**os.environ, "TMPDIR": str(tmp_path / "tmp")}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            end = time.monotonic() + 60
            while not (tmp_path / "pids").exists() and process.poll() is None and time.monotonic() < end:
                time.sleep(0.1)
            assert process.poll() is None, process.communicate()
            assert (tmp_path / "pids").exists()
            yield process
        finally:
            process.kill()


def server(folder: Path) -> int:
    return int((folder / "pids").read_text().split()[0])


@pytest.mark.kernel
def test_ctrl_c_leaves_nothing_and_shows_what_there_is(
    sleeping: subprocess.Popen[str], tmp_path: Path, alive: Callable[[int], bool]
) -> None:
    family = psutil.Process(sleeping.pid).children(recursive=True)
    sleeping.send_signal(signal.SIGINT)
    out, err = sleeping.communicate(timeout=30)
    assert sleeping.returncode == run_command.INTERRUPTED
    assert "Traceback" not in err
    shown = json.loads(out)
    assert shown["interrupted"]
    assert [run["status"] for run in shown["runs"]] == ["cancelled", "cancelled"]
    assert not alive(server(tmp_path))
    assert [*(tmp_path / "tmp").iterdir()] == []
    gone = time.monotonic() + 10
    while any(alive(p.pid) for p in family) and time.monotonic() < gone:
        time.sleep(0.05)
    assert not any(alive(p.pid) for p in family)


@pytest.mark.kernel
def test_a_run_that_is_killed_leaves_nothing_either(
    sleeping: subprocess.Popen[str], tmp_path: Path, alive: Callable[[int], bool]
) -> None:
    sleeping.kill()
    sleeping.communicate(timeout=30)
    end = time.monotonic() + 20
    ours = "coursemill-*"  # multiprocessing's own folder stays, for the one who would remove it is dead
    while (alive(server(tmp_path)) or [*(tmp_path / "tmp").glob(ours)]) and time.monotonic() < end:
        time.sleep(0.1)
    assert not alive(server(tmp_path))
    assert [*(tmp_path / "tmp").glob(ours)] == []


def test_kernels_are_listed_with_reasons(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "_hardware", lambda name: Kernel(name, False, f"no {name}", "get one"))
    arguments = ["--root", str(root), "kernels"]
    shown = CliRunner().invoke(cli.cli, arguments).stdout
    assert "coursemill-cpu" in shown
    assert "no gpu; get one" in shown
    listed = json.loads(CliRunner().invoke(cli.cli, [*arguments, "--json"]).stdout)
    assert [(k["spec"], k["available"]) for k in listed] == [
        ("coursemill-cpu", True),
        ("coursemill-gpu", False),
        ("coursemill-tpu", False),
    ]
    assert CliRunner().invoke(cli.cli, [*arguments, "--require", "cpu"]).exit_code == cli.OK
    assert CliRunner().invoke(cli.cli, [*arguments, "--require", "tpu"]).exit_code == cli.UNAVAILABLE


def test_kernels_work_outside_of_a_course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(cli.cli, ["kernels"]).exit_code == cli.OK


@pytest.mark.kernel
def test_a_long_temporary_directory_is_no_trouble(root: Path, tmp_path: Path) -> None:
    note(root, "Passes", PASSES)
    folder = tmp_path / ("long" * 20)
    folder.mkdir()
    command = [sys.executable, "-m", "coursemill", "--root", str(root), "run", "--json"]
    done = subprocess.run(
        command, env={**os.environ, "TMPDIR": str(folder)}, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"] == {"passed": 1}
    assert not list(folder.iterdir())
