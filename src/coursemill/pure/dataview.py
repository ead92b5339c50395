"""Dataview's queries, as far as the notes alone answer them: lists and tables of notes, by folder, tag or link.

What asks for more (tasks, dates of files, groups, scripts) is not understood; the notebook shows it as it is written.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cmp_to_key, lru_cache
from typing import TYPE_CHECKING, Any

from coursemill.model import Lesson
from coursemill.pure import naming
from coursemill.pure.expressions import Expression, Lookup, Note, NotUnderstoodError, Value, order, tokens, truth
from coursemill.pure.expressions import expression as understand

if TYPE_CHECKING:
    from coursemill.pure.vault import VaultMap

LANGUAGE = "dataview"
NOTE = "file.link"
_CLAUSE = re.compile(r"(?<![\w.\"-])(FROM|WHERE|SORT|LIMIT|GROUP[ \t]+BY|FLATTEN)(?![\w.\"(-])", re.IGNORECASE)
_START = re.compile(r"\s*(?P<kind>LIST|TABLE)\b(?P<without>\s+WITHOUT\s+ID\b)?(?P<shown>[\s\S]*)", re.IGNORECASE)
_COLUMN = re.compile(r"(?P<value>[\s\S]+?)(?:\s+AS\s+(?:\"(?P<title>[^\"\n]*)\"|(?P<word>[\w-]+)))?\s*", re.IGNORECASE)
_TAG = re.compile(r"(?<!\S)#([\w/-]*[^\W\d][\w/-]*)")
_WIKILINK = re.compile(r"\[\[([^\[\]|#\n]*)[^\[\]\n]*\]\]")


@dataclass(frozen=True, slots=True)
class Column:
    """What a table shows of each note, and what it is called."""

    title: str
    value: str


@dataclass(frozen=True, slots=True)
class Query:
    """A query in its clauses, each still text."""

    kind: str
    columns: tuple[Column, ...]
    source: str = ""
    where: tuple[str, ...] = ()
    sort: tuple[tuple[str, bool], ...] = ()
    """Expressions, and whether what is largest comes first."""
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What a query finds: a row for each note."""

    kind: str
    titles: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]


@lru_cache(maxsize=256)  # both editions ask, and the rules
def query(text: str) -> Query | None:
    """The query that `text` is; None when it is not understood."""
    try:
        found = _query(text)
        _compiled(found, lambda target: Note(target))
        tokens(found.source)
        _Source(tokens(found.source), _nothing).either()
    except (NotUnderstoodError, RecursionError):
        return None
    return found


def result(text: str, vault: VaultMap, path: str) -> Result | None:
    """What the query `text` in the note at `path` finds; None when it is not understood."""
    found = query(text)
    if found is None:
        return None
    shelf = _Shelf(vault, path)
    columns, where, sort = _compiled(found, shelf.link)
    paths = sorted(_Source(tokens(found.source), shelf.named).either() if found.source else vault.lessons)
    lookups = [shelf.lookup(vault.lessons[one]) for one in paths if one in vault.lessons]
    kept = [note for note in lookups if all(truth(condition(note)) for condition in where)]
    for by, descending in reversed(sort):
        kept.sort(key=_by(by), reverse=descending)
    rows = tuple(tuple(column(note) for column in columns) for note in kept[: found.limit])
    return Result(found.kind, tuple(column.title for column in found.columns), rows)


def tags(lesson: Lesson) -> Iterable[str]:
    """A note's tags in lower case, those in its text too."""
    yield from (tag.casefold() for tag in lesson.front.tags)
    if "#" in lesson.text:
        code = {n for fence in lesson.blocks for n in range(fence.span.start, fence.span.end + 1)}
        for number, line in enumerate(lesson.text.split("\n"), 1):
            if "#" in line and number > lesson.front.end_line and number not in code:
                yield from (tag.casefold() for tag in _TAG.findall(line))


