"""Fences that Obsidian's plugins run or draw, and what a notebook shows of them."""

from __future__ import annotations

from coursemill.pure import links
from coursemill.pure.dataview import LANGUAGE, Result
from coursemill.pure.expressions import Note, Value

SAID = "*Obsidian shows here what this finds:*"
QUERIES = {LANGUAGE: "Dataview", "dataviewjs": "Dataview", "tasks": "Tasks", "query": "Obsidian", "base": "Obsidian"}
"""Languages that ask the vault something → who answers."""
DRAWN = {
    "plantuml": "PlantUML",
    "puml": "PlantUML",
    "plantuml-svg": "PlantUML",
    "plantuml-ascii": "PlantUML",
    "dot": "Graphviz",
    "graphviz": "Graphviz",
    "tikz": "TikZ",
    "chart": "Charts",
    "tracker": "Tracker",
    "heatmap-calendar": "Heatmap Calendar",
    "functionplot": "Functionplot",
    "abc": "ABC Music Notation",
    "music-abc": "ABC Music Notation",
    "smiles": "Chem",
    "markmap": "Markmap",
    "mindmap": "Mind Map",
    "kanban": "Kanban",
    "excalidraw": "Excalidraw",
    "leaflet": "Leaflet",
    "timeline": "Timeline",
    "gantt": "Gantt",
    "button": "Buttons",
    "meta-bind": "Meta Bind",
    "meta-bind-button": "Meta Bind",
    "embed": "Embeds",
    "cardlink": "Auto Card Link",
    "toc": "a plugin for contents",
    "table-of-contents": "a plugin for contents",
    "admonition": "Admonition",
}
"""Languages that a plugin draws → its name."""


def language(info: str) -> str:
    """The first word of an info string, unless the fence is meant to be read."""
    return "" if 'role="show"' in info else next(iter(info.lower().split()), "")


def asks(info: str) -> bool:
    """Whether a fence asks the vault something."""
    return language(info) in QUERIES


def is_dataview(info: str) -> bool:
    """Whether a fence is one of the queries that are answered, if they are understood."""
    return language(info) == LANGUAGE


def plugin(info: str) -> str:
    """Who draws the fence in Obsidian; empty when it is code like any other."""
    word = language(info)
    return DRAWN.get(word, "Admonition" if word.startswith("ad-") else "")


def listing(result: Result, place: links.Place) -> str:
    """The notes that a query finds, as a list or a table of links."""
    if not result.rows:
        return "*No note is listed here yet.*"
    rows = [[_shown(value, place) for value in row] for row in result.rows]
    if result.kind == "list":
        return "\n".join(f"- {': '.join(row)}" for row in rows)
    lines = [_row(list(map(links.escaped, result.titles))), _row(["---"] * len(result.titles)), *map(_row, rows)]
    return "\n".join(lines)


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace(BAR, "|").replace("|", BAR) for cell in cells) + " |"


BAR = "\\|"


def _shown(value: Value, place: links.Place) -> str:
    if isinstance(value, Note):
        return links.wikilink(value.path, None, None, place)
    if isinstance(value, tuple):
        return ", ".join(_shown(one, place) for one in value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return " ".join(links.inline(value, place).split()) if value else "–"
