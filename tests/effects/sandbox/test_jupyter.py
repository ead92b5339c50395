"""Kernels in the sandbox behave as Jupyter's programs expect it of kernels: by the kernelspec alone."""

import asyncio
import json
import queue
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from jupyter_client.manager import KernelManager
from jupyter_client.multikernelmanager import MultiKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from coursemill.effects import runs
from coursemill.effects.kernels import SPECS
from coursemill.effects.sandbox.provisioner import SandboxProvisioner
from coursemill.errors import ConfigError
from coursemill.pure.outcome import Sandbox

pytestmark = [pytest.mark.kernel, pytest.mark.sandbox]
SPEC = "coursemill-cpu"


def notebook(*cells: str) -> Any:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    made.metadata.kernelspec = {"name": SPEC, "display_name": "", "language": "python"}
    return made


def run(*cells: str, cwd: Path | None = None, **settings: Any) -> Any:
    resources = {"metadata": {"path": str(cwd)}} if cwd else {}
    return NotebookClient(notebook(*cells), kernel_name=SPEC, resources=resources, **settings).execute()


def output(executed: Any) -> list[str]:
    return ["".join(one.get("text", "") for one in cell.outputs) for cell in executed.cells]


@pytest.fixture
def manager() -> Iterator[KernelManager]:
    made = KernelManager(kernel_name=SPEC)
    made.start_kernel()
    yield made
    made.shutdown_kernel(now=True)


def talk(manager: KernelManager) -> Any:
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(60)
    return client


def answer(client: Any, message: str) -> Any:
    """What the kernel replies to the message; replies to earlier ones may still come."""
    while True:
        reply = client.get_shell_msg(timeout=20)
        if reply["parent_header"]["msg_id"] == message:
            return reply["content"]


def test_nbclient_runs_a_notebook_in_a_copy_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("a,b")
    executed = run("print(open('data.csv').read())", "open('data.csv', 'w').write('')", "1 / 1", cwd=tmp_path)
    assert output(executed)[0] == "a,b\n"
    assert (tmp_path / "data.csv").read_text() == "a,b"


def test_papermill_runs_a_notebook_with_parameters(tmp_path: Path) -> None:
    given, made = tmp_path / "in.ipynb", tmp_path / "out.ipynb"
    nbformat.write(notebook("print(x * 2)"), given)
    executed = papermill.execute_notebook(str(given), str(made), {"x": 21}, progress_bar=False)
    assert "42\n" in output(executed)


def test_an_error_is_a_cells_error() -> None:
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        run("1 / 0")


def test_a_cell_that_takes_too_long_is_interrupted_and_the_next_one_runs() -> None:
    executed = run("while True: pass", "print('next')", timeout=2, interrupt_on_timeout=True, allow_errors=True)
    assert executed.cells[0].outputs[0].ename == "KeyboardInterrupt"
    assert output(executed)[1] == "next\n"


def test_a_cell_that_takes_too_long_ends_the_run() -> None:
    began = time.monotonic()
    with pytest.raises(CellTimeoutError):
        run("import time; time.sleep(600)", timeout=2)
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    "death",
    [
        "import os; os._exit(1)",
        "import os; os.kill(os.getpid(), 9)",
        "import ctypes; ctypes.string_at(0)",
        "import os, signal; os.killpg(0, signal.SIGTERM)",
    ],
    ids=["exit", "kill", "segfault", "group"],
)
def test_a_kernel_that_dies_is_a_dead_kernel(death: str) -> None:
    with pytest.raises(DeadKernelError):
        run("print('alive')", death, timeout=60)


