from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure import claims


def stream(text: str | list[str], name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def result(**data: Any) -> dict[str, Any]:
    return {"output_type": "execute_result", "data": {k.replace("_", "/"): v for k, v in data.items()}}


def test_printed_is_stdout_and_the_result_without_colours_noise_and_pictures() -> None:
    outputs = [
        stream(["a\n", "b\n"]),
        stream("noise\n", "stderr"),
        stream("\x1b[31mred\x1b[0m\n"),
        {"output_type": "display_data", "data": {"text/plain": "<Figure>", "image/png": "…"}},
        {"output_type": "display_data", "data": {"text/html": "<b>"}},
        {"output_type": "error", "ename": "E", "evalue": "", "traceback": []},
        result(text_plain=["[1,\n", " 2]"], text_html="<i>"),
    ]
    assert claims.printed(outputs) == "a\nb\nred\n[1,\n 2]\n"


@pytest.mark.parametrize(
    ("claim", "got"),
    [
        ("1", "1\n"),
        ("", ""),
        ("a   b\nc", "a b c\n"),
        ("took ... s", "took 1.25 s"),
        ("first\n...\nlast", "first\n2\n3\nlast\n"),
        ("a\n\n\nb\n", "a\n\nb"),
    ],
)
def test_true_claims(claim: str, got: str) -> None:
    assert claims.difference(claim, got) == ""


@pytest.mark.parametrize(
    ("claim", "got", "shown"),
    [
        ("a\nb\nc", "a\nB\nc\n", "  a\n- b\n+ B\n  c"),
        ("True", "1", "- True\n+ 1"),
        ("x", "", "- x\n+ (nothing was printed)"),
        ("took ... s\n3", "took 4 s\n4\n", "  took ... s\n- 3\n+ 4"),
        ("a  1\nb", "a 1\nc", "  a  1\n- b\n+ c"),
        ("a\nb", "b\na", "+ b\n  a\n- b"),
    ],
)
def test_false_claims_show_the_lines_that_differ(claim: str, got: str, shown: str) -> None:
    assert claims.difference(claim, got) == shown


def test_a_long_difference_is_cut() -> None:
    shown = claims.difference("\n".join(map(str, range(1000))), "x" * 10_000).splitlines()
    assert len(shown) == claims.MOST_LINES + 1
    assert shown[-1].startswith("… ")
    assert max(map(len, shown)) <= claims.WIDEST + 2


@given(st.text())
def test_what_is_printed_again_is_true(text: str) -> None:
    assert claims.difference(text, text) == ""


@given(st.text(alphabet="ab. \n"), st.text(alphabet="ab. \n"))
def test_a_false_claim_always_shows_something(claim: str, got: str) -> None:
    shown = claims.difference(claim, got)
    if shown:
        assert any(line.startswith(("-", "+")) for line in shown.splitlines())
