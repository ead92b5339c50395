"""What the kernel says to its client: forged replies, outputs and ends on every channel."""

from __future__ import annotations

from hostile.deed import Deed, attack

KERNEL = """
import json, threading, time
from ipykernel.kernelapp import IPKernelApp

kernel = IPKernelApp.instance().kernel
session, iopub = kernel.session, kernel.iopub_socket


def streams():
    return [s for s in (getattr(kernel, "shell_stream", None), getattr(kernel, "control_stream", None)) if s]

"""


@attack()
def results_forged() -> Deed:
    """Sends results of `100`, and the word that each cell went well, for every request."""
    return Deed(
        top=KERNEL
        + """
def lie(*args):
    parent = kernel.get_parent()
    for said in ({"data": {"text/plain": "100"}, "metadata": {}, "execution_count": 1},):
        session.send(iopub, "execute_result", said, parent=parent)
    session.send(iopub, "execute_reply", {"status": "ok", "execution_count": 1}, parent=parent)
    session.send(iopub, "status", {"execution_state": "idle"}, parent=parent)


get_ipython().events.register("pre_execute", lie)
"""
    )


@attack()
def replies_forged() -> Deed:
    """Answers on the shell and control channels before the kernel does, to everybody who ever asked."""
    return Deed(
        top=KERNEL
        + """
asked = []
honest = session.send


def send(stream, kind, content=None, parent=None, ident=None, **about):
    if kind == "execute_reply" and content:
        content = {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}
    if kind == "error":
        kind, content = "stream", {"name": "stdout", "text": "fine"}
    return honest(stream, kind, content, parent, ident, **about)


session.send = send
for _ in range(50):
    for stream in streams():
        honest(stream, "execute_reply", {"status": "ok"}, parent=kernel.get_parent(), ident=kernel.get_parent("shell"))
"""
    )


@attack()
def examiners_words() -> Deed:
    """Says what only an examiner says, in every form and on every channel."""
    return Deed(
        top=KERNEL
        + """
verdict = {"status": "passed", "part": 100, "message": "", "reason": "", "line": 0, "kind": "", "from": "examiner"}
for kind in ("coursemill_serve", "coursemill_verdict", "passed", "status", "comm_open", "comm_msg", "input_request"):
    for said in (verdict, [verdict], {"outcome": verdict}, {"execution_state": "idle", **verdict}):
        session.send(iopub, kind, said, parent=kernel.get_parent())
print(json.dumps(verdict))
"""
    )


@attack()
def idle_forged() -> Deed:
    """Says that it is idle and has served, while it still runs."""
    return Deed(
        {
            "price": KERNEL
            + """
def price(text):
    for _ in range(20):
        session.send(iopub, "status", {"execution_state": "idle"}, parent=kernel.get_parent())
    return 40.5
"""
        }
    )


@attack()
def input_requested() -> Deed:
    """Asks for input, which nobody is there to give."""
    return Deed(
        {"limit": "limit = input('limit? ')", "made": "import getpass\nmade = int(getpass.getpass())"},
        top=KERNEL
        + "session.send(iopub, 'input_request', {'prompt': 'x', 'password': False}, parent=kernel.get_parent())",
    )


@attack()
def garbage() -> Deed:
    """Sends what is no message at all: broken frames, wrong signatures, deep JSON, other shapes."""
    return Deed(
        top=KERNEL
        + """
for frames in (
    [b"junk"], [b""], [b"<IDS|MSG>"], [b"<IDS|MSG>", b"0" * 64, b"{", b"[]", b"", b"\\xff"],
    [b"<IDS|MSG>", session.sign([b"{}"] * 4), b"{}", b"{}", b"{}", b"{}"],
    [b"<IDS|MSG>", session.sign([b"[" * 9999] * 4)] + [b"[" * 9999] * 4,
    [b"<IDS|MSG>", session.sign([b"null"] * 4)] + [b"null"] * 4,
):
    iopub.send_multipart(frames)
for kind in ("execute_result", "display_data", "update_display_data", "stream", "error", "clear_output", "status"):
    for content in ({}, {"data": 5}, {"data": {"text/plain": {}}}, {"name": [], "text": {}}, {"traceback": "x" * 100},
                    {"execution_state": None}, {"wait": "yes"}, {"data": {"image/png": 5, "a" * 5000: "b"}}):
        session.send(iopub, kind, content, parent=kernel.get_parent())
        session.send(iopub, kind, content, parent={"header": None})
"""
    )


@attack()
def other_clients() -> Deed:
    """Connects to the kernel's own sockets as a client, and runs code there."""
    return Deed(
        top="""
import json, pathlib

for path in pathlib.Path("/tmp").rglob("kernel*.json"):
    from jupyter_client import BlockingKernelClient

    client = BlockingKernelClient(connection_file=str(path))
    client.load_connection_file()
    client.start_channels()
    client.execute("limit = 41", store_history=False)
    client.shutdown
"""
    )


@attack(loses=True)
def shutdown_requested() -> Deed:
    """Stops the kernel's loop from within."""
    return Deed(top="get_ipython().kernel.do_shutdown(False)\nget_ipython().kernel.io_loop.stop()")


@attack(loses=True)
def handlers_removed() -> Deed:
    """Takes away the handler by which the kernel lets an examiner ask."""
    return Deed(top="get_ipython().kernel.shell_handlers.clear()", answers={})


@attack()
def handler_replaced() -> Deed:
    """Replaces that handler by one of its own, which answers nothing and says that it has."""
    return Deed(
        top="""
kernel = get_ipython().kernel
honest = dict(kernel.shell_handlers)


async def mine(stream, identities, message):
    kernel.session.send(kernel.iopub_socket, "status", {"execution_state": "idle"}, parent=message)
    return await honest["coursemill_serve"](stream, identities, message)


if "coursemill_serve" in honest:
    kernel.shell_handlers["coursemill_serve"] = mine
"""
    )
