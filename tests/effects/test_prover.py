"""The parent's side: what it does with a worker that breaks, and what it leaves."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from coursemill.effects import prover
from coursemill.effects.prover import Order
from coursemill.effects.proving import Limits
from coursemill.pure.trials import Source, Step, Trial, Variant


def step(text: str) -> Step:
    return Step("cell", "code", Source(text, tuple(range(7, 8 + text.count("\n")))))


def trial(*answers: str) -> Trial:
    steps = (
        Step("a", "answer", Source(answers[0], (1,))),
        Step("a-test-1", "test", Source("assert a == 1", (5,)), 1.0),
    )
    kinds = ("solution", *("wrong" for _ in answers[1:]))
    variants = [
        Variant(kind, f"{kind} {number}", number, {"a": Source(text, (number,))})  # type: ignore[arg-type]  # two kinds
        for number, (kind, text) in enumerate(zip(kinds, answers, strict=True))
    ]
    return Trial("a", "A", 1, steps, tuple(variants))


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("import os\n\nos._exit(5)", "ends its process, which ended with exit status 5"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", "was killed by SIGSEGV"),
        ("import time\ntime.sleep(99)", "is still running after 1 s"),
        ("x = 1\nx / 0", "ZeroDivisionError: division by zero"),
        ("%%bash -e\nfalse", "CalledProcessError: Command '%%bash' returned non-zero exit status 1."),
    ],
)
def test_a_lesson_that_does_not_get_to_its_exercise(cell: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prover, "GRACE", 0.5)
    found = prover.prove(Order((step(cell), trial("a = 1")), limits=Limits(1, 1)))
    assert found.stopped is not None
    assert reason in found.stopped[1]
    assert found.stopped[0] in (7, 8)
    assert found.tried == {}


def test_a_solution_that_kills_the_lesson_ends_it() -> None:
    found = prover.prove(Order((trial("import os\nos._exit(1)", "a = 2"), step("x = 1"))))
    assert found.stopped == (0, "a: the solution ends its process, which ended with exit status 1")
    assert [one.broken for one in found.tried.values()] == ["ends its process, which ended with exit status 1"]


def test_what_an_answer_started_is_ended(alive: Callable[[int], bool], tmp_path: Path) -> None:
    file = tmp_path / "pid"
    daemon = (
        "import subprocess, sys\n"
        f"p = subprocess.Popen(['sleep', '600'], start_new_session=True)\nopen({str(file)!r}, 'w').write(str(p.pid))"
    )
    found = prover.prove(Order((trial("a = 1", daemon),)))
    assert found.ended
    assert not alive(int(file.read_text()))


def test_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    prover.prove(Order((step("open('made.txt', 'w').write('x')"), trial("a = 1", "a = 2"))))
    assert list(tmp_path.iterdir()) == []


def test_a_worker_dies_with_its_parent(alive: Callable[[int], bool], tmp_path: Path) -> None:
    file = tmp_path / "pid"
    cell = f"import os, time\nopen({str(file)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)"
    program = (
        "from coursemill.effects import prover\n"
        "from coursemill.pure.trials import Source, Step\n"
        f"prover.prove(prover.Order((Step('c', 'code', Source({cell!r}, (1, 2, 3))),)))\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], env={**os.environ, "TMPDIR": str(tmp_path)}) as parent:
        _until(lambda: file.exists() and file.read_text())
        parent.send_signal(signal.SIGKILL)
    _until(lambda: not alive(int(file.read_text())))


def _until(true: Callable[[], object], patience: float = 60.0) -> None:
    end = time.monotonic() + patience
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)
