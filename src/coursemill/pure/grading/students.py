"""A class of simulated students for a worksheet: what each hands in, and what it deserves.

The same seed gives the same class, to the byte. Most are of all abilities: each exercise is right with a probability
that grows with ability and falls with its difficulty, as in a Rasch model (G. Rasch, 1960); who fails gives a wrong
answer that the notes foresee, makes a small mistake, or leaves it. Beside them there are those that the grader itself
is to be tried with: model solutions, untouched notebooks, every foreseen wrong answer, copies, attackers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Literal

from coursemill.pure.grading import attackers, autograded, choices, mutants, styles
from coursemill.pure.grading.answers import Declared
from coursemill.pure.grading.assignment import Assignment, Item
from coursemill.pure.grading.attackers import Handed
from coursemill.pure.grading.dependence import apart
from coursemill.pure.grading.exercises import Exercise, of

Kind = Literal["solution", "untouched", "foreseen", "regular", "copy", "attack"]
ORDER: tuple[Kind, ...] = ("solution", "untouched", "foreseen", "regular", "copy", "attack")
FIRST = (
    *("Ada", "Alan", "Amara", "Anouk", "Bilal", "Chen", "Dario", "Elif", "Emmy", "Farah", "Grace", "Hugo", "Ines"),
    *("Ivo", "Jonas", "Kaya", "Lena", "Leon", "Lin", "Mara", "Milan", "Mina", "Nadia", "Noor", "Olga", "Omar"),
    *("Pia", "Quentin", "Rosa", "Sami", "Selma", "Tariq", "Uma", "Vera", "Wanda", "Xenia", "Yara", "Zoe"),
)
LAST = (
    *("Abadi", "Bauer", "Castro", "Demir", "Eriksen", "Fischer", "Garcia", "Haddad", "Ito", "Jansen", "Keller"),
    *("Lopez", "Moreau", "Novak", "Okafor", "Park", "Quist", "Rossi", "Sato", "Tanaka", "Ueda", "Vogel", "Weber"),
)
VILLAINS = ("Mallory", "Trudy", "Oscar", "Sybil", "Craig", "Chuck", "Judas", "Grima", "Iago", "Loki", "Moriarty")


@dataclass(frozen=True, slots=True)
class Student:
    """One of the class."""

    id: str
    first: str
    last: str
    kind: Kind
    story: str
    notebooks: Mapping[str, Handed]
    """What is handed in, by the notebook's name."""
    deserves: Mapping[str, float] = field(default_factory=dict)
    """Exact points by exercise, where they are known before: `notebook/exercise`."""
    bounded: bool = False
    """It may not get more in any exercise than an untouched notebook."""
    twin: str = ""
    """Whose work it copied."""


@dataclass(frozen=True, slots=True)
class Material:
    """What a class is made of."""

    assignments: tuple[Assignment, ...]
    wrong: Mapping[str, Sequence[Declared]] = field(default_factory=dict)
    """Answers that the notes foresee, by exercise."""
    given: Mapping[str, float] = field(default_factory=dict)
    """Points of an untouched notebook, by exercise, where the notes say so."""


def students(material: Material, count: int, seed: int) -> tuple[Student, ...]:
    """Return a class of `count`."""
    return tuple(_Cast(material, Random(f"coursemill {seed}")).all(count))


