"""Diagrams of a lesson: d2 and mermaid fences and AnyBlock's trees, which become pictures in the notebook."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from coursemill.model import Code, Finding, Hint, Lesson, Prose, Question, Quiz, Span
from coursemill.pure import codes, d2, mermaid
from coursemill.pure.anyblock import find
from coursemill.pure.d2 import Mistake
from coursemill.pure.verbatim import Fence, fences

Language = Literal["d2", "mermaid"]
LANGUAGES: tuple[Language, ...] = ("d2", "mermaid")
FOLDER = "_diagrams"
"""Folder of the vault where drawn diagrams are kept."""


@dataclass(frozen=True, slots=True, order=True)
class Diagram:
    """A diagram's source (without its last line break), and where it stands."""

    lang: Language
    source: str
    span: Span
    indent: int = 0
    """Characters of the note before the source's first line."""

    @property
    def name(self) -> str:
        """The file that keeps the picture."""
        digest = hashlib.sha256(f"{self.lang}\n{self.source}".encode()).hexdigest()
        return f"{digest[:16]}.svg"


def mistakes(lang: Language, source: str) -> list[Mistake]:
    """What is surely wrong in a source, found without a renderer."""
    return d2.mistakes(source) if lang == "d2" else mermaid.mistakes(source)


def oddities(lang: Language, source: str) -> list[Mistake]:
    """What a source surely draws otherwise than its author meant."""
    return d2.oddities(source) if lang == "d2" else []


def fenced(lesson: Lesson) -> list[Diagram]:
    """The diagrams of the note as they stand in it, also those that no notebook shows."""
    found = []
    for block in lesson.blocks:
        lang = next((lang for lang in LANGUAGES if block.info.partition(" ")[0] == lang), None)
        if lang and block.role != "show":
            found.append(Diagram(lang, block.text, block.span, block.indent))
    return found


def odd(diagram: Diagram, oddity: Mistake) -> Finding:
    """Something that is drawn otherwise than it was meant, at the note's line and column."""
    line, col = diagram.span.start + oddity.line, diagram.indent + oddity.col
    return codes.DIAGRAM_ODD.at(diagram.span.path, line, oddity.message, col=col, fix=oddity.fix)


def finding(diagram: Diagram, mistake: Mistake) -> Finding:
    """A mistake in a diagram at the note's line and column; line 0: nobody knows where it is."""
    span = diagram.span
    line = min(span.start + mistake.line, max(span.start, span.end - 1))
    col = diagram.indent + max(mistake.col, 1) if mistake.line else 1
    message = f"the {diagram.lang} diagram is shown as text: {mistake.message}"
    return codes.DIAGRAM.at(span.path, line, message, col=col, fix=mistake.fix)


def diagram_sources(lesson: Lesson) -> list[Diagram]:
    """Every diagram of the lesson, in order; the same source may stand there twice."""
    found = []
    for text, span, first_line in _texts(lesson):
        for lang, source, first, last in sorted(_in_text(text), key=lambda made: made[2:]):
            start = min(first_line + first, span.end)
            end = max(start, min(first_line + last - 1, span.end))
            found.append(Diagram(lang, source, Span(span.path, start, end)))
    return found


def _in_text(text: str) -> Iterator[tuple[Language, str, int, int]]:
    """The diagrams of a text: their sources, and their lines (from 0, half-open)."""
    for fence in fences(text):
        if lang := language(fence):
            yield lang, fence.content, fence.start, fence.end
    yield from (("mermaid", source, start, end) for source, start, end in find.diagrams(text))


def language(fence: Fence) -> Language | None:
    """What draws the fence; None for one that is not a diagram, or to be shown as text (`role="show"`)."""
    if 'role="show"' in fence.info or not fence.closed:
        return None
    return next((lang for lang in LANGUAGES if fence.info.partition(" ")[0] == lang), None)


def picture(svg: str, info: str) -> str:
    """The picture as HTML with the SVG inside: a notebook alone shows it, wherever it is opened.

    JupyterLab refuses SVG in a cell's attachments (`Cannot render unknown image mime type`).
    """
    title = re.search(r'title="([^"]*)"', info)
    data = base64.b64encode(svg.encode()).decode()
    return f'<img alt="{html.escape(title[1]) if title else "diagram"}" src="data:image/svg+xml;base64,{data}">'


def _texts(lesson: Lesson) -> Iterator[tuple[str, Span, int]]:
    """Every Markdown text that a notebook shows, its span, and the note's line of its first line."""
    for part in lesson.parts:
        if isinstance(part, Prose):
            yield part.text, part.span, part.span.start
        elif not isinstance(part, Code):
            yield part.prompt, part.span, part.span.start + 1
            for piece in part.parts:
                if isinstance(piece, Prose):
                    yield piece.text, piece.span, piece.span.start
                elif isinstance(piece, Hint):
                    yield piece.text, piece.span, piece.span.start + 1
            if isinstance(part, Quiz):
                yield from ((option.text, part.span, option.line) for option in part.options)
            if isinstance(part, Question):
                for text, span in zip((part.model_answer, part.rubric), part.key, strict=False):
                    yield text, span, span.start + 1