def _query(text: str) -> Query:
    text = "\n".join(line for line in text.split("\n") if not line.lstrip().startswith("//"))
    strings = [m.span() for m in re.finditer(r'"(?:[^"\\\n]|\\.)*"', text)]
    clauses = [m for m in _CLAUSE.finditer(text) if not any(a <= m.start() < b for a, b in strings)]
    ends = [*(m.start() for m in clauses), len(text)]
    start = _START.fullmatch(text[: ends[0]])
    if start is None:
        raise NotUnderstoodError
    kind = start["kind"].lower()
    about = [(m[1].upper(), text[m.end() : end].strip()) for m, end in zip(clauses, ends[1:], strict=True)]
    names = [name for name, _ in about]
    if "FROM" in names[1:] or any(name not in ("FROM", "WHERE", "SORT", "LIMIT") or not said for name, said in about):
        raise NotUnderstoodError
    said = dict(reversed(about))
    limit = said.get("LIMIT")
    if limit is not None and not re.fullmatch(r"\d{1,6}", limit):
        raise NotUnderstoodError
    return Query(
        kind=kind,
        columns=_columns(kind, start["shown"].strip(), named=not start["without"]),
        source=said.get("FROM", ""),
        where=tuple(said for name, said in about if name == "WHERE"),
        sort=tuple(_sorted(one) for name, said in about if name == "SORT" for one in _parted(said)),
        limit=None if limit is None else int(limit),
    )


def _columns(kind: str, shown: str, *, named: bool) -> tuple[Column, ...]:
    columns = [Column("Note", NOTE)] if named else []
    for part in _parted(shown) if shown else ():
        match = _COLUMN.fullmatch(part)
        if match is None:
            raise NotUnderstoodError
        columns.append(Column(match["title"] or match["word"] or match["value"].strip(), match["value"]))
    if not columns or (kind == "list" and len(columns) > 1 + named):
        raise NotUnderstoodError
    return tuple(columns)


def _sorted(text: str) -> tuple[str, bool]:
    value, _, way = text.rpartition(" ")
    if way.lower() in ("asc", "ascending", "desc", "descending"):
        return value, way.lower().startswith("desc")
    return text, False


def _parted(text: str) -> list[str]:
    """Parts between commas that stand in no brackets and no string."""
    parts, depth = [""], 0
    for piece in re.findall(r'"(?:[^"\\\n]|\\.)*"|[\s\S]', text):
        depth += (piece == "(") - (piece == ")")
        if piece == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += piece
    return [part.strip() for part in parts]


def _compiled(
    query: Query, link: Callable[[str], Note]
) -> tuple[list[Expression], list[Expression], list[tuple[Expression, bool]]]:
    columns = [understand(column.value, link) for column in query.columns]
    where = [understand(condition, link) for condition in query.where]
    return columns, where, [(understand(value, link), descending) for value, descending in query.sort]


def _by(value: Expression) -> Callable[[Lookup], Any]:
    def compared(one: Lookup, other: Lookup) -> int:
        return order(value(one), value(other))

    return cmp_to_key(compared)


@dataclass
class _Source:
    """`"folder" and (#tag or [[note]])`: paths of notes. `named` says what one of these means."""

    tokens: Sequence[str]
    named: Callable[[str, str], set[str] | None]
    at: int = 0

    def take(self, *wanted: str) -> bool:
        there = self.at < len(self.tokens) and self.tokens[self.at].lower() in wanted
        self.at += there
        return there

    def either(self, *, inside: bool = False) -> set[str]:
        found = self.both() if self.tokens else set()
        while self.take("or", "|"):
            found = found | self.both()
        if not inside and self.at < len(self.tokens):
            raise NotUnderstoodError
        return found

    def both(self) -> set[str]:
        found = self.one()
        while self.take("and", "&"):
            found = found & self.one()
        return found

    def one(self) -> set[str]:
        if self.take("-", "!"):
            return (self.named("all", "") or set()) - self.one()
        if self.take("("):
            found = self.either(inside=True)
            if not self.take(")"):
                raise NotUnderstoodError
            return found
        outgoing = self.take("outgoing")
        if outgoing and not self.take("("):
            raise NotUnderstoodError
        token = self.tokens[self.at] if self.at < len(self.tokens) else ""
        self.at += 1
        if token[:1] not in ('"', "#", "[") or (outgoing and token[0] != "["):
            raise NotUnderstoodError
        if outgoing and not self.take(")"):
            raise NotUnderstoodError
        found_here = self.named("outgoing" if outgoing else token[0], token)
        return found_here or set()


