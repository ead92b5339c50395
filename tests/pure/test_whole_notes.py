"""Notes made at random: nothing of them is lost, nothing stands twice, and students get nothing that is not theirs."""

from __future__ import annotations

import re
from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure import parse, rules
from coursemill.pure.cells import Notebook
from coursemill.pure.editions import Context, instructor, worked
from coursemill.pure.vault import VaultMap

WORD = re.compile(r"Zq([a-z])\d+x")
"""A word that stands once in the note; the letter says whose it is."""
EVERYBODY, STUDENTS_NOT, NOBODY, AFTER_GRADING = "p", "s", "z", "y"
HIDDEN = re.compile(r"### BEGIN (SOLUTION|HIDDEN TESTS|MARK SCHEME)[\s\S]*?### END \1")
"""What nbgrader takes out."""


@given(st.integers(0, 2**32))
def test_every_word_is_where_it_belongs(seed: int) -> None:
    note = Writer(seed).note()
    lesson = parse.lesson("notes/Note.md", note)
    vault = VaultMap.of([lesson])
    assert not [f for f in rules.check(lesson, rules.Known.of(vault)) if f.severity == "error"]
    context = Context(vault, "W")
    source = text(instructor(lesson, context))
    editions = {"worked": text(worked(lesson, context)), "instructor": source, "student": HIDDEN.sub("", source)}
    counts = {name: Counter(m[0] for m in WORD.finditer(edition)) for name, edition in editions.items()}
    for match in WORD.finditer(note):
        seen = {name: count[match[0]] for name, count in counts.items()}
        if match[1] == AFTER_GRADING:
            assert (seen["worked"] > 0, seen["student"]) == (True, 0), note
        else:
            whole = int(match[1] != NOBODY)
            wanted = {"worked": whole, "instructor": whole, "student": int(match[1] == EVERYBODY)}
            assert seen == wanted, f"{match[0]}\n{note}"
    assert words(editions["worked"]) == words(note), note


def text(notebook: Notebook) -> str:
    return "\n".join(cell["source"] for cell in notebook["cells"])


def words(markdown: str) -> list[str]:
    return [match[0] for match in WORD.finditer(markdown) if match[1] == EVERYBODY]


