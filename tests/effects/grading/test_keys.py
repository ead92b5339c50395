"""What a result depends on: nothing is left out, and points are not among it."""

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from coursemill.effects.grading import keys
from coursemill.pure.grading.assignment import Assignment, Item
from coursemill.pure.grading.job import Handed, Options, Package
from coursemill.pure.grading.plan import Plan
from coursemill.pure.grading.verdict import Note

TEST = Item(
    "t", "test", "code", "assert 1", "assert 1", 2.0, {"nbgrader": {"grade_id": "t", "points": 2, "checksum": "x"}}
)
GIVEN = Item("g", "given", "code", "x = 1", "x = 1")
ASSIGNMENT = Assignment("WS", "Lesson", (GIVEN, TEST))
HANDED = Handed("ada", b"{}", {"a.txt": b"a"})


def key(
    assignment: Assignment = ASSIGNMENT,
    handed: Handed = HANDED,
    options: Options = Options(),  # noqa: B008 - frozen
    files: dict[str, bytes] | None = None,
    limits: dict[str, int] | None = None,
    machine: str = "here",
    editable: frozenset[str] = frozenset(),
) -> str:
    given = {"data.csv": b"1"} if files is None else files
    package = Package(assignment, Plan(), given, editable, limits or {})
    return keys.key(keys.Instructor.of(package, options, machine).basis(handed))


OTHERS = {
    "content": {"handed": replace(HANDED, content=b"{ }")},
    "nothing": {"handed": replace(HANDED, content=None)},
    "a file": {"handed": replace(HANDED, files={"a.txt": b"b"})},
    "a file's name": {"handed": replace(HANDED, files={"b.txt": b"a"})},
    "a note": {"handed": replace(HANDED, notes=(Note("file", "x", "left out"),))},
    "a test": {"assignment": replace(ASSIGNMENT, items=(GIVEN, replace(TEST, source="assert 2")))},
    "what is hidden": {"assignment": replace(ASSIGNMENT, items=(GIVEN, replace(TEST, hidden=frozenset({1}))))},
    "the order": {"assignment": replace(ASSIGNMENT, items=(TEST, GIVEN))},
    "a given cell": {"assignment": replace(ASSIGNMENT, items=(replace(GIVEN, source="x = 2"), TEST))},
    "the kernel": {"assignment": replace(ASSIGNMENT, kernel="other")},
    "a helper": {"files": {"data.csv": b"2"}},
    "whose a file is": {"editable": frozenset({"data.csv"})},
    "the time": {"options": Options(timeout=5)},
    "the trust": {"options": Options(trust=True)},
    "a limit": {"limits": {"memory": 1}},
    "the machine": {"machine": "there"},
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_result_depends_on(other: str) -> None:
    assert key(**OTHERS[other]) != key()  # type: ignore[arg-type] # by name


def test_it_depends_on_neither_points_nor_the_student() -> None:
    dearer = replace(TEST, points=5.0, metadata={"nbgrader": {"grade_id": "t", "points": 5, "checksum": "y"}})
    assert key(replace(ASSIGNMENT, items=(GIVEN, dearer))) == key()
    assert key(handed=replace(HANDED, student="bob")) == key()
    assert key(options=Options(preload=False)) == key()


def test_contents_cannot_pass_for_others() -> None:
    assert key(handed=replace(HANDED, content=b"absent")) != key(handed=replace(HANDED, content=None))
    one = key(handed=replace(HANDED, files={"a": b"bc", "d": b""}))
    assert one != key(handed=replace(HANDED, files={"a": b"b", "cd": b""}))


def test_our_code_is_all_that_examining_imports() -> None:
    start = keys.PACKAGE / keys.EXAMINATION
    found, waiting = set[Path](), [start]
    while waiting:
        file = waiting.pop()
        if file not in found and file.is_file():
            found.add(file)
            waiting.extend(imported(file))
    assert len(found) > 10
    assert found <= set(keys.our_code())


def imported(file: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(file.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}", *(f"{node.module}.{name}" for name in names)]
        for name in names:
            first, *parts = name.split(".")
            if first == "coursemill":
                path = keys.PACKAGE.joinpath(*parts)
                yield from (path.with_suffix(".py"), path / "__init__.py")
