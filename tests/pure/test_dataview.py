"""Queries: which are understood, and what they find."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure import dataview, parse
from coursemill.pure.asked import Asked, answers
from coursemill.pure.expressions import Note
from coursemill.pure.vault import VaultMap

NOTES = {
    "notes/_Map.md": "---\ntags: [map]\n---\n[[Tea]] [[Salt]]\n",
    "notes/shop/Tea.md": "---\ntags: [drink/hot]\nprice: 12\nmade: 2026-03-01\nsource: [[Salt]]\ngood: true\n---\n",
    "notes/shop/Milk.md": "---\nprice: 2.5\nmade: 2025-12-31\ntags: drink\n---\n[[Tea]]\n",
    "notes/shop/sub/Salt.md": "---\nprice: cheap\naliases: [NaCl, sea salt]\n---\nIs #white.\n```\n#black\n```\n",
}
VAULT = VaultMap.of(parse.lesson(path, text) for path, text in NOTES.items())


def found(query: str, vault: VaultMap = VAULT) -> str:
    """Names of the notes that are found, in order, with what a list shows beside them."""
    result = dataview.result(query, vault, "notes/_Map.md")
    assert result is not None, "the query is not understood"
    return " ".join("=".join(map(shown, row)) for row in result.rows)


def shown(value: object) -> str:
    if isinstance(value, tuple):
        return "+".join(map(shown, value))
    return value.path.rpartition("/")[2].removesuffix(".md") if isinstance(value, Note) else str(value)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("", "_Map Milk Tea Salt"),
        ('FROM "shop"', "Milk Tea Salt"),
        ('FROM "shop/"', "Milk Tea Salt"),
        ('FROM "notes/shop/sub"', "Salt"),
        ('FROM "shop/Tea.md"', "Tea"),
        ('FROM "sho"', ""),
        ('FROM ""', "_Map Milk Tea Salt"),
        ("FROM #drink", "Milk Tea"),
        ("FROM #drink/hot", "Tea"),
        ("FROM #white", "Salt"),
        ("FROM #black", ""),
        ("FROM [[Tea]]", "_Map Milk"),
        ("FROM outgoing([[]])", "Tea Salt"),
        ("FROM outgoing([[Nobody]])", ""),
        ('FROM "shop" AND -#drink', "Salt"),
        ('from "shop" and !(#white or [[Tea]])', "Tea"),
        ('FROM #map OR "shop/sub"', "_Map Salt"),
    ],
)
def test_sources(source: str, names: str) -> None:
    assert found(f"LIST {source}") == names


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("price > 3", "Tea Salt"),  # a text comes behind numbers
        ("price", "Milk Tea Salt"),
        ("!price", "_Map"),
        ('price = "cheap"', "Salt"),
        ("price >= 2.5 and price <= 12", "Milk Tea"),
        ("made < date(2026-01-01) AND made", "Milk"),
        ('file.name != this.file.name AND contains(file.folder, "shop")', "Milk Tea Salt"),
        ('startswith(file.name, "T") or endswith(file.path, "Salt.md")', "Tea Salt"),
        ('contains(file.tags, "#drink")', "Milk Tea"),
        ('econtains(file.tags, "#drink")', "Milk"),
        ('icontains(aliases, "nacl")', "Salt"),
        ("contains(file.outlinks, [[Tea]])", "_Map Milk"),
        ("source = [[Salt]]", "Tea"),
        ("good", "Tea"),
        ("good = true", "Tea"),
        ("length(aliases) = 2", "Salt"),
        ("default(price, 0) = 0", "_Map"),
        ('lower(upper(file.name)) = "tea"', "Tea"),
    ],
)
def test_conditions(condition: str, names: str) -> None:
    assert found(f"LIST\nWHERE {condition}") == names


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ('LIST join(aliases, " + ") FROM #white', "Salt=NaCl + sea salt"),
        ("LIST WITHOUT ID join(file.outlinks) FROM #map", "Tea, Salt"),
        ("LIST SORT price DESC", "Salt Tea Milk _Map"),
        ("LIST WHERE price SORT file.name", "Milk Salt Tea"),
        ("LIST SORT file.folder DESC, file.name DESC LIMIT 3", "Salt Tea Milk"),
        ('LIST price FROM "shop" LIMIT 2', "Milk=2.5 Tea=12"),
        ('LIST WITHOUT ID file.name FROM "shop/sub"', "Salt"),
        ('TABLE price AS "what it costs, FROM the shop", aliases\nFROM #white', "Salt=cheap=NaCl+sea salt"),
        ("TABLE WITHOUT ID file.link, file.inlinks FROM #white", "Salt=_Map+Tea"),
        ("list\n// FROM nowhere\nfrom #map\nlimit 1", "_Map"),
    ],
)
def test_the_rest_of_a_query(query: str, names: str) -> None:
    assert found(query) == names


def test_titles_of_a_table() -> None:
    result = dataview.result('TABLE price AS "in €", file.folder AS folder, made', VAULT, "notes/_Map.md")
    assert result is not None
    assert result.titles == ("Note", "in €", "folder", "made")


@pytest.mark.parametrize(
    "query",
    [
        "",
        "TASK",
        "CALENDAR made",
        "LIST FROM",
        "LIST FROM shop",
        "LIST LIMIT many",
        'LIST FROM "a" FROM "b"',
        'LIST WHERE x FROM "a"',
        "LIST GROUP BY file.folder",
        "LIST FLATTEN tags",
        "LIST SORT file.mtime DESC",
        "LIST WHERE file.ctime > date(today)",
        "LIST WHERE price + 1 > 2",
        "LIST WHERE contains(price",
        "LIST WHERE unknown(price)",
        "LIST a, b",
        "TABLE WITHOUT ID",
        "LIST WHERE " + "(" * 200 + "price" + ")" * 200,
    ],
)
def test_what_is_not_understood(query: str) -> None:
    assert dataview.query(query) is None
    assert dataview.result(query, VAULT, "notes/_Map.md") is None


WORDS = st.sampled_from(
    [
        "LIST", "TABLE", "FROM", "WHERE", "SORT", "LIMIT", "AND", "OR", "GROUP", "BY", "DESC", "AS", '"', "(", ")",
        "[[",
        "]]", "[[Tea]]", "#drink", '"shop"', "-", "!", "=", ">=", ",", "price", "file.name", "contains(", "date(", "3",
        "2026-01-01", "//", "\n", ".", "|", "&", "this.price",
    ]
)  # fmt: skip


@given(st.lists(WORDS | st.text(max_size=3), max_size=25).map(" ".join))
def test_anything_is_understood_or_not(text: str) -> None:
    for query in (text, f"LIST {text}", f'TABLE price FROM "shop" WHERE {text}'):
        understood = dataview.query(query) is not None
        assert (dataview.result(query, VAULT, "notes/_Map.md") is not None) == understood


def test_a_notebook_is_made_again_when_a_query_finds_something_else() -> None:
    asked = Asked(VAULT)
    assert asked.listed('LIST price FROM "shop"', "notes/_Map.md")
    before = answers(VAULT, asked.questions)

    def after(**changes: str) -> str:
        notes = NOTES | {path.replace("__", "/") + ".md": text for path, text in changes.items()}
        return answers(VaultMap.of(parse.lesson(path, text) for path, text in notes.items()), asked.questions)

    assert after(notes__Other="new") == before
    assert after(notes__shop__Tea="---\nprice: 12\n---\nOther text.") == before
    assert after(notes__shop__Tea="---\nprice: 13\n---\n") != before
    assert after(notes__shop__New="new") != before
