"""Whatever happens to a grader, the next one completes to the same grades, and runs nothing twice without need."""

import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coursemill.course import grade
from coursemill.effects.grading import gradebook, journal
from coursemill.errors import CoursemillError

pytestmark = pytest.mark.nbgrader
GRADER = """
import sys
from pathlib import Path
sys.path.insert(0, {fakes!r})
import trusting
from coursemill.config import Config
from coursemill.course.grade import Request, Tools, grade
if __name__ == "__main__":
    grade(Config(Path({root!r})), Request("WS", trust=True, jobs=2), tools=Tools(trusting.examine, trusting.calibrate))
"""


@pytest.fixture
def grader(classroom: Any, tmp_path: Path) -> Callable[[], subprocess.Popen[str]]:
    """Start a grader of its own; a class has handed in."""
    for number in range(6):
        answer = (classroom.RIGHT, classroom.WRONG)[number % 2]
        classroom.hand_in(f"s{number}", add=answer, why=f"Because of {number}.")
    script = tmp_path / "grader.py"
    script.write_text(GRADER.format(fakes=str(Path(__file__).parent / "fakes"), root=str(classroom.root)))

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, str(script)], stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    return start


def test_killed_at_any_moment(classroom: Any, grader: Any, alive: Callable[[int], bool]) -> None:
    """Undisturbed, then killed again and again, each time a little later; then once more to the end."""
    began = time.monotonic()
    first = grader()
    first.communicate()
    assert first.returncode == 0
    took = time.monotonic() - began
    wanted, files = classroom.gradebook(), classroom.files()
    chance = random.Random(5)
    for _ in range(6):
        reset(classroom.root)
        classroom.ran()
        while True:
            process = grader()
            try:
                process.wait(chance.uniform(0.1, 1.2) * took)
            except subprocess.TimeoutExpired:
                os.kill(process.pid, signal.SIGKILL)
            process.communicate()
            if process.returncode == 0:
                break
            assert process.returncode == -signal.SIGKILL
        assert (classroom.gradebook(), classroom.files()) == (wanted, files)
    assert not list(classroom.root.rglob(".coursemill-*"))


def reset(root: Path) -> None:
    """As if nobody had graded."""
    for name in ("build", "autograded"):
        shutil.rmtree(root / name, ignore_errors=True)
    (root / "gradebook.db").unlink(missing_ok=True)


STEPS = ("journal", "gradebook", "commit", "file", "state")


