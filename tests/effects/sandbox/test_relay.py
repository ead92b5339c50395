"""Bytes between a kernel and its clients: all of them pass, in order, as long as they are not too many."""

import os
import select
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from coursemill.effects.sandbox.inmate.log import Log
from coursemill.effects.sandbox.inmate.relay import MOST, Relay

LARGE = bytes(range(256)) * 20_000


class Pump(threading.Thread):
    """Moves what there is to move until it is told to stop."""

    def __init__(self, relay: Relay) -> None:
        super().__init__()
        self.relay, self.over = relay, False

    def run(self) -> None:
        while not self.over and not self.relay.excess():
            reading, writing = self.relay.wanted()
            ready, room, _ = select.select(reading, writing, [], 0.02)
            self.relay.move(ready, room)


@pytest.fixture
def relay() -> Iterator[Relay]:
    outer = socket.socket(socket.AF_UNIX)
    outer.bind("")
    outer.listen(MOST)
    made = Relay([outer], 10 << 20)
    pump = Pump(made)
    pump.start()
    yield made
    pump.over = True
    pump.join()
    for one in (*made.outer, *made.inner):
        one.close()
    for link in made._links:
        link.close()


def connected(relay: Relay) -> tuple[socket.socket, socket.socket]:
    client = socket.socket(socket.AF_UNIX)
    client.connect(relay.outer[0].getsockname())
    relay.inner[0].settimeout(10)
    kernel, _ = relay.inner[0].accept()
    client.settimeout(10)
    kernel.settimeout(10)
    return client, kernel


def everything(end: socket.socket) -> bytes:
    data = b""
    while more := end.recv(1 << 16):
        data += more
    return data


def test_all_bytes_pass_in_both_directions(relay: Relay) -> None:
    client, kernel = connected(relay)
    with client, kernel:
        for source, target in ((client, kernel), (kernel, client)):
            sending = threading.Thread(target=source.sendall, args=(LARGE,))
            sending.start()
            data = b""
            while len(data) < len(LARGE):
                data += target.recv(1 << 16)
            sending.join()
            assert data == LARGE
    assert relay.said == len(LARGE)


def test_what_was_said_before_the_end_arrives(relay: Relay) -> None:
    client, kernel = connected(relay)
    with client:
        with kernel:
            kernel.sendall(b"last words")
        assert everything(client) == b"last words"


def test_a_client_that_leaves_is_noticed(relay: Relay) -> None:
    client, kernel = connected(relay)
    with kernel:
        client.close()
        assert everything(kernel) == b""


def test_a_client_that_does_not_read_holds_up_nobody_else(relay: Relay) -> None:
    (deaf, first), (client, second) = connected(relay), connected(relay)
    with deaf, first, client, second:
        while select.select([], [first], [], 0.2)[1]:
            first.send(bytes(1 << 12))
        second.sendall(b"hello")
        assert client.recv(10) == b"hello"
    assert relay.said < 5 << 20


def test_too_much_is_not_passed_on(relay: Relay) -> None:
    client, kernel = connected(relay)
    with client, kernel:
        sending = threading.Thread(target=_flood, args=(kernel,))
        sending.start()
        received, end = 0, time.monotonic() + 10
        client.settimeout(0.5)
        while time.monotonic() < end:
            try:
                received += len(client.recv(1 << 20))
            except TimeoutError:
                break
        kernel.shutdown(socket.SHUT_RDWR)
        sending.join()
        assert "10 MB" in relay.excess()
        assert received <= 11 << 20


def _flood(end: socket.socket) -> None:
    try:
        while True:
            end.sendall(bytes(1 << 20))
    except OSError:
        return


def test_a_log_waits_for_its_reader_and_steers_no_terminal() -> None:
    (source, writer), (reader, target) = os.pipe(), os.pipe()
    log = Log(source, target)
    try:
        os.write(writer, b"a\x1b[31m\tb\n")
        assert log.wanted() == [source]
        log.copy()
        assert os.read(reader, 100) == b"a?[31m\tb\n"
        while select.select([], [target], [], 0)[1]:
            os.write(target, bytes(4096))
        os.write(writer, b"more")
        assert log.wanted() == []
        began = time.monotonic()
        log.finish(0.2, "the end")
        assert time.monotonic() - began < 5
    finally:
        for one in (source, writer, reader, target):
            os.close(one)
