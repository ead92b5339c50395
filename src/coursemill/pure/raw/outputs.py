"""Claims from comments: `print(x)  # Output: 42` says what the cell prints. Nothing is computed here.

A claim is compared at every run, with doctest's ELLIPSIS and NORMALIZE_WHITESPACE: `...` stands for whatever else is
printed before, between and after. Where the order of what is printed can't be known, nothing is claimed.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from coursemill.pure import python, trees
from coursemill.pure.raw import prints, values
from coursemill.pure.raw.prints import Event
from coursemill.pure.raw.values import ANYTHING


@dataclass(frozen=True, slots=True)
class Printed:
    """What a cell's comments say that it prints, as the text of a `role="output"` fence."""

    claim: str
    moved: Mapping[int, str] = field(default_factory=dict)
    """Lines of the code (from 1) that are in the claim now, and what stays of each: a remark, or nothing."""


def read(code: str) -> Printed | None:
    """Read the claim out of a cell's comments; None when there is none, or when it would be a guess."""
    if "#" not in code or code.lstrip().startswith("%%"):
        return None
    tree = python.tree(code)
    comments = _comments(code) if tree and tree.body else {}
    if not tree or not comments:
        return None
    happens = _events(code)
    said = _without_branches([*_said(code.split("\n"), comments, tree, happens)])
    if not said:
        return None
    moved = {line: rest for one in said for line, rest in one.moved.items()}
    lines = _composed(said, happens)
    if not any(line.strip(". ") for line in lines):
        return None
    return Printed("\n".join(lines), moved)


def shows(code: str) -> bool:
    """Whether a cell shows something for sure when it is run: it calls `print`, or ends with an expression."""
    return any(event.kind != "maybe" and event.where != "body" for event in _events(code))


@lru_cache(maxsize=128)
def _events(code: str) -> list[Event]:
    tree = python.tree(code)
    return prints.events(tree) if tree else []


@dataclass(frozen=True, slots=True)
class _Comment:
    line: int
    column: int
    text: str
    whole: bool
    """It has a line of its own."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What the author says that a statement prints."""

    event: Event
    lines: tuple[str, ...]
    part: bool = False
    """More may stand before the value on its line."""
    open: bool = False
    """More may follow it."""
    moved: Mapping[int, str] = field(default_factory=dict)


def _comments(code: str) -> dict[int, _Comment]:
    """Comments by their lines; a `#` in a text is none."""
    found: dict[int, _Comment] = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.type == tokenize.COMMENT:
                line, column = token.start
                found[line] = _Comment(line, column, token.string, not token.line[:column].strip())
    except (tokenize.TokenError, SyntaxError):
        return {}
    return found


def _said(
    code: Sequence[str], comments: Mapping[int, _Comment], tree: ast.Module, happens: Sequence[Event]
) -> Iterator[_Said]:
    """What the comments say, in the order of what is printed; each statement is spoken of once."""
    ends = [stmt.end_lineno for stmt in trees.walk(tree) if isinstance(stmt, ast.stmt) and not hasattr(stmt, "body")]
    done: set[int] = set()
    last = 0
    for line, comment in sorted(comments.items()):
        if line in done:
            continue
        if comment.whole:
            event = next((event for event in reversed(happens) if event.last < line), None)
            said = _block(code, comments, comment, event) if event and event.last > last else None
        else:
            on_line = [event for event in happens if event.last == line]
            alone = len(on_line) == 1 and ends.count(line) == 1
            said = _trailing(comment, on_line[0]) if alone else None
        if said:
            done.update(said.moved)
            last = said.event.last
            yield said


def _trailing(comment: _Comment, event: Event) -> _Said | None:
    """What `print(x)  # Output: 42` says; without a mark, only a literal is taken for output."""
    mark = values.mark(comment.text)
    found = values.value(mark.rest if mark else values.body(comment.text))
    if found is None or event.where not in ("once", "perhaps"):
        return None
    shown = _is_shown(found.text, event)
    if mark is None and not (shown and found.remark[:1] in ("", "(")):
        return None
    if not shown and mark and (mark.weak or (not mark.sure and event.kind != "print")):
        return None
    return None if event.kind == "maybe" and not (mark and mark.sure) else _of(event, [found], {})


