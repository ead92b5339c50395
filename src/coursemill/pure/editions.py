"""A lesson's notebooks: the worked one runs from top to bottom, nbgrader reads the instructor's."""

from __future__ import annotations

import json
import posixpath
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import dropwhile
from typing import Any

from coursemill.model import Code, Edition, Lesson, Part, Prose, Solution, Span
from coursemill.pure import callouts, cells, comments, links, prose
from coursemill.pure.cells import Cell, Notebook
from coursemill.pure.tasks import WRITE_HERE, Desk, task_cells, test_text
from coursemill.pure.vault import WIKILINK, VaultMap, target

_TITLE = re.compile(r"\s*(?: {0,3}#(?:[ \t][^\n]*|(?=\n|$))|[^\n]+\n {0,3}=+[ \t]*(?=\n|$))")
"""A heading of the first level at the beginning of a text, above or below its line."""


@dataclass(frozen=True)
class Context:
    """What a lesson's notebooks are made of beside the lesson."""

    vault: VaultMap
    worksheet: str
    diagrams: Mapping[str, str] = field(default_factory=dict)
    """Source of a diagram (without its last line break) → SVG; without one the source is shown."""
    numbers: Mapping[str, str] = field(default_factory=dict)
    """`numbers()` of the instructor edition of the last build: tests keep their numbers."""
    _pages: dict[str, prose.Page] = field(default_factory=dict, compare=False, repr=False)

    def page(self, path: str) -> prose.Page:
        """Where the texts of the note at `path` stand; the same for both editions, which share what is rendered."""
        return self._pages.setdefault(path, prose.Page(path, self.worksheet, self.vault, self.diagrams))


def worked(lesson: Lesson, context: Context) -> Notebook:
    """The edition with the solutions in: a plain notebook that runs from top to bottom."""
    return cells.notebook(_Writer(lesson, context, "worked").cells(), lesson.path, graded=False)


def instructor(lesson: Lesson, context: Context) -> Notebook:
    """The edition that nbgrader makes the students' notebook of: its metadata, every solution, every test."""
    made = cells.notebook(_Writer(lesson, context, "instructor").cells(), lesson.path, graded=True)
    if lesson.front.limits:  # grading knows the notebook, not the note
        made["metadata"]["coursemill"]["limits"] = dict(lesson.front.limits)
    return made


def numbers(notebook: Mapping[str, Any]) -> dict[str, str]:
    """Ids of the tests of an instructor edition → the authors' texts, in order: the next build's `Context.numbers`."""
    found = {}
    for cell in notebook.get("cells", []):
        grading = cell.get("metadata", {}).get("nbgrader", {})
        if grading.get("grade") and not grading.get("solution"):
            source = cell.get("source", "")
            found[grading.get("grade_id", "")] = test_text(source if isinstance(source, str) else "".join(source))
    return found


def dumps(notebook: Notebook) -> str:
    """The notebook as text, as nbformat writes it: sources as lines, keys sorted, indented by one."""
    made = notebook | {"cells": [cell | {"source": cell["source"].splitlines(True)} for cell in notebook["cells"]]}
    return json.dumps(made, indent=1, sort_keys=True, ensure_ascii=False, separators=(",", ": ")) + "\n"


