"""One bad note does not hide the others, and people can name a lesson as they like."""

from pathlib import Path

import pytest

from coursemill.config import Config
from coursemill.course.load import Course, load
from coursemill.errors import CoursemillError


@pytest.fixture
def course(tmp_path: Path) -> Course:
    for name, text in {
        "A/First_Note.md": "---\nworksheet: WS_1\n---\n# One\n",
        "A/Second.md": "---\nworksheet: [WS_1, WS_2]\n---\n# Two\n\n[[First_Note]] [[Idea]]\n",
        "Idea.md": "# Only linked to\n",
        "templates/T.md": "<% tp %>",
        "_worksheets/WS_1/helper.py": "x = 1\n",
        "A/Second.files/p.png": "",
    }.items():
        path = tmp_path / "notes" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "notes/bad.md").write_bytes(b"\xff")
    return load(Config(tmp_path, worksheets=("WS_2",)))


def test_what_is_a_lesson_and_what_can_be_linked_to(course: Course) -> None:
    assert [n.name for n in course.notes] == ["First_Note", "Second", "Idea"]
    assert [n.name for n in course.lessons] == ["First_Note", "Second"]
    assert [f.code for f in course.findings] == ["CM101"]
    assert course.worksheets == {"WS_1", "WS_2"}
    assert set(course.digests) == {n.path for n in course.notes}
    for link, path in {
        "bad": "notes/bad.md",
        "T": "notes/templates/T.md",
        "p.png": "notes/A/Second.files/p.png",
    }.items():
        assert course.vault.resolve(link, "notes/Idea.md") == (path,)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ([], ["First_Note", "Second"]),
        (["Second"], ["Second"]),
        (["Second.md"], ["Second"]),
        (["notes/A/Second.md"], ["Second"]),
        (["./notes/A/Second.md"], ["Second"]),
        (["/somewhere/else/Second.md", "Second"], None),
        (["WS_1"], ["First_Note", "Second"]),
        (["WS_2", "First_Note"], ["First_Note", "Second"]),
        (["cond"], None),
        ([""], None),
    ],
)
def test_names_of_lessons(course: Course, names: list[str], found: list[str] | None) -> None:
    if found is None:
        with pytest.raises(CoursemillError, match="no lesson or worksheet"):
            course.select(names)
    else:
        assert [n.name for n in course.select(names)] == found


@pytest.mark.parametrize(
    ("name", "fix"),
    [("Secnd", "did you mean Second?"), ("Idea", "no `worksheet:`"), ("zzz", "name a note, its path or its worksheet")],
)
def test_a_wrong_name_is_answered_with_what_to_do(course: Course, name: str, fix: str) -> None:
    with pytest.raises(CoursemillError) as raised:
        course.select([name])
    assert fix in str(raised.value)


def test_what_a_lesson_finds_beside_it(course: Course) -> None:
    first, second = course.lessons
    shared = ("helper.py", "notes/_worksheets/WS_1/helper.py")
    assert course.files(first, "WS_1") == (shared,)
    own = ("Second.files/p.png", "notes/A/Second.files/p.png")
    assert course.files(second, "WS_1") == (own, shared)
    assert course.files(second, "WS_2") == (own,)
