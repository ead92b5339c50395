"""Files that blocks write: one overwrites another, or imports from one that nobody writes."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator

from coursemill.model import Finding
from coursemill.pure import codes
from coursemill.pure.raw.damage.rule import in_note
from coursemill.pure.raw.damage.source import Note, Source

TEMPLATES = re.compile(r"\b(?:startproject|startapp|genspider|git clone|cookiecutter|unzip|tar )")
"""Commands that bring files of their own."""


@in_note
def overwritten(note: Note) -> Iterator[Finding]:
    """A later block writes the same file, without what the earlier one defines."""
    first: dict[str, Source] = {}
    for source in note.sources:
        if source.block.role != "file" or not source.path or not source.tree:
            continue
        before = first.get(source.path)
        lost = sorted(_definitions(before) - _definitions(source)) if before else []
        if before and lost:
            shown = ", ".join(f"`{name}`" for name in lost[:3])
            message = f"this overwrites {source.path} of line {before.block.span.start}, which defines {shown}"
            yield source.on(codes.FILE_TWICE, 1, message)
        first[source.path] = source


@in_note
def relative_imports(note: Note) -> Iterator[Finding]:
    """`from ..items import Item` works in a file of a package that has `items.py`."""
    written = {source.path for source in note.sources if source.path}
    brought = any(TEMPLATES.search(b.text) for b in note.lesson.blocks) or any(
        code.role == "file" and code.path not in written for code in note.lesson.codes()
    )
    for source in note.sources:
        for imported in source.all(ast.ImportFrom):
            if not imported.level:
                continue
            if source.runs:
                message = "a notebook is in no package: a relative import fails there"
                fix = "name the module in full, or make the block a file"
                yield source.at(codes.NO_MODULE, imported, message, fix)
            elif source.path and not brought and not _is_there(imported, source.path, written):
                module = "." * imported.level + (imported.module or "")
                message = f"no block writes the module `{module}` that {source.path} imports from"
                yield source.at(codes.NO_MODULE, imported, message)


def _definitions(source: Source) -> set[str]:
    body = source.tree.body if source.tree else []
    return {p.name for p in body if isinstance(p, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}


def _is_there(imported: ast.ImportFrom, path: str, written: set[str]) -> bool:
    folder = path
    for _ in range(imported.level):
        folder = posixpath.dirname(folder)
    if not imported.module and f"{folder}/__init__.py" in written:
        return True
    names = [imported.module] if imported.module else [alias.name for alias in imported.names]
    modules = [posixpath.join(folder, name.replace(".", "/")) for name in names]
    return all(f"{one}.py" in written or any(w.startswith(f"{one}/") for w in written) for one in modules)