@pytest.mark.parametrize("step", STEPS)
def test_stopped_between_any_two_steps(classroom: Any, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At each step that writes, after the first thing is written: the next one completes, with what people entered."""
    for name in ("ada", "bob"):
        classroom.hand_in(name, add=classroom.RIGHT, why="Because.")
    classroom.grade()
    classroom.person("ada", "why", manual_score=2)
    wanted = {}
    for name in ("ada", "bob"):
        classroom.hand_in(name, add=classroom.WRONG, why="Because of me.")
    with monkeypatch.context() as patch:
        stop(patch, step)
        with pytest.raises(Stopped):
            classroom.grade(jobs=1)
    classroom.grade()
    wanted = classroom.gradebook()
    assert wanted["WS/ada/Lesson/why"]["manual_score"] == 2
    assert wanted["WS/ada/Lesson/why"]["needs_manual_grade"], "the answer is another"
    assert wanted["WS/ada/Lesson/one"]["auto_score"] == 1
    assert wanted["WS/bob/Lesson/part"]["auto_score"] == 0.5
    files = classroom.files()
    classroom.grade(fresh=True)
    assert (classroom.gradebook(), classroom.files()) == (wanted, files)


class Stopped(BaseException):
    """The grader is no more."""


def stop(patch: pytest.MonkeyPatch, step: str) -> None:
    """Let the grader end when a step has been done once."""
    from coursemill.effects.grading import autogrades

    modules = {
        "journal": (journal, "write"),
        "gradebook": (gradebook.cells, "update"),
        "commit": (gradebook, "write"),
        "file": (autogrades, "write"),
        "state": (journal, "remember"),
    }
    module, name = modules[step]
    function = getattr(module, name)

    def once(*arguments: Any, **about: Any) -> Any:
        function(*arguments, **about)
        raise Stopped

    patch.setattr(module, name, once)


def test_a_full_disk_is_said_and_loses_nothing(classroom: Any, grader: Any) -> None:
    first = grader()
    first.communicate()
    wanted, files = classroom.gradebook(), classroom.files()
    reset(classroom.root)
    for most in (200, 3_000, 60_000):
        process = grader_with_limit(grader, most)
        said = process.communicate()[1]
        assert process.returncode == 1
        assert "CoursemillError" in said, said
        assert "raise the limit on the size of files" in said or "the gradebook was not changed" in said
        assert not list((classroom.root / "build").rglob(".coursemill-*"))
    last = grader()
    last.communicate()
    assert (classroom.gradebook(), classroom.files()) == (wanted, files)


def grader_with_limit(grader: Any, most: int) -> Any:
    """A grader that cannot write files longer than `most`, as on a disk that is nearly full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # an error, not the end; children inherit it
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        return grader()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def test_a_locked_gradebook_is_waited_for(classroom: Any) -> None:
    classroom.hand_in("ada", add=classroom.RIGHT)
    classroom.grade()
    classroom.hand_in("ada", add=classroom.WRONG)
    other = sqlite3.connect(classroom.root / "gradebook.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    waiter = threading.Timer(1, other.rollback)
    waiter.start()
    classroom.grade()
    waiter.join()
    other.close()
    assert classroom.gradebook()["WS/ada"]["score"] == 1.5


def test_a_gradebook_that_stays_locked_is_named(classroom: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    classroom.hand_in("ada", add=classroom.RIGHT)
    classroom.grade()
    classroom.ran()
    before = classroom.gradebook()
    classroom.hand_in("ada", add=classroom.WRONG)
    monkeypatch.setattr(gradebook, "PATIENCE", 1)
    other = sqlite3.connect(classroom.root / "gradebook.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(CoursemillError, match="another program has been writing to it for 1 s"):
        classroom.grade()
    other.rollback()
    other.close()
    assert classroom.gradebook() == before
    assert classroom.ran() == ["ada/Lesson"]
    classroom.grade()
    assert classroom.ran() == []
    assert classroom.gradebook()["WS/ada"]["score"] == 1.5


@pytest.mark.parametrize(
    "content", [b"no database at all, but long enough to be one" * 9, b"SQLite format 3\0" + b"x" * 500]
)
def test_a_damaged_gradebook_is_named(classroom: Any, content: bytes) -> None:
    classroom.hand_in("ada", add=classroom.RIGHT)
    (classroom.root / "gradebook.db").write_bytes(content)
    with pytest.raises(CoursemillError, match="the gradebook was not changed: it is damaged"):
        classroom.grade()
    assert (classroom.root / "gradebook.db").read_bytes() == content
    (classroom.root / "gradebook.db").unlink()
    classroom.ran()
    classroom.grade()
    assert classroom.ran() == []


def test_two_graders_at_once(classroom: Any, grader: Any) -> None:
    """The second waits, and finds nothing to do."""
    first, second = grader(), grader()
    for process in (first, second):
        process.communicate()
        assert process.returncode == 0
    assert len(classroom.ran()) == 7, "each once, and the solution"


def test_who_waits_says_so(classroom: Any) -> None:
    from coursemill.effects import store

    classroom.hand_in("ada", add=classroom.RIGHT)
    told = threading.Event()

    class Watch(grade.Watch):
        def waiting(self) -> None:
            told.set()

    request = grade.Request("WS", trust=True)
    with store.locked(classroom.root / "build/grading"):
        second = threading.Thread(target=lambda: grade.grade(classroom.config, request, Watch(), classroom.tools))
        second.start()
        assert told.wait(20)
        assert classroom.ran() == []
    second.join()
    assert classroom.gradebook()["WS/ada"]["score"] == 5


def test_workers_end_with_the_grader(classroom: Any, grader: Any, alive: Callable[[int], bool]) -> None:
    import psutil

    classroom.hand_in("slow", add="import time\ntime.sleep(60)")
    process = grader()
    end = time.monotonic() + 60
    while "slow/Lesson" not in (classroom.log.read_text() if classroom.log.exists() else ""):
        assert time.monotonic() < end
        time.sleep(0.05)
    workers = [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
    assert workers
    process.kill()
    process.communicate()
    assert not any(alive(pid) for pid in workers)


def test_interrupted(classroom: Any, grader: Any) -> None:
    """Ctrl-C ends it at once; what has a result keeps it."""
    classroom.hand_in("slow", add="import time\ntime.sleep(60)")

    class Watch(grade.Watch):
        def end(self, slot: Any, verdict: Any) -> None:
            raise KeyboardInterrupt

    found = grade.grade(classroom.config, grade.Request("WS", trust=True, jobs=1), Watch(), classroom.tools)
    assert found.interrupted
    assert found.ran == 1
    assert not (classroom.root / "gradebook.db").exists()
