"""Names that nothing defines, and names that an import is missing for."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from coursemill.model import Finding
from coursemill.pure import codes, near, trees
from coursemill.pure.raw.damage import gaps, imports
from coursemill.pure.raw.damage.rule import in_note
from coursemill.pure.raw.damage.source import Note, Source
from coursemill.pure.raw.undefined import WORD, perhaps_bound, undefined

MAGIC = re.compile(r"^[ \t]*(?:[\w, \t]+=[ \t]*)?(?:%%?|!)(.*)$", re.MULTILINE)
ANYTHING = re.compile(r"^[ \t]*%(?:run|pylab|load|store|reload_ext|load_ext)\b", re.MULTILINE)
"""Magics that may bring any name."""


@in_note
def names(note: Note) -> Iterator[Finding]:
    """Every name that code uses is defined in the note: by cells in their order, in files by themselves."""
    spaces: defaultdict[str, list[Source]] = defaultdict(list)
    for source in note.sources:
        if source.runs or (source.path and source.block.role != "show"):
            spaces[source.path].append(source)
    for sources in spaces.values():
        yield from _in_space(sources, note)


@dataclass(frozen=True)
class Space:
    """Code that shares its names: the cells of a note, or a file."""

    sources: Sequence[Source]
    defined: Mapping[str, int]
    """What is bound at the top level of a block → the note's first line that does so."""

    @classmethod
    def of(cls, sources: Sequence[Source]) -> Space:
        """Look up what the blocks define."""
        defined: dict[str, int] = {}
        for source in sources:
            for statement in source.tree.body if source.tree else []:
                for name in _bound_by(statement):
                    defined.setdefault(name, source.block.first_line + statement.lineno - 1)
        return cls(sources, defined)


def _in_space(sources: Sequence[Source], note: Note) -> Iterator[Finding]:
    end = next((n for n, source in enumerate(sources) if ANYTHING.search(source.block.text)), len(sources))
    uses = undefined([s.tree for s in sources[:end] if s.tree], set(_silenced(sources[:end])))
    if not uses:
        return
    lost = {name for s in sources[:end] for _, code, _ in gaps.lines(s) for name in perhaps_bound(code)}
    found = [
        (n, use) for use in uses if use.id not in lost for n, source in enumerate(sources) if use in source.parents
    ]
    space, seen = Space.of(sources), set[str]()
    for n, use in sorted(found, key=lambda one: (one[0], one[1].lineno, one[1].col_offset)):
        if use.id not in seen and use.id not in sources[n].imported:
            yield _finding(use, sources[n], space, note)
        seen.add(use.id)


def _finding(use: ast.Name, source: Source, space: Space, note: Note) -> Finding:
    name, where = use.id, f" in {source.path}" if source.path else ""
    below = space.defined.get(name, 0)
    fix = imports.needed(use, source.parents[use], " ".join(note.aliases.values()))
    if below > source.block.first_line + use.lineno - 1:
        code = codes.NO_IMPORT if fix or name in note.aliases else codes.UNDEFINED
        message = f"`{name}` is used here, and comes only on line {below}, below"
        return source.at(code, use, message, "move that above")
    if fix:
        return source.at(codes.NO_IMPORT, use, f"`{name}` is used, and nothing{where} imports it", f"`{fix}`")
    similar = [n for n in near.near(name, space.defined) if len(name) > 2 and abs(len(n) - len(name)) <= 2]
    advice = f"did you mean `{similar[0]}`?" if similar else ""
    return source.at(codes.UNDEFINED, use, f"nothing{where} defines `{name}`", advice)


def _bound_by(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in statement.names)
    else:
        for node in trees.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id


def _silenced(sources: Iterable[Source]) -> Iterator[str]:
    """Names that may be there although Pyflakes cannot see it: magics bind them, or code that does not parse."""
    for source in sources:
        for declared in source.all(ast.Global):
            yield from declared.names
        if source.tree is None:
            yield from perhaps_bound(source.text)
        for found in MAGIC.finditer(source.block.text):
            yield from WORD.findall(found[1])
