"""Obsidian's callouts as HTML that JupyterLab's sanitizer lets through; the Markdown inside is still rendered."""

from __future__ import annotations

import re
from dataclasses import dataclass

from markdown_it import MarkdownIt


@dataclass(frozen=True, slots=True)
class Kind:
    """How a callout looks: its name where the author gave no title, a sign, Jupyter's colour."""

    name: str
    sign: str
    colour: str


_KINDS = {
    "note": Kind("Note", "📝", "info"),
    "abstract": Kind("Abstract", "📋", "info"),
    "info": Kind("Info", "ℹ️", "info"),
    "todo": Kind("Todo", "☑️", "info"),
    "tip": Kind("Tip", "💡", "success"),
    "success": Kind("Success", "✅", "success"),
    "question": Kind("Question", "❓", "warning"),
    "warning": Kind("Warning", "⚠️", "warning"),
    "failure": Kind("Failure", "❌", "danger"),
    "danger": Kind("Danger", "⚡", "danger"),
    "bug": Kind("Bug", "🐞", "danger"),
    "example": Kind("Example", "🧪", "info"),
    "quote": Kind("Quote", "💬", "info"),
}
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
    look = _KINDS.get(_ALIASES.get(name, name), Kind("", "📝", "info"))
    words = title.strip() or (look.name if name in _KINDS else kind.strip().capitalize())
    return box(f"{look.sign} {words}", body, look.colour, fold)


def box(title: str, body: str, colour: str, fold: str = "") -> str:
    """A box in one of Jupyter's colours: info, success, warning or danger; `title` is inline Markdown."""
    if not fold:
        return headed(f"<b>{title}</b>", body, colour)
    opened = " open" if fold == "+" else ""
    head = f"<details {_classes(colour)}{opened}><summary><b>{as_html(title)}</b></summary>"
    return "\n\n".join(part for part in (head, body.strip("\n"), "</details>") if part)


def headed(heading: str, body: str, colour: str) -> str:
    """A box that starts with `heading`, a line of Markdown, or nothing."""
    parts = (f"<div {_classes(colour)}>", heading, body.strip("\n"), "</div>")
    return "\n\n".join(part for part in parts if part)


def _classes(colour: str) -> str:
    return f'class="alert alert-block alert-{colour}"'


def as_html(markdown: str) -> str:
    """One line of Markdown as HTML, for where Markdown is not rendered; mathematics stays as it is."""
    maths: list[str] = []

    def keep(match: re.Match[str]) -> str:
        maths.append(match[0])
        return f"\ufdd0{len(maths) - 1}\ufdd1"

    masked = re.sub(r"(`+).+?\1|\$(?![\s$])[^$\n]*?(?<!\s)\$(?!\d)", lambda m: m[0] if m[1] else keep(m), markdown)
    rendered: str = _INLINE.renderInline(masked)
    return re.sub(r"\ufdd0(\d+)\ufdd1", lambda m: maths[int(m[1])], rendered)


_INLINE = MarkdownIt("commonmark")
