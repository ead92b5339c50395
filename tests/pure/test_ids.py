import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure.ids import derived, numbered, unique, valid

CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")  # nbformat 4.5
texts = st.lists(st.text("abcde\n ", min_size=4, max_size=30), max_size=8, unique=True)


def build(tests: list[str], previous: dict[str, str] | None = None) -> dict[str, str]:
    """Ids of unnamed tests → their texts, as the next build finds them."""
    return dict(zip(numbered("x", [("", text) for text in tests], previous or {}), tests, strict=True))


def test_without_a_previous_build_tests_are_counted() -> None:
    assert list(build(["a", "b", "c"])) == ["x-test-1", "x-test-2", "x-test-3"]


@given(texts)
def test_the_same_tests_keep_their_numbers(tests: list[str]) -> None:
    before = build(tests)
    assert build(tests, before) == before


@given(texts, st.data())
def test_inserting_changes_no_other_number(tests: list[str], data: st.DataObject) -> None:
    before = build(tests)
    at = data.draw(st.integers(0, len(tests)))
    after = build([*tests[:at], "something new", *tests[at:]], before)
    assert {k: v for k, v in after.items() if v != "something new"} == before


@given(texts, st.data())
def test_removing_changes_no_other_number(tests: list[str], data: st.DataObject) -> None:
    before = build(tests)
    kept = data.draw(st.lists(st.sampled_from(tests), unique=True)) if tests else []
    kept = [text for text in tests if text in kept]
    assert build(kept, before) == {k: v for k, v in before.items() if v in kept}


@given(texts, st.randoms())
def test_moving_changes_no_number(tests: list[str], random: object) -> None:
    before = build(tests)
    moved = sorted(tests, key=lambda _: random.random())  # type: ignore[attr-defined] # hypothesis' Random
    assert build(moved, before) == before


@given(texts.filter(bool), st.data())
def test_rewording_keeps_the_number(tests: list[str], data: st.DataObject) -> None:
    before = build(tests)
    at = data.draw(st.integers(0, len(tests) - 1))
    reworded = "quite another text"
    after = build([*tests[:at], reworded, *tests[at + 1 :]], before)
    assert list(after) == list(before)


def test_rewording_and_inserting_at_once() -> None:
    before = build(["assert f(1) == 2, 'one'", "assert f(3) == 4, 'two'", "assert g() is None, 'three'"])
    after = build(
        ["assert h([])", "assert f(1) == 2, 'the first one'", "assert f(3) == 4, 'two'", "assert g() is None"], before
    )
    assert list(after) == ["x-test-4", "x-test-1", "x-test-2", "x-test-3"]


def test_a_number_that_was_used_in_the_last_build_is_not_given_to_a_new_test() -> None:
    before = {"x-test-1": "assert one", "x-test-7": "assert seven"}
    assert list(build(["assert one", "something else", "assert seven", "and more"], before)) == [
        "x-test-1",
        "x-test-8",
        "x-test-7",
        "x-test-9",
    ]


def test_equal_texts_keep_their_order() -> None:
    before = {"x-test-3": "same", "x-test-1": "same"}
    assert numbered("x", [("", "same"), ("", "same"), ("", "same")], before) == ("x-test-3", "x-test-1", "x-test-4")


def test_names_stand_beside_numbers() -> None:
    tests = [("empty", "a"), ("", "b"), ("2", "c"), ("", "d")]
    assert numbered("x", tests, {}) == ("x-test-empty", "x-test-1", "x-test-2", "x-test-3")


def test_a_test_that_gets_a_name_frees_nothing() -> None:
    before = build(["a" * 9, "b" * 9])
    assert numbered("x", [("first", "a" * 9), ("", "b" * 9)], before) == ("x-test-first", "x-test-2")


def test_tests_of_other_tasks_count_for_nothing() -> None:
    previous = {"x-y-test-9": "same", "xtest-9": "same", "x-test-09": "same", "x-test-name": "same"}
    assert numbered("x", [("", "same")], previous) == ("x-test-1",)


@given(
    st.lists(st.tuples(st.sampled_from(["", "", "a", "1", "2", "9"]), st.text("ab", max_size=3)), max_size=8),
    st.dictionaries(st.integers(0, 9).map("x-test-{}".format), st.text("ab", max_size=3), max_size=6),
)
def test_numbers_are_unique(tests: list[tuple[str, str]], previous: dict[str, str]) -> None:
    ids = numbered("x", tests, previous)
    assert len(ids) == len(tests)
    unnamed = [one for one, (name, _) in zip(ids, tests, strict=True) if not name]
    assert len(set(unnamed)) == len(unnamed)
    assert not set(unnamed) & {f"x-test-{name}" for name, _ in tests if name}


@given(st.text(max_size=90), st.text())
def test_derived_ids_are_valid(slug: str, content: str) -> None:
    assert CELL_ID.fullmatch(derived(slug, content))
    assert derived(slug, content) == derived(slug, content)


@given(st.text(max_size=90))
def test_valid_ids(wanted: str) -> None:
    assert CELL_ID.fullmatch(valid(wanted))
    if CELL_ID.fullmatch(wanted):
        assert valid(wanted) == wanted


@given(st.lists(st.text("a-", max_size=70) | st.text(max_size=5), max_size=12))
def test_unique_ids(wanted: list[str]) -> None:
    taken: set[str] = set()
    for one in wanted:
        name = unique(one, taken)
        assert CELL_ID.fullmatch(name)
        assert name not in taken
        taken.add(name)


def test_long_ids_stay_apart() -> None:
    first, second = valid("a" * 70), valid("a" * 71)
    assert first != second


@pytest.mark.parametrize(("slug", "stem"), [("accessing-text", "accessing-text"), ("", "cell"), ("übung 1", "bung-1")])
def test_derived_ids_are_readable(slug: str, stem: str) -> None:
    assert re.fullmatch(rf"-?{stem}-[0-9a-f]{{8}}", derived(slug, "x"))
