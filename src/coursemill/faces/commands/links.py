"""`coursemill links`: the graph of the vault, as a report."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence

import click

from coursemill.course.links import Linked, links
from coursemill.faces import cli, terminal
from coursemill.faces.terminal import Column
from coursemill.pure import graph
from coursemill.pure.graph import Edge, Graph, Wanted

MOST = 40
"""Lines of a list in the report of the whole vault."""
FEW = 3
"""Notes that are named in one line."""


@click.command("links")
@click.argument("notes", nargs=-1, metavar="[NOTE]...")
@click.option("--missing", is_flag=True, help="Print only what leads nowhere or to several notes, a line a link.")
@click.option("--orphans", is_flag=True, help="Print only the notes without links, and those nobody links to.")
@click.option("--strict", is_flag=True, help="Exit with 1 when a link is missing or ambiguous.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole graph as JSON.")
@click.pass_context
def command(
    ctx: click.Context, notes: tuple[str, ...], missing: bool, orphans: bool, strict: bool, as_json: bool
) -> None:
    """Show which notes link to which, which are missing, and which nobody links to.

    NOTE is a name, a path, a folder, a worksheet, or a glob of names or paths. With it, each link of these notes is
    shown, and each link to them; without it, a report of the whole vault. Wikilinks, embeds, Markdown links to notes
    and links in properties count; what stands in code, comments and mathematics is no link.

    \b
    coursemill links                   the whole vault
    coursemill links _Spark_MOC        one note: its links and its backlinks
    coursemill links --missing         links to mend, with what may have been meant

    --json prints one object: `totals`, `nodes` (notes, and files that they link to), `edges` (links with `source`,
    `line`, `col`, `kind`, `target`, `state`: resolved, missing or ambiguous, `found`, `near` notes, and `twin`: what
    more links write for the same missing note), `wanted` (missing notes, with how often and `by` whom), `orphans`
    (no link to or from a note) and `unlinked` (no link from a note).

    Exit codes: 0; with --strict 1 when a link is missing or ambiguous.
    """
    config = cli.course(ctx)
    found = links(config, cli.from_here(config, notes))
    shown = found.graph.around(found.chosen) if notes else found.graph
    if as_json:
        terminal.show_json(graph.data(shown, found.graph))
    elif missing:
        _show_lines(_to_mend(_own(shown, found.chosen)))
    elif orphans:
        _show_orphans(found.graph, set(found.chosen), len(found.graph.nodes))
    elif notes:
        _show_notes(found)
    else:
        _show_vault(found.graph)
    sys.exit(cli.PROBLEMS if strict and _own(shown, found.chosen, bad=True) else cli.OK)


def _own(shown: Graph, chosen: Sequence[str], *, bad: bool = False) -> list[Edge]:
    """The links of the chosen notes; only `bad` ones: missing or ambiguous."""
    paths = set(chosen)
    return [edge for edge in shown.edges if edge.source in paths and (not bad or edge.state != "resolved")]


def _to_mend(edges: Iterable[Edge]) -> Iterator[str]:
    for edge in edges:
        said = _said(edge)
        if edge.state != "resolved" or edge.lost:
            yield f"{edge.place}: {_written(edge)}: {said}"


def _show_lines(lines: Iterable[str]) -> None:
    for line in lines:
        terminal.show(line)


def _show_vault(whole: Graph) -> None:
    _show_table("Notes", ("note", "links", "missing", "ambiguous", "backlinks"), _note_rows(whole))
    _show_table(
        "Missing notes, the most wanted first", ("missing", "links", "in", "did you mean"), map(_want, whole.wanted)
    )
    files = [edge for edge in whole.missing if not edge.is_note]
    _show_table("Missing files", ("place", "file"), ((edge.place, edge.target) for edge in files))
    unclear = [*whole.ambiguous, *whole.lost]
    _show_table(
        "Links to make clear",
        ("place", "link", ""),
        ((edge.place, _written(edge), _said(edge)) for edge in sorted(unclear, key=lambda e: (e.source, e.line))),
    )
    _show_orphans(whole, {node.path for node in whole.notes}, MOST)
    terminal.show(_summary(whole))


def _show_notes(found: Linked) -> None:
    """Each of the chosen notes: where its links lead, and where those to it stand."""
    for path in found.chosen:
        own, back = found.graph.links_of.get(path, ()), found.graph.backlinks(path)
        counts = f"{_count(len(own), 'link')}, {_count(len(back), 'backlink')}"
        terminal.show(f"{path}: {counts}")
        if own:
            rows = ((f"{edge.line}:{edge.col}", edge.kind, _written(edge), _said(edge)) for edge in own)
            terminal.show(terminal.table((Column("line", keep=True), Column("kind", spare=1), "link", "to"), rows))
        if back:
            rows_back = ((edge.place, edge.kind, _written(edge)) for edge in back)
            terminal.show(terminal.table(("linked from", Column("kind", spare=1), "as"), rows_back))


def _show_orphans(whole: Graph, chosen: set[str], most: int) -> None:
    orphans = set(whole.orphans)
    lists = (
        ("Orphans: no link to them, none from them", whole.orphans),
        ("Nobody links to", [path for path in whole.unlinked if path not in orphans]),
    )
    for title, paths in lists:
        named = [path for path in paths if path in chosen]
        if named:
            _show_lines([f"{title}:", *(f"  {path}" for path in named[:most]), *_more(len(named) - most), ""])


def _show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table that is not too long for a report; nothing when there are no rows."""
    lines = list(rows)
    if lines:
        right = {"links", "missing", "ambiguous", "backlinks"} if columns[0] == "note" else {"links"}
        heads = [Column(name, right=name in right) for name in columns]
        terminal.show(terminal.table(heads, lines[:MOST], title=title))
        _show_lines(_more(len(lines) - MOST))


