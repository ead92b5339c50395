"""The vault as a graph."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure import graph, parse
from coursemill.pure.graph import Edge, Graph
from coursemill.pure.vault import VaultMap

NOTES = {
    "notes/_Web_MOC.md": "# Web\n\n- [[Soup#Tags|soup]] and [[soup]]\n- ![[plot.png]], ![[Spider]]\n",
    "notes/Web/Soup.md": (
        '---\nup: "[[Web_MOC]]"\nrelated: [[Spiders]]\n---\n## Tags\n\n| a |\n|---|\n| [[Spider\\|s]] |\n\n'
        "`[[Code]]` [[#Tags]] [[Nothing]] ![[gone.png]]\n"
    ),
    "notes/Web/Spider.md": "[web](../_Web_MOC.md#Web) [[Soup#Nowhere]] [[nothing]] [[data.csv]]\n",
    "notes/a/Twice.md": "[[Twice]] [[old/Soup]]\n",
    "notes/b/Twice.md": "> [!note] [[Twice]]\n",
    "notes/Alone.md": "```\n[[Soup]]\n```\n[[#Here]] ![[plot.png]] [[#^there]] [[#^gone]]\n\nSome text. ^there\n",
}
OTHERS = ("notes/Web/Soup.files/plot.png", "notes/data.csv", "notes/Templates/Daily.md")


def made(notes: dict[str, str] | None = None, others: tuple[str, ...] = OTHERS) -> Graph:
    texts = NOTES if notes is None else notes
    return Graph.of(VaultMap.of((parse.lesson(path, text) for path, text in texts.items()), others))


def shown(edge: Edge) -> str:
    where = edge.found[0].rpartition("/")[2] if edge.found else f"?{','.join(edge.near)}"
    more = f" +{len(edge.found) - 1}" if len(edge.found) > 1 else ""
    return f"{edge.line}:{edge.col} {edge.kind} {edge.target} -> {where}{more}{' !' if edge.lost else ''}"


@pytest.mark.parametrize(
    ("path", "links"),
    [
        (
            "notes/_Web_MOC.md",
            [
                "3:3 link Soup -> Soup.md",
                "3:26 link soup -> Soup.md",
                "4:3 embed plot.png -> plot.png",
                "4:18 embed Spider -> Spider.md",
            ],
        ),
        (
            "notes/Web/Soup.md",
            [
                "2:6 property Web_MOC -> ?_Web_MOC",
                "3:10 property Spiders -> ?Spider",
                "9:3 link Spider -> Spider.md",
                "11:12 link  -> Soup.md",
                "11:22 link Nothing -> ?",
                "11:34 embed gone.png -> ?",
            ],
        ),
        (
            "notes/Web/Spider.md",
            [
                "1:7 markdown ../_Web_MOC.md -> _Web_MOC.md",
                "1:27 link Soup -> Soup.md !",
                "1:44 link nothing -> ?",
                "1:56 link data.csv -> data.csv",
            ],
        ),
        ("notes/a/Twice.md", ["1:1 link Twice -> Twice.md +1", "1:11 link old/Soup -> ?Soup"]),
        (
            "notes/Alone.md",
            [
                "4:1 link  -> Alone.md !",
                "4:11 embed plot.png -> plot.png",
                "4:25 link  -> Alone.md",
                "4:37 link  -> Alone.md !",
            ],
        ),
    ],
)
def test_every_link_leads_somewhere_or_is_missing(path: str, links: list[str]) -> None:
    assert [shown(edge) for edge in made().links_of[path]] == links


def test_who_links_and_who_does_not() -> None:
    whole = made()
    assert [e.place for e in whole.backlinks("notes/Web/Soup.md")] == [
        "notes/Web/Spider.md:1:27",
        "notes/_Web_MOC.md:3:3",
        "notes/_Web_MOC.md:3:26",
    ]
    assert [e.place for e in whole.backlinks("notes/_Web_MOC.md")] == ["notes/Web/Spider.md:1:7"]
    assert whole.orphans == ("notes/Alone.md", "notes/b/Twice.md")
    assert whole.unlinked == ("notes/Alone.md", "notes/a/Twice.md", "notes/b/Twice.md")


def test_what_is_wanted_most() -> None:
    wanted = made().wanted
    assert [(one.target, one.count, dict(one.by)) for one in wanted][:1] == [
        ("Nothing", 2, {"notes/Web/Soup.md": 1, "notes/Web/Spider.md": 1})
    ]
    assert [one.target for one in wanted[1:]] == ["Spiders", "Web_MOC", "old/Soup"]


def test_plain_data() -> None:
    whole = made()
    told = json.loads(json.dumps(graph.data(whole)))
    assert told["totals"] == {
        "notes": 7,
        "links": 21,
        "resolved": 13,
        "ambiguous": 2,
        "missing": 6,
        "missing_notes": 4,
        "missing_headings": 3,
        "orphans": 2,
        "unlinked": 3,
    }
    soup = next(node for node in told["nodes"] if node["name"] == "Soup")
    assert soup == {
        "path": "notes/Web/Soup.md",
        "name": "Soup",
        "title": "Soup",
        "kind": "note",
        "resolved": 2,
        "ambiguous": 0,
        "missing": 4,
        "backlinks": 3,
        "linked_from": ["notes/Web/Spider.md", "notes/_Web_MOC.md"],
    }
    assert {node["kind"] for node in told["nodes"]} == {"note", "unparsed", "file"}
    assert next(edge for edge in told["edges"] if edge["target"] == "Web_MOC")["near"] == ["_Web_MOC"]


def test_the_part_around_a_note() -> None:
    part = made().around(["notes/_Web_MOC.md"])
    assert {edge.source for edge in part.edges} == {"notes/_Web_MOC.md", "notes/Web/Spider.md"}
    assert "notes/Alone.md" not in {node.path for node in part.nodes}


PIECES = ("[[A]]", "[[b#x|y]]", "![[A]]", "[x](B.md)", "`[[A]]`", "$[[A]]$", "\n", "> ", "- ", "%%", "[[", "]]", "|")
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


@given(st.dictionaries(st.sampled_from(["A", "B", "_A", "d/A"]), TEXTS, max_size=4))
def test_whatever_stands_in_the_notes_places_are_right_and_sums_agree(texts: dict[str, str]) -> None:
    notes = {f"notes/{name}.md": text for name, text in texts.items()}
    whole = made(notes, ())
    sums = graph.totals(whole)
    assert sums["links"] == sums["resolved"] + sums["ambiguous"] + sums["missing"]
    assert sum(one.count for one in whole.wanted) == sum(edge.is_note for edge in whole.missing)
    assert set(whole.orphans) <= set(whole.unlinked)
    for edge in whole.edges:
        rest = notes[edge.source].split("\n")[edge.line - 1][edge.col - 1 :]
        assert rest.startswith(("[[", "![[", edge.target))
        assert edge.found == () or set(edge.found) <= set(notes)
    for path in notes:
        assert all(edge.found[0] == path and edge.source != path for edge in whole.backlinks(path))


def test_a_wikilink_to_a_picture_means_no_note() -> None:
    edges = made({"notes/Tea.md": "[[gone.png]] [[Node.js]] ![[gone.ogg]]\n"}).edges
    assert [(edge.target, edge.is_note) for edge in edges] == [
        ("gone.png", False),
        ("Node.js", True),
        ("gone.ogg", False),
    ]
