import itertools
import json
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient

from coursemill.effects.sandbox import client, groups, protections, servers
from coursemill.effects.sandbox.limits import Limits
from coursemill.effects.sandbox.provisioner import surroundings
from coursemill.effects.sandbox.servers import Needs


@dataclass
class Cell:
    """A kernel in the sandbox, as its client sees it."""

    kernel: client.Kernel
    talk: Any
    log: Path

    def run(self, code: str, timeout: float = 60) -> str:
        """What the code prints; an error is printed as its name and value."""
        said: list[str] = []

        def hear(message: dict[str, Any]) -> None:
            content = message["content"]
            if message["msg_type"] == "stream":
                said.append(content["text"])
            elif message["msg_type"] == "error":
                said.append(f"{content['ename']}: {content['evalue']}\n")

        self.talk.execute_interactive(code, timeout=timeout, output_hook=hear)
        return "".join(said)


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path leaves room for the names of sockets; pytest's own does not always."""
    with tempfile.TemporaryDirectory(prefix="cm-", dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Cell]]:
    """Start kernels in the sandbox; they end with the test."""
    if refusal := protections.refusal(protections.find()):
        pytest.skip(str(refusal))
    yield from _starter(tmp_path)


@pytest.fixture(scope="module")
def cell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cell]:
    """One kernel for the module's tests that leave it as it was."""
    starter = _starter(tmp_path_factory.mktemp("cell"))
    yield next(starter)()
    next(starter, None)


@pytest.fixture(autouse=True)
def short_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers end soon after the tests."""
    monkeypatch.setattr(servers, "IDLE", 20.0)


def _starter(tmp_path: Path) -> Iterator[Callable[..., Cell]]:
    cells: list[Cell] = []
    numbers = itertools.count()

    def begin(
        folder: Path | None = None,
        imports: tuple[str, ...] = (),
        preload: bool = True,
        log: int | None = None,
        group: bool = False,
        talks: bool = True,
        **limits: int,
    ) -> Cell:
        sockets = tmp_path / f"s{next(numbers)}"
        sockets.mkdir()
        connection = {
            "transport": "ipc",
            "ip": str(sockets / "k"),
            "key": secrets.token_hex(),
            "signature_scheme": "hmac-sha256",
            **{f"{name}_port": n for n, name in enumerate(client.CHANNELS, 1)},
        }
        file = sockets / "log"
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT) if log is None else os.dup(log)
        place = groups.named(f"test-{os.getpid()}-{sockets.name}") if group else groups.NONE
        order = client.Order(connection, surroundings("cpu"), Limits(**limits), folder, log=descriptor, group=place)
        kernel = client.start(order, Needs(imports, surroundings("cpu")), preload=preload)
        os.close(descriptor)
        connection_file = sockets / "connection.json"
        connection_file.write_text(json.dumps(connection), encoding="utf-8")
        talk = BlockingKernelClient(connection_file=str(connection_file)) if talks else None
        cell = Cell(kernel, talk, file)
        cells.append(cell)
        if talk:
            talk.load_connection_file()
            talk.start_channels()
            talk.wait_for_ready(timeout=60)
        return cell

    yield begin
    for cell in cells:
        if cell.talk:
            cell.talk.stop_channels()
        cell.kernel.end()
