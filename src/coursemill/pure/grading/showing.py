"""Cells as HTML for a page that runs nothing and loads nothing: code, prose, and what was printed."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from coursemill.pure.grading import clean

LONG = 40
"""Lines from which on something printed is folded."""
SHOWN = 20_000
"""Characters of one output that are shown; of a longer one its beginning and its end."""
PICTURES = 6_000_000
"""Characters that all pictures of a page may have."""
_HEADING = re.compile(r"<(/?)h[1-6][^>]*>")
_IMAGE = re.compile(r"<img (?![^>]*\balt=)")
_TABLE = re.compile(r"<(/?)table\b[^>]*>")

_FRAME = '<div class="wide" role="region" tabindex="0" aria-label="Table">'


class Album:
    """The pictures of a page, as long as there is room for them."""

    def __init__(self, room: int = PICTURES) -> None:
        self.room = room

    def take(self, shown: str) -> str:
        """HTML with pictures, or a word in place of what is too much."""
        size = shown.count("base64,") and len(shown)
        if size > self.room:
            return '<p class="left-out">[A picture is left out: this page has too many.]</p>'
        self.room -= size
        return shown


def title(markdown: str) -> str:
    """A title as HTML: nothing but code is marked in it."""
    text = html.escape(clean.visible(markdown, code=False))
    return re.sub(r"(`+) ?(.+?) ?\1", r"<code>\2</code>", text).replace("**", "")


def code(source: str, language: str = "python") -> str:
    """Source code, its words coloured by classes; characters that could deceive are shown as their numbers."""
    if len(source) > 10 * SHOWN:
        source = f"{source[: 10 * SHOWN]}\n[{len(source) - 10 * SHOWN:,} characters are left out]"
    shown = _highlighted(clean.visible(source).strip("\n"), language)
    return f'<pre class="code" dir="ltr"><code>{shown}</code></pre>'


def prose(markdown: str, attachments: Mapping[str, Any] | None = None) -> str:
    """Markdown as HTML, whoever wrote it; headings are bold lines, for they are no parts of the page."""
    tokens = _parser().parse(clean.visible(markdown[: clean.LARGEST_HTML], code=False))
    for token in tokens:
        for image in (child for child in token.children or () if child.type == "image"):
            name = str(image.attrs.get("src", "")).removeprefix("attachment:")
            image.attrs["src"] = _attached((attachments or {}).get(name))
    made = clean.fragment(_parser().renderer.render(tokens, _parser().options, {}))
    return _framed(made)


def outputs(given: Iterable[Mapping[str, Any]], album: Album) -> str:
    """What a cell printed and drew."""
    return "".join(f'<div class="output">{shown}</div>' for one in given if (shown := _output(one, album)))


def printed(text: str, name: str = "Output") -> str:
    """Printed text with its colours; folded when it is long."""
    lines = text.count("\n") + 1
    if len(text) > SHOWN:
        left = len(text) - SHOWN
        text = f"{text[: SHOWN // 2]}\n[… {left:,} characters are left out …]\n{text[-SHOWN // 2 :]}"
    shown = f'<pre dir="ltr">{clean.coloured(text)}</pre>'
    return f"<details><summary>{name}: {lines:,} lines</summary>{shown}</details>" if lines > LONG else shown


def _output(output: Mapping[str, Any], album: Album) -> str:
    kind = output.get("output_type")
    if kind == "stream":
        error = output.get("name") == "stderr"
        shown = printed(clean.text_of(output.get("text")).rstrip("\n"), "Warnings" if error else "Output")
        return f'<p class="label">Warnings and messages</p>{shown}' if error else shown
    if kind == "error":
        trace = clean.text_of([f"{line}\n" for line in output.get("traceback") or () if isinstance(line, str)])
        said = trace.rstrip("\n") or f"{output.get('ename', '')}: {output.get('evalue', '')}"
        return f'<p class="label">Error</p>{printed(said, "Error")}'
    data = output.get("data")
    return _displayed(clean.bundle(data), album) if isinstance(data, Mapping) else ""


def _displayed(data: Mapping[str, str], album: Album) -> str:
    """The best of what an output offers."""
    for kind in clean.PICTURES:
        if kind in data:
            about = html.escape(data.get("text/plain", "").strip()[:100])
            alt = "Picture that this cell drew" + (f": {about}" if about and not about.startswith("&lt;") else "")
            return album.take(f'<img alt="{alt}" src="{clean.picture(kind, data[kind])}">')
    if text := data.get("text/html"):
        return album.take(_framed(text))
    if text := data.get("text/markdown"):
        return album.take(prose(text))
    if text := data.get("text/latex"):
        return f'<pre class="formula" dir="ltr">{html.escape(text[:SHOWN])}</pre>'
    return printed(data["text/plain"]) if "text/plain" in data else ""


def _framed(made: str) -> str:
    """Clean HTML that fits into the page: no headings, wide tables in a frame, a text for each picture."""
    made = _HEADING.sub(lambda m: "</div>" if m[1] else '<div class="heading">', made)
    made = _IMAGE.sub('<img alt="Picture" ', made)
    pieces, at, depth = [], 0, 0
    for tag in _TABLE.finditer(made):
        depth += -1 if tag[1] else 1
        if depth == (0 if tag[1] else 1):  # an outer table's: of tables in tables
            start, end = (at, tag.end()) if tag[1] else (at, tag.start())
            pieces += [made[start:end], "</div>" if tag[1] else _FRAME]
            at = end
    return "".join((*pieces, made[at:]))


def _attached(bundle: object) -> str:
    """The address of a picture that belongs to a cell; an empty one is dropped later."""
    if isinstance(bundle, Mapping):
        for kind, data in bundle.items():
            if found := clean.picture(kind, data):
                return found
    return ""


@lru_cache(maxsize=4096)  # the class shares its tests, and many answers
def _highlighted(source: str, language: str) -> str:
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name("ipython3" if language == "python" else language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        lexer = get_lexer_by_name("text", stripnl=False, ensurenl=False)
    made: str = highlight(source, lexer, HtmlFormatter(nowrap=True))
    return made


@lru_cache(maxsize=1)
def _parser() -> Any:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
