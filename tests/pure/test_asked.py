"""A notebook is made again when the vault would answer differently, and only then."""

from dataclasses import replace

from coursemill.model import FrontMatter, Heading, Lesson, Link
from coursemill.pure.asked import Asked, answers
from coursemill.pure.vault import VaultMap


def note(name: str, *links: str) -> Lesson:
    front = FrontMatter(worksheets=("WS",))
    return Lesson(f"notes/{name}.md", name, name, front, (), links=tuple(Link(t, n, 1) for n, t in enumerate(links, 1)))


A, B, C = note("A", "B"), note("B"), note("C")


def test_it_answers_like_the_vault_and_remembers() -> None:
    vault = VaultMap.of([A, B], ["notes/x.png"])
    asked = Asked(vault)
    assert asked.resolve("B", A.path) == (B.path,)
    assert asked.lesson(B.path) is B
    assert asked.backlinks(B.path) == (A.path,)
    assert asked.lesson("notes/none.md") is None
    assert list(asked.questions) == [
        ("resolve", "B", A.path),
        ("lesson", B.path),
        ("backlinks", B.path),
        ("lesson", "notes/none.md"),
    ]


def test_what_changes_the_answers() -> None:
    questions = [("resolve", "B", A.path), ("lesson", B.path), ("backlinks", B.path), ("lesson", "notes/none.md")]

    def answered(*notes: Lesson) -> str:
        return answers(VaultMap.of(notes), questions)

    before = answered(A, B)
    assert answered(A, B, C) == before
    assert answers(VaultMap.of([A, B]), reversed(questions)) == before
    assert answered(A, replace(B, parts=(), findings=())) == before
    assert answered(A, replace(B, links=(Link("A", 1, 1),))) == before
    others = (
        (A,),
        (A, B, note("C", "B")),
        (A, B, replace(note("B"), path="notes/other/B.md")),
        (A, replace(B, title="New")),
        (A, replace(B, headings=(Heading(2, "New", 3),))),
        (A, replace(B, front=FrontMatter(worksheets=("WS_2",)))),
        (A, B, note("none")),
    )
    assert len({before, *(answered(*notes) for notes in others)}) == len(others) + 1
