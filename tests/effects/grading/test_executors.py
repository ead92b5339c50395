"""Processes that do the work: one that dies is replaced, and harms no other work."""

import pickle
import time
from collections import deque
from pathlib import Path
from typing import Any

import pytest

from coursemill.effects.grading import executors
from coursemill.effects.grading.executors import Local, Lost, Piece

WORK = Path(__file__).parent / "work"


@pytest.fixture
def working(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Functions that a new process can import, too."""
    monkeypatch.syspath_prepend(str(WORK))
    import deeds

    return deeds


def done(crew: Local, *pieces: Piece) -> dict[int, Any]:
    found = dict(executors.results(crew, deque(range(len(pieces))), lambda number: pieces[number]))
    crew.close()
    return found


def test_results_and_exceptions(working: Any) -> None:
    shared = pickle.dumps(10)
    pieces = [Piece(working.add, shared, (n,)) for n in range(5)]
    found = done(Local(2), *pieces, Piece(working.fail, shared, ("why",)))
    assert [found[n] for n in range(5)] == [10, 11, 12, 13, 14]
    assert isinstance(found[5], ValueError)


def test_more_work_may_come_of_work(working: Any) -> None:
    waiting, found = deque([1]), []
    crew = Local(2)
    for number, result in executors.results(crew, waiting, lambda n: Piece(working.add, pickle.dumps(0), (n,))):
        found.append(result)
        if number < 20:
            waiting.extend([number * 2, number * 2 + 1])
    crew.close()
    assert sorted(found) == list(range(1, 40))


def test_work_that_kills_its_process_is_tried_three_times(working: Any, tmp_path: Path) -> None:
    log = tmp_path / "log"
    shared = pickle.dumps(0)
    found = done(Local(1), Piece(working.die, shared, (str(log),)), Piece(working.add, shared, (1,)))
    assert isinstance(found[0], Lost)
    assert found[1] == 1
    assert len(log.read_text().split()) == 3


def test_a_process_that_is_killed_is_replaced(working: Any, tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert done(Local(1), Piece(working.die_once, pickle.dumps(0), (str(log),))) == {0: "alive"}


def test_work_side_by_side_is_not_harmed(working: Any, tmp_path: Path) -> None:
    shared = pickle.dumps(0)
    pieces = [Piece(working.die, shared, (str(tmp_path / "log"),)), *(Piece(working.slow, shared) for _ in range(4))]
    assert [found for number, found in sorted(done(Local(3), *pieces).items()) if number] == ["slept"] * 4


def test_closing_ends_what_runs(working: Any, alive: Any, tmp_path: Path) -> None:
    log = tmp_path / "log"
    crew = Local(2)
    futures = [crew.executor.submit(executors.call, working.forever, pickle.dumps(0), str(log)) for _ in range(6)]
    end = time.monotonic() + 60
    while len(log.read_text().split() if log.exists() else ()) < 2:
        assert time.monotonic() < end
        time.sleep(0.02)
    crew.close()
    assert all(future.done() or future.cancelled() for future in futures)
    assert not any(alive(int(pid)) for pid in log.read_text().split())


def test_preparation_and_ctrl_c(working: Any) -> None:
    """Workers do not hear Ctrl-C, and have prepared before the first piece."""
    crew = Local(1, working.prepare)
    assert done(crew, Piece(working.prepared, pickle.dumps(0))) == {0: (True, True)}


def test_nobody_is_started_without_work(working: Any) -> None:
    crew = Local(8)
    assert not crew._pools
    crew.close()
