"""The examiner's process: a fork without a kernel's parts, which takes commands from the grader alone."""

from __future__ import annotations

import signal
import socket
from typing import Any

from coursemill.effects.sandbox.inmate import examiner, fresh
from coursemill.effects.sandbox.inmate.mirror import Mirror


def run(order: dict[str, Any], _listeners: list[int], handed: dict[str, int]) -> int:
    """Be the examiner of the candidate behind `wall`, until the grader lets go of `control`."""
    fresh.begin(order, handed.values())
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ends a test that takes too long
    control, wall = (socket.socket(fileno=handed[name]) for name in ("control", "wall"))
    examiner.main(control, wall, Mirror.of([order["home"], "/tmp"], guard=True))
    return 0
