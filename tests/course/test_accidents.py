"""Whatever happens to a build, no notebook is half written, nothing existing is lost, and the next one completes."""

import errno
import multiprocessing
import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from coursemill.effects import release, store
from coursemill.effects.sandbox.inmate.system import drop_capabilities
from coursemill.errors import CoursemillError

FORK = multiprocessing.get_context("fork")  # the child has what the test has prepared, nbgrader imported included


@pytest.fixture
def built(vault: Any) -> Any:
    """A course that was built, and of which every note has changed since."""
    notes = {f"N{n}.md": vault.note(f"n{n}", text="Old.") for n in range(5)}
    vault.put({**notes, "N0.files/data.csv": "old"})
    vault.build()
    vault.before = vault.tree()
    vault.put({name: text.replace("Old.", "New.") for name, text in notes.items()})
    vault.put({"N0.files/data.csv": "new"})
    (vault.root / "notes/N4.md").rename(vault.root / "notes/M4.md")
    return vault


def in_a_child(work: Callable[[], object]) -> multiprocessing.Process:
    """Start `work` in a forked process."""
    process = FORK.Process(target=work)
    process.start()
    return process  # type: ignore[return-value] # a ForkProcess is one


def after(vault: Any) -> dict[str, bytes]:
    """What the notes ask for, built from nothing but them and the last build's notebooks."""
    vault.build()
    found: dict[str, bytes] = vault.tree()
    assert vault.build(check=True).ok
    return found


def whole(vault: Any, new: dict[str, bytes]) -> None:
    """Every file is the old one or the new one."""
    for path, data in vault.tree().items():
        if not Path(path).name.startswith(store.UNFINISHED):
            assert data in (vault.before.get(path), new.get(path)), path


