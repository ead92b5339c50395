"""What a course is made of: frozen values, from a note's lines to a lesson's exercises.

Everything above this module passes these values around; nothing here touches a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

Attribute = str | int | float | bool
Edition = Literal["worked", "instructor"]
Accelerator = Literal["cpu", "gpu", "tpu"]
ACCELERATORS: tuple[Accelerator, ...] = ("cpu", "gpu", "tpu")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Lines `start` to `end` of a file: 1-based, both included; `path` as a person would type it."""

    path: str
    start: int
    end: int

    def __str__(self) -> str:
        lines = f"{self.start}" if self.end <= self.start else f"{self.start}-{self.end}"
        return f"{self.path}:{lines}"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong in a note: where, the rule's stable code, what, and what to do."""

    path: str
    line: int
    col: int
    code: str
    message: str
    fix: str = ""
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        advice = f" ({self.fix})" if self.fix else ""
        return f"{self.path}:{self.line}:{self.col}: {self.code} {self.message}{advice}"


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """A note's properties; what other tools keep there is left alone."""

    worksheets: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    objectives: tuple[str, ...] = ()
    prerequisites: tuple[str, ...] = ()
    accelerators: tuple[Accelerator, ...] = ("cpu",)
    requires: tuple[str, ...] = ()
    timeout: int | None = None
    """Seconds that a whole run of the lesson may take; None: the course's default."""
    limits: Mapping[str, int] = field(default_factory=dict)
    """What the lesson may use in the sandbox, where the usual is not enough: bytes, seconds or pieces by name."""
    end_line: int = 0
    """The line of the closing `---`; 0 when the note has no front matter."""
    lines: Mapping[str, int] = field(default_factory=dict)
    """Key → its line in the note, for messages."""
    properties: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Every key → its texts, also of those that are other tools'."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A question that students answer and nobody grades (`> [!question]`): the id of the cell to answer in."""

    id: str
    own: bool = False
    """The author gave it; else it is made of the note's name and the question."""


@dataclass(frozen=True, slots=True)
class Prose:
    """Markdown as the author wrote it, out-dented to stand alone; not yet rendered for Jupyter.

    A piece begins at every heading. Tabs that go on after a code cell begin with a bare `[list2tab|]` line again.
    """

    span: Span
    text: str
    slug: str
    """Of the heading that it stands under, e.g. `accessing-attributes`; empty before the first."""
    asks: Ask | None = None
    """It ends with a question, which is answered below it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What the author says the code above prints (a `role="output"` fence)."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """One fence that is executed.

    `span` covers the fence with its ticks; `first_line` is the note's line of the first code line,
    so that line n of `text` (from 1) is line `first_line + n - 1` of the note.
    """

    span: Span
    first_line: int
    text: str
    role: Literal["run", "setup", "file", "shell"] = "run"
    path: str = ""
    """Where `role="file"` writes `text`: a relative POSIX path inside the lesson's directory."""
    tags: tuple[str, ...] = ()
    id: str = ""
    slug: str = ""
    claim: Claim | None = None
    indent: int = 0
    """Characters before the first code line that are the note's and not the code's: a list's indent, `> `."""
    asks: Ask | None = None
    """It ends a question, which is answered below it."""


@dataclass(frozen=True, slots=True)
class Hint:
    span: Span
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Solution:
    """A fence with nbgrader's solution markers in it: what is outside of them is the starter."""

    span: Span
    first_line: int
    text: str
    path: str = ""
    """When set, the student's code is this file (`%%writefile`), not code of the notebook."""
    indent: int = 0


@dataclass(frozen=True, slots=True)
class Test:
    span: Span
    first_line: int
    text: str
    points: float
    hidden: bool = False
    given: bool = False
    """The untouched starter passes it, and is meant to."""
    name: str = ""
    """The author's own `id="…"`; empty: it is numbered."""
    indent: int = 0

    __test__ = False  # pytest: not a test class


@dataclass(frozen=True, slots=True)
class Wrong:
    """An answer that students really give, and the points it deserves."""

    span: Span
    first_line: int
    text: str
    score: float = 0.0
    path: str = ""
    """Of the solution that it stands for, when an exercise has several."""
    indent: int = 0


ExercisePart = Prose | Code | Hint | Solution | Test | Wrong


@dataclass(frozen=True, slots=True)
class Exercise:
    """An auto-graded exercise: prompt, then its parts in the note's order."""

    id: str
    span: Span
    """Of the callout with the prompt; each part has a span of its own, below it."""
    title: str
    prompt: str
    parts: tuple[ExercisePart, ...]

    @property
    def hints(self) -> tuple[Hint, ...]:
        return tuple(p for p in self.parts if isinstance(p, Hint))

    @property
    def solutions(self) -> tuple[Solution, ...]:
        return tuple(p for p in self.parts if isinstance(p, Solution))

    @property
    def tests(self) -> tuple[Test, ...]:
        return tuple(p for p in self.parts if isinstance(p, Test))

    @property
    def wrongs(self) -> tuple[Wrong, ...]:
        return tuple(p for p in self.parts if isinstance(p, Wrong))

    @property
    def points(self) -> float:
        return sum(t.points for t in self.tests)


