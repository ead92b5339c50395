"""What people type, and what a note may be called."""

import pytest

from coursemill.pure import naming

PATH = "notes/160_Python/Soup/BS4_Text.md"


@pytest.mark.parametrize(
    "name",
    [
        "BS4_Text",
        "BS4_Text.md",
        "Soup/BS4_Text",
        "./notes/160_Python/Soup/BS4_Text.md",
        "notes/160_Python/",
        "Soup",
        "notes",
        "BS4_*",
        "*_Text.md",
        "notes/*/BS4_?ext",
        "160*",
        "[BC]S4_Text",
    ],
)
def test_names_that_mean_the_note(name: str) -> None:
    assert naming.means(name, PATH)


@pytest.mark.parametrize("name", ["", ".md", "/", "Text", "bs4_text", "BS4", "oup/BS4_Text", "X*", "160", "BS4_Text/x"])
def test_names_that_do_not(name: str) -> None:
    assert not naming.means(name, PATH)


def test_a_name_may_hold_what_globs_hold() -> None:
    assert naming.means("A [1]", "notes/A [1].md")


@pytest.mark.parametrize(
    ("stem", "why"),
    [("a\tb", "shown"), ("x" * 250, "longer"), ("é" * 125, "longer"), (" a", "space"), ("a\\b", "backslash")],
)
def test_names_that_no_notebook_has(stem: str, why: str) -> None:
    assert why in naming.cannot_be(stem)


@pytest.mark.parametrize(
    ("stem", "why"),
    [
        ("a?", "Windows"),
        ("a:b", "Windows"),
        ("a#b", "wikilink"),
        ("a[b", "wikilink"),
        ("Aux", "device"),
        ("com1.x", "device"),
    ],
)
def test_names_that_make_trouble(stem: str, why: str) -> None:
    assert why in naming.should_not_be(stem)


@pytest.mark.parametrize("stem", ["a b", "O'Reilly", "Überblick (1)", "日本", "a+b", "50%", "a, b & c"])
def test_names_that_are_fine(stem: str) -> None:
    assert not naming.cannot_be(stem)
    assert not naming.should_not_be(stem)


@pytest.mark.parametrize(("one", "two"), [("Note", "nOTE"), ("Cafe\u0301", "CAF\u00c9"), ("straße", "STRASSE")])
def test_names_that_are_one_on_some_systems(one: str, two: str) -> None:
    assert naming.folded(one) == naming.folded(two) != naming.folded(one + "x")
