"""Rules for what Obsidian or a plugin of it shows and a notebook cannot: it stays readable, and is named here."""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from coursemill.model import Block, Finding, Lesson
from coursemill.pure import codes, dataview, embeds, links, markdown, plugins, references
from coursemill.pure.fences import PYTHON
from coursemill.pure.links import plain
from coursemill.pure.prose import DRAWING, EMBED, EMBEDDED
from coursemill.pure.references import VERBATIM
from coursemill.pure.rules.rule import Known, rule
from coursemill.pure.vault import WIKILINK

LEFT_OUT = (
    "applet|base|dialog|embed|frame|frameset|iframe|link|math|meta|noscript|object|portal|rt|ruby|script|style|svg|"
    "template"
)
"""HTML that JupyterLab's sanitizer takes out, with or without what stands in it (seen in 4.6)."""
_TAG = re.compile(rf"<(?P<tag>{LEFT_OUT})(?=[\s/>])[^<>]*> | {VERBATIM}", re.IGNORECASE | re.VERBOSE)
_ASKED = re.compile(
    r"(?<![`\\])`(?P<query>\$?=\s*(?:this\b|dv\.|date\(|\[\[|(?:length|choice|sum|dateformat)\()[^`\n]*)`"
)
_TEMPLATE = re.compile(r"<%(?:(?!<%)[\s\S]){1,999}?%>")
_SCRIPT = re.compile(r"[\s>]*(?:(?:[-*+]|\d+[.)])[\s>]+)*<%")
_IN_CODE = re.compile(r"<%[-_*~+]?\s*tp\.")
_FOOTNOTE = re.compile(
    rf"{VERBATIM} | ^[ \t>]*\[\^(?P<defined>[^\[\]\s]{{1,99}})\]: | (?<!!)\[\^(?P<used>[^\[\]\s]{{1,99}})\]",
    re.VERBOSE | re.MULTILINE,
)
_EMBEDS = re.compile(rf"{VERBATIM} | (?P<link>{WIKILINK.pattern})", re.VERBOSE)
_SUSPECT = re.compile(rf"`\$?=|<%|\[\^|!\[\[|<(?:{LEFT_OUT})\b", re.IGNORECASE)
_RUN = frozenset({"run", "setup", "file", "solution", "test", "wrong"})
_PLAYED = (*links.PICTURES, *links.SOUNDS, *links.FILMS)


@rule()
def fences(lesson: Lesson, known: Known) -> Iterator[Finding]:
    """Queries are answered as far as the notes alone answer them; what plugins draw is text."""
    for block in lesson.blocks:
        if plugins.asks(block.info):
            if not (plugins.is_dataview(block.info) and dataview.query(block.text)):
                message = f"the notebook shows this query of {plugins.QUERIES[block.language]}, not what it finds"
                yield codes.QUERY.at(lesson.path, block.span.start, message, col=block.indent + 1)
        elif plugin := plugins.plugin(block.info):
            message = f"the notebook shows what {plugin} would draw as text"
            yield codes.PLUGIN.at(lesson.path, block.span.start, message, col=block.indent + 1)
        elif block.role in _RUN or (block.language in PYTHON and not block.role):
            yield from _templates_in(lesson.path, block)


@rule()
def prose(lesson: Lesson, known: Known) -> Iterator[Finding]:
    """What stands between the fences and is not shown as in Obsidian."""
    if not _SUSPECT.search(lesson.text):
        return
    lines = lesson.text.split("\n")
    lines[: lesson.front.end_line] = [""] * min(lesson.front.end_line, len(lines))
    outline = markdown.outline(lines)
    texts = [_Text.of(lesson.path, outline.lines, *lines) for lines in outline.inline]
    for text in texts:
        yield from (*text.queries(), *text.templates(), *text.tags())
        yield from _embedded(text, lesson, known)
    for html in (_Text.of(lesson.path, outline.lines, *lines) for lines in outline.html):
        yield from html.templates() if _SCRIPT.match(html.shown) else html.tags()
    yield from _footnotes(texts)


@rule(lessons_only=False)
def block_links(lesson: Lesson, known: Known) -> Iterator[Finding]:
    """A link to a block, `[[Note#^id]]`, means one that is there."""
    for link in lesson.links:
        name = link.heading.rpartition("#")[2]
        found = known.vault.resolve(link.target, lesson.path) if name.startswith("^") else ()
        if len(found) == 1 and found[0] in known.vault.lessons and not known.vault.block(found[0], name[1:]):
            message = f"{found[0]} has no block `{name}`"
            yield codes.LINK_HEADING.at(lesson.path, link.line, message, col=link.col)


