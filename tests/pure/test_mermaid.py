"""What is surely wrong in a mermaid source."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure import mermaid

BEGIN = "begin with `flowchart LR`, `sequenceDiagram`, `mindmap` or another kind"


@pytest.mark.parametrize(
    ("source", "mistakes"),
    [
        ("flowchat LR\n a --> b", ["1:1 `flowchat`: did you mean `flowchart`?"]),
        ("\n%% a comment\n  sequencediagram\n", ["3:3 `sequencediagram`: did you mean `sequenceDiagram`?"]),
        ("---\ntitle: x\n---\nbox\n", [f"4:1 `box`: {BEGIN}"]),
        ("%%{init: {\n 'theme': 'dark'\n}}%%\ngraph TD", []),
        ("graph TD;\n a-->b", []),
        ("sequenceDiagramm\n", ["1:1 `sequenceDiagramm`: did you mean `sequenceDiagram`?"]),
        ("flowchart-elk LR", []),
        ("stateDiagram-v2", []),
        ("quadrantChart", []),
        ("xychart-beta", []),
        ("something-beta", []),
        ("requirement", []),
        ("", []),
        ("---", []),
        ("%% nothing", []),
        ("A --> B", [f"1:1 `A`: {BEGIN}"]),
    ],
)
def test_the_kind_of_a_diagram(source: str, mistakes: list[str]) -> None:
    found = mermaid.mistakes(source)
    assert all(one.message.startswith("mermaid has no diagram `") for one in found)
    assert [f"{one.line}:{one.col} {one.message.split()[-1]}: {one.fix}" for one in found] == mistakes


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("graph TDD\nA --> B", ["1:7 mermaid has no direction `TDD` (did you mean `TD`?)"]),
        ("flowchart down;", ["1:11 mermaid has no direction `down` (write `TB`, `BT`, `LR` or `RL`)"]),
        ("graph\nA --> B", []),
        ("flowchart RL", []),
        ("graph >", []),
    ],
)
def test_the_direction_of_a_diagram(source: str, found: list[str]) -> None:
    assert [f"{one.line}:{one.col} {one.message} ({one.fix})" for one in mermaid.mistakes(source)] == found


@pytest.mark.parametrize("kind", mermaid.KINDS)
def test_every_kind_is_known(kind: str) -> None:
    assert mermaid.mistakes(f"{kind}\n") == []


@given(st.text(max_size=60))
def test_any_text_is_read_and_places_are_right(source: str) -> None:
    for one in mermaid.mistakes(source):
        assert source.split("\n")[one.line - 1][one.col - 1 :]
