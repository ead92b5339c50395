"""Obsidian's callouts as HTML that JupyterLab's sanitizer lets through; the Markdown inside is still rendered.

The colours are a border and a tint, which read well on light and on dark pages. Jupyter's own `alert` classes do
not: in JupyterLab 4.6 they are bright boxes in the dark theme too, with that theme's pale links in them.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from markdown_it import MarkdownIt


@dataclass(frozen=True, slots=True)
class Kind:
    """How a callout looks: its name where the author gave no title, a sign, a colour."""

    name: str
    sign: str
    colour: str


BLUE, CYAN, GREEN, ORANGE, RED, PURPLE, GREY = (
    "8, 109, 221",
    "0, 171, 168",
    "8, 165, 78",
    "236, 117, 0",
    "233, 49, 71",
    "120, 82, 238",
    "140, 140, 140",
)
"""Obsidian's colours, as red, green and blue."""
_KINDS = {
    "note": Kind("Note", "📝", BLUE),
    "abstract": Kind("Abstract", "📋", CYAN),
    "info": Kind("Info", "ℹ️", BLUE),
    "todo": Kind("Todo", "☑️", BLUE),
    "tip": Kind("Tip", "💡", CYAN),
    "success": Kind("Success", "✅", GREEN),
    "question": Kind("Question", "❓", ORANGE),
    "warning": Kind("Warning", "⚠️", ORANGE),
    "failure": Kind("Failure", "❌", RED),
    "danger": Kind("Danger", "⚡", RED),
    "bug": Kind("Bug", "🐞", RED),
    "example": Kind("Example", "🧪", PURPLE),
    "quote": Kind("Quote", "💬", GREY),
}
LONGEST = 500
"""Characters of a title that is still read as Markdown."""
_ALIASES = {
    "summary": "abstract",
    "tldr": "abstract",
    "hint": "tip",
    "important": "tip",
    "check": "success",
    "done": "success",
    "help": "question",
    "faq": "question",
    "caution": "warning",
    "attention": "warning",
    "fail": "failure",
    "missing": "failure",
    "error": "danger",
    "cite": "quote",
}
OPENING = re.compile(
    r"^(?P<prefix>[ \t]*(?:(?:>|[-*+]|\d+[.)])[ \t]+)*)>[ \t]?"
    r"\[!(?P<kind>[^\]|\n]+)(?:\|[^\]\n]*)?\](?P<fold>[-+]?)[ \t]*(?P<title>.*)$"
)
"""The first line of a callout: `> [!kind|options]- Title`."""


def callout(kind: str, title: str, body: str, fold: str = "") -> str:
    """A box with `title` (Markdown) and `body` (Markdown for Jupyter); `fold` is `-`, `+` or nothing.

    An unknown kind is a note that keeps its name, as in Obsidian.
    """
    name = kind.strip().casefold()
    look = _KINDS.get(_ALIASES.get(name, name), Kind("", "📝", BLUE))
    words = title.strip() or (look.name if name in _KINDS else kind.strip().capitalize())
    return box(f"{look.sign} {words}", body, look.colour, fold)


def box(title: str, body: str, colour: str, fold: str = "") -> str:
    """A box with a bold `title` (inline Markdown), folded when `fold` is `-`, and unfolded when it is `+`."""
    if not fold:
        return headed(f"<b>{title}</b>", body, colour)
    opened = " open" if fold == "+" else ""
    head = f"<details {_style(colour)}{opened}>\n<summary><b>{as_html(title)}</b></summary>"
    return "\n\n".join(part for part in (head, body.strip("\n"), "</details>") if part)


def headed(heading: str, body: str, colour: str) -> str:
    """A box that starts with `heading`, a line of Markdown, or nothing."""
    parts = (f"<div {_style(colour)}>", heading, body.strip("\n"), "</div>")
    return "\n\n".join(part for part in parts if part)


def _style(colour: str) -> str:
    """Properties that JupyterLab's sanitizer knows; margins are the last paragraph's own."""
    return (
        f'style="border-left: 4px solid rgb({colour}); background-color: rgba({colour}, 0.1); '
        'padding: 8px 12px 1px 12px; margin-bottom: 12px"'
    )


def as_html(markdown: str) -> str:
    """One line of Markdown as HTML, for where Markdown is not rendered; mathematics stays as it is."""
    if len(markdown) > LONGEST:
        return html.escape(markdown, quote=False)
    maths: list[str] = []

    def keep(match: re.Match[str]) -> str:
        maths.append(match[0])
        return f"\ufdd0{len(maths) - 1}\ufdd1"

    masked = re.sub(r"(`+).+?\1|\$(?![\s$])[^$\n]*?(?<!\s)\$(?!\d)", lambda m: m[0] if m[1] else keep(m), markdown)
    rendered: str = _INLINE.renderInline(masked)
    return re.sub(r"\ufdd0(\d+)\ufdd1", lambda m: maths[int(m[1])], rendered)


_INLINE = MarkdownIt("commonmark")
