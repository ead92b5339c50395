"""Units of prose: every line of it once, with what stands above and around; and their code spans."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure.raw import mentions

NOTE = """\
# Heading

A paragraph
of two lines:

- first
  goes on
    - below it
- second

| a | b |
|---|---|
| c | d |

> [!note] Title
> inside

> [!quiz|id=q points=1] Which?
> - [x] this
"""


def test_units_know_what_stands_above() -> None:
    found = [(unit.line, unit.text, unit.above.split("\n"), unit.depth) for unit in mentions.units(NOTE, ())]
    lead = "of two lines:"
    assert found == [
        (1, "# Heading", ["# Heading"], 0),
        (3, f"A paragraph\n{lead}", ["# Heading"], 0),
        (6, "- first\n  goes on", ["# Heading", "A paragraph", lead], 1),
        (8, "    - below it", ["# Heading", "- first", "  goes on", "A paragraph", lead], 2),
        (9, "- second", ["# Heading", "A paragraph", lead], 1),
        (11, "| a | b |", ["# Heading", "A paragraph", lead, "| a | b |"], 0),
        (12, "|---|---|", ["# Heading", "A paragraph", lead, "| a | b |"], 0),
        (13, "| c | d |", ["# Heading", "A paragraph", lead, "| a | b |"], 0),
        (15, "> [!note] Title", ["# Heading", "[!note] Title"], 0),
        (16, "> inside", ["# Heading", "[!note] Title"], 0),
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a `b` c", ["b"]),
        ("``a `b` c`` and `d`", ["a `b` c", "d"]),
        ("`open and ``other", []),
        ("```not a fence``` here", ["not a fence"]),
        ("no code", []),
    ],
)
def test_code_spans(text: str, wanted: list[str]) -> None:
    (unit,) = mentions.units(text, ())
    assert [span.code for span in mentions.spans(unit)] == wanted
    assert all(text[span.start :].startswith(span.code) for span in mentions.spans(unit))


def test_addresses_and_targets_are_no_words() -> None:
    (unit,) = mentions.units("[[Mesos|the manager]] [x](https://mesos.org/a_(b)) https://mesos.org [[Mesos]] Mesos", ())
    said = mentions.words(unit)
    assert len(said) == len(unit.text)
    assert said.split() == ["the", "manager]]", "[x", "]]", "Mesos"]


@given(
    st.lists(
        st.sampled_from(["", "# H", "- a", "  - b", "1. c", "> d", "> [!note] e", "| f |", "g:", "%% h %%", "<!--"])
    )
)
def test_each_line_is_in_one_unit_at_its_place(lines: list[str]) -> None:
    seen: set[int] = set()
    for unit in mentions.units("\n".join(lines), ()):
        for n, text in enumerate(unit.text.split("\n"), unit.line):
            assert n not in seen
            seen.add(n)
            assert len(text) == len(lines[n - 1])
        assert unit.place(len(unit.text)) == (n, len(text) + 1)