def _block(code: Sequence[str], comments: Mapping[int, _Comment], comment: _Comment, event: Event) -> _Said | None:
    """What comments on lines of their own say of the statement above: `# Output:` and lines that follow it."""
    mark = values.mark(comment.text)
    between = [line for line in code[event.last : comment.line - 1] if line.strip()]
    if mark is None:
        return _bare(comments, comment, event)
    if event.where == "body" or any(not line.lstrip().startswith("#") for line in between):
        return None
    if event.kind == "maybe" and not mark.sure:
        return None
    below = [*_below(comments, comment)]
    if mark.rest:
        found = values.value(mark.rest)
        meant = found and (mark.sure or (not between and values.is_literal(found.text)))
        if not found or not meant or event.where == "loop":
            return None
        more = bool(below) and not values.is_literal(found.text)
        kept = f"Output {mark.which}: {found.remark}" if mark.which else found.remark
        return _of(event, [replace(found, open=found.open or more)], {comment.line: kept.strip(" :()")})
    below = _without_next(below, code)
    if not mark.sure or not below or (len(below) == 1 and values.value(below[0][1]) is None):
        return None
    shown = _without_remarks(below, code)
    read = [(one.line, values.line(text)) for one, text in shown]
    if len(shown) < len(below):
        read[-1] = read[-1][0], replace(read[-1][1], open=True)  # they may be printed nevertheless
    moved = {line: found.remark for line, found in read}
    moved[comment.line] = f"Output {mark.which}:" if mark.which else ""
    return _of(event, [found for _, found in read], dict(sorted(moved.items())))


def _bare(comments: Mapping[int, _Comment], comment: _Comment, event: Event) -> _Said | None:
    """What a comment right below a statement says that is nothing but a value: `# [1, 2]`, and not the second step."""
    beside = [comments.get(comment.line + step) for step in (-1, 1)]
    found = values.value(values.body(comment.text))
    if event.last != comment.line - 1 or event.where != "once" or event.kind == "maybe" or found is None:
        return None
    if any(one and one.whole for one in beside) or not (found.remark[:1] in ("", "(") and _is_shown(found.text, event)):
        return None
    counted = {values.body(one.text).strip() for one in comments.values() if one.whole and one is not comment}
    if found.text.isdecimal() and counted & {str(int(found.text) + step) for step in (-1, 1)}:
        return None
    return _of(event, [found], {comment.line: found.remark.strip(" :()")})


def _is_shown(text: str, event: Event) -> bool:
    return values.is_literal(text) or (event.kind == "print" and values.is_shown(text))


def _below(comments: Mapping[int, _Comment], comment: _Comment) -> Iterator[tuple[_Comment, str]]:
    """Comments directly below, each with its text as indented as it stands."""
    line = comment.line + 1
    while (one := comments.get(line)) and one.whole and one.column == comment.column and not values.mark(one.text):
        yield one, values.body(one.text)
        line += 1


def _without_next(below: list[tuple[_Comment, str]], code: Sequence[str]) -> list[tuple[_Comment, str]]:
    """Leave out what rather belongs to the code right below: sentences, and what follows a bare `#`."""
    while below and not below[-1][1].strip():
        below = below[:-1]
    following = code[below[-1][0].line : below[-1][0].line + 1] if below else []
    if following and following[0].strip():
        while below and (values.is_prose(below[-1][1]) or not below[-1][1].strip()):
            below = below[:-1]
    return [(one, text) for one, text in below if text.strip()]


def _without_remarks(below: list[tuple[_Comment, str]], code: Sequence[str]) -> list[tuple[_Comment, str]]:
    """Leave out sentences below what is printed that say something of it: nothing in the code prints them."""
    texts = "\n".join(line for line in code if not line.lstrip().startswith("#"))
    shown = below
    while shown and values.is_prose(shown[-1][1]) and " ".join(shown[-1][1].split()[:2]) not in texts:
        shown = shown[:-1]
    return shown if shown and not any(values.is_prose(text) for _, text in shown) else below


