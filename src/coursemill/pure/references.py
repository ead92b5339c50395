"""What a note's prose names: wikilinks, and files by relative path, with line and column."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace
from urllib.parse import unquote

from coursemill.model import FileLink, Link

_PARAGRAPH = r"(?:(?!\n[ \t]*\n)[\s\S])+?"
VERBATIM = rf"""
    \\[^\w\s]                                          # an escaped character
  | \$\${_PARAGRAPH}\$\$ | \$(?![\s$])[^$\n]*?(?<!\s)\$(?!\d) # mathematics
  | <[a-zA-Z/!][^<>\n]*>                               # a tag or an autolink
"""
"""Where no inline marks are, as a verbose pattern: it stands in others."""
_TICKS = re.compile(r"(?<!\\)`+|\\`(`*)")
_WIKILINK = re.compile(
    rf"""{VERBATIM}
  | (?P<embed>!?)\[\[(?P<target>[^\[\]|#\n]*)(?:[#](?P<heading>[^\[\]|\n]*))?(?:\|(?P<alias>[^\[\]\n]*))?\]\]
    """,
    re.VERBOSE,
)
_NO_LINKS = frozenset({"aliases", "alias", "tags", "tag", "cssclasses", "cssclass"})
"""Properties whose texts are names, whatever stands in them."""
_PROPERTY = re.compile(r"([^\s#:\[\]{}\"'-][^:]*?)[ \t]*:(?=[ \t]|$)")
_NO_YAML = re.compile(r"<%.*?%>|(?<![^\s\[,:])(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*')|(?P<comment>(?<!\S)#.*)")
_FILE = re.compile(
    r"!?\]\((?:<([^<>\n]*)>|([^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*))(?:[ \t]+(?:\"[^\"\n]*\"|'[^'\n]*'))?[ \t]*\)"
)
_DEFINED = re.compile(
    r"^[ \t>]*\[(?!\^)[^\[\]\n]+\]:[ \t]+(?:<([^<>\n]*)>|([^\s<>]*[./][^\s<>]*))"
    r"(?:[ \t]+(?:\"[^\"\n]*\"|'[^'\n]*'))?[ \t]*$",
    re.MULTILINE,
)
_TAG = re.compile(r"<(?:img|source|video|audio)\b[^<>]*?\ssrc=(?:\"([^\"<>\n]*)\"|'([^'<>\n]*)')", re.IGNORECASE)
_CLOSING = {"%%": "%%", "<!--": "-->"}
_OPENING = re.compile(rf"(?P<comment>%%|<!--)|{VERBATIM}", re.VERBOSE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//|/|#|<%")


def find(
    lines: list[str], ranges: Iterable[tuple[int, int]], html: Iterable[tuple[int, int]] = ()
) -> tuple[list[Link], list[FileLink]]:
    """Links and files in the paragraphs at `ranges` of `lines` (from 0, half-open) and in HTML, outside of code."""
    links: list[Link] = []
    files: list[FileLink] = []
    for start, end in ranges:
        text = "\n".join(lines[start:end])
        if not any(mark in text for mark in ("[[", "](", "]:", "src=")):
            continue
        shown = _without_comments(without_code(text))
        starts = [0] + [m.end() for m in re.finditer("\n", text)]
        for match in _WIKILINK.finditer(shown) if "[[" in shown else ():
            if match["target"] is not None:
                line, column = _place(starts, match.start())
                link = _link(match, text, start + line, column)
                links += [link] if link.target or link.heading else []
        files += _files(shown, start, (_FILE, _DEFINED, _TAG))
    for start, end in html:
        files += _files("\n".join(lines[start:end]), start, (_TAG,))
    return links, sorted(files, key=lambda file: (file.line, file.col))


def in_properties(lines: list[str]) -> list[Link]:
    """The wikilinks of every property of the front matter, which are the first `lines` of a note."""
    links: list[Link] = []
    key = ""
    for number, line in enumerate(lines, 1):
        key = named[1] if (named := _PROPERTY.match(line)) else key
        if "[[" in line and key not in _NO_LINKS:
            shown = _NO_YAML.sub(lambda m: " " * len(m[0]) if m["comment"] or m[0][0] == "<" else m[0], line)
            found = (m for m in _WIKILINK.finditer(shown) if m["target"] is not None)
            links += [replace(_link(m, line, number, m.start() + 1), key=key) for m in found]
    return [link for link in links if link.target or link.heading]


def without_code(text: str) -> str:
    """`text`, as long as before, with blanks where its code spans are."""
    runs = [(m.start() + (m[0][0] == "\\") * 2, m.end()) for m in _TICKS.finditer(text)]
    runs = [(start, end) for start, end in runs if end > start]
    if not runs:
        return text
    later: dict[int, list[int]] = {}
    for n, (start, end) in enumerate(runs):
        later.setdefault(end - start, []).append(n)
    pieces: list[str] = []
    at = n = 0
    while n < len(runs):
        start, end = runs[n]
        same = later[end - start]
        closing = bisect_right(same, n)
        if closing == len(same):
            n += 1
            continue
        n = same[closing]
        pieces += [text[at:start], re.sub(r"[^\n]", " ", text[start : runs[n][1]])]
        at = runs[n][1]
        n += 1
    return "".join(pieces) + text[at:]


def masked(text: str) -> str:
    """`text`, as long as before, with `\\0` for what stands in code spans."""
    if "`" not in text:
        return text
    paragraphs = re.split(r"(\n[ \t]*\n)", text)
    blanked = "".join(without_code(paragraph) if "`" in paragraph else paragraph for paragraph in paragraphs)
    return "".join(char if char == blank else "\0" for char, blank in zip(text, blanked, strict=True))


def comments(text: str) -> Iterator[tuple[int, int]]:
    """Where `%% … %%` and `<!-- … -->` are in `text`, whose code is masked."""
    at = 0
    open_ended: set[str] = set()
    while ("%%" in text or "<!--" in text) and (match := _OPENING.search(text, at)):
        at = match.end()
        if match["comment"] and match["comment"] not in open_ended:
            closing = _CLOSING[match["comment"]]
            end = text.find(closing, at)
            if end < 0:
                open_ended.add(match["comment"])
                continue
            at = end + len(closing)
            yield match.start(), at


def _without_comments(text: str) -> str:
    pieces = []
    done = 0
    for start, end in comments(text):
        pieces += [text[done:start], re.sub(r"[^\n]", " ", text[start:end])]
        done = end
    return "".join([*pieces, text[done:]]) if pieces else text


def _files(text: str, above: int, patterns: Iterable[re.Pattern[str]]) -> Iterator[FileLink]:
    """The files that `text` names, which stands below line `above` (from 1)."""
    starts = [0] + [m.end() for m in re.finditer("\n", text)]
    for pattern in patterns:
        for match in pattern.finditer(text):
            target = unquote((match[1] or match[2] or "").partition("#")[0])
            if target and not _SCHEME.match(target):
                line, column = _place(starts, match.start(1 if match[1] is not None else 2))
                yield FileLink(target, above + line, column, inline=pattern is _FILE)


def _link(match: re.Match[str], text: str, line: int, column: int) -> Link:
    """The link that stands in `text` where it matched; a heading may hold code."""
    spans = map(match.span, ("embed", "target", "heading", "alias"))
    embed, target, heading, alias = (text[start:end] if start >= 0 else None for start, end in spans)
    target = target or ""
    if alias is None:
        target, heading = target, heading or ""
    else:  # inside of tables the bar is written `\|`
        target, heading = (target.removesuffix("\\"), "") if heading is None else (target, heading.removesuffix("\\"))
    return Link(target.strip(), line, column, heading.strip(), (alias or "").strip(), bool(embed))


def _place(starts: list[int], position: int) -> tuple[int, int]:
    """Line and column, from 1, of a position in the text whose lines begin at `starts`."""
    line = bisect_right(starts, position)
    return line, position - starts[line - 1] + 1
