"""Code that does not parse because what stood in brackets fell out: `labels = `, `for x in :`, `metrics=)`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from coursemill.model import Finding
from coursemill.pure import codes
from coursemill.pure.raw.damage.rule import in_block
from coursemill.pure.raw.damage.source import Note, Source, parsed

MARKS = re.compile(r"[ \t]*(?:#[ \t]*)*")
STRING = re.compile(
    r"(?P<prefix>\b[rRbBfFuU]{1,2})?(?P<quote>\"|')(?P<text>(?:[^\"'\\]|\\.|(?!(?P=quote))[\"'])*)(?P=quote)"
)
GAPS = (
    (re.compile(r"^[A-Za-z_][\w.]*(?:\[[^\]]*\])?\s*=$"), "nothing stands behind `=`"),
    (re.compile(r"^(?:for\s.+\sin|(?:if|elif|while)\s.+\s(?:in|==|<|>|and|or|not))\s*:$"), "nothing stands before `:`"),
    (re.compile(r"^return\s+\w.*\s(?:in|==|and|or)$|^assert\s.+\s==(?:$|\s*,)"), "nothing stands behind the operator"),
    (re.compile(r"\(\s*,"), "nothing stands between `(` and `,`"),
    (re.compile(r"\[\s*,"), "nothing stands between `[` and `,`"),
    (re.compile(r",\s*,"), "nothing stands between two commas"),
    (re.compile(r"[(,]\s*[A-Za-z_]\w*\s*=\s*[,)]"), "nothing stands behind `=`"),
    (re.compile(r"[\w\])]\[\s*\]"), "nothing stands in `[]`"),
    (re.compile(r"''\s*:\s*[,}]"), "nothing stands behind `:`"),
)
BEGINNING = re.compile(
    r"(?:assert|async|await|def|elif|for|from|if|return|while|with|yield)\b|[A-Za-z_][\w.]*\s*(?:[\[(=]|,\s*\w+\s*=)"
    r"|[\[{(\s]*''\s*:"
)
"""How code begins, and sentences do not."""
EMPTY_FIELD = re.compile(r"(?<!\{)(?:\{\{)*\{\s*(?::[^{}]*)?\}(?!\})")
LONGEST = 400
MOST = 5
"""Findings of a block: behind the first gaps nothing is sure."""


@in_block
def gaps(source: Source, note: Note) -> Iterator[Finding]:
    """A line cannot be Python, because something is missing in it where only brackets can have stood."""
    for number, _, gap in lines(source):
        yield source.on(codes.GAP, number, gap)


def lines(source: Source) -> Iterator[tuple[int, str, str]]:
    """Lines with a gap: their number, their code, and what is missing."""
    if source.tree is not None and source.text == source.block.text and "#" not in source.text:
        return
    found = 0
    for number, line in enumerate(source.lines[1], 1):
        marks = MARKS.match(line)
        at = marks.end() if marks else 0
        code = line[at:].rstrip()
        if not code or len(code) > LONGEST or found >= MOST or (source.tree is not None and "#" not in line[:at]):
            continue
        if (gap := _gap(code)) and not _parses(code):
            found += 1
            yield number, code, gap


def _gap(code: str) -> str:
    if any("f" in (s["prefix"] or "").lower() and EMPTY_FIELD.search(s["text"]) for s in STRING.finditer(code)):
        return "nothing stands in `{}` of the f-string"
    bare = STRING.sub(lambda found: "''", code)
    bare = bare.partition("#")[0].rstrip()
    if bare.count("'") % 2 or '"' in bare or not BEGINNING.match(bare):
        return ""
    return next((what for pattern, what in GAPS if pattern.search(bare)), "")


def _parses(code: str) -> bool:
    """Whether the line is code after all, such as the beginning of a longer statement."""
    return parsed(code) is not None
