"""Twins of tests: what each assertion expects, made different in one place."""

import ast
import datetime
import re
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursemill.pure.grading.twins import twins


def changed(source: str) -> list[str]:
    """Each twin's lines that are others than the test's."""
    lines = source.split("\n")
    return [
        " ".join(new.strip() for old, new in zip(lines, twin.split("\n"), strict=True) if old != new)
        for twin in twins(source)
    ]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("assert f(1) == 3", ["assert f(1) == 4", "assert f(1) == ..."]),
        ("assert f(1) == -3", ["assert f(1) == -4", "assert f(1) == ..."]),
        ("assert 'a' == f(1), 'why 3'", ["assert 'a\u2047' == f(1), 'why 3'", "assert 'a' == ..., 'why 3'"]),
        ("assert got is None", ["assert got is ..."]),
        ("assert got is True", ["assert got is False", "assert got is ..."]),
        ("assert got is not None", ["assert got is  None"]),
        ("assert a not in b", ["assert a  in b"]),
        ("assert a != b", ["assert a == b"]),
        ("assert 'x' in text", ["assert 'x\u2047' in text", "assert 'x' in ()"]),
        ("assert got in (1, 2)", ["assert got in ()"]),
        ("assert accuracy > 0.85", ["assert accuracy > 1e999"]),
        ("assert 0 < x <= 9", ["assert 1e999 < x <= 9", "assert 0 < x <= -1e999"]),
        ("assert abs(x - 3.5) < 1e-6", ["assert abs(x - 1000000003.5) < 1e-6", "assert abs(x - 3.5) < -1e999"]),
        ("assert x % 5 < 3", ["assert x % 5 < -1e999"]),
        ("assert seen <= set('ab')", ["assert seen <= set()"]),
        ("assert f(2)", ["assert (not f(2))"]),
        ("assert not f(2)", ["assert f(2)"]),
        ("assert x == 3 or x == 4", ["assert (not (x == 3 or x == 4))"]),
        ("assert any(x == 3 for x in y)", ["assert (not any((x == 3 for x in y)))"]),
        ("assert f and g == 1", ["assert f and g == 2", "assert f and g == ...", "assert (not f) and g == 1"]),
        ("assert f() == []", ["assert f() == [...]", "assert f() == ..."]),
        ("assert f() == {}", ["assert f() == {...: ...}", "assert f() == ..."]),
        ("assert f() == set()", ["assert f() == ..."]),
        ("assert f() == g(3)", ["assert f() == ..."]),
        ("assert isinstance(x, list)", ["assert isinstance(x, ())"]),
        ("assert hasattr(x, 'size')", ["assert hasattr(x, 'size\u2047')"]),
        ("assert all(a == b for a, b in c)", ["assert all(a == ... for a, b in c)"]),
        ("assert (a == [1]).all()", ["assert (a == [2]).all()", "assert (a == ...).all()"]),
        (
            "assert np.allclose(f(), [0.5, 2])",
            [
                "assert np.allclose(f(), [1000000000.5, 2])",
                "assert np.allclose(f(), [0.5, 1000000002])",
                "assert np.allclose(f(), ...)",
            ],
        ),
        ("assert x == pytest.approx(2)", ["assert x == pytest.approx(1000000002)", "assert x == ..."]),
        ("np.testing.assert_allclose(a, b)", ["np.testing.assert_allclose(a, ...)"]),
        ("self.assertEqual(f(1), 2)", ["self.assertEqual(f(1), 3)", "self.assertEqual(f(1), ...)"]),
        ("self.assertIn(3, f(1))", ["self.assertIn(3, ())"]),
        ("self.assertGreater(f(1), 2)", ["self.assertGreater(f(1), 1e999)"]),
        ("self.assertNotEqual(f(1), 2)", ["self.assertNotEqual(f(1), f(1))"]),
        ("self.assertRaises(ValueError, f, 2)", ["self.assertRaises(GeneratorExit, f, 2)"]),
        ("with pytest.raises(ValueError):\n    f(2)", ["with pytest.raises(GeneratorExit):"]),
        ("try:\n    f(2)\nexcept ValueError:\n    pass", ["except GeneratorExit:"]),
        ("for x in (1, 2):\n    assert f(x) == 2", ["assert f(x) == 3", "assert f(x) == ..."]),
        ("%time x = f(1)\nassert x == 1", ["assert x == 2", "assert x == ..."]),
        (
            "assert 'ä' == f('ö') == 'ü'",
            [
                "assert 'ä\u2047' == f('ö') == 'ü'",
                "assert 'ä' == f('ö') == 'ü\u2047'",
                "assert 'ä' == ... == 'ü'",
                "assert 'ä' == f('ö') == ...",
            ],
        ),
        ("print(f(3))", []),
        ("f(3", []),
        ("!ls", []),
    ],
)
def test_what_is_expected_is_changed(source: str, expected: list[str]) -> None:
    assert changed(source) == expected


def test_lines_stay_where_they_are() -> None:
    source = 'x = 1\nassert f(1) == """a\nb""", "no"\nassert f(2) == [\n    1,  # one\n    2,\n]\n'
    for twin in twins(source):
        assert twin.count("\n") == source.count("\n")
        assert [n.lineno for n in ast.parse(twin).body] == [n.lineno for n in ast.parse(source).body]
    assert 'assert f(1) == ("a\\nb\u2047"\n), "no"' in twins(source)[0].replace("'", '"')


def test_literals_are_changed_before_all_else() -> None:
    found = changed("assert f(1) == g(1)\nassert f(2) == 3")
    assert found == ["assert f(2) == 4", "assert f(1) == ...", "assert f(2) == ..."]


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False, min_value=-1e6, max_value=1e6)
    | st.text()
    | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=8,
)
FORMS = (
    "assert got == {}",
    "assert {} == got",
    "for _ in [0]:\n    assert (got == {}), 'no'",
    "equal = got == {}\nassert equal",
)


@given(PLAIN, st.sampled_from(FORMS))
@settings(deadline=None)
def test_a_twin_fails_where_the_test_passes(value: Any, form: str) -> None:
    source = form.format(repr(value))
    exec(source, {"got": value})
    found = twins(source)
    assert found
    for twin in found:
        assert twin != source
        assert twin.count("\n") == source.count("\n")
        with pytest.raises(AssertionError):
            exec(twin, {"got": value})


class Equal:
    """What is equal to everything."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]  # the language wants it so


@given(PLAIN)
@settings(deadline=None)
def test_a_twin_of_a_comparison_passes_for_what_equals_everything(value: Any) -> None:
    for twin in twins(f"assert got == {value!r}"):
        exec(twin, {"got": Equal()})


def is_fine(twin: str, source: str) -> bool:
    compile(twin, "twin", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    return twin != source and twin.count("\n") == source.count("\n")


@given(st.text(alphabet=st.sampled_from("assert fx()[]{}=<>!in is not,.:\n 'äü1#%"), max_size=80))
@settings(deadline=None)
def test_any_text_has_twins_that_parse_or_none(source: str) -> None:
    assert all(is_fine(re.sub(r"(?m)^.*[%!?].*$", "pass", t), "") for t in twins(source) if "%" not in t)


def test_dates_and_fractions() -> None:
    for value in (datetime.date(2026, 5, 4), Fraction(1, 3)):
        names = {"datetime": datetime, "Fraction": Fraction, "got": value}
        for twin in twins(f"assert got == {value!r}"):
            with pytest.raises(AssertionError):
                exec(twin, names)
