"""A note's outline: fences, our callouts and headings with their lines; all else is prose between them.

markdown-it finds the blocks; lines are counted from 0 here, ranges are half-open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from markdown_it.token import Token

from coursemill.pure import grammar
from coursemill.pure.anyblock import header
from coursemill.pure.attributes import closest
from coursemill.pure.fences import Notes

OURS = frozenset({"exercise", "quiz", "hint", "solution", "rubric"})
QUESTION = "question"
"""Obsidian's own kind: ours, too, at the left margin and unfolded."""
HEADER = re.compile(
    r"\[!(?P<kind>[^\]|\n]+)(?:\|(?P<attributes>(?:\"[^\"\n]*\"|'[^'\n]*'|[^\]\"'\n])*))?\]"
    r"(?P<fold>[+-]?)[ \t]*(?P<title>[^\n]*)"
)
DEFINITION = re.compile(r"[ \t>]*(?P<all>\[(?P<label>[^\^\[\]][^\[\]]{0,200})\]:[ \t]+\S.{0,999})")
_OBSIDIAN = frozenset({
    "abstract", "attention", "bug", "caution", "check", "cite", "danger", "done", "error", "example", "fail", "failure",
    "faq", "help", "important", "info", "missing", "note", "question", "quote", "success", "summary", "tip", "tldr",
    "todo", "warning",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fence:
    """A fence with its ticks at lines `start` to `end`; `column` is where its info string starts."""

    start: int
    end: int
    info: str
    column: int
    text: str


@dataclass(frozen=True, slots=True)
class Callout:
    """A callout of one of our kinds (or `written` nearly so); `quotes` is how many `>` stand before its text."""

    start: int
    end: int
    kind: str
    written: str
    attributes: str
    title: str
    quotes: int
    nested: bool
    children: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading at the left margin."""

    start: int
    end: int
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A list that AnyBlock is asked to change, up to line `end`."""

    end: int
    sections: bool
    """Parts of it look as the whole does."""
    around: tuple[int, ...] = ()
    """Headers of such lists in which it stands."""


Block = Fence | Callout | Heading


@dataclass(frozen=True)
class Outline:
    """What a note is made of. `lines` are the note's own, less what follows a closing fence on its line."""

    lines: tuple[str, ...]
    blocks: tuple[Block, ...]
    indents: dict[int, tuple[int, int]]
    """Line on which a block begins → quotes around it, and the column (from 0, in them) where it begins."""
    inside: dict[int, dict[int, int]]
    """Line on which a quote begins → the same for what begins in it on that line: quotes → column."""
    tabs: dict[int, int]
    """Line on which an item begins of a list that AnyBlock is asked to change → line of the header above the list."""
    asked: dict[int, Asked]
    """Line of such a header → its list."""
    deep: dict[int, tuple[int, int]]
    """Line of a fence that is indented too far to be CommonMark's → where the fence begins, and by how many columns."""
    inline: tuple[tuple[int, int], ...]
    """Lines of paragraphs and headings: where links may be."""
    html: tuple[tuple[int, int], ...]
    """Lines of HTML that is no comment."""
    definitions: dict[str, str]
    """Label of a link's definition → its line: `[label]: address`."""
    notes: Notes


def outline(lines: Sequence[str]) -> Outline:
    """Find the blocks of a note's lines; never raises."""
    return _outline(tuple(lines))


@lru_cache(maxsize=64)  # the parser asks, and several rules
def _outline(lines: tuple[str, ...]) -> Outline:
    notes = Notes()
    tokens = grammar.PARSER.parse("\n".join(lines) + "\n", {"notes": notes}) if lines else []
    walk = _Walk(list(lines))
    walk.run(tokens)
    shown = list(lines)
    for line, (quotes, ticks) in notes.cuts.items():
        shown[line] = lines[line][:quotes] + lines[line][ticks:]
    return Outline(
        lines=tuple(shown),
        blocks=tuple(walk.blocks),
        indents=walk.indents,
        inside=walk.inside,
        tabs=walk.tabs,
        asked=walk.asked,
        deep=walk.deep,
        inline=tuple(walk.inline),
        html=tuple(walk.html),
        definitions=_definitions(shown, walk.inline),
        notes=notes,
    )


def label(text: str) -> str:
    """A link's label as labels are compared: white space and upper case don't count."""
    return " ".join(text.split()).casefold()


def _definitions(lines: list[str], paragraphs: list[tuple[int, int]]) -> dict[str, str]:
    """The definitions that paragraphs begin with; the first of a label counts."""
    found: dict[str, str] = {}
    for start, end in paragraphs:
        for n in range(start, end):
            match = DEFINITION.fullmatch(lines[n])
            if match is None:
                break
            found.setdefault(label(match["label"]), match["all"])
    return found


@dataclass
class _Quote:
    """A block quote that is being walked through."""

    start: int
    end: int
    nested: bool
    header: re.Match[str] | None
    blocks: list[Block]


@dataclass
class _Walk:
    """One pass over the tokens, with the containers that are open."""

    lines: list[str]
    blocks: list[Block] = field(default_factory=list)
    indents: dict[int, tuple[int, int]] = field(default_factory=dict)
    inside: dict[int, dict[int, int]] = field(default_factory=dict)
    tabs: dict[int, int] = field(default_factory=dict)
    asked: dict[int, Asked] = field(default_factory=dict)
    deep: dict[int, tuple[int, int]] = field(default_factory=dict)
    inline: list[tuple[int, int]] = field(default_factory=list)
    html: list[tuple[int, int]] = field(default_factory=list)
    quotes: list[_Quote] = field(default_factory=list)
    lists: list[tuple[int, int | None]] = field(default_factory=list)
    """Column and AnyBlock's header of each list that is open."""
    ended: tuple[int, int, int | None] = (-1, 0, None)
    """Token behind the list that has just ended (and fences that are not indented far enough), and the list."""

    def run(self, tokens: list[Token]) -> None:
        for n, token in enumerate(tokens):
            if token.map and "indent" in token.meta:
                around, _ = self.indents.setdefault(token.map[0], (len(self.quotes), token.meta["indent"]))
                if len(self.quotes) > around:
                    self.inside.setdefault(token.map[0], {}).setdefault(len(self.quotes), token.meta["indent"])
            step = getattr(self, f"on_{token.type}", None)
            if step:
                step(tokens, n, token)

    def on_inline(self, tokens: list[Token], n: int, token: Token) -> None:
        if token.map:
            self.inline.append((token.map[0], token.map[1]))

    def on_html_block(self, tokens: list[Token], n: int, token: Token) -> None:
        if token.map and not token.content.lstrip().startswith(("<!--", "%%")):
            self.html.append((token.map[0], token.map[1]))

    def on_fence(self, tokens: list[Token], n: int, token: Token) -> None:
        start, end = token.map or (0, 0)
        if token.meta["deep"]:
            self.deep |= dict.fromkeys(range(start, end), (start, token.meta["deep"]))
        after, indent, asked = self.ended
        if n == after and token.meta["indent"] > indent:
            self.ended = (n + 1, indent, asked)
        self.put(Fence(start, end, token.info, token.meta["column"], token.content))

    def on_heading_open(self, tokens: list[Token], n: int, token: Token) -> None:
        if token.level == 0:
            start, end = token.map or (0, 0)
            self.put(Heading(start, end, int(token.tag[1]), tokens[n + 1].content.strip()))

    def on_bullet_list_open(self, tokens: list[Token], n: int, token: Token) -> None:
        after, indent, asked = self.ended
        start = (token.map or (0, 0))[0]
        apart = tokens[n - 1].type != "fence" and start > 0 and not self.lines[start - 1].strip(" \t>")
        if n != after or apart or indent != token.meta["indent"]:
            asked = self.asks(tokens, n)
        if asked is not None:
            end = (token.map or (0, 0))[1]
            while end > asked and not self.lines[end - 1].strip(" \t>"):
                end -= 1
            self.asked[asked] = replace(self.asked[asked], end=end)
        self.lists.append((token.meta["indent"], asked))

    on_ordered_list_open = on_bullet_list_open

    def asks(self, tokens: list[Token], n: int) -> int | None:
        """The line above the list that token `n` opens, when it asks AnyBlock to change the list."""
        if n < 3 or tokens[n - 1].type != "paragraph_close":
            return None
        headers = header.trailing(tokens[n - 2].content.split("\n"))
        asked = header.merged(headers) if headers else header.Header()
        if not asked.mode:
            return None
        line = (tokens[n - 3].map or (0, 1))[1] - 1
        around = tuple(header for _, header in self.lists if header is not None)
        self.asked[line] = Asked(line, asked.mode == "sections" and not asked.fold, around)
        return line

    def on_bullet_list_close(self, tokens: list[Token], n: int, token: Token) -> None:
        self.ended = (n + 1, *self.lists.pop())

    on_ordered_list_close = on_bullet_list_close

    def on_list_item_open(self, tokens: list[Token], n: int, token: Token) -> None:
        indent, asked = self.lists[-1]
        start = (token.map or (0, 0))[0]
        self.indents.setdefault(start, (len(self.quotes), indent))
        if asked is not None:
            self.tabs.setdefault(start, asked)

    def on_blockquote_open(self, tokens: list[Token], n: int, token: Token) -> None:
        start, end = token.map or (0, 0)
        first = tokens[n + 2].content if n + 2 < len(tokens) and tokens[n + 2].type == "inline" else ""
        self.quotes.append(_Quote(start, end, token.level > 0, HEADER.match(first), []))

    def on_blockquote_close(self, tokens: list[Token], n: int, token: Token) -> None:
        quote = self.quotes.pop()
        for block in _parted(quote, len(self.quotes) + 1, self.lines):
            self.put(block)

    def put(self, block: Block) -> None:
        (self.quotes[-1].blocks if self.quotes else self.blocks).append(block)


def _parted(quote: _Quote, depth: int, lines: list[str]) -> Iterator[Block]:
    """The blocks of `quote`, parted into callouts of our kinds where headers stand in it without a blank line above."""
    inside = {n for block in quote.blocks for n in range(block.start, block.end)}
    pattern = re.compile(rf"[ \t]*(?:>[ \t]?){{{depth}}}[ \t]*(?={HEADER.pattern})")
    headers = [(quote.start, quote.header)]
    for n in range(quote.start + 1, quote.end):
        header = None if n in inside else pattern.match(lines[n])
        if header and (_kind(header, quote) or _is_obsidian(header)):
            headers.append((n, header))
    ends = [*(n for n, _ in headers), quote.end][1:]
    for (start, header), end in zip(headers, ends, strict=True):
        blocks = tuple(block for block in quote.blocks if start <= block.start < end)
        kind = _kind(header, quote) if header else ""
        if header is None or not kind or (kind == QUESTION and start > quote.start):
            yield from blocks
            continue
        yield Callout(
            start=start,
            end=end,
            kind=kind,
            written=header["kind"].strip().lower(),
            attributes=header["attributes"] or "",
            title=header["title"].strip(),
            quotes=depth,
            nested=quote.nested,
            children=blocks,
        )


def _kind(header: re.Match[str], quote: _Quote) -> str:
    """The kind of ours that a callout has, or that its author may have meant; empty for any other."""
    written = header["kind"].strip().lower()
    if written == QUESTION:
        return "" if quote.nested or header["fold"] else QUESTION
    if written in OURS or _is_obsidian(header):
        return written if written in OURS else ""
    return closest(written, OURS, cutoff=0.8)


def _is_obsidian(header: re.Match[str]) -> bool:
    return header["kind"].strip().lower() in _OBSIDIAN
