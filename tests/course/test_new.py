"""A new note passes every check, wherever it stands and whatever it is called; nothing existing is touched."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coursemill.config import Config
from coursemill.course.check import check
from coursemill.course.load import load
from coursemill.course.new import new
from coursemill.errors import CoursemillError
from coursemill.model import Exercise, Hint, Lesson, Question, Quiz

TODAY = date(2026, 3, 1)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "notes").mkdir()
    return Config(tmp_path)


def test_it_uses_every_piece_of_the_syntax(config: Config) -> None:
    path = new(config, "First_lesson", today=TODAY)
    assert path == "notes/First_lesson.md"
    text = config.path(path).read_text(encoding="utf-8")
    (lesson,) = load(config).lessons
    exercise, question, single, multiple = lesson.tasks
    assert isinstance(exercise, Exercise)
    assert isinstance(question, Question)
    assert isinstance(single, Quiz)
    assert isinstance(multiple, Quiz)
    assert {type(part) for part in exercise.parts} >= {Hint}
    assert [test.hidden for test in exercise.tests] == [False, True, True]
    assert [wrong.score for wrong in exercise.wrongs] == [1, 3]
    assert (question.points, single.multiple, multiple.multiple) == (2, False, True)
    assert question.model_answer
    assert question.rubric
    codes = list(lesson.codes())
    assert {code.role for code in codes} == {"run", "setup", "file", "shell"}
    assert any(code.claim for code in codes if code.role == "shell")
    assert any("parameters" in code.tags for code in codes)
    assert any(code.id for code in codes)
    assert sum(code.indent > 0 for code in codes) >= 4  # in a list, in a callout, in a tab
    assert all(
        piece in text for piece in ("```d2", "```mermaid", 'role="show"', "[list2tab|#", "> [!tip]-", "%%", "==", "$")
    )
    assert lesson.links
    front = lesson.front
    assert all((front.tags, front.aliases, front.related, front.objectives, front.prerequisites, front.requires))
    assert front.timeout
    assert front.lines["accelerators"]
    assert front.lines["date_created"]
    assert lesson.title == "First lesson"
    assert "2026-03-01" in text
    assert "{{" not in text


@pytest.mark.parametrize(
    "name",
    [
        "A",
        "160_Python_Libraries/Pandas/Joins and merges",
        "O'Reilly, 50% & more (1)",
        "日本/語",
        "Überblick.md",
        "notes/With_prefix",
        "1984",
        "no",
        "-x",
        "_",
        "x" * 200,
        "$HOME {{ id }} $x$ _b_ ==c==",
    ],
)
def test_it_is_sound_under_any_name(config: Config, name: str) -> None:
    new(config, name, today=TODAY)
    assert not check(config).findings


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.text(max_size=12), st.text(max_size=12))
def test_it_is_sound_or_refused(config: Config, name: str, title: str) -> None:
    before = {path: path.read_bytes() for path in config.root.rglob("*.md")}
    try:
        path = new(config, name, title=title, today=TODAY)
    except CoursemillError:
        assert {path: path.read_bytes() for path in config.root.rglob("*.md")} == before
        return
    assert not check(config).findings
    assert config.path(path).resolve().is_relative_to(config.path("notes").resolve())
    config.path(path).unlink()


def test_notes_do_not_clash(config: Config) -> None:
    for name in ("My lesson", "sub/My_lesson", "sub/My-lesson!", "My", "日", "本"):
        new(config, name, today=TODAY)
    assert not check(config).findings
    ids = [task.id for lesson in load(config).lessons for task in lesson.tasks]
    assert len(ids) == len(set(ids)) == 24
    assert {"my-lesson-minutes", "my-lesson-2-minutes", "my-lesson-3-minutes", "my-2-minutes"} <= set(ids)


def test_it_says_where_else_to_look(config: Config) -> None:
    new(config, "sub/First", title="The [first]", today=TODAY)
    new(config, "Second", title='A: "b" %%% |\n  c', today=TODAY)
    second = by_name(config, "Second")
    assert second.front.related == ("[[sub/First|The first]]",)
    assert second.title == 'A: "b" % | c'
    assert second.front.aliases == ('A: "b" % | c',)


def test_the_worksheet_is_chosen(config: Config) -> None:
    new(config, "A", today=TODAY)
    new(config, "B", worksheet="WS_Soup 2.0", today=TODAY)
    assert by_name(config, "A").front.worksheets == ("WS_1",)
    assert by_name(config, "B").front.worksheets == ("WS_Soup 2.0",)
    with pytest.raises(CoursemillError, match=r"several worksheets.*--worksheet WS_1 \| WS_Soup 2\.0"):
        new(config, "C", today=TODAY)
    known = Config(config.root, worksheets=("WS_1", "WS_2", "WS_Soup 2.0"))
    with pytest.raises(CoursemillError, match=r"no worksheet `WS_3` \(did you mean `WS_\d`"):
        new(known, "C", worksheet="WS_3", today=TODAY)
    with pytest.raises(CoursemillError, match=r"no worksheet `Other` \(make notes/_worksheets/Other/"):
        new(known, "C", worksheet="Other", today=TODAY)
    with pytest.raises(CoursemillError, match="cannot name a worksheet"):
        new(config, "C", worksheet="../x", today=TODAY)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "/etc/passwd",
        "..",
        "../x",
        "a/../../x",
        "a//b",
        "a/.hidden",
        ".hidden",
        "a\\b",
        "a\0b",
        "a\nb",
        "what?",
        "a#b",
        "a[b]",
        "a%%b",
        " a",
        "a ",
        "x" * 300,
        "\ud800",
        "_worksheets/WS_1/x",
        "_diagrams/x",
        "A.files/x",
        "templates/x",
        "out/x",
    ],
)
def test_bad_paths_are_refused(config: Config, name: str) -> None:
    outside = config.root / "outside"
    outside.mkdir()
    config.path("notes/out").symlink_to(outside)
    with pytest.raises(CoursemillError):
        new(config, name, today=TODAY)
    assert not list(config.root.rglob("*.md"))


@pytest.mark.parametrize("name", ["Taken", "taken", "notes/Taken.md", "./Taken", "Dangling", "Folder"])
def test_nothing_is_overwritten(config: Config, name: str) -> None:
    config.path("notes/Taken.md").write_text("mine")
    config.path("notes/Dangling.md").symlink_to("nowhere")
    config.path("notes/Folder.md").mkdir()
    with pytest.raises(CoursemillError, match="already"):
        new(config, name, today=TODAY)
    assert config.path("notes/Taken.md").read_text() == "mine"
    assert not config.path("notes/nowhere").exists()


def by_name(config: Config, name: str) -> Lesson:
    return next(lesson for lesson in load(config).lessons if lesson.name == name)
