"""Outputs are made of messages that may be anything."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure.grading import outputs
from coursemill.pure.grading.outputs import Outputs, same

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
KINDS = ("stream", "display_data", "execute_result", "update_display_data", "error", "clear_output", "status", "x")
KEYS = ("name", "text", "data", "metadata", "transient", "wait", "ename", "evalue", "traceback", "display_id")


def collected(*messages: tuple[str, Any], size: int = 10) -> tuple[dict[str, Any], ...]:
    made = Outputs()
    made.begin("a")
    for kind, content in messages:
        made.take(kind, content, size)
    return made.of("a")


def text(said: str, name: str = "stdout") -> tuple[str, Any]:
    return "stream", {"name": name, "text": said}


def picture(said: str, name: str = "", kind: str = "display_data") -> tuple[str, Any]:
    return kind, {"data": {"text/plain": said}, "metadata": {}, "transient": {"display_id": name} if name else {}}


def test_printed_text_is_one_output_until_something_else_comes() -> None:
    made = collected(text("a"), text("b"), text("c", "stderr"), picture("p"), text("d"))
    assert [output.get("text", "p") for output in made] == ["ab", "c", "p", "d"]


def test_an_output_that_is_cleared_is_gone_at_once_or_when_the_next_one_comes() -> None:
    assert collected(text("a"), ("clear_output", {})) == ()
    assert [o["text"] for o in collected(text("a"), ("clear_output", {"wait": True}))] == ["a"]
    assert [o["text"] for o in collected(text("a"), ("clear_output", {"wait": True}), text("b"))] == ["b"]


def test_a_display_is_brought_up_to_date_also_in_another_cell() -> None:
    made = Outputs()
    made.begin("a")
    made.take(*picture("old", "d"), size=1)
    made.begin("b")
    made.take(*picture("new", "d", "update_display_data"), size=1)
    assert made.of("a")[0]["data"] == {"text/plain": "new"}
    assert made.of("b") == ()


def test_more_than_is_kept_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "MOST", 3)
    made = collected(*[picture(str(n)) for n in range(9)])
    assert len(made) == 4
    assert "more output than is kept" in made[-1]["text"]
    made = collected(text("a"), text("b"), size=outputs.CELL - 1)
    assert [o["name"] for o in made] == ["stdout", "stderr"]


def test_halves_of_characters_do_not_stay() -> None:
    assert collected(text("\ud800"))[0]["text"] == "?"
    assert collected(picture("\ud800"))[0]["data"] == {"text/plain": "?"}


@given(st.lists(st.tuples(st.sampled_from(KINDS), JSON | st.dictionaries(st.sampled_from(KEYS), JSON))))
def test_nothing_breaks_it(messages: list[tuple[str, Any]]) -> None:
    for output in collected(*messages):
        assert output["output_type"] in {"stream", "display_data", "execute_result", "error"}
        assert isinstance(output.get("text", ""), str)


def test_outputs_are_the_same_whichever_way_their_lines_are_kept() -> None:
    made = collected(text("a\nb\n"), ("execute_result", {"data": {"text/html": "<b>\n</b>"}, "metadata": {}}))
    handed = (
        {"output_type": "stream", "name": "stdout", "text": ["a\n", "b\n"]},
        {
            "output_type": "execute_result",
            "execution_count": 7,
            "metadata": {},
            "data": {"text/html": ["<b>\n", "</b>"]},
        },
    )
    assert same(made, handed)
    assert not same(made, handed[:1])
    assert not same(made, ({**handed[0], "text": "a\n"}, handed[1]))
    assert not same(made, ("x", handed[1]))  # type: ignore[arg-type] # what was handed in may be anything
