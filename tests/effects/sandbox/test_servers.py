"""The life of a server: started once, shared, replaced when it hangs or needs change, and gone without a trace."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from coursemill.effects.sandbox import client, servers, view
from coursemill.errors import CoursemillError, Unavailable

pytestmark = [pytest.mark.kernel, pytest.mark.sandbox]
LONG_AGO = 1_000_000_000


@pytest.fixture(autouse=True)
def runtime(short: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for sockets of the test's own, and servers that end soon."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short))
    monkeypatch.setattr(servers, "IDLE", 5.0)
    yield short / "coursemill"
    for path in (short / "coursemill").glob("*.socket"):
        servers._end(path)


def pid_of(runtime: Path) -> int:
    (file,) = runtime.glob("*.pid")
    return int(file.read_text().split()[0])


def files(runtime: Path) -> set[str]:
    return {path.suffix for path in runtime.iterdir()}


def gone(path: Path, patience: float = 10.0) -> bool:
    end = time.monotonic() + patience
    while path.exists() and time.monotonic() < end:
        time.sleep(0.05)
    return not path.exists()


def ended(kernel: client.Kernel, patience: float = 10.0) -> bool:
    end = time.monotonic() + patience
    while kernel.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    return kernel.poll() is not None


def test_eight_clients_at_once_share_one(start: Callable, runtime: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        cells = list(pool.map(lambda _: start(talks=False), range(8)))
    assert [cell.kernel.poll() for cell in cells] == [None] * 8
    assert len(list(runtime.glob("*.socket"))) == 1


def test_processes_share_one(runtime: Path) -> None:
    program = (
        "from jupyter_client.manager import KernelManager as M\n"
        "m = M(kernel_name='coursemill-cpu'); m.start_kernel(); m.shutdown_kernel(now=True)"
    )
    running = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(3)]
    assert [process.wait(90) for process in running] == [0, 0, 0]
    assert len(list(runtime.glob("*.socket"))) == 1


def test_other_imports_and_environments_have_others() -> None:
    names = {
        servers.Needs().name(),
        servers.Needs(("colorsys",)).name(),
        servers.Needs(environment={"A": "1"}).name(),
        servers.Needs(devices=("/dev/x",)).name(),
    }
    assert len(names) == 4
    assert servers.Needs().name() == servers.Needs().name()


def test_other_libraries_and_another_engine_have_others(monkeypatch: pytest.MonkeyPatch) -> None:
    before = servers.Needs().name()
    monkeypatch.setattr(servers.kernels, "installed", lambda: ("new-1.0",))
    installed = servers.Needs().name()
    monkeypatch.setattr(servers, "_program", lambda: {"a": "b"})
    assert len({before, installed, servers.Needs().name()}) == 3


def test_it_ends_when_idle(start: Callable, runtime: Path, monkeypatch: pytest.MonkeyPatch, alive: Any) -> None:
    monkeypatch.setattr(servers, "IDLE", 0.3)
    cell = start()
    pid = pid_of(runtime)
    time.sleep(1.0)
    assert cell.run("print(1)") == "1\n"  # not while a kernel lives
    cell.kernel.end()
    assert gone(Path(f"/proc/{pid}"))


def test_after_its_end_another_is_started(start: Callable, runtime: Path) -> None:
    start()
    pid = pid_of(runtime)
    servers.processes.kill_tree(pid)
    assert gone(Path(f"/proc/{pid}"))
    assert start().run("print(2)") == "2\n"
    assert pid_of(runtime) != pid


def test_one_that_hangs_is_replaced(start: Callable, runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start()
    monkeypatch.setattr(servers, "ANSWER", 1.0)
    pid = pid_of(runtime)
    for one in servers.processes.below(pid) | {pid}:
        os.kill(one, signal.SIGSTOP)
    assert start().run("print(2)") == "2\n"
    assert gone(Path(f"/proc/{pid}"))


def test_a_killed_fork_does_it_no_harm(start: Callable, runtime: Path) -> None:
    first, second = start(), start()
    pid = pid_of(runtime)
    first.kernel.signal(signal.SIGKILL)
    third = start()
    deepest = max(servers.processes.below(pid))  # the third's kernel, or its process 1
    os.kill(deepest, signal.SIGKILL)
    assert ended(third.kernel)
    assert second.run("print(2)") == "2\n"
    assert pid_of(runtime) == pid


def test_garbage_does_it_no_harm(start: Callable, runtime: Path) -> None:
    start()
    pid = pid_of(runtime)
    (path,) = runtime.glob("*.socket")
    for garbage in (b"", b"x", b"{}", b"[]", b'{"connection": 1}', bytes(1000), b'{"limits": 3}'):
        for answers in (False, True):
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as talk, contextlib.suppress(ConnectionError):
                talk.connect(str(path))
                talk.send(garbage)
                if answers:
                    talk.settimeout(20)
                    talk.recv(1000)
                    socket.send_fds(talk, [b"{}"], [talk.fileno()] * 30)
                    talk.recv(1000)
    assert start().run("print(2)") == "2\n"
    assert pid_of(runtime) == pid


def test_an_import_that_ends_it_or_raises_is_no_obstacle(start: Callable, tmp_path: Path) -> None:
    assert start(imports=("no_such_module", "antigravity.nothing")).run("print(1)") == "1\n"


@pytest.mark.parametrize(
    "line",
    [
        "import os; os._exit(3)",
        "import threading as t, time; t.Thread(target=time.sleep, args=(60,), daemon=True).start()",
    ],
)
def test_what_cannot_be_forked_is_started_cold(
    start: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    module = tmp_path / "python" / "bad_for_servers.py"
    module.parent.mkdir()
    module.write_text(line)
    real = view.command

    def shown(seen: view.View, inner: Any, *, root: bool) -> list[str]:
        inner = [
            word.replace("import sys; ", f"import sys; sys.path.append({str(module.parent)!r}); ") for word in inner
        ]
        more = view.View(seen.environment, (*seen.read, str(module.parent)), seen.devices, seen.files)
        for parent in module.parents:
            parent.chmod(parent.stat().st_mode | 0o055) if str(parent).startswith("/tmp/") else None
        return real(more, inner, root=root)

    monkeypatch.setattr(view, "command", shown)
    assert start(imports=("bad_for_servers",)).run("print(1)") == "1\n"


def test_one_that_cannot_start_says_why(start: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "command", lambda *_, **__: ["sh", "-c", "echo the roof is on fire >&2; exit 1"])
    with pytest.raises(Unavailable, match=r"the roof is on fire|not tried"):
        start()


def test_a_full_disk_is_told(start: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(servers, "_listening", full)
    with pytest.raises(Unavailable, match="No space left on device"):
        start()
    monkeypatch.setattr(client.tempfile, "mkdtemp", full)
    with pytest.raises(Unavailable, match="No space left on device"):
        client.Sockets()


def test_a_folder_that_others_can_enter_is_refused(runtime: Path) -> None:
    runtime.mkdir(mode=0o777)
    runtime.chmod(0o777)
    with pytest.raises(Unavailable, match="another user could reach"):
        servers.runtime()


def test_a_folder_that_another_has_is_refused(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime.mkdir(mode=0o700)
    monkeypatch.setattr(servers, "_is_ours", lambda _folder: True)
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    with pytest.raises(Unavailable, match="another user could reach"):
        servers.runtime()


def test_a_session_of_another_user_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    assert not servers._is_ours(str(tmp_path))
    assert not servers._is_ours("")
    assert not servers._is_ours(str(tmp_path / "missing"))


def test_a_link_in_the_folders_place_is_refused(runtime: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    runtime.symlink_to("elsewhere")
    with pytest.raises(Unavailable):
        servers.runtime()


def test_a_path_that_is_too_long_for_sockets_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    monkeypatch.setenv("TMPDIR", str(long))
    assert len(str(servers._temporary())) < 60


def test_what_servers_left_is_swept(runtime: Path) -> None:
    folder = servers.runtime()
    names = {f"{name}.{kind}" for name in ("old", "new") for kind in ("socket", "lock", "log", "pid", "ready")}
    for name in names:
        (folder / name).touch()
        if name.startswith("old"):
            os.utime(folder / name, (LONG_AGO, LONG_AGO))
    servers.sweep(folder)
    assert {path.name for path in folder.iterdir()} == {name for name in names if name.startswith("new")}


def test_a_server_that_lives_is_not_swept(start: Callable, runtime: Path) -> None:
    cell = start()
    for path in runtime.iterdir():
        os.utime(path, (LONG_AGO, LONG_AGO))
    servers.sweep(runtime)
    assert ".socket" in files(runtime)
    assert cell.run("print(1)") == "1\n"


def test_folders_of_sockets_that_nobody_holds_are_swept(runtime: Path) -> None:
    held = client.Sockets()
    left = runtime / "k-left"
    left.mkdir()
    for folder in (held.path, left):
        os.utime(folder, (LONG_AGO, LONG_AGO))
    client.sweep(runtime)
    assert held.path.exists()
    assert not left.exists()
    held.remove()
    assert not held.path.exists()


def test_a_lock_that_was_swept_meanwhile_is_taken_again(runtime: Path) -> None:
    path = servers.runtime() / "x.lock"
    order: list[int] = []

    def second() -> None:
        with servers._locked(path):
            order.append(2)

    with servers._locked(path):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.2)
        path.unlink()
        order.append(1)
    thread.join(10)
    assert order == [1, 2]
    assert path.exists()


def test_a_folder_that_does_not_fit_is_told(start: Callable, tmp_path: Path) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "big").write_bytes(bytes(2 << 20))
    with pytest.raises(CoursemillError, match="more than 1 MB do not fit"):
        start(folder, disk=1 << 20)
