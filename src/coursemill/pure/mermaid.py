"""What is surely wrong in a mermaid source, seen without mermaid: the word that says which diagram it is."""

from __future__ import annotations

import re

from coursemill.pure import near
from coursemill.pure.d2 import Mistake

KINDS = (
    "C4Component", "C4Container", "C4Context", "C4Deployment", "C4Dynamic", "agentflow-beta", "architecture-beta",
    "block", "classDiagram", "cynefin-beta", "erDiagram", "eventmodeling", "flowchart", "gantt", "gitGraph", "graph",
    "info", "ishikawa", "journey", "kanban", "mindmap", "packet", "pie", "quadrantChart", "radar-beta",
    "requirementDiagram", "sankey", "sequenceDiagram", "stateDiagram-v2", "stateDiagram", "timeline", "treeView-beta",
    "treemap", "xychart", "zenuml",
)  # fmt: skip
"""What a diagram begins with, of those that mermaid 12 knows."""
_BEGINNINGS = (*(kind.removesuffix("-beta") for kind in KINDS), "requirement", "swimlane", "usecase", "venn", "wardley")
_LEFT_OUT = re.compile(r"[ \t]*(?:%%.*)?")
_WORD = re.compile(r"[ \t]*([A-Za-z][\w-]*)")
_DIRECTED = re.compile(r"[ \t]*(?:graph|flowchart)[ \t]+(?P<way>[A-Za-z]+)[ \t]*;?[ \t]*")
_WAYS = ("TB", "TD", "BT", "LR", "RL", "v")


def mistakes(source: str) -> list[Mistake]:
    """Return the unknown kind of a mermaid diagram, or the direction that none is; never raises.

    Kinds that end with `-beta` come and go with mermaid's versions: nothing is said of them.
    """
    lines = source.split("\n")
    at = _below_settings(lines)
    while at < len(lines) and (_LEFT_OUT.fullmatch(lines[at]) or _in_directive(lines, at)):
        at += 1
    word = _WORD.match(lines[at]) if at < len(lines) else None
    if word is None:
        return []
    directed = _DIRECTED.fullmatch(lines[at])
    if directed and directed["way"] not in _WAYS:
        fix = near.advice(directed["way"], _WAYS) or "write `TB`, `BT`, `LR` or `RL`"
        return [Mistake(at + 1, directed.start("way") + 1, f"mermaid has no direction `{directed['way']}`", fix)]
    known = next((len(one) for one in sorted(_BEGINNINGS, key=len, reverse=True) if word[1].startswith(one)), 0)
    if word[1].endswith("-beta") or (known and not re.match(r"[a-z]", word[1][known:])):
        return []
    fix = near.advice(word[1], KINDS) or "begin with `flowchart LR`, `sequenceDiagram`, `mindmap` or another kind"
    return [Mistake(at + 1, word.start(1) + 1, f"mermaid has no diagram `{word[1]}`", fix)]


def _below_settings(lines: list[str]) -> int:
    """The first line below mermaid's own front matter."""
    if lines[0].strip() != "---":
        return 0
    return next((n + 1 for n in range(1, len(lines)) if lines[n].strip() == "---"), 0)


def _in_directive(lines: list[str], at: int) -> bool:
    """Whether line `at` is below a `%%{init: …` that is not closed above it."""
    above = "\n".join(lines[:at])
    return above.rfind("%%{") > above.rfind("}%%")