def _note_rows(whole: Graph) -> list[tuple[object, ...]]:
    """A row a note, those with links to mend first where there are too many for the report."""
    rows: list[tuple[str, tuple[int, ...]]] = []
    for node in whole.notes:
        own = whole.links_of.get(node.path, ())
        states = (sum(edge.state == state for edge in own) for state in ("missing", "ambiguous"))
        rows.append((node.path, (len(own), *states, len(whole.backlinks(node.path)))))
    if len(rows) > MOST:
        rows.sort(key=lambda row: (-(row[1][1] + row[1][2]), -row[1][3], row[0]))
    return [(path, *(number or "" for number in numbers)) for path, numbers in rows]


def _want(one: Wanted) -> tuple[object, ...]:
    named = [
        f"{path.rpartition('/')[2].removesuffix('.md')}" + (f" ×{n}" if n > 1 else "") for path, n in one.by.items()
    ]
    more = [f"{len(named) - FEW} more"] if len(named) > FEW else []
    return one.target, one.count, ", ".join([*named[:FEW], *more]), _near(one)


def _written(edge: Edge) -> str:
    """The link as it stands in the note, without its alias."""
    heading = f"#{edge.heading}" if edge.heading else ""
    if edge.kind == "markdown":
        return f"[…]({edge.target}{heading})"
    return f"{'!' if edge.kind == 'embed' else ''}[[{edge.target}{heading}]]"


def _said(edge: Edge) -> str:
    """Where a link leads, or what is wrong with it."""
    if edge.state == "missing":
        near = f", did you mean {_near(edge)}?" if _near(edge) else ""
        return f"{'no such note' if edge.is_note else 'no such file'}{near}"
    if edge.state == "ambiguous":
        more = f" or {len(edge.found) - FEW} more" if len(edge.found) > FEW else ""
        return f"may be {' or '.join(edge.found[:FEW])}{more}"
    what = "block" if edge.lost.startswith("^") else "heading"
    return f"{edge.found[0]} has no {what} `{edge.lost}`" if edge.lost else edge.found[0]


def _near(of: Edge | Wanted) -> str:
    return " or ".join(of.near) or (f"{of.twin} (missing, too)" if of.twin else "")


def _summary(whole: Graph) -> str:
    sums = graph.totals(whole)
    parts = [_count(sums["notes"], "note"), f"{_count(sums['links'], 'link')}: {sums['resolved']:,} resolved"]
    missing = f"{sums['missing']:,} missing ({_count(sums['missing_notes'], 'note')})"
    return f"{', '.join(parts)}, {sums['ambiguous']:,} ambiguous, {missing}; {_count(sums['orphans'], 'orphan')}"


def _more(number: int) -> list[str]:
    return [f"  … and {number:,} more: name notes, or --missing, --orphans, --json show all"] if number > 0 else []


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