class Writer:
    """Writes notes without mistakes: blocks in lists, tabs and callouts, three deep, and tasks among them."""

    def __init__(self, seed: int) -> None:
        self.random, self.count = Random(seed), 0

    def note(self) -> str:
        lines = ["---", "worksheet: W", "---", *([f"# {self.word()}", ""] if self.maybe(0.8) else [])]
        for _ in range(self.random.randint(1, 5)):
            lines += [f"{'#' * self.random.randint(2, 4)} {self.word()}", ""] if self.maybe(0.3) else []
            lines += [*self.block(0), ""]
            lines += [*self.task(), ""] if self.maybe(0.4) else []
        return "\n".join(lines) + "\n"

    def maybe(self, chance: float) -> bool:
        return self.random.random() < chance

    def number(self) -> int:
        self.count += 1
        return self.count

    def word(self, whose: str = EVERYBODY) -> str:
        return f"Zq{whose}{self.number()}x"

    def block(self, depth: int) -> list[str]:
        nested = [self.items, self.callout, self.tabs] if depth < 3 else []
        if nested and self.maybe(0.35):
            return self.random.choice(nested)(depth + 1)
        return self.random.choice([self.prose, self.code, self.show, self.claim, self.file, self.table, self.comment])()

    def blocks(self, depth: int) -> list[str]:
        found = [line for _ in range(self.random.randint(1, 4)) for line in [*self.block(depth), ""]]
        return found[:-1]

    def items(self, depth: int) -> list[str]:
        numbered = self.maybe(0.4)
        found: list[str] = []
        for n in range(self.random.randint(1, 3)):
            mark = f"{n + 1}. " if numbered else "- "
            below = ["", *self.blocks(depth)] if self.maybe(0.7) else []
            found += [mark + self.word(), *("" if not line else " " * len(mark) + line for line in below), ""]
        return found[:-1]

    def tabs(self, depth: int) -> list[str]:
        items = [line for _ in range(2) for line in [f"- {self.word()}", "", *indented(self.blocks(depth)), ""]]
        return [f"[list2tab|#{self.word()}]", *items[:-1]]

    def callout(self, depth: int) -> list[str]:
        kind, fold = self.random.choice(["note", "Tip", "mine"]), self.random.choice(["", "-", "+"])
        return quoted([f"[!{kind}]{fold} {self.word()}", *self.blocks(depth)])

    def prose(self) -> list[str]:
        return [" ".join(self.word() for _ in range(self.random.randint(1, 3)))]

    def code(self) -> list[str]:
        ticks = self.random.choice(["```", "~~~", "````"])
        about = self.random.choice(["", ' role="setup"', ' tags="x"', f' id="c{self.number()}"'])
        return [f"{ticks}python{about}", f"x = '{self.word()}'", "", f"y = '{self.word()}'", ticks]

    def show(self) -> list[str]:
        return [self.random.choice(["```text", '```python role="show"', "```js hl=1", "```d2"]), self.word(), "```"]

    def claim(self) -> list[str]:
        return [*self.code(), "", '```text role="output"', self.word(NOBODY), "```"]

    def file(self) -> list[str]:
        return [f'```text role="file" path="a b/f{self.number()}.txt"', self.word(), "```"]

    def table(self) -> list[str]:
        return ["| a | b |", "|---|---|", f"| {self.word()} | [[Note\\|{self.word()}]] |"]

    def comment(self) -> list[str]:
        if self.maybe(0.5):
            return [f"<!-- {self.word(NOBODY)} -->"]
        return [f"%% {self.word(NOBODY)}", "", "```python", self.word(NOBODY), "```", f"{self.word(NOBODY)} %%"]

    def task(self) -> list[str]:
        return self.random.choice([self.exercise, self.question, self.quiz])(f"t{self.number()}")

    def between(self) -> list[str]:
        hint = quoted([f"[!hint]- {self.word()}", self.word()])
        return [*(["", *hint] if self.maybe(0.4) else []), *(["", *self.block(1)] if self.maybe(0.3) else []), ""]

    def exercise(self, name: str) -> list[str]:
        lines = [*quoted([f"[!exercise|id={name}] {self.word()}", *self.prose()]), *self.between()]
        lines += ['```python role="solution"', f"a = '{self.word()}'", "### BEGIN SOLUTION"]
        lines += [f"b = '{self.word(STUDENTS_NOT)}'", "### END SOLUTION", "```", *self.between()]
        for _ in range(self.random.randint(0, 2)):
            lines += ['```python role="test" points=1 hidden=true', f"assert '{self.word(STUDENTS_NOT)}'", "```"]
            lines += self.between()
        lines += ['```python role="test" points=1', f"assert '{self.word()}'", "```", ""]
        return [*lines, '```python role="wrong" score=0', f"b = '{self.word(NOBODY)}'", "```"]

    def question(self, name: str) -> list[str]:
        prompt = quoted([f"[!exercise|id={name} points=1 grade=manual] {self.word()}", *self.prose()])
        answer = quoted(["[!solution]- Model answer", self.word(STUDENTS_NOT)])
        rubric = quoted(["[!rubric]- Rubric", f"- 1 pt: {self.word(STUDENTS_NOT)}"])
        return [*prompt, *self.between(), *answer, *self.between(), *rubric, *self.between()]

    def quiz(self, name: str) -> list[str]:
        marks = self.random.choice(["x ", "  x", "xx ", " x"])
        options = [f"- [{mark}] {self.word()} *{self.word(AFTER_GRADING)}*" for mark in marks]
        return [*quoted([f"[!quiz|id={name} points=1] {self.word()}", *self.prose(), "", *options]), *self.between()]


def quoted(lines: list[str]) -> list[str]:
    return [f"> {line}" if line else ">" for line in lines]


def indented(lines: list[str]) -> list[str]:
    return [f"  {line}" if line else "" for line in lines]