def _nothing(_kind: str, _token: str) -> set[str]:
    return set()


@dataclass(frozen=True)
class _Shelf:
    """The vault, as a query in the note at `path` sees it."""

    vault: VaultMap
    path: str

    def named(self, kind: str, token: str) -> set[str]:
        """Paths of the notes that a folder, a tag or a link means as a source."""
        lessons = self.vault.lessons
        if kind == '"':
            folder = naming.folded(token[1:-1].strip("/")).removesuffix(".md")
            return {path for path in lessons if not folder or _below(path, folder)}
        if kind == "#":
            tag = token[1:].casefold()
            return {p for p in lessons if any(f"{t}/".startswith(f"{tag}/") for t in self.vault.tags[p])}
        if kind == "all":
            return set(lessons)
        path = self.link(token[2:-2]).path
        if kind == "[":
            return set(self.vault.backlinks(path))
        targets = (link.target for link in lessons[path].links) if path in lessons else ()
        return {found for target in targets for found in self.vault.resolve(target, path)[:1]}

    def link(self, target: str) -> Note:
        target = re.split(r"[|#]", target)[0]
        return Note(next(iter(self.vault.resolve(target, self.path)), target))

    def lookup(self, lesson: Lesson) -> Lookup:
        def field(name: str) -> Value:
            if name.startswith("this."):
                here = self.vault.lessons.get(self.path)
                return self.field(name.removeprefix("this."), here) if here else None
            return self.field(name, lesson)

        return field

    def field(self, name: str, lesson: Lesson) -> Value:
        """A field of a note, as Dataview names it."""
        if name.startswith("file."):
            return self.implicit(name.removeprefix("file."), lesson)
        wanted = _plain(name)
        texts = next((v for key, v in lesson.front.properties.items() if _plain(key) == wanted), ())
        values = tuple(self.valued(text) for text in texts)
        return values if len(values) > 1 else values[0] if values else None

    def implicit(self, name: str, lesson: Lesson) -> Value:
        if name == "inlinks":
            return tuple(map(Note, self.vault.backlinks(lesson.path)))
        if name == "outlinks":
            targets = dict.fromkeys(self.vault.resolve(link.target, lesson.path)[:1] for link in lesson.links)
            return tuple(Note(found[0]) for found in targets if found)
        known: dict[str, Value] = {
            "name": lesson.name,
            "path": lesson.path,
            "folder": posixpath.dirname(lesson.path).partition("/")[2],
            "link": Note(lesson.path),
            "aliases": lesson.front.aliases,
        }
        return known[name] if name in known else tuple(f"#{tag}" for tag in dict.fromkeys(tags(lesson)))

    def valued(self, text: str) -> Value:
        link = _WIKILINK.fullmatch(text)
        if link:
            return self.link(link[1])
        return {"true": True, "false": False}.get(text, text)


def _below(path: str, folder: str) -> bool:
    """Whether the note lies in `folder`, or is it; a path counts from the course's root or from the vault's."""
    key = naming.folded(path).removesuffix(".md")
    return any(one == folder or one.startswith(f"{folder}/") for one in (key, key.partition("/")[2]))


def _plain(name: str) -> str:
    return re.sub(r"[\s_]+", "-", name.casefold())
