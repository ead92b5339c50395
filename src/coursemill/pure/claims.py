"""Whether a cell printed what the note claims, with doctest's ELLIPSIS and NORMALIZE_WHITESPACE."""

from __future__ import annotations

import difflib
import doctest
import re
from collections.abc import Iterable, Mapping
from typing import Any

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.DONT_ACCEPT_TRUE_FOR_1
ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
MOST_LINES = 24
"""Lines that a shown difference may have."""
COMPARED_LINES = 400
"""Lines of each side that are compared for it; difflib's time grows with their product."""
WIDEST = 160


def printed(outputs: Iterable[Mapping[str, Any]]) -> str:
    """What a cell's outputs show as plain text: stdout and its result, without colours; no stderr, no pictures."""
    texts = []
    for output in outputs:
        if output["output_type"] == "stream" and output["name"] == "stdout":
            texts.append(_text(output["text"]))
        elif output["output_type"] in {"execute_result", "display_data"}:
            data = output["data"]
            if "text/plain" in data and not any(mime.startswith("image/") for mime in data):
                texts.append(_text(data["text/plain"]) + "\n")
    return ANSI.sub("", "".join(texts))


def difference(claim: str, got: str) -> str:
    """Return "" when `got` is what was claimed, else what differs: `-` the note's lines, `+` the printed ones."""
    if _same(claim, got):
        return ""
    claimed, shown = _lines(claim), _lines(got)
    if not shown:
        return "\n".join([*(f"- {line}" for line in claimed[:MOST_LINES]), "+ (nothing was printed)"])
    alike = _alike(claimed, shown)
    pairs = difflib.unified_diff(claimed, [alike.get(line, line) for line in shown], lineterm="", n=1)
    marked = [f"{line[0]} {line[1:]}".rstrip() for line in list(pairs)[2:] if not line.startswith("@@")]
    if not marked:  # every line has its like: they stand in another order, or on other lines
        marked = [f"- {line}" for line in claimed] + [f"+ {line}" for line in shown]
    more = len(marked) - MOST_LINES
    return "\n".join(marked[:MOST_LINES] + ([f"… {more} more lines"] if more > 0 else []))


def _alike(claimed: list[str], shown: list[str]) -> dict[str, str]:
    """Printed lines that an ellipsis or other blanks make equal to a claimed one: no difference to show."""
    by_words = {" ".join(line.split()): line for line in claimed}
    loose = [line for line in claimed if doctest.ELLIPSIS_MARKER in line]
    found = {}
    for line in set(shown):
        match = by_words.get(" ".join(line.split())) or next((wanted for wanted in loose if _same(wanted, line)), None)
        if match is not None:
            found[line] = match
    return found


def _same(claim: str, got: str) -> bool:
    return doctest.OutputChecker().check_output(claim.rstrip("\n") + "\n", got.rstrip("\n") + "\n", FLAGS)


def _lines(text: str) -> list[str]:
    lines = text.rstrip().splitlines()[:COMPARED_LINES]
    return [line if len(line) <= WIDEST else line[: WIDEST - 1] + "…" for line in (one.rstrip() for one in lines)]


def _text(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "".join(value)
