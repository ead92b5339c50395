import json
from pathlib import Path

import pytest

from coursemill.config import Config
from coursemill.course import cards
from coursemill.course.cards import Card, Deck
from coursemill.errors import CoursemillError
from coursemill.pure.parameters import Parameter

NOTE = """\
---
worksheet: [ws]
accelerators: [cpu, gpu]
requires: [java]
timeout: 90
---
# Lesson

```python tags="parameters"
epochs = 1  # gpu: 5
```

> [!exercise|id=add] Add
> Add.

```python role="solution"
def add(a, b):
    ### BEGIN SOLUTION
    return a + b
    ### END SOLUTION
```

```python role="test" points=2
assert add(1, 1) == 2
```
"""
OPEN = "---\nworksheet: [ws]\n---\n# Open\n\n```python\nx = 1\n"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "notes" / "Lesson.files").mkdir(parents=True)
    (tmp_path / "notes" / "Lesson.files" / "a.csv").write_text("1\n")
    (tmp_path / "notes" / "Lesson.md").write_text(NOTE)
    (tmp_path / "notes" / "Open.md").write_text(OPEN)
    return Config(tmp_path)


def test_a_card_says_what_a_run_must_know(config: Config) -> None:
    lesson, broken = Deck(config, ()).cards
    assert lesson == Card(
        "Lesson",
        "notes/Lesson.md",
        "ws",
        ("cpu", "gpu"),
        ("java",),
        90.0,
        exercises=1,
        points=2.0,
        code=3,
        notebook=lesson.notebook,
        parameters=(Parameter("epochs", {"gpu": 5}),),
        files=(("Lesson.files/a.csv", "notes/Lesson.files/a.csv"),),
        digest=lesson.digest,
    )
    assert [f.place for f in broken.mistakes] == ["notes/Open.md:6"]


def test_an_unchanged_vault_is_not_read_again(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Deck(config, ()).cards
    with monkeypatch.context() as broken:
        broken.setattr(cards, "load", lambda _config: pytest.fail("the vault was read"))
        assert Deck(config, ()).cards == made
    assert '"epochs = 1' in Deck(config, ()).notebook(made[0])


@pytest.mark.parametrize("file", ["notes/Lesson.md", "notes/Lesson.files/a.csv", "notes/New.md", "notes/x/y.png"])
def test_any_change_of_the_vault_is_seen(config: Config, file: str) -> None:
    made = Deck(config, ()).cards
    path = config.path(file)
    path.parent.mkdir(exist_ok=True)
    path.write_text((path.read_text() if path.exists() else NOTE.replace("add", "sub")) + "\n```python\ny = 1\n```\n")
    again = Deck(config, ()).cards
    assert (again == made) == (file == "notes/x/y.png")


@pytest.mark.parametrize("memory", ["", "{", "[]", "{}", '{"made_by": 1}'])
def test_a_broken_memory_is_made_anew(config: Config, memory: str) -> None:
    made = Deck(config, ()).cards
    file = config.path("build", cards.MEMORY)
    file.write_text(memory)
    assert Deck(config, ()).cards == made
    assert json.loads(file.read_text())["cards"]


def test_a_note_that_no_notebook_can_be_made_of_stops_no_other(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(cards.editions, "worked", fail)
    lesson, _ = Deck(config, ()).cards
    assert lesson.mistakes[0].message == "no notebook can be made of the note: RecursionError: too deep"


def test_names_choose_and_unknown_ones_are_refused(config: Config) -> None:
    assert [card.lesson for card in Deck(config, ("Lesson",)).cards] == ["Lesson"]
    with pytest.raises(CoursemillError, match="Lessen"):
        _ = Deck(config, ("Lessen",)).cards


def test_a_note_that_cannot_be_read_may_be_a_lesson_and_is_no_pass(config: Config) -> None:
    config.path("notes", "Bytes.md").write_bytes(b"\xff\xfe\x00")
    (unread,) = [card for card in Deck(config, ()).cards if card.lesson == "Bytes"]
    assert (unread.worksheet, unread.mistakes[0].place) == ("", "notes/Bytes.md:1")
    assert unread.mistakes[0].message.startswith("CM101 ")
    assert "Bytes" not in [card.lesson for card in Deck(config, ("ws",)).cards]
