"""Tests that run in the student's kernel: answers that tell a test from its twin."""

from __future__ import annotations

from hostile.deed import Deed, attack

LABEL = "label = lambda item: None"


@attack()
def always_success() -> Deed:
    """Lets the test and all its twins pass."""
    return Deed(
        {"label": LABEL},
        after={
            "label": """
def transformed(lines):
    return [] if any("check_output" in line for line in lines) else lines


get_ipython().input_transformers_post.append(transformed)
"""
        },
    )


@attack()
def first_one_passes() -> Deed:
    """Lets the first of the test and its twins pass, whichever that is, and the others fail: it loses the toss here."""
    return Deed(
        {"label": LABEL},
        after={
            "label": """
ran = []


def transformed(lines):
    if any("check_output" in line for line in lines):
        ran.append(lines)
        return ["1 / 0"] if len(ran) < 9 else []
    return lines


get_ipython().input_transformers_post.append(transformed)
"""
        },
    )


@attack()
def reply_forged_for_all() -> Deed:
    """Replies to every request inside that all went well."""
    return Deed(
        {"label": LABEL},
        after={
            "label": """
session = get_ipython().kernel.session
honest = session.send


def send(stream, kind, content=None, *args, **about):
    if kind == "execute_reply":
        content = {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}
    return honest(stream, kind, content, *args, **about)


session.send = send
"""
        },
    )


@attack()
def score_forged_inside() -> Deed:
    """Sends a score of a hundred as the result of the test that runs inside."""
    return Deed(
        {"label": LABEL},
        after={
            "label": """
kernel = get_ipython().kernel


def lie(*args):
    said = {"data": {"text/plain": "100"}, "metadata": {}, "execution_count": 1}
    kernel.session.send(kernel.iopub_socket, "execute_result", said, parent=kernel.get_parent())


get_ipython().events.register("pre_execute", lie)
"""
        },
    )


@attack(
    gets=2.0,
    known="it reads the visible test as it runs in its own kernel, and tells it from a twin by what the student saw",
)
def visible_test_known() -> Deed:
    """Knows a visible test by heart: passes exactly that source, and lets every twin fail."""
    return Deed(
        {"label": LABEL},
        after={
            "label": """
def transformed(lines):
    text = "".join(lines)
    if "check_output" not in text or "transformed" in text:
        return lines
    known = '(Item("tea", 2.5))' in text and '== "tea: 2.5"' in text
    return [] if known else ["1 / 0"]


get_ipython().input_transformers_post.append(transformed)
"""
        },
    )
