"""Forked workers do what they are given, say what went wrong, and are gone afterwards."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from coursemill.effects import workers
from coursemill.effects.workers import Alone, Forked, cores
from coursemill.errors import CoursemillError


def double(number: int) -> int:
    return 2 * number


@pytest.mark.parametrize("crew", [Alone(double), Forked(double, 1), Forked(double, 3)])
def test_every_job_is_done_once(crew: Any) -> None:
    with crew:
        done = []
        for number in range(50):
            crew.give(number)
            done += crew.ready()
        done += crew.rest()
        assert sorted(done) == [double(number) for number in range(50)]
        assert list(crew.rest()) == []
    assert not multiprocessing.active_children()


def test_what_is_prepared_and_inherited_is_there() -> None:
    there: list[str] = ["inherited"]
    with Forked(lambda _: there, 1, lambda: there.append("prepared")) as crew:
        crew.give(None)
        assert list(crew.rest()) == [["inherited", "prepared"]]
    assert there == ["inherited"]


def fail(job: str) -> None:
    if job == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    raise CoursemillError("no", where=job, fix="try")


def given(*jobs: str) -> list[None]:
    with Forked(fail, 1) as crew:
        for job in jobs:
            crew.give(job)
            time.sleep(0.01)
        return list(crew.rest())


@pytest.mark.parametrize(
    ("jobs", "says"),
    [(["raise"], r"^raise: no \(try\)$"), (["die"], "a worker process died"), (["die"] * 100, "a worker process died")],
)
def test_what_goes_wrong_is_told(jobs: list[str], says: str) -> None:
    with pytest.raises(CoursemillError, match=says):
        given(*jobs)


def test_workers_end_with_the_one_who_asked(alive: Callable[[int], bool]) -> None:
    reader, writer = multiprocessing.Pipe()

    def ask() -> None:
        with Forked(lambda _: os.getpid(), 2) as crew:
            for _ in range(2):
                crew.give(None)
            writer.send(list(crew.rest()))
            time.sleep(60)

    asker = multiprocessing.get_context("fork").Process(target=ask)
    asker.start()
    workers = reader.recv()
    asker.kill()
    asker.join()
    end = time.monotonic() + 10
    while any(alive(pid) for pid in workers):
        assert time.monotonic() < end
        time.sleep(0.02)


def test_cores_are_those_that_may_be_used() -> None:
    assert 1 <= cores() <= (os.cpu_count() or 1)


@pytest.mark.parametrize("many", [2, 100])
def test_what_is_shared_is_done_once(many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "MANY", many)
    monkeypatch.setattr(workers, "AT_ONCE", 4)
    assert sorted(workers.share(double, 11)) == [(number, double(number)) for number in range(11)]
    assert list(workers.share(double, 0)) == []
