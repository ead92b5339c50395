"""A kernel's record: it is asked, when its lesson has ended and before it is shut down."""

from __future__ import annotations

import ast
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from coursemill.pure.record import Record, read
from coursemill.pure.requirements import of_code, top

PATIENCE = 2.0
"""Seconds that a kernel may take to answer all questions; it takes a few milliseconds."""
QUESTIONS = ("libraries({imported!r})", "models()")
TESTIMONY = Path(__file__).with_name("testimony.py")


def ask(manager: Any, imported: Sequence[str]) -> Record:
    """Ask the living kernel of a jupyter_client manager; `imported` are the modules that its lesson names.

    One question after another: what was answered is kept when the next one hangs.
    """
    said: dict[str, Any] = {}
    client = manager.blocking_client()
    try:
        client.start_channels(shell=True, iopub=False, stdin=False, hb=False, control=False)
        end = time.monotonic() + PATIENCE
        for question in QUESTIONS:
            said |= _answer(client, _expression(question.format(imported=list(imported))), end)
    except Exception as error:  # a kernel that died, hangs or makes no sense: the run's result stands
        said["missing"] = f"the kernel did not say it: {str(error) or type(error).__name__}"
    finally:
        client.stop_channels()
    return read(said)


def imports(notebook: Mapping[str, Any]) -> tuple[str, ...]:
    """The modules that a notebook's cells import, without Python's own, by their top names."""
    sources = (cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code")
    texts = (source if isinstance(source, str) else "".join(source) for source in sources)
    names = {top(one.module) for text in texts for one in of_code(text, "")}
    return tuple(sorted(names - set(sys.stdlib_module_names)))


def _expression(question: str) -> str:
    """An expression that uses no name of the lesson's namespace, and leaves nothing there."""
    source = TESTIMONY.read_text(encoding="utf-8")
    steps = f"do({source!r}, space), do({f'said = {question}'!r}, space), space['said']"
    return f"(lambda do, space: ({steps})[2])((lambda: 0).__builtins__['exec'], {{}})"


def _answer(client: Any, expression: str, end: float) -> dict[str, Any]:
    """The kernel's answer; raises TimeoutError, and ValueError for one that makes no sense."""
    asked = client.execute("", silent=True, store_history=False, allow_stdin=False, user_expressions={"it": expression})
    while (left := end - time.monotonic()) > 0:
        try:
            reply = client.get_shell_msg(timeout=left)
        except Exception as error:  # queue.Empty
            raise TimeoutError(f"no answer in {PATIENCE:g} s") from error
        if reply["parent_header"].get("msg_id") == asked:
            return _understood(reply["content"])
    raise TimeoutError(f"no answer in {PATIENCE:g} s")


def _understood(content: Mapping[str, Any]) -> dict[str, Any]:
    it = content.get("user_expressions", {}).get("it", {})
    if it.get("status") != "ok":
        raise ValueError(f"{it.get('ename', 'it was refused')}: {it.get('evalue', '')}".rstrip(": "))
    data = json.loads(ast.literal_eval(it["data"]["text/plain"]))
    if not isinstance(data, dict):
        raise ValueError("its answer makes no sense")
    return data
