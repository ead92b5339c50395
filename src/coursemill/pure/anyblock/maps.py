"""Lists as diagrams: a tree from left to right, in mermaid's language, drawn as the notes' own diagrams are."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from coursemill.pure import comments
from coursemill.pure.anyblock import tree
from coursemill.pure.anyblock.header import Header
from coursemill.pure.anyblock.tree import Item
from coursemill.pure.vault import WIKILINK

_INLINE = MarkdownIt("commonmark").enable("strikethrough")
_SIDE = re.compile(r"^<[ \t]+")
"""Begins an item that stands on the left in a PlantUML tree."""
_ARROW = re.compile(r"(?P<from>.*?\S)[ \t]*--(?:[ \t]*(?P<words>[^->\s][^>]*?)[ \t]*--)?>[ \t]*(?P<to>\S.*)")
"""An item that says which others are connected: `a --words--> b`."""
_LONGEST = 120
"""Characters of a node; the list below the picture has them all."""
MOST = 150
"""Nodes that one can still find one's way in."""
_CONFIG = """---
config:
  flowchart:
    nodeSpacing: 14
    rankSpacing: 36
    wrappingWidth: 320
    padding: 8
---
flowchart LR"""
_LOOKALIKES = str.maketrans({'"': "'", "`": "'", "<": "‹", ">": "›", "\n": " ", "\t": " "})
"""Mermaid knows no way to write these in a node that every version understands."""


def source(asked: Header, items: Sequence[Item]) -> str:
    """Mermaid's source of the tree; nothing when there is none that one could read."""
    if not items or max(item.levels for item in items) > tree.DEEPEST or _count(items) > MOST:
        return ""
    arrow = "-->" if asked.mode == "flow" else "---"
    drawn = _Drawn(arrow)
    root = drawn.node(asked.root) if asked.root else ""
    if not root and asked.mode == "mind" and len(items) > 1 and asked.title:
        root = drawn.node(asked.title)
    drawn.add(items, root)
    return "\n".join([_CONFIG, *drawn.lines])


def words(markdown: str) -> str:
    """The text of an item without its markup, on one line, as it can stand in a node."""
    text = WIKILINK.sub(_named, comments.removed(_SIDE.sub("", markdown)))
    text = re.sub(r"==(?=\S)(.+?)(?<=\S)==", r"\1", text)
    text = " ".join(_plain(token) for token in _INLINE.parseInline(text))
    text = " ".join(text.translate(_LOOKALIKES).split())
    text = re.sub(r"\\(?=\w)", "\\\\\u200b", re.sub(r"#(?=\w+;)", "# ", text.replace("%%", "% %")))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


class _Drawn:
    """The lines of a diagram as they come, with its nodes by their words."""

    def __init__(self, arrow: str) -> None:
        self.arrow = arrow
        self.count = 0
        self.lines: list[str] = []
        self.nodes: dict[str, str] = {}

    def node(self, text: str) -> str:
        name = f"n{self.count}"
        self.count += 1
        shown = words(text) or "…"
        brackets = ("[", "]") if self.arrow == "-->" else ("(", ")")
        self.lines.append(f'    {name}{brackets[0]}"{shown}"{brackets[1]}')
        self.nodes.setdefault(shown, name)
        return name

    def named(self, text: str) -> str:
        """The node with these words, if need be a new one."""
        return self.nodes.get(words(text)) or self.node(text)

    def link(self, start: str, end: str, text: str = "") -> None:
        label = f'|"{words(text)}"|' if text else ""
        self.lines.append(f"    {start} {self.arrow}{label} {end}")

    def add(self, items: Sequence[Item], above: str) -> None:
        for item in items:
            arrow = _ARROW.fullmatch(item.text) if self.arrow == "-->" else None
            if arrow:
                first, last = self.named(arrow["from"]), self.named(arrow["to"])
                self.link(first, last, arrow["words"] or "")
                self.add(item.children, last)
                continue
            parent = above
            for part in tree.cells(item.text):
                name = self.node(part)
                if parent:
                    self.link(parent, name)
                parent = name
            self.add(item.children, parent)


def _named(match: re.Match[str]) -> str:
    """The words of a wikilink."""
    name = match["target"].rpartition("/")[2].removesuffix(".md").replace("_", " ")
    return match["alias"] or ": ".join(part for part in (name, match["heading"]) if part)


def _plain(token: Token) -> str:
    """The text of an inline token and of those in it."""
    if token.type in ("softbreak", "hardbreak") or (token.type == "html_inline" and token.content.startswith("<br")):
        return " "
    if token.type in ("text", "code_inline"):
        return token.content
    return "".join(_plain(child) for child in token.children or ())


def _count(items: Sequence[Item]) -> int:
    return sum(1 + _count(item.children) for item in items)
