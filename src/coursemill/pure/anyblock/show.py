"""What AnyBlock makes of the block below a header, as Jupyter shows it best; nothing of the block is lost."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from coursemill.pure import callouts
from coursemill.pure.anyblock import maps, tables, tree
from coursemill.pure.anyblock.header import Header, Mode
from coursemill.pure.anyblock.tree import Item

Kind = Literal["list", "quote", "other"]
_DEEPEST = 6
"""Level of a heading."""
_LONG = 25
"""Lines from which a block that is folded when it is long is folded."""
_SHORT, _FEW, _WIDE = 300, 8, 90
"""A card's characters, its lines, and the columns of code that all cards beside one another have together."""
_APART = 'style="margin-bottom: 12px"'
"""Of what has no margin of its own in JupyterLab."""
_ACROSS = 4
"""Cards beside one another, at most."""


@dataclass(frozen=True, slots=True)
class Renderer:
    """What makes Jupyter's Markdown of an author's: of one line, of blocks below a heading of a level; pictures."""

    inline: Callable[[str], str]
    blocks: Callable[[str, int], str]
    picture: Callable[[str, str], str]
    """Source and title of a diagram → what shows it; nothing when it is not drawn."""


def show(header: Header, kind: Kind, text: str, render: Renderer, level: int) -> str:
    """Markdown for Jupyter of a header and the block below it, both without what they stand in; `text` may be empty."""
    title = render.inline(header.title) if header.title else ""
    if not text:
        return f"<b>{title}</b>" if title else ""
    items = tree.items(text) if kind == "list" and header.mode not in ("", "sections") else ()
    if kind == "list" and (header.mode == "sections" or (header.mode == "cards" and not _fit(items, header))):
        body = _sections(text, render, level + header.deeper)
    elif items and header.mode == "cards":
        body = _cards(items, _across(items, header), render, level)
    elif items and header.mode in _TABLES:
        shown = tables.Shown(render.inline, lambda part: render.blocks(part, level))
        body = tables.markdown(_TABLES[header.mode](items, shown), transposed=header.transposed)
    elif items:
        body = _diagram(header, items, text, render, level)
    else:
        body = render.blocks(_unquoted(text) if header.bare and kind == "quote" else text, level)
    return _framed(header, title, body.strip("\n"))


def _framed(header: Header, title: str, body: str) -> str:
    """The block below its title, folded when that is asked for."""
    if header.fold:
        opened = " open" if header.fold == "+" and body.count("\n") < _LONG else ""
        summary = f"<summary><b>{callouts.as_html(title or 'Show')}</b></summary>"
        return "\n\n".join((f"<details {_APART}{opened}>\n{summary}", body, "</details>"))
    return "\n\n".join(part for part in (f"<b>{title}</b>" if title else "", body) if part)


def _sections(text: str, render: Renderer, level: int) -> str:
    """A heading for each item, and below it what stands in the item."""
    below = min(level + 1, _DEEPEST)
    parts = []
    for item in tree.split(text):
        first, _, rest = item.partition("\n")
        rest = tree.outdented(rest.split("\n")).strip("\n")
        title, *more = tree.cells(tree.SIGN.sub("", first, count=1))
        if re.match(r"[`~]{3}|>|[-*+][ \t]", title):  # no words, but a block
            parts.append(render.blocks(item, below))
            continue
        parts.append(f"{'#' * below} {render.inline(title)}".rstrip())
        parts.append(render.blocks("\n".join(part for part in (" | ".join(more), rest) if part), below))
    return "\n\n".join(part for part in parts if part.strip("\n"))


def _across(items: Sequence[Item], header: Header) -> int:
    """How many cards stand beside one another."""
    return max(1, min(header.columns or _ACROSS, len(items), _ACROSS * 2))


def _fit(items: Sequence[Item], header: Header) -> bool:
    """Whether every card is short enough to stand beside others."""
    across = _across(items, header)
    texts = [f"{item.text}\n{item.rest}" for item in items]
    code = [line for text in texts if "```" in text or "~~~" in text for line in text.split("\n")]
    return (
        len(items) > 1
        and all(len(text) <= _SHORT and text.count("\n") <= _FEW for text in texts)
        and max(map(len, code), default=0) <= _WIDE // across
    )


def _cards(items: Sequence[Item], across: int, render: Renderer, level: int) -> str:
    """Items side by side, as many as asked for in a row."""
    cells = []
    for item in items:
        title, *more = tree.cells(item.text.partition("\n")[0])
        below = [" | ".join(more), item.text.partition("\n")[2], item.rest]
        body = render.blocks("\n\n".join(part for part in below if part), level).strip("\n")
        heading = f"<b>{callouts.as_html(render.inline(title))}</b>" if title else ""
        cells.append("\n\n".join(part for part in (heading, body) if part))
    edge = f"1px solid rgba({callouts.GREY}, 0.5)"
    style = f'style="text-align: left; vertical-align: top; width: {100 // across}%; border: {edge}"'
    rows = [cells[n : n + across] for n in range(0, len(cells), across)]
    shown = ("<tr>\n" + "\n".join(f"<td {style}>\n\n{cell}\n\n</td>" for cell in row) + "\n</tr>" for row in rows)
    return "\n".join(['<table style="width: 100%">', *shown, "</table>"])


_TABLES: dict[Mode, Callable[[Sequence[Item], tables.Shown], tables.Table]] = {
    "table": tables.branching,
    "grid": tables.grid,
    "tree": tables.indented,
    "timeline": tables.timeline,
}


def _diagram(header: Header, items: Sequence[Item], text: str, render: Renderer, level: int) -> str:
    """The picture and, folded, the list: for its links, and for who cannot see pictures; or the list alone."""
    source = maps.source(header, items)
    name = maps.words(header.title or header.root) or "diagram"
    picture = render.picture(source, name) if source else ""
    root = f"{'#' * min(level + 1, _DEEPEST)} {render.inline(header.root)}" if header.root else ""
    plain = render.blocks(text, level).strip("\n")
    if not picture:
        return "\n\n".join(part for part in (root, plain) if part)
    opened = " open" if _holds_blocks(items) else ""
    above = f"<b>{render.inline(header.root)}</b>" if header.root else ""
    details = (f"<details {_APART}{opened}>\n<summary>The same as a list</summary>", above, plain, "</details>")
    return "\n\n".join((picture, *(part for part in details if part)))


def _holds_blocks(items: Sequence[Item]) -> bool:
    return any(item.body or _holds_blocks(item.children) for item in items)


def _unquoted(text: str) -> str:
    return "\n".join(re.sub(r"^[ \t]*>[ \t]?", "", line, count=1) for line in text.split("\n"))
