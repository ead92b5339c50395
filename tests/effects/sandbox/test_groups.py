"""Control groups: limits that the system keeps, where they can be made, and nothing where they cannot."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from coursemill.effects.sandbox import groups
from coursemill.effects.sandbox.limits import Limits

MB = 1 << 20


@pytest.fixture
def second_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks as version 2 does, with a group delegated to this user above this process's own."""
    own = tmp_path / "user.slice" / "app.slice" / "this.scope"
    own.mkdir(parents=True)
    (tmp_path / "cgroup.controllers").write_text("memory pids")
    (own.parent / "cgroup.subtree_control").write_text("memory pids cpu")
    (own.parent / "cgroup.procs").touch()
    monkeypatch.setattr(groups, "ROOT", tmp_path)
    monkeypatch.setattr(groups, "_own", lambda: {"": "/user.slice/app.slice/this.scope"})
    groups.parents.cache_clear()
    yield own.parent
    groups.parents.cache_clear()


def test_a_delegated_group_above_is_found(second_version: Path) -> None:
    assert groups.named("x").folders == (second_version / "coursemill-x",)


def test_a_group_may_be_given(second_version: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = tmp_path / "given"
    given.mkdir()
    for name in ("cgroup.subtree_control", "cgroup.procs"):
        (given / name).write_text("memory pids")
    monkeypatch.setenv(groups.GIVEN, str(given))
    assert groups.parents() == (given,)


def test_without_both_controllers_there_is_none(second_version: Path) -> None:
    (second_version / "cgroup.subtree_control").write_text("memory")
    assert groups.named("x").folders == ()
    groups.NONE.hold(os.getpid(), Limits())
    assert groups.NONE.killed() == 0


def test_limits_are_written_and_the_killed_counted(second_version: Path) -> None:
    group = groups.named("x")
    (folder,) = group.folders
    folder.mkdir()
    for name in ("memory.max", "pids.max"):
        (folder / name).touch()
    group.hold(4711, Limits(memory=100 * MB, disk=MB, shared=MB, processes=10))
    assert (folder / "cgroup.procs").read_text() == "4711"
    assert (folder / "memory.max").read_text() == str(103 * MB)
    assert (folder / "pids.max").read_text() == "18"
    (folder / "memory.events").write_text("oom 3\noom_kill 2\n")
    assert group.killed() == 2


def test_that_it_cannot_be_made_after_all_is_no_obstacle(second_version: Path) -> None:
    group = groups.named("x")
    group.folders[0].write_text("in the way")
    group.hold(4711, Limits())
    assert group.killed() == 0


def test_this_process_is_never_taken(second_version: Path) -> None:
    group = groups.named("x")
    group.hold(0, Limits())  # which would be it
    assert not group.folders[0].exists()


def test_only_old_groups_are_swept(second_version: Path) -> None:
    new, old = second_version / "coursemill-new", second_version / "coursemill-old"
    new.mkdir()
    old.mkdir()
    long_ago = time.time() - 2 * groups.OLD
    os.utime(old, (long_ago, long_ago))
    groups.sweep()
    assert new.exists()
    assert not old.exists()


@pytest.mark.kernel
def test_memory_that_no_watchdog_sees_is_counted_by_the_group(start: Callable) -> None:
    if not groups.parents():
        pytest.skip("this user may make no control groups")
    cell = start(group=True, memory=300 * MB, disk=400 * MB, shared=MB)
    held = "open('/tmp/a', 'wb').write(bytes(390 * 2**20)); open('a', 'wb').write(bytes(390 * 2**20))"
    cell.run(held)  # files are limited by themselves
    cell.talk.execute(
        "import os\nfor _ in range(3):\n  if os.fork() == 0:\n    x = b'x' * (150 * 2**20)\n    os.pause()"
    )
    end = time.monotonic() + 20
    while cell.kernel.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    assert cell.kernel.poll() == -9
    assert "memory" in cell.kernel.reason


def test_the_next_kernel_waits_until_the_one_before_is_gone(second_version: Path) -> None:
    group = groups.named("k")
    group.hold(4711, Limits())
    (folder,) = group.folders
    ended = threading.Timer(0.3, lambda: (folder / "cgroup.procs").write_text(""))
    ended.start()
    began = time.monotonic()
    group.hold(4712, Limits())
    assert 0.2 < time.monotonic() - began < groups.PATIENCE
    assert (folder / "cgroup.procs").read_text() == "4712"
