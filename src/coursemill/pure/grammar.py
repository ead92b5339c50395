"""markdown-it, set up for notes: which block rules there are, and what keeps one slip from swallowing the rest."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.parser_block import RuleFuncBlockType
from markdown_it.ruler import Ruler
from markdown_it.rules_block import (
    StateBlock,
    blockquote,
    code,
    heading,
    hr,
    html_block,
    lheading,
    list_block,
)

from coursemill.pure import fences

_DEEPEST = 40  # a list counts twice
_MOST_QUOTES = 8  # each reads its lines again
_FORMULA, _EXPRESSION = 200, 500
"""Lines that a formula, and an expression of Templater, has at most."""
_NO_FORMULA = re.compile(r"`{3}|~{3}|#{1,6}[ \t]+\S|>[ \t]?\[!")
_HTML = re.compile(r"<(?P<kind>!--|(?:script|pre|style|textarea)(?=[\s>]|$))", re.IGNORECASE)


def _parser() -> MarkdownIt:
    """Blocks only. Tables and link definitions are paragraphs here: they hold no fences."""
    parser = MarkdownIt("commonmark", {"maxNesting": 10 * _DEEPEST})
    parser.core.ruler.enableOnly(["block"])
    rules: Ruler[RuleFuncBlockType] = Ruler()
    ends = ["paragraph", "reference", "blockquote", "list"]
    rules.push("fence", _marked(fences.fence, "`~"), {"alt": ends})
    rules.push("code", _marked(code), {"alt": []})
    rules.push("comment", _marked(comment, "%"), {"alt": ends[:3]})
    rules.push("maths", _marked(maths, "$"), {"alt": ends[:3]})
    rules.push("template", _marked(template, "<"), {"alt": ends[:3]})
    rules.push("blockquote", _marked(_quote, ">"), {"alt": ends})
    rules.push("hr", _marked(hr, "*-_"), {"alt": ends})
    rules.push("list", _marked(_list, "*-+0123456789"), {"alt": ends[:3]})
    rules.push("html_block", _marked(_html, "<"), {"alt": ends[:3]})
    rules.push("heading", _marked(heading, "#"), {"alt": ends[:3]})
    rules.push("lheading", _marked(lheading), {"alt": []})
    rules.push("paragraph", _marked(_paragraph), {"alt": []})
    parser.block.ruler = rules
    return parser


def _marked(rule: RuleFuncBlockType, begins: str = "") -> RuleFuncBlockType:
    """`rule`, whose first token also says at which column the block begins; indented code at its container's.

    It is not asked where a line begins with another character than it wants: most lines do.
    """

    def marked(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        position = state.bMarks[start] + state.tShift[start]
        if begins and state.src[position : position + 1] not in begins:
            return False
        if silent:
            return rule(state, start, end, True)
        count, indent = len(state.tokens), state.blkIndent if rule is code else max(state.sCount[start], 0)
        if not rule(state, start, end, False):
            return False
        state.tokens[count].meta["indent"] = indent
        return True

    return marked


def _list(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A list; what is nested too deep is a paragraph (markdown-it itself would drop the note's rest)."""
    return state.level < _DEEPEST and list_block(state, start, end, silent)


def _quote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A block quote; one that is nested too deep is a paragraph."""
    notes: fences.Notes = state.env["notes"]
    if state.level >= _DEEPEST or notes.quotes >= _MOST_QUOTES:
        return False
    notes.quotes += 1
    try:
        return blockquote(state, start, end, silent)
    finally:
        notes.quotes -= 1


def _paragraph(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A paragraph; in lists it also ends above a fence that is indented too far to be CommonMark's."""
    parent, state.parentType = state.parentType, "paragraph"
    rules = state.md.block.ruler.getRules("paragraph")
    line = start + 1
    while line < end and not state.isEmpty(line):
        if state.sCount[line] - state.blkIndent > 3:
            if state.blkIndent > 0 and fences.fence(state, line, end, True):
                break
        elif state.sCount[line] >= 0 and any(rule(state, line, end, True) for rule in rules):
            break
        line += 1
    state.parentType = parent
    state.line = line
    state.push("paragraph_open", "p", 1).map = [start, line]
    inline = state.push("inline", "", 0)
    inline.content = state.getLines(start, line, state.blkIndent, False).strip(" \t")
    inline.map = [start, line]
    inline.children = []
    state.push("paragraph_close", "p", -1)
    return True


def _html(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """HTML; a comment or a tag that nothing closes is a paragraph, so that it does not hide the note's rest."""
    position = state.bMarks[start] + state.tShift[start]
    match = _HTML.match(state.src, position)
    if silent or match is None or state.is_code_block(start):
        return html_block(state, start, end, silent)
    notes: fences.Notes = state.env["notes"]
    kind = match["kind"].lower()
    if (kind, end) not in notes.html:
        if not html_block(state, start, end, False):
            return False
        closing = "-->" if kind == "!--" else "</"
        if state.line < end or closing in state.tokens[-1].content:
            return True
        state.tokens.pop()
        state.line = start
        notes.html.add((kind, end))
        notes.troubles.append((start, position - fences.line_start(state, position), start, "html-open"))
    return False


def comment(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Obsidian's `%%` comment of several lines: no fence or heading in it counts."""
    first = _line(state, start)
    notes: fences.Notes = state.env["notes"]
    if not first.startswith("%%") or "%%" in first[2:] or state.is_code_block(start) or ("%%", end) in notes.html:
        return False
    last = next((n for n in range(start + 1, end) if _line(state, n).endswith("%%")), None)
    if last is None:
        notes.html.add(("%%", end))
        if not any("%%" in _line(state, n) for n in range(start + 1, end)):
            position = state.bMarks[start] + state.tShift[start]
            notes.troubles.append((start, position - fences.line_start(state, position), start, "comment-open"))
        return False
    if not silent:
        _push(state, "html_block", start, last)
    return True


def maths(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Mathematics between two `$$`, over several lines: what looks like a list or a heading there is none."""
    first = _line(state, start)
    if not first.startswith("$$") or "$$" in first[2:] or state.is_code_block(start):
        return False
    last = _closing(state, start, end, "$$", _FORMULA)
    if last is not None and not silent:
        _push(state, "math_block", start, last)
    return last is not None


def template(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """An expression of Templater, `<% … %>`, over several lines: no fence or heading in it counts."""
    first = _line(state, start)
    if not first.startswith("<%") or "%>" in first or state.is_code_block(start):
        return False
    last = _closing(state, start, end, "%>", _EXPRESSION)
    if last is not None and not silent:
        _push(state, "html_block", start, last)
    return last is not None


def _closing(state: StateBlock, start: int, end: int, mark: str, longest: int) -> int | None:
    """The first of the next lines with `mark` in it, but none below a fence's or a heading's line for formulas."""
    notes: fences.Notes = state.env["notes"]
    if (mark, end) in notes.html:
        return None
    found = state.src.find(mark, state.eMarks[start])
    if found < 0:
        notes.html.add((mark, end))
        return None
    if state.src.count("\n", state.eMarks[start], found) >= longest:
        return None
    for n in range(start + 1, min(end, start + longest)):
        line = _line(state, n)
        if mark in line:
            return n
        if mark == "$$" and _NO_FORMULA.match(line):
            return None
    return None


def _push(state: StateBlock, kind: str, start: int, last: int) -> None:
    state.line = last + 1
    token = state.push(kind, "", 0)
    token.map = [start, last + 1]
    token.content = state.getLines(start, last + 1, state.blkIndent, True)


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].rstrip(" \t")


PARSER = _parser()