def test_killed_at_any_moment(built: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    twin = type(built)(tmp_path_factory.mktemp("twin"))
    subprocess.run(["cp", "-rT", built.root, twin.root], check=True)
    new = after(twin)
    assert built.before != new

    def killed(at: int) -> None:
        count = iter(range(1000))
        original = os.fsync

        def fsync(descriptor: int) -> None:
            if next(count) == at:
                os.kill(os.getpid(), signal.SIGKILL)
            original(descriptor)

        store.os.fsync = fsync  # type: ignore[assignment, attr-defined] # in the child alone
        built.build()

    for at in (0, 1, 4, 6):
        process = in_a_child(lambda at=at: killed(at))  # type: ignore[misc]
        process.join()
        assert process.exitcode == -signal.SIGKILL
        whole(built, new)
    for wait in (0.05, 0.1):
        process = in_a_child(built.build)
        time.sleep(wait)
        process.kill()
        process.join()
        whole(built, new)
    for folder in ("build", "notes/_diagrams"):
        (built.root / folder).mkdir(exist_ok=True)
        (built.root / folder / f"{store.UNFINISHED}left").write_text("x")
    assert after(built) == new
    assert not list(built.root.rglob(f"{store.UNFINISHED}*"))
    assert not (built.root / "build/stage").exists()


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Let `folder` be a file system with next to no room."""
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", folder], capture_output=True, check=False)
    if made.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {made.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("folder", ["release", "build"])
def test_a_full_disk(vault: Any, folder: str) -> None:
    vault.put({f"N{n}.md": vault.note(f"n{n}", text="Some text. " * 200) for n in range(9)})
    (vault.root / folder).mkdir()
    with small_disk(vault.root / folder):
        with pytest.raises(CoursemillError, match=rf"{folder}.*No space left on device \(make room on the disk, then"):
            vault.build()
        assert vault.tree().keys()
        assert not [path for path in vault.tree() if Path(path).name.startswith(store.UNFINISHED)]
    assert vault.build().ok
    assert vault.build(check=True).ok


def test_a_file_that_may_not_grow(built: Any) -> None:
    """As on a full disk, where none can be made."""

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            built.build()
        except CoursemillError as error:
            if "File too large" not in str(error) or "what stood there is kept" not in str(error):
                os._exit(1)
            os._exit(42)

    process = in_a_child(limited)
    process.join()
    assert process.exitcode == 42
    assert built.tree().keys() >= built.before.keys()


@pytest.mark.parametrize(
    ("number", "advice"), [(errno.ENOSPC, "make room"), (errno.EROFS, "mount"), (errno.EIO, "look at the folder")]
)
def test_errors_say_where_and_what_to_do(built: Any, monkeypatch: pytest.MonkeyPatch, number: int, advice: str) -> None:
    def fails(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(store.os, "fsync", fails)
    with pytest.raises(CoursemillError, match=rf"^\w+/WS/\S+: it cannot be written: .*\({advice}"):
        built.build()
    assert built.tree() == built.before


@pytest.mark.parametrize("folder", ["notebooks", "source/WS", "release"])
def test_a_folder_that_may_not_be_written(built: Any, folder: str) -> None:
    subprocess.run(["chmod", "-R", "a-w", built.root / folder], check=True)
    before = built.tree()

    def denied() -> None:
        drop_capabilities()  # root is an ordinary user then
        try:
            built.build()
        except CoursemillError as error:
            os._exit(42 if f"{error}".startswith(folder) and "Permission denied" in str(error) else 1)

    process = in_a_child(denied)
    process.join()
    subprocess.run(["chmod", "-R", "u+w", built.root / folder], check=True)
    assert process.exitcode == 42
    found = built.tree()
    assert {p: d for p, d in found.items() if p.startswith(folder)} == {
        p: d for p, d in before.items() if p.startswith(folder)
    }
    assert found.keys() >= before.keys()


@pytest.mark.parametrize("name", ["N1.md", "N0.files/data.csv", "_worksheets/WS/helper.py"])
@pytest.mark.parametrize("lost", [False, True])
def test_a_file_that_may_not_be_read(built: Any, name: str, lost: bool) -> None:
    """What was built stands until the file can be read."""
    built.put({"_worksheets/WS/helper.py": "x = 1\n"})
    before = after(built)
    if lost:
        (built.root / "build/manifest.json").unlink()
    file = built.root / "notes" / name
    file.chmod(0)

    def denied(mode: int) -> None:
        drop_capabilities()  # root is an ordinary user then
        for _ in range(2):
            errors = [f for f in built.build().findings if f.severity == "error"]
            if [(f.path, f.code) for f in errors] != ([] if mode else [(f"notes/{name}", "CM107")]):
                os._exit(1)
        os._exit(42)

    for mode in (0, 0o644):
        file.chmod(mode)
        process = in_a_child(lambda mode=mode: denied(mode))  # type: ignore[misc]
        process.join()
        assert process.exitcode == 42
        assert built.tree() == before


def test_two_builds_at_once_do_not_mix(built: Any) -> None:
    others = [in_a_child(lambda: built.build(jobs=2)) for _ in range(2)]
    built.build(jobs=2)
    for process in others:
        process.join()
    assert [process.exitcode for process in others] == [0, 0]
    assert built.build().written == ()
    assert built.build(check=True).ok


def test_a_build_waits_for_the_lock_of_another(built: Any) -> None:
    order: list[str] = []
    with store.locked(built.root / "build"):
        thread = threading.Thread(target=lambda: (built.build(), order.append("build")))
        thread.start()
        time.sleep(0.2)
        order.append("other")
    thread.join()
    assert order == ["other", "build"]


@pytest.mark.parametrize("memory", [b"", b"{", b"[]", b'{"format": 1}', b'{"format": 1, "notes": {"x": 3}}', b"\xff"])
def test_a_memory_that_is_spoilt_is_no_memory(built: Any, memory: bytes) -> None:
    (built.root / "build/manifest.json").write_bytes(memory)
    assert built.build().ok
    assert built.build(check=True).ok


def test_a_worker_that_dies_is_told(vault: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    vault.put({"N.md": vault.note("n")})
    monkeypatch.setattr(release, "generate", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(CoursemillError, match=r"a worker process died.*--jobs 1"):
        vault.build(jobs=2)


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_ends_it_and_all_its_processes(vault: Any, jobs: int) -> None:
    vault.put({f"N{n}.md": vault.note(f"n{n}") for n in range(60)})

    def interrupt(done: int, total: int, name: str) -> None:
        raise KeyboardInterrupt

    before = set(multiprocessing.active_children())
    with pytest.raises(KeyboardInterrupt):
        vault.build(jobs=jobs, on_progress=interrupt)
    assert set(multiprocessing.active_children()) == before
    assert vault.build().ok
    assert vault.build(check=True).ok