def _of(event: Event, found: Sequence[values.Value], moved: Mapping[int, str]) -> _Said | None:
    """What is said of `event`, when its text allows that."""
    call = event.call
    raised = values.is_error(found[0].text) and not event.path
    if (
        (call is not None and not prints.is_plain(call))
        or raised
        or prints.varies(event.node)
        or prints.logs(event.node)
    ):
        return None
    texts = [one.text for one in found]
    vague = event.kind == "maybe" or (event.kind == "shown" and not values.is_literal(texts[-1]))
    part, after = vague, vague or found[-1].open
    if call is not None:
        pieces = prints.parts(call)
        quoted = values.text_of(texts[0]) if len(texts) == 1 and not _writes_quotes(call) else ""
        if quoted.strip():
            texts, part, after = [quoted], True, True
        head, tail = _around(pieces)
        part = part or (bool(head) and not texts[0].startswith(head)) or (len(call.args) > 1 and not head)
        after = after or (bool(tail) and not texts[-1].endswith(tail))
        if head and event.where == "loop":
            texts = [text if text.startswith(head) else f"{ANYTHING}{text}" for text in texts]
    marked = [f"{text}{ANYTHING}" if one.open else text for one, text in zip(found[:-1], texts, strict=False)]
    return _Said(event, (*marked, texts[-1]), part, after, moved)


def _around(pieces: Sequence[str | None]) -> tuple[str, str]:
    """The text that a printed line surely begins with, and the one that it ends with; empty: a value stands there."""
    values_at = [n for n, piece in enumerate(pieces) if piece is None]
    if not values_at:
        return "", ""
    head = "".join(piece or "" for piece in pieces[: values_at[0]]).strip()
    tail = "".join(piece or "" for piece in pieces[values_at[-1] + 1 :]).strip()
    return head, tail


def _writes_quotes(call: ast.Call) -> bool:
    """Whether a printed text may have quotes around it: by `repr`, or as a part of a list."""
    for node in trees.walk(call):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"repr", "ascii"}:
            return True
        if isinstance(node, ast.FormattedValue) and node.conversion in (ord("r"), ord("a")):
            return True
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
            return True
        if isinstance(node, ast.Attribute) and node.attr in {"dumps", "format"}:
            return True
    return False


def _without_branches(said: list[_Said]) -> list[_Said]:
    """Leave out what stands in several branches of one statement: only one of them is taken."""
    taken: dict[int, set[int]] = {}
    for one in said:
        for line, branch in one.event.path:
            taken.setdefault(line, set()).add(branch)
    return [one for one in said if not any(len(taken[line]) > 1 for line, _ in one.event.path)]


def _composed(said: Sequence[_Said], happens: Sequence[Event]) -> list[str]:
    """The claim's lines; what is printed and not spoken of is `...`."""
    lines: list[str] = []
    done = 0
    for one in sorted(said, key=lambda one: one.event.last):
        at = happens.index(one.event)
        gap = list(happens[done:at])
        first, *rest = one.lines
        if one.part or (gap and not (one.event.where != "loop" and _surely(gap, one.event) and not one.moved)):
            first = first if first.startswith(ANYTHING) else f"{ANYTHING}{first}"
        elif gap:
            lines.append(ANYTHING)
        lines += [first, *rest]
        done = at + 1
        if one.open:
            lines[-1] += ANYTHING
    gap = list(happens[done:])
    if gap and _surely(gap, said[-1].event) and not lines[-1].endswith(ANYTHING):
        lines.append(ANYTHING)
    elif gap and not lines[-1].endswith(ANYTHING):
        lines[-1] += ANYTHING
    return lines


def _surely(gap: Sequence[Event], event: Event) -> bool:
    """Whether something is printed in between for sure, on lines of its own."""
    return any(other.surely(event.path) for other in gap)
