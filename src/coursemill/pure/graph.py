"""The vault as a graph: which note links to which, what is missing, and what nobody links to."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from coursemill.model import FileLink, Lesson, Link
from coursemill.pure import naming
from coursemill.pure.guesses import Guesses
from coursemill.pure.vault import VaultMap, means_file, means_note

LinkKind = Literal["link", "embed", "property", "markdown"]
State = Literal["resolved", "ambiguous", "missing"]
NodeKind = Literal["lesson", "note", "unparsed", "file"]
MOST = 10
"""Notes that plain data name for an ambiguous link."""


@dataclass(frozen=True, slots=True)
class Node:
    """A note, or a file that a note links to; `unparsed`: a template, or a note that cannot be read."""

    path: str
    name: str
    title: str
    kind: NodeKind


@dataclass(frozen=True, slots=True)
class Edge:
    """One link of a note: where it stands, and what it leads to."""

    source: str
    line: int
    col: int
    kind: LinkKind
    target: str
    """As written, without heading and alias; empty: the note itself."""
    heading: str = ""
    alias: str = ""
    key: str = ""
    """The property that holds it."""
    found: tuple[str, ...] = ()
    """Paths that it may mean, the likeliest first."""
    near: tuple[str, ...] = ()
    """What the author may have meant, where nothing was found."""
    twin: str = ""
    """What more links write for the same missing note, where nothing is near."""
    lost: str = ""
    """The heading, or the `^block`, that the note does not have."""

    @property
    def state(self) -> State:
        return "missing" if not self.found else "ambiguous" if len(self.found) > 1 else "resolved"

    @property
    def is_note(self) -> bool:
        """Whether it leads, or would lead, to a note, and not to a picture or another file."""
        if self.found:
            return self.found[0].endswith(".md")
        return not means_file(self.target, embed=self.kind == "embed")

    @property
    def place(self) -> str:
        return f"{self.source}:{self.line}:{self.col}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A note that there is not, and who links to it how often, the most frequent first."""

    target: str
    count: int
    by: Mapping[str, int]
    near: tuple[str, ...] = ()
    twin: str = ""


