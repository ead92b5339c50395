"""Whether Python code compiles, as a notebook's cell or as a file; hostile code is refused, never executed."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

MAX_SIZE = 256 * 1024
"""Characters: compiling takes some 400 times as much memory, and no cell of a lesson is as long."""
MAX_TOKENIZED = 256 * 1024
"""Characters: IPython tokenizes the whole cell again for each magic."""
MAGIC = re.compile(r"(?:[^\n=]*=)?[ \t]*[%!?]|[^\n#]*\?[ \t]*$")
PYTHON_INSIDE = {"capture", "prun", "time", "timeit"}
"""Cell magics whose body is Python; the other ones' bodies are for somebody else."""
_LINE = re.compile(r"[^\r\n]*(?:\r\n|[\r\n])|[^\r\n]+")
"""A line with its end, as Python has it: U+2028 and the like may stand in a text."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Where in the code (1-based) something is wrong, and what."""

    line: int
    col: int
    message: str


@dataclass(frozen=True, slots=True)
class Look:
    """What Python says to `source`, which is the text with its magics translated."""

    source: str
    problem: Problem | None = None
    """Why it does not compile."""
    warnings: tuple[Problem, ...] = ()
    """What Python warns of when it compiles."""


def look(text: str, *, cell: bool = True) -> Look:
    """Compile `text`, and say what Python says; in a cell, magics and top-level `await` are fine."""
    if len(text) > MAX_SIZE:
        return Look(text, Problem(1, 1, f"it has {len(text):,} characters; more than {MAX_SIZE:,} are not looked at"))
    if not cell:
        return _compiled(text, cell)
    seen = _compiled(_cell_magic_blanked(text), cell)
    if not seen.problem or not any(map(MAGIC.match, seen.source.splitlines())):
        return seen
    return _compiled(_magics_translated(seen.source), cell)


@lru_cache(maxsize=128)  # all that looks at a note asks for the same blocks
def tree(text: str, *, cell: bool = True) -> ast.Module | None:
    """Return the syntax tree of `text`, magics translated in a cell; None when it does not compile.

    It is the same tree for everybody who asks: nobody may change it.
    """
    return parsed(text, cell=cell)


def parsed(text: str, *, cell: bool = True) -> ast.Module | None:
    """Return the same as `tree` does, for one who is to change it."""
    seen = look(text, cell=cell)
    if seen.problem:
        return None
    flags = ast.PyCF_ONLY_AST | _flags(cell)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            module: ast.Module = compile(seen.source, "<code>", "exec", flags, dont_inherit=True)
        except (RecursionError, MemoryError):  # a tree of objects needs more of the stack than code does
            return None
    return module


def _compiled(text: str, cell: bool) -> Look:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            compile(text, "<code>", "exec", _flags(cell), dont_inherit=True)
        except SyntaxError as error:
            return Look(text, Problem(error.lineno or 1, max(error.offset or 1, 1), _short(error.msg)))
        except (RecursionError, MemoryError):
            return Look(text, Problem(1, 1, "it is nested too deeply"))
        except (ValueError, OverflowError) as error:  # lone surrogates, null bytes before 3.11.4
            return Look(text, Problem(1, 1, _short(str(error))))
    seen = dict.fromkeys(Problem(w.lineno, 1, _short(str(w.message))) for w in caught)
    return Look(text, None, tuple(seen))


def _flags(cell: bool) -> int:
    return ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if cell else 0


def _cell_magic_blanked(text: str) -> str:
    """Take a leading `%%magic` line out, or everything when what follows it is not Python; lines stay lines."""
    found = re.match(r"\s*%%(\w+)[^\n]*", text)
    if not found:
        return text
    return ("\n" * found[0].count("\n")) + text[found.end() :] if found[1] in PYTHON_INSIDE else ""


def _magics_translated(text: str) -> str:
    """Translate `%magic`, `!shell` and `help?` as IPython would, but keep each line where it is."""
    from IPython.core.inputtransformer2 import TransformerManager, make_tokens_by_line

    lines = _LINE.findall(text)
    finders: list[Any] = TransformerManager().token_transformers  # type: ignore[no-untyped-call] # has no types
    for _ in range(MAX_TOKENIZED // len(text) + 1):
        try:
            magics = [_magic(tokens, finders) for tokens in make_tokens_by_line(lines)]
        except SyntaxError:  # of an indentation: what compiles it says where
            break
        translated = lines
        for magic in reversed(magics):
            if magic is not None:
                translated = _translated(translated, magic)
        if translated == lines:
            break
        lines = translated  # what an unbalanced quote or bracket of a magic hid is to be seen now
    return "".join(lines)


def _magic(tokens: list[Any], finders: list[Any]) -> Any:
    """IPython's transformer for the magic of a logical line; None when it has none."""
    found = [one for one in (finder.find([tokens]) for finder in finders) if one]
    return min(found, key=lambda one: one.sortby(), default=None)


def _translated(lines: list[str], magic: Any) -> list[str]:
    try:
        changed = magic.transform(lines)
    except SyntaxError:
        return lines
    at = magic.start_line + 1
    return [*changed[:at], *["\n"] * (len(lines) - len(changed)), *changed[at:]]


def _short(message: str) -> str:
    return message if len(message) <= 200 else message[:199] + "…"