class _Writer:
    """Goes through a lesson once and makes the cells of one edition."""

    def __init__(self, lesson: Lesson, context: Context, edition: Edition) -> None:
        self.lesson, self.context, self.edition = lesson, context, edition
        self.page = context.page(lesson.path)
        self.folders: set[str] = set()

    def cells(self) -> Iterator[Cell]:
        """Every cell of the notebook, in order."""
        parts = list(dropwhile(_is_comment, self.lesson.parts))
        top = next((part for part in parts[:1] if isinstance(part, Prose)), None)
        if (cell := self.top(top)).source:
            yield cell
        yield from self.ask(top)
        for part in parts[1:] if top else parts:
            if isinstance(part, Prose | Code):
                yield from self.plain(part)
            else:
                yield from task_cells(part, self.desk(part.span))
        yield from self.see_also()

    def desk(self, span: Span) -> Desk:
        """What a task at `span` is made with."""
        level = self.level(span.start)
        return Desk(
            edition=self.edition,
            level=level,
            markdown=lambda text: prose.render(text, self.page, level),
            other=self.plain,
            folder=self.folder,
            numbers=self.context.numbers,
        )

    def level(self, line: int) -> int:
        """Of the heading above `line`."""
        above = bisect_left(self.lesson.headings, line, key=lambda heading: heading.line)
        return self.lesson.headings[above - 1].level if above else 1

    def top(self, first: Prose | None) -> Cell:
        """The title, what the lesson teaches and needs, and the first prose."""
        text = prose.render(first.text, self.page, 1) if first else ""
        titles = [heading for heading in self.lesson.headings if heading.level == 1]
        found = _TITLE.match(text) if first and titles and titles[0].line == first.span.start else None
        title = found[0].strip() if found else "" if titles else f"# {links.escaped(self.lesson.title)}"
        parts = [title, self.aims(), text[found.end() if found else 0 :].strip("\n")]
        span = first.span if first else Span(self.lesson.path, 1, max(self.lesson.front.end_line, 1))
        return Cell("markdown", "\n\n".join(part for part in parts if part), span, id="", slug="top")

    def aims(self) -> str:
        """A box with the front matter's objectives and prerequisites."""
        front = self.lesson.front
        after = _listed("You will learn to", [links.inline(text, self.page) for text in front.objectives])
        before = _listed("Before this lesson", [self.linked(text) for text in front.prerequisites])
        text = "\n\n".join(part for part in (after, before) if part)
        return callouts.headed("", text, callouts.GREY) if text else ""

    def plain(self, part: Prose | Code) -> Iterator[Cell]:
        """The cells of prose or of code that is no task's."""
        if isinstance(part, Code):
            yield from self.code(part)
        elif text := prose.render(part.text, self.page, self.level(part.span.start + 1)).strip("\n"):
            yield Cell("markdown", text, part.span, slug=part.slug)
        yield from self.ask(part)

    def ask(self, part: Prose | Code | None) -> Iterator[Cell]:
        """The cell in which students answer the question that `part` ends with; it is worth no points."""
        if part and part.asks and self.edition == "instructor":
            yield Cell("markdown", WRITE_HERE, part.span, id=part.asks.id, own=part.asks.own, grading="written")

    def code(self, part: Code) -> Iterator[Cell]:
        """The cell that runs the code, and one above it where a folder must be made first."""
        cell = cells.code(
            part.text,
            part.first_line,
            part.span,
            id=part.id,
            own=bool(part.id),
            slug=part.slug,
            tags=part.tags,
            claim=part.claim if self.edition == "worked" else None,
        )
        if part.role == "setup":
            tags = tuple(dict.fromkeys(("setup", *part.tags)))
            cell = replace(cell, tags=tags, folded=True, grading="locked")
        elif part.role == "file":
            yield from self.folder(part)
            if part.text.strip():
                cell = cells.generated(cell, [cells.writefile(part.path)])
            else:  # IPython refuses a magic without a body
                source = f"from pathlib import Path\n\nPath({part.path!r}).write_text({part.text!r})"
                cell = replace(cell, source=source, lines=(0, 0, part.first_line - 1))
        elif part.role == "shell":
            cell = cells.generated(cell, ["%%bash -e"])
        yield cell

    def folder(self, part: Code | Solution) -> Iterator[Cell]:
        """A folded cell that makes the folder of the file that `part` writes, unless one above has made it."""
        folder = posixpath.dirname(part.path)
        if folder and folder not in self.folders:
            self.folders.add(folder)
            source = f"from pathlib import Path\n\nPath({folder!r}).mkdir(parents=True, exist_ok=True)"
            yield Cell(
                "code",
                source,
                part.span,
                slug="folder",
                lines=(0, 0, 0),
                folded=True,
                grading="locked",
            )

    def see_also(self) -> Iterator[Cell]:
        """Links to what the note calls related, and to the lessons that link to it."""
        front = self.lesson.front
        related = list(dict.fromkeys(self.linked(text) for text in front.related))
        known = {p for text in front.related for p in self.context.vault.resolve(target(text), self.lesson.path)[:1]}
        back = [p for p in self.context.vault.backlinks(self.lesson.path) if p not in known]
        pages = [links.wikilink(path, None, None, self.page) for path in back]
        text = "\n\n".join(part for part in (_listed("", related), _listed("Lessons that link here", pages)) if part)
        if text:
            line = front.lines.get("related", 1)
            yield Cell("markdown", f"## See also\n\n{text}", Span(self.lesson.path, line, line), slug="see-also")

    def linked(self, text: str) -> str:
        """A property's text with its links; a text without any names a note, if there is one of that name."""
        if WIKILINK.search(text) or not self.context.vault.resolve(text, self.lesson.path):
            return links.inline(text, self.page)
        return links.wikilink(text, None, None, self.page)


def _is_comment(part: Part) -> bool:
    return isinstance(part, Prose) and not comments.removed(part.text).strip()


def _listed(title: str, items: list[str]) -> str:
    lead = f"<b>{title}</b>\n\n" if title else ""
    return lead + "\n".join(f"- {item}" for item in items) if items else ""