def test_a_kernelspec_sets_limits_and_why_a_kernel_was_ended_is_told_on_stderr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    spec = json.loads((SPECS / SPEC / "kernel.json").read_text())
    spec["metadata"]["kernel_provisioner"]["config"]["limits"] = {"memory": 300 << 20}
    (tmp_path / "kernels" / "small").mkdir(parents=True)
    (tmp_path / "kernels" / "small" / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    fill = "import os, time\nos.fork()\nos.fork()\nx = b'x' * 150_000_000\ntime.sleep(60)"
    with pytest.raises(DeadKernelError):
        NotebookClient(notebook(fill), kernel_name="small", timeout=60).execute()
    assert "memory, and 300 MB are allowed" in capfd.readouterr().err


def test_a_run_tells_the_last_words_of_a_kernel_that_died(tmp_path: Path) -> None:
    # A thread of ipykernel's passes on what is written to descriptor 2: it must have the time.
    code = "import os, time; os.write(2, b'the last words\\n'); time.sleep(1); os._exit(3)"
    job = runs.Job("n", nbformat.writes(notebook(code)), SPEC, tmp_path, "out.ipynb", timeout=60, sandbox=Sandbox())
    ((_, executed),) = runs.execute([job], 1)
    assert executed.judgement.status == "died"
    assert "the kernel ended with exit status 3\nthe last words" in executed.judgement.failures[0].message


def test_limits_that_do_not_exist_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    manager = KernelManager(kernel_name=SPEC)
    monkeypatch.setattr(SandboxProvisioner, "limits", {"memroy": 1})
    with pytest.raises(ConfigError, match=r"memroy.*they are memory, "):
        manager.start_kernel()


def test_it_restarts_again_and_again_for_the_same_client(manager: KernelManager) -> None:
    client = talk(manager)
    for n in range(3):
        client.execute_interactive(f"x{n} = 1", timeout=30)
        manager.restart_kernel(now=bool(n % 2))
        client.wait_for_ready(60)
        reply = client.execute_interactive(f"x{n}", timeout=30, output_hook=lambda _: None)
        assert reply["content"]["ename"] == "NameError"
    client.stop_channels()


def test_it_is_interrupted_and_lives_on(manager: KernelManager) -> None:
    client = talk(manager)
    message = client.execute("import time\nwhile True: time.sleep(0.1)")
    time.sleep(0.5)
    manager.interrupt_kernel()
    assert answer(client, message)["ename"] == "KeyboardInterrupt"
    status = "aborted"  # for a moment ipykernel aborts what may have been asked before an error
    while status == "aborted":
        status = client.execute_interactive("1 + 1", timeout=20)["content"]["status"]
    assert status == "ok"
    client.stop_channels()


@pytest.mark.parametrize("now", [True, False])
def test_it_shuts_down_and_leaves_no_folder(now: bool) -> None:
    manager = KernelManager(kernel_name=SPEC)
    manager.start_kernel()
    talk(manager).stop_channels()
    folder = manager.provisioner.sockets.path
    began = time.monotonic()
    manager.shutdown_kernel(now=now)
    assert time.monotonic() - began < 5
    assert not manager.is_alive()
    assert not folder.exists()


def test_it_says_what_it_is_and_asks_nothing_of_who_does_not_answer(manager: KernelManager) -> None:
    client = talk(manager)
    assert answer(client, client.kernel_info())["language_info"]["name"] == "python"
    reply = client.execute_interactive("input()", timeout=20, allow_stdin=False, output_hook=lambda _: None)
    assert reply["content"]["ename"] == "StdinNotImplementedError"
    with pytest.raises(queue.Empty):
        client.get_stdin_msg(timeout=0.1)
    client.stop_channels()


def test_it_asks_who_does_answer(manager: KernelManager) -> None:
    client = talk(manager)
    said: list[str] = []
    client.execute_interactive(
        "print('hello', input())",
        timeout=20,
        allow_stdin=True,
        stdin_hook=lambda _: client.input("you"),
        output_hook=lambda message: said.append(message["content"].get("text", "")),
    )
    assert "hello you\n" in said
    client.stop_channels()


def test_many_kernels_of_one_manager_are_started_and_ended() -> None:
    manager = MultiKernelManager()
    names = [manager.start_kernel(kernel_name=SPEC) for _ in range(2)]
    client = talk(manager.get_kernel(names[0]))
    assert client.execute_interactive("1", timeout=20)["content"]["status"] == "ok"
    client.stop_channels()
    manager.restart_kernel(names[1])
    assert all(manager.is_alive(name) for name in names)
    manager.shutdown_all(now=True)
    assert not manager.list_kernel_ids()


def test_notebooks_run_side_by_side() -> None:
    async def both() -> list[Any]:
        clients = [NotebookClient(notebook(f"print({n})"), kernel_name=SPEC) for n in range(3)]
        return await asyncio.gather(*(client.async_execute() for client in clients))

    assert [output(executed) for executed in asyncio.run(both())] == [["0\n"], ["1\n"], ["2\n"]]


def test_without_a_server_it_works_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSEMILL_PRELOAD", "0")
    assert output(run("print('cold')")) == ["cold\n"]


def test_the_client_says_what_is_imported_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSEMILL_IMPORTS", "this_is_missing, colorsys")
    assert output(run("import sys; print('colorsys' in sys.modules, 'coursemill' in sys.modules)")) == ["True False\n"]
