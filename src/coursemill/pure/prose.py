"""An author's Markdown as Jupyter shows it: lines are spliced, nothing is rendered again, code is never touched."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import dropwhile, takewhile

from coursemill.pure import callouts, comments, diagrams, maths, plugins
from coursemill.pure.anyblock import find, show
from coursemill.pure.attributes import of_fence
from coursemill.pure.embeds import LONGEST, flat
from coursemill.pure.links import Place, escaped, framed, inline, plain, wikilink
from coursemill.pure.vault import WIKILINK
from coursemill.pure.verbatim import Fence, blocks, fences

_MARK = re.compile(
    r"\[\[|\[\^|\^\[|(?<!\S)\^\w|==|%%|<!--|\[!|```|~~~|\]\(|\$|<%|::[ \t]|\[\S\][ \t]|<iframe|\]:?[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_FENCE = re.compile(r"^(?P<before>.*?)(?P<ticks>`{3,}|~{3,})(?P<info>.*)$")
_HEADING = re.compile(r"^ {0,3}(#{1,6})(?:[ \t]|$)")
_ITEM = re.compile(r"^[ \t]*(?:[-*+]|\d+[.)])[ \t]+")
_MARGIN = re.compile(r"^[ \t]*(?:(?:>|(?:[-*+]|\d+[.)])(?=[ \t]))[ \t]*)*")
EMBED = re.compile(rf"(?P<margin>{_MARGIN.pattern})(?=!){WIKILINK.pattern}[ \t]*(?:\^[A-Za-z0-9-]+)?[ \t]*$")
_NOTE = re.compile(r"^[ \t>]*\[\^[^\[\]\s]+\]:")
NESTED = 12
"""Callouts and tabs in one another; what is deeper stays as it is written."""
EMBEDDED = 3
"""Embeds in one another; a deeper one is a link."""
DRAWING = ".excalidraw.md"
"""A note that holds a drawing, and no text to embed."""


@dataclass(frozen=True)
class Page(Place):
    """Where a text stands, and the pictures of the diagrams in it (source → SVG)."""

    pictures: Mapping[str, str] = field(default_factory=dict)
    depth: int = 0
    """Callouts and tabs around the text."""
    within: tuple[tuple[str, str], ...] = ()
    """What the text is embedded in: paths, and the parts of these notes."""
    shown: dict[tuple[object, ...], str] = field(default_factory=dict, compare=False, repr=False)
    """What was rendered: both editions of a lesson show mostly the same texts."""


def render(text: str, page: Page, level: int = 1) -> str:
    """Markdown for Jupyter of `text`, which stands under a heading of `level`."""
    if not _MARK.search(text) or page.depth > NESTED:
        return text
    asked = (text, level, page.depth, page.path, page.within)
    if asked not in page.shown:
        page.shown[asked] = _rendered(text, page, level)
    return page.shown[asked]


def _rendered(text: str, page: Page, level: int) -> str:
    text = comments.removed(text)
    lines = text.split("\n")
    shown: list[str] = []
    done = 0
    for region in _regions(text, lines):
        shown += _between(lines[done : region.start], page)
        level = _level(lines[done : region.start], level)
        rendered = region.render(lines[region.start : region.end], page, level)
        if region.block and _joins(rendered, lines[region.start], shown):
            shown += ["<!-- -->", ""]
        shown += _apart(rendered, shown, lines[region.end : region.end + 1]) if region.block else [rendered]
        level = _level(lines[region.start : region.end], level)
        done = region.end
    return "\n".join([*shown, *_between(lines[done:], page)])


def _between(lines: Sequence[str], page: Page) -> list[str]:
    return [inline("\n".join(lines), page)] if lines else []


def _apart(block: str, above: Sequence[str], below: Sequence[str]) -> Iterator[str]:
    """`block` with the blank lines around it without which Markdown would take it for its neighbour's part."""
    around = re.match(r"[>\s]*", block)[0].rstrip()  # type: ignore[index] # it always matches
    starts_item = _ITEM.match(block.lstrip("> \t")) is not None
    if above and above[-1].rpartition("\n")[2].strip("> \t") and not starts_item:
        yield around
    yield block
    if below and below[0].strip("> \t"):
        yield around


def _joins(block: str, first: str, above: Sequence[str]) -> bool:
    """Whether a list that stands below a header, in place of a picture, would go on with the list above it."""
    if _ITEM.match(first) or not _ITEM.match(block):
        return False
    written = (line for text in reversed(above) for line in reversed(text.split("\n")) if line.strip())
    last = next(written, "")
    return last[:1] in (" ", "\t") or _ITEM.match(last) is not None