@dataclass(frozen=True, slots=True)
class Question:
    """A manually graded exercise (`grade=manual`): nbgrader's task cell."""

    id: str
    span: Span
    title: str
    prompt: str
    points: float
    model_answer: str
    rubric: str
    parts: tuple[Prose | Code | Hint, ...] = ()
    key: tuple[Span, ...] = ()
    """Where the model answer and the rubric stand."""


@dataclass(frozen=True, slots=True)
class Option:
    text: str
    right: bool
    why: str = ""
    """The author's remark on the option; shown after grading, never before."""
    line: int = 0
    """The note's line on which it begins."""


@dataclass(frozen=True, slots=True)
class Quiz:
    """A choice question; several right options make it multiple-choice."""

    id: str
    span: Span
    title: str
    prompt: str
    points: float
    options: tuple[Option, ...]
    parts: tuple[Prose | Code | Hint, ...] = ()

    @property
    def multiple(self) -> bool:
        return sum(o.right for o in self.options) > 1

    @property
    def answer(self) -> str:
        """The right letters in order, such as `B` or `AC`."""
        return "".join(letter for letter, o in zip(LETTERS, self.options, strict=False) if o.right)


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
Task = Exercise | Question | Quiz
Part = Prose | Code | Task


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    text: str
    """Without markup, as a reader sees it."""
    line: int
    slug: str = ""
    """Lower-case ASCII letters, digits and `-`; unique in the note."""


@dataclass(frozen=True, slots=True)
class Block:
    """One fence of a note as it stands there, whatever it means: also those that are only shown, in tasks and lists.

    Line n of `text` (from 1) is line `first_line + n - 1` of the note, and begins there behind `indent` characters.
    """

    span: Span
    """The fence with its ticks."""
    first_line: int
    text: str
    """Its lines without the indentation that they share; no line break at the end."""
    language: str
    """The info string's first word in lower case; may be empty."""
    info: str
    role: str = ""
    indent: int = 0
    slug: str = ""
    """Of the heading that it stands under."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One note, understood. `findings` are what the parser could not make sense of."""

    path: str
    """Relative to the course's root, POSIX: `notes/160_Python_Libraries/…/Note.md`."""
    name: str
    """The file's stem: the notebook's name, and what wikilinks say."""
    title: str
    front: FrontMatter
    parts: tuple[Part, ...]
    headings: tuple[Heading, ...] = ()
    links: tuple[Link, ...] = ()
    findings: tuple[Finding, ...] = ()
    files: tuple[FileLink, ...] = ()
    blocks: tuple[Block, ...] = ()
    """Every fence of the note, in order."""
    loose: tuple[Prose, ...] = ()
    """What an error keeps out of every edition, as written: a solution, test or quiz that belongs to no valid task."""
    text: str = field(default="", repr=False)
    """The whole note as it stands, with Unix line ends: line n of every span is line n of this."""

    @property
    def tasks(self) -> tuple[Task, ...]:
        return tuple(p for p in self.parts if isinstance(p, Exercise | Question | Quiz))

    @property
    def points(self) -> float:
        return sum(t.points for t in self.tasks)

    def asks(self) -> Iterator[tuple[Ask, Span]]:
        """Every question that nobody grades, with the lines above the cell to answer in."""
        for part in self.parts:
            if isinstance(part, Prose | Code) and part.asks:
                yield part.asks, part.span

    def codes(self) -> Iterator[Code]:
        """Every executed fence that is no exercise's, in order, also those that follow a task."""
        for part in self.parts:
            if isinstance(part, Code):
                yield part
            elif not isinstance(part, Prose):
                yield from (p for p in part.parts if isinstance(p, Code))


@dataclass(frozen=True, slots=True)
class Link:
    """A wikilink `[[target#heading|alias]]`, or an embed `![[…]]`, outside of code; also those of properties."""

    target: str
    line: int
    col: int
    heading: str = ""
    alias: str = ""
    embed: bool = False
    key: str = ""
    """The property that holds it; empty for a link in the text."""


@dataclass(frozen=True, slots=True)
class FileLink:
    """A file that prose names by a relative path, percent-decoded: `![alt](target)` or `[words](target)`."""

    target: str
    line: int
    col: int
    inline: bool = True
    """Written so, and neither in HTML nor in a definition `[name]: target`, whose addresses notebooks keep."""