@dataclass(frozen=True, slots=True)
class _Text:
    """Lines of a note from `first` (from 0): `shown` without comments, `masked` without code, too."""

    path: str
    first: int
    shown: str
    masked: str
    starts: tuple[int, ...]

    @classmethod
    def of(cls, path: str, lines: tuple[str, ...], start: int, end: int) -> _Text:
        shown = "\n".join(lines[start:end])
        masked = references.masked(shown)
        for first, last in references.comments(masked):
            blank = re.sub(r"[^\n]", " ", shown[first:last])
            shown, masked = shown[:first] + blank + shown[last:], masked[:first] + blank + masked[last:]
        return cls(path, start, shown, masked, (0, *(m.end() for m in re.finditer("\n", shown))))

    def at(self, code: codes.Code, position: int, message: str, fix: str = "") -> Finding:
        line = bisect_right(self.starts, position)
        return code.at(self.path, self.first + line, message, col=position - self.starts[line - 1] + 1, fix=fix)

    def queries(self) -> Iterator[Finding]:
        for match in _ASKED.finditer(self.shown):
            if self.masked[match.start()] == "\0":
                yield self.at(codes.INLINE_QUERY, match.start(), f"the notebook shows `{match['query']}` as it is")

    def templates(self) -> Iterator[Finding]:
        for match in _TEMPLATE.finditer(self.masked):
            if not links.FILE_TITLE.fullmatch(match[0]):
                yield self.at(codes.TEMPLATE, match.start(), "the notebook shows an expression of Templater as it is")

    def tags(self) -> Iterator[Finding]:
        for match in _TAG.finditer(self.masked):
            tag = (match["tag"] or "").lower()
            if not tag:
                continue
            shown = "; the notebook shows a link" if links.FRAME.match(self.shown, match.start()) else ""
            yield self.at(codes.HTML, match.start(), f"JupyterLab leaves `<{tag}>` out{shown}")


def _templates_in(path: str, block: Block) -> Iterator[Finding]:
    for number, line in enumerate(block.text.split("\n"), block.first_line):
        if found := _IN_CODE.search(line):
            message = "an expression of Templater stands in code, which runs with it"
            yield codes.TEMPLATE.at(path, number, message, col=block.indent + found.start() + 1)


def _footnotes(texts: list[_Text]) -> Iterator[Finding]:
    """Each footnote that is used has its note, and the other way round."""
    used: dict[str, Finding] = {}
    defined: dict[str, Finding] = {}
    for text in texts:
        for match in _FOOTNOTE.finditer(text.masked) if "[^" in text.masked else ():
            if name := match["used"]:
                message = f"there is no note for `[^{name}]`"
                used.setdefault(name.casefold(), text.at(codes.FOOTNOTE_MISSING, match.start(), message))
            elif name := match["defined"]:
                position = match.start("defined") - 2
                message = f"nothing refers to the note `[^{name}]`"
                defined.setdefault(name.casefold(), text.at(codes.FOOTNOTE_UNUSED, position, message))
    yield from (finding for name, finding in used.items() if name not in defined)
    yield from (finding for name, finding in defined.items() if name not in used)


def _embedded(text: _Text, lesson: Lesson, known: Known) -> Iterator[Finding]:
    """Embeds that become links: of files that no page shows, in the middle of a line, and of what is too much."""
    if "![[" not in text.masked:
        return
    lines = text.shown.split("\n")
    for match in _EMBEDS.finditer(text.masked):
        if match["embed"] != "!":
            continue
        target, part = match["target"].strip(), (match["heading"] or "").rpartition("#")[2].strip()
        found = known.vault.resolve(target, lesson.path)
        suffix = posixpath.splitext(target)[1].lower()
        line = lines[bisect_right(text.starts, match.start()) - 1]
        why = ""
        if suffix in _PLAYED or not found:
            continue  # it is shown, or it is missing: another rule's
        if not found[0].endswith(".md"):
            why = f"JupyterLab does not show `{target}` in the page"
        elif found[0].endswith(DRAWING):
            why = "a drawing is no text"
        elif not EMBED.match(line):
            why = "a note is embedded on a line of its own only"
        elif known.vault.excerpt(found[0], part if part.startswith("^") else plain(part)) == "":
            why = f"there is nothing in `{match['link']}` that may be shown"
        elif _too_much(known, lesson.path, found[0], part):
            why = f"`{match['link']}` is too long, or embeds what it stands in"
        if why:
            yield text.at(codes.EMBED_LINKED, match.start(), f"{why}: the notebook shows a link")


def _too_much(known: Known, home: str, path: str, part: str) -> bool:
    """Whether what is embedded is too long, or comes back to where it is embedded."""
    sources = [(path, part)]
    within = {(home, "")}
    for _ in range(EMBEDDED):
        if within & set(sources):
            return True
        within |= set(sources)
        texts = [(p, known.vault.excerpt(p, one if one.startswith("^") else plain(one))) for p, one in sources]
        if len(texts) == 1 and len(texts[0][1] or "") > embeds.LONGEST and texts[0][0] == path:
            return True
        inner = ((p, m) for p, text in texts for line in (text or "").split("\n") if (m := EMBED.match(line)))
        named = (((known.vault.resolve(m["target"], p) or ("",))[0], m["heading"] or "") for p, m in inner)
        sources = [(p, one.rpartition("#")[2].strip()) for p, one in named if p.endswith(".md")]
        if not sources:
            return False
    return False