@dataclass(frozen=True)
class Graph:
    """Every note with its links, in the order of paths and lines."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    links_of: Mapping[str, tuple[Edge, ...]] = field(repr=False, default_factory=dict)
    """Path of a note → its links."""

    @classmethod
    def of(cls, vault: VaultMap) -> Graph:
        """Gather the links of every note; those of templates and of notes that cannot be read are not known."""
        finder = _Finder(vault, Guesses(vault))
        links_of = {path: tuple(finder.edges(lesson)) for path, lesson in sorted(vault.lessons.items())}
        edges = tuple(edge for links in links_of.values() for edge in links)
        linked = {edge.found[0] for edge in edges if edge.found}
        paths = {*vault.lessons, *(p for p in vault.others if p.endswith(".md")), *linked}
        return cls(tuple(_node(path, vault) for path in sorted(paths)), edges, links_of)

    @cached_property
    def notes(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if node.kind != "file")

    @cached_property
    def missing(self) -> tuple[Edge, ...]:
        return tuple(edge for edge in self.edges if edge.state == "missing")

    @cached_property
    def ambiguous(self) -> tuple[Edge, ...]:
        return tuple(edge for edge in self.edges if edge.state == "ambiguous")

    @cached_property
    def lost(self) -> tuple[Edge, ...]:
        """Links to headings and blocks that the notes do not have."""
        return tuple(edge for edge in self.edges if edge.lost)

    @cached_property
    def unlinked(self) -> tuple[str, ...]:
        """Notes that no other note links to; templates are not meant to be linked to."""
        notes = (node.path for node in self.notes if node.kind != "unparsed")
        return tuple(path for path in notes if path not in self._backlinks)

    @cached_property
    def orphans(self) -> tuple[str, ...]:
        """Notes without a link to or from another note, be it there or missing."""
        leading = {edge.source for edge in self.edges if edge.is_note and edge.source not in edge.found[:1]}
        return tuple(path for path in self.unlinked if path not in leading)

    @cached_property
    def wanted(self) -> tuple[Wanted, ...]:
        """The missing notes, those that most links want first."""
        found: dict[str, list[Edge]] = {}
        for edge in self.missing:
            if edge.is_note:
                found.setdefault(_key(edge.target), []).append(edge)
        return tuple(sorted(map(_wanted, found.values()), key=lambda one: (-one.count, one.target)))

    def backlinks(self, path: str) -> tuple[Edge, ...]:
        """The links of other notes to the note at `path`."""
        return tuple(self._backlinks.get(path, ()))

    def around(self, paths: Iterable[str]) -> Graph:
        """The part of the graph that has to do with the notes at `paths`: they, their links, and the links to them."""
        chosen = frozenset(paths)
        edges = tuple(edge for edge in self.edges if edge.source in chosen or not chosen.isdisjoint(edge.found))
        seen = {*chosen, *(edge.source for edge in edges), *(path for edge in edges for path in edge.found)}
        links_of = {path: links for path, links in self.links_of.items() if path in chosen}
        return Graph(tuple(node for node in self.nodes if node.path in seen), edges, links_of)

    @cached_property
    def _backlinks(self) -> Mapping[str, list[Edge]]:
        found: dict[str, list[Edge]] = {}
        for edge in self.edges:
            if edge.found and edge.found[0] != edge.source:
                found.setdefault(edge.found[0], []).append(edge)
        return found


def data(graph: Graph, whole: Graph | None = None) -> dict[str, Any]:
    """The graph as plain data, for `--json`; counts and lists of notes are those of the `whole` one."""
    whole = whole or graph
    return {
        "version": 1,
        "totals": totals(whole),
        "nodes": [_node_data(node, whole) for node in graph.nodes],
        "edges": [_edge_data(edge) for edge in graph.edges],
        "wanted": [
            {"target": one.target, "count": one.count, "by": dict(one.by), "near": list(one.near), "twin": one.twin}
            for one in graph.wanted
        ],
        "orphans": list(whole.orphans),
        "unlinked": list(whole.unlinked),
    }


def totals(graph: Graph) -> dict[str, int]:
    """How much there is of everything."""
    states = Counter(edge.state for edge in graph.edges)
    return {
        "notes": len(graph.notes),
        "links": len(graph.edges),
        "resolved": states["resolved"],
        "ambiguous": states["ambiguous"],
        "missing": states["missing"],
        "missing_notes": len(graph.wanted),
        "missing_headings": len(graph.lost),
        "orphans": len(graph.orphans),
        "unlinked": len(graph.unlinked),
    }


@dataclass(frozen=True)
class _Finder:
    vault: VaultMap
    guesses: Guesses
    known: dict[tuple[str, str], tuple[tuple[str, ...], str]] = field(default_factory=dict)
    """Missing target and the folder of the note that links to it → near notes, or a missing one that is meant, too."""

    def edges(self, lesson: Lesson) -> Iterator[Edge]:
        """The links of a note, in their order."""
        links: list[Link | FileLink] = [*lesson.links, *(f for f in lesson.files if means_note(f))]
        for link in sorted(links, key=lambda one: (one.line, one.col)):
            edge = replace(_blank(link, lesson.path), found=self.vault.resolve(link.target, lesson.path))
            if not edge.found:
                near, twin = self._near(edge)
                edge = replace(edge, near=near, twin=twin)
            elif edge.heading and edge.found[0] in self.vault.lessons:
                edge = replace(edge, lost=self._lost(edge.found[0], edge.heading))
            yield edge

    def _near(self, edge: Edge) -> tuple[tuple[str, ...], str]:
        asked = edge.target, posixpath.dirname(edge.source)
        if edge.is_note and asked not in self.known:
            near = tuple(self.guesses.near(edge.target, edge.source))
            self.known[asked] = near, "" if near else self.guesses.twin(edge.target)
        return self.known.get(asked, ((), ""))

    def _lost(self, path: str, heading: str) -> str:
        """The first of the headings `A#B`, or the block `^id`, that there is not."""
        for wanted in filter(None, map(str.strip, heading.split("#"))):
            is_block = wanted.startswith("^")
            if not (self.vault.block(path, wanted[1:]) if is_block else self.vault.heading(path, wanted)):
                return wanted
        return ""


def _blank(link: Link | FileLink, source: str) -> Edge:
    """A link of which nobody knows yet where it leads."""
    if isinstance(link, FileLink):
        return Edge(source, link.line, link.col, "markdown", link.target)
    kind: LinkKind = "property" if link.key else "embed" if link.embed else "link"
    return Edge(source, link.line, link.col, kind, link.target, link.heading, link.alias, link.key)


def _node(path: str, vault: VaultMap) -> Node:
    lesson = vault.lesson(path)
    name = posixpath.basename(path)
    if lesson:
        return Node(path, lesson.name, lesson.title, "lesson" if lesson.front.worksheets else "note")
    is_note = path.endswith(".md")
    return Node(path, name.removesuffix(".md"), name.removesuffix(".md"), "unparsed" if is_note else "file")


def _wanted(edges: list[Edge]) -> Wanted:
    spelled = Counter(edge.target for edge in edges).most_common(1)[0][0]
    by = Counter(edge.source for edge in edges)
    return Wanted(spelled, len(edges), dict(by.most_common()), edges[0].near, edges[0].twin)


def _key(target: str) -> str:
    return naming.folded(target.strip()).removesuffix(".md").removeprefix("/")


def _node_data(node: Node, graph: Graph) -> dict[str, Any]:
    states = Counter(edge.state for edge in graph.links_of.get(node.path, ()))
    back = graph.backlinks(node.path)
    return {
        "path": node.path,
        "name": node.name,
        "title": node.title,
        "kind": node.kind,
        **{state: states[state] for state in ("resolved", "ambiguous", "missing")},
        "backlinks": len(back),
        "linked_from": list(dict.fromkeys(edge.source for edge in back)),
    }


def _edge_data(edge: Edge) -> dict[str, Any]:
    return {
        "source": edge.source,
        "line": edge.line,
        "col": edge.col,
        "kind": edge.kind,
        "target": edge.target,
        "heading": edge.heading,
        "alias": edge.alias,
        "property": edge.key,
        "state": edge.state,
        "path": edge.found[0] if edge.found else None,
        "candidates": len(edge.found),
        "found": list(edge.found[:MOST]),
        "near": list(edge.near),
        "twin": edge.twin,
        "missing_heading": edge.lost,
    }