@dataclass(frozen=True)
class _Region:
    """Lines that are more than inline text, and what makes Jupyter's Markdown of them."""

    start: int
    end: int
    render: Callable[[Sequence[str], Page, int], str]
    block: bool = False
    """It must have blank lines around it."""


def _regions(text: str, lines: Sequence[str]) -> Iterator[_Region]:
    """What needs more than inline marks: code, callouts and tabs, in order, the outermost only."""
    tokens = blocks(text)
    by_start = {fence.start: fence for fence in fences(text)}
    done = 0
    for index, token in enumerate(tokens):
        if token.map is None or token.map[0] < done:
            continue
        start, end = token.map
        if token.type == "fence" and plugins.asks(by_start[start].info):
            region = _Region(start, end, _Query(by_start[start]).render, block=True)
        elif token.type == "fence" and find.is_anyblock(by_start[start]):
            region = _Region(start, end, _Opened(by_start[start]).render, block=True)
        elif token.type == "fence":
            code = _Code(by_start[start])
            region = _Region(start, end, code.render, block=bool(code.why))
        elif token.type == "math_block":
            region = _Region(start, end, _formula)
        elif token.type == "html_block":
            region = _Region(start, end, _html)
        elif token.type == "code_block" and not _goes_on(lines, start):
            region = _Region(start, end, _verbatim)
        elif token.type == "blockquote_open" and callouts.OPENING.match(lines[start]):
            region = _Region(start, end, _callout, block=True)
        elif token.type == "paragraph_open" and (asked := find.block(tokens, index, lines)):
            region = _Region(asked.start, asked.end, _Asked(asked).render, block=True)
        elif token.type == "paragraph_open" and any(map(EMBED.match, lines[start:end])):
            yield from (_Region(n, n + 1, _embed, block=True) for n in range(start, end) if EMBED.match(lines[n]))
            done = end
            continue
        else:
            continue
        done = region.end
        yield region


@dataclass(frozen=True)
class _Code:
    fence: Fence

    @property
    def why(self) -> str:
        """Why the code is not run, as `role="show" why="…"` says."""
        values = of_fence("", 1, 1, self.fence.info)[1].values if "why=" in self.fence.info else {}
        return (values.get("why") or "").strip() if values.get("role") == "show" else ""

    def render(self, lines: Sequence[str], page: Page, _level: int) -> str:
        """The fence without attributes, in a box if it says why it is not run, or the picture of a diagram."""
        opening = _FENCE.match(lines[0])
        if opening is None:
            return "\n".join(lines)
        if diagrams.language(self.fence) and (svg := page.pictures.get(self.fence.content)):
            return opening["before"] + diagrams.picture(svg, self.fence.info)
        word = self.fence.info.split(maxsplit=1)[0] if self.fence.info else ""
        if self.why:
            code = "\n".join([f"{opening['ticks']}{word}", self.fence.content, opening["ticks"]])
            end = "" if self.why.endswith((".", "!", "?", "…")) else "."
            box = callouts.box(f"⏸️ Not run: {escaped(self.why)}{end}", code, callouts.GREY)
            return _behind(opening["before"], box)
        return "\n".join([f"{opening['before']}{opening['ticks']}{word}", *lines[1:]])


@dataclass(frozen=True)
class _Query:
    fence: Fence

    def render(self, lines: Sequence[str], page: Page, level: int) -> str:
        """What a query lists, or the query with a line that says who answers it."""
        opening = _FENCE.match(lines[0])
        plain = _Code(self.fence).render(lines, page, level)
        if opening is None:
            return plain
        result = page.vault.listed(self.fence.content, page.path) if plugins.is_dataview(self.fence.info) else None
        if result is None:
            said = _behind(opening["before"], plugins.SAID)
            further = re.sub(r"[^>\s]", " ", opening["before"])
            return "\n".join([said, further.rstrip(), further + plain.removeprefix(opening["before"])])
        return _behind(opening["before"], plugins.listing(result, page))


def _verbatim(lines: Sequence[str], _page: Page, _level: int) -> str:
    return "\n".join(lines)


def _goes_on(lines: Sequence[str], start: int) -> bool:
    """Whether indented lines from `start` on are no code: a footnote's next paragraphs."""
    above = (lines[n] for n in range(start - 1, -1, -1))
    texts = list(takewhile(lambda line: line.strip(), dropwhile(_is_indented, above)))
    return bool(texts) and _NOTE.match(texts[-1]) is not None


def _is_indented(line: str) -> bool:
    return not line.strip() or line.startswith(("    ", "\t"))