def released(assignment: Assignment, answers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return a notebook as a student hands it in: released cells, with `answers` by the cells' ids."""
    cells = [_cell(item, number, (answers or {}).get(item.id)) for number, item in enumerate(assignment.items, 1)]
    return {"cells": cells, "metadata": dict(assignment.metadata), "nbformat": 4, "nbformat_minor": 5}


def _cell(item: Item, number: int, answer: str | None) -> dict[str, Any]:
    metadata: dict[str, Any] = json.loads(json.dumps(dict(item.metadata), default=str))
    if graded := metadata.get("nbgrader"):
        graded["checksum"] = autograded.checksum(item.released, item.type, graded)
    source = item.released if answer is None else answer
    cell = {"cell_type": item.type, "id": item.cell or f"cell-{number}", "metadata": metadata, "source": source}
    if item.attachments and item.type == "markdown":
        cell["attachments"] = dict(item.attachments)
    return cell | ({"outputs": [], "execution_count": None} if item.type == "code" else {})


class _Cast:
    """Chooses who is in the class."""

    def __init__(self, material: Material, chance: Random) -> None:
        self.material, self.chance = material, chance
        self.exercises = [exercise for one in material.assignments for exercise in of(one) if exercise.answers]
        self.difficulty = {exercise.key: chance.gauss(0.0, 0.9) for exercise in self.exercises}
        self.free = {key for one in material.assignments for key in apart(one)}
        self.taken: set[str] = set()

    def all(self, count: int) -> Iterator[Student]:
        villains = attackers.attacks(self.material.assignments[0].language)
        evil = villains[: min(len(villains), max(1, count // 3))]
        foreseen = max((len(found) for found in self.material.wrong.values()), default=0)
        foreseen = min(foreseen, max(1, count // 5))
        copies = 0 if count < 8 else 2 if count < 60 else count // 30
        fixed = [self.solved, self.untouched][:count]
        yield from (make() for make in fixed)
        left = count - len(fixed)
        for number, attack in enumerate(evil[:left]):
            yield self.attacker(attack, number)
        left -= min(left, len(evil))
        for number in range(min(left, foreseen)):
            yield self.foreseen(number)
        left -= min(left, foreseen)
        copies = min(copies, left // 2)
        regular = [self.regular(copied=n < copies) for n in range(left - copies)]
        yield from regular
        for n in range(copies):
            yield self.copy(regular[n])

    def solved(self) -> Student:
        return self.make("solution", "hands in the model solution", self.solutions(), deserves=self.full())

    def untouched(self) -> Student:
        given = {e.key: self.material.given[e.key] for e in self.exercises if e.key in self.material.given}
        return self.make("untouched", "hands the worksheet in as it was released", {}, deserves=given)

    def foreseen(self, number: int) -> Student:
        """Gives the n-th wrong answer of each exercise that no other depends on, or of one that others do."""
        answers, deserves = self.solutions(), self.full()
        given = 0
        tied = [
            e for e in self.exercises if e.key not in self.free and number < len(self.material.wrong.get(e.key, ()))
        ]
        only = tied[number % len(tied)].key if tied else ""
        for exercise in self.exercises:
            found = self.material.wrong.get(exercise.key, ())
            if number < len(found) and (exercise.key in self.free or exercise.key == only):
                names = [_name(exercise, item) for item in exercise.answers]
                answers |= dict(zip(names, found[number].sources, strict=True))
                deserves[exercise.key] = found[number].score
                given += 1
        for key in [key for key in deserves if only and self.behind(key, only)]:
            del deserves[key]
        wrong = f"{given} foreseen wrong answer{'' if given == 1 else 's'}"
        return self.make("foreseen", f"gives {wrong}, all else right", answers, deserves=deserves)

    def behind(self, key: str, other: str) -> bool:
        """Whether an exercise stands below another one in its notebook."""
        keys = [exercise.key for exercise in self.exercises]
        return keys.index(key) > keys.index(other) and key.partition("/")[0] == other.partition("/")[0]

    def regular(self, *, copied: bool = False) -> Student:
        """Somebody of the class; one who is copied has written more of their own."""
        ability = self.chance.gauss(0.3, 1.1)
        answers: dict[str, str] = {}
        right = 0
        for exercise in self.exercises:
            solves = self.chance.random() < 1 / (1 + math.exp(-1.5 * (ability - self.difficulty[exercise.key])))
            right += solves
            answers |= self.right(exercise) if solves else self.mistaken(exercise, ability)
        own = [styles.scratch(self.chance) for _ in range(3 if copied else self.chance.choice((0, 0, 1, 1, 2)))]
        story = f"knows {right} of {len(self.exercises)} exercises"
        return self.make("regular", story, answers, own=own)

    def right(self, exercise: Exercise) -> dict[str, str]:
        return {_name(exercise, item): styles.restyled(item.source, self.chance) for item in exercise.answers}

    def mistaken(self, exercise: Exercise, ability: float) -> dict[str, str]:
        """An answer of one who does not know; nothing at all is an answer, too."""
        if offered := choices.read(exercise):
            letters = [letter for letter in offered.letters if letter != offered.right]
            weights = [1.0 / (n + 1) for n in range(len(letters))]
            chosen = self.chance.choices(letters, weights)[0] if letters and self.chance.random() < 0.9 else ""
            return {_name(exercise, exercise.answers[0]): f'{offered.variable} = "{chosen}"'} if chosen else {}
        foreseen = self.material.wrong.get(exercise.key, ())
        luck = self.chance.random() + 0.1 * ability
        if luck < 0.2:
            return {}
        if foreseen and luck < 0.65:
            sources = self.chance.choices(foreseen, [1.0 / (n + 1) for n in range(len(foreseen))])[0].sources
            names = [_name(exercise, item) for item in exercise.answers]
            return {name: styles.restyled(text, self.chance) for name, text in zip(names, sources, strict=True)}
        item = self.chance.choice(exercise.answers)
        wrong = mutants.mutant(item.source, self.chance)
        if wrong and self.chance.random() < 0.6:
            wrong = mutants.mutant(wrong, self.chance) or wrong
        if luck > 1.0 or not wrong:
            wrong = f"{item.released.rstrip()}\n    return ("
        return self.right(exercise) | {_name(exercise, item): wrong}

    def copy(self, other: Student) -> Student:
        """The same in other words."""
        changed = {name: self.reworded(handed) for name, handed in other.notebooks.items()}
        made = self.make("copy", f"has changed the names in {other.first}'s work", {})
        return replace(made, notebooks=changed, twin=other.id)

    def reworded(self, handed: Handed) -> Handed:
        notebook = json.loads(handed.content or b"{}")
        for cell in notebook.get("cells", ()):
            graded = cell["metadata"].get("nbgrader", {})
            if cell["cell_type"] == "code" and (graded.get("solution") or not graded) and not _is_instructors(cell):
                cell["source"] = styles.restyled(cell["source"], self.chance)
        return Handed(json.dumps(notebook).encode())

    def attacker(self, attack: attackers.Attack, number: int) -> Student:
        every = attack.deserves == "all"
        answers = self.solutions() if every else {}
        made = self.make("attack", attack.story, answers, deserves=self.full() if every else {}, villain=number)
        target = next((one for one in self.material.assignments if one.tests), self.material.assignments[0])
        content = made.notebooks[target.name].content
        handed = attack.make(json.loads(content or b"{}"), target)
        return replace(made, notebooks={**made.notebooks, target.name: handed}, bounded=not every)

    def make(
        self,
        kind: Kind,
        story: str,
        answers: Mapping[str, str],
        *,
        deserves: Mapping[str, float] | None = None,
        own: Sequence[str] = (),
        villain: int | None = None,
    ) -> Student:
        """A student with a name of their own; `answers` by `notebook/cell`, `own` are cells that they added."""
        first = self.chance.choice(FIRST) if villain is None else VILLAINS[villain % len(VILLAINS)]
        last = self.chance.choice(LAST)
        name = base = f"{first}.{last}".lower()
        while name in self.taken:
            name = f"{base}.{self.chance.randrange(2, 10_000)}"
        self.taken.add(name)
        notebooks = {one.name: self.written(one, answers, own if n == 0 else ()) for n, one in enumerate(self.sheets)}
        return Student(name, first, last, kind, story, notebooks, deserves or {})

    @property
    def sheets(self) -> tuple[Assignment, ...]:
        return self.material.assignments

    def written(self, one: Assignment, answers: Mapping[str, str], own: Sequence[str]) -> Handed:
        here = {item.id: answers[f"{one.name}/{item.id}"] for item in one.items if f"{one.name}/{item.id}" in answers}
        notebook = released(one, here)
        for number, source in enumerate(own, 1):
            about = {"id": f"scratch-{number}", "metadata": {}, "source": source, "outputs": []}
            notebook["cells"].append({"cell_type": "code", "execution_count": None} | about)
        return Handed(json.dumps(notebook).encode())

    def solutions(self) -> dict[str, str]:
        """The instructor's answers."""
        return {_name(exercise, item): item.source for exercise in self.exercises for item in exercise.answers}

    def full(self) -> dict[str, float]:
        """All points that need no person."""
        return {exercise.key: sum(test.points for test in exercise.tests) for exercise in self.exercises}


def _name(exercise: Exercise, item: Item) -> str:
    return f"{exercise.notebook}/{item.id}"


def _is_instructors(cell: Mapping[str, Any]) -> bool:
    """A given cell without nbgrader's metadata: whoever copies leaves it."""
    return not cell["metadata"].get("nbgrader") and not cell["id"].startswith("scratch-")