def _formula(lines: Sequence[str], page: Page, _level: int) -> str:
    """A formula of several lines, and the text behind it."""
    formula, mark, rest = lines[-1].partition("$$")
    return maths.block([*lines[:-1], formula + mark]) + inline(rest, page)


def _html(lines: Sequence[str], _page: Page, _level: int) -> str:
    """HTML with links to the pages in it; an expression of Templater as text."""
    margin = _MARGIN.match(lines[0])
    if margin is None or not lines[0].startswith("<%", margin.end()):
        return framed("\n".join(lines))
    depth = margin[0].count(">")
    text = "\n".join([lines[0][margin.end() :], *(_unquoted(line, depth) for line in lines[1:])])
    ticks = "`" * (max((len(run) for run in re.findall("`{3,}", text)), default=2) + 1)
    return _behind(margin[0], f"{ticks}text\n{text}\n{ticks}")


def _embed(lines: Sequence[str], page: Page, level: int) -> str:
    """A line that embeds a note, as a box with what it says; what can't be embedded is a link."""
    found = EMBED.match(lines[0])
    assert found is not None  # the caller has looked
    paths = page.vault.resolve(found["target"], page.path)
    part = (found["heading"] or "").rpartition("#")[2].strip()
    part = part if part.startswith("^") else plain(part)
    source = (paths[0] if paths else "", part)
    text = None
    shown = source in (*page.within, (page.notebook, "")) or source[0].endswith(DRAWING)
    if not shown and len(page.within) < EMBEDDED:
        text = page.vault.excerpt(*source)
    if not text or len(text) > LONGEST:
        return inline(lines[0], page)
    within = (*page.within, source)
    there = replace(page, path=source[0], home=page.notebook, pictures={}, depth=page.depth + 1, within=within)
    body = flat(render(text, there, level))  # tabs have become headings
    if len(body) > 2 * LONGEST:
        return inline(lines[0], page)
    link = wikilink(found["target"], found["heading"], found["alias"], page)
    return _behind(found["margin"], callouts.headed(f"<b>📄 {link}</b>", body, callouts.GREY))


def _callout(lines: Sequence[str], page: Page, level: int) -> str:
    opening = callouts.OPENING.match(lines[0])
    if opening is None:
        return "\n".join(lines)
    depth = opening["prefix"].count(">") + 1
    text = "\n".join(_unquoted(line, depth) for line in lines[1:])
    body = render(text, replace(page, depth=page.depth + 1), level)
    shown = callouts.callout(opening["kind"], inline(opening["title"], page), body, opening["fold"])
    return _behind(opening["prefix"], shown)


@dataclass(frozen=True)
class _Asked:
    block: find.Block

    def render(self, lines: Sequence[str], page: Page, level: int) -> str:
        """What AnyBlock makes of a block below a header."""
        block = replace(self.block, first=self.block.first - self.block.start, end=len(lines))
        inner = replace(page, depth=page.depth + 1)
        renderer = show.Renderer(
            inline=lambda text: inline(text, page),
            blocks=lambda text, above: render(text, inner, above),
            picture=lambda source, title: _picture(source, f'title="{title}"', page),
        )
        shown = show.show(block.header, block.kind, block.text(lines), renderer, level)
        return _behind(block.header.prefix, shown)


@dataclass(frozen=True)
class _Opened:
    fence: Fence

    def render(self, lines: Sequence[str], page: Page, level: int) -> str:
        """What stands in a fence of AnyBlock's own, as Markdown."""
        before = (_FENCE.match(lines[0]) or {"before": ""})["before"]
        return _behind(before, render(self.fence.content, replace(page, depth=page.depth + 1), level))


def _picture(source: str, info: str, page: Page) -> str:
    svg = page.pictures.get(source)
    return diagrams.picture(svg, info) if svg else ""


def _level(lines: Sequence[str], otherwise: int) -> int:
    headings = (match for line in reversed(lines) if (match := _HEADING.match(line)))
    nearest = next(headings, None)
    return len(nearest[1]) if nearest else otherwise


def _unquoted(line: str, depth: int) -> str:
    for _ in range(depth):
        line = re.sub(r"^[ \t]*>[ \t]?", "", line, count=1)
    return line


def _behind(prefix: str, text: str) -> str:
    """`text` with `prefix` before its first line, and before the others what continues it: blanks for a list's sign."""
    first, *rest = text.split("\n")
    further = re.sub(r"[^>\s]", " ", prefix)
    return "\n".join([prefix + first, *((further + line).rstrip() for line in rest)])
