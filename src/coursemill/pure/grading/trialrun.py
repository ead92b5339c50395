"""Whether a made-up class got what it deserves: the grader is checked by what is known before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from coursemill.pure.grading.exercises import Exercise
from coursemill.pure.grading.flags import Flag
from coursemill.pure.grading.students import Student

ENOUGH = 1e-9
Scores = Mapping[str, Mapping[str, float]]
"""Student → exercise (`notebook/exercise`) → points that its tests gave."""


@dataclass(frozen=True, slots=True)
class Check:
    """Something that must hold, and who it does not hold for."""

    what: str
    failures: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.failures


def checks(
    students: Sequence[Student], scores: Scores, exercises: Sequence[Exercise], flags: Iterable[Flag]
) -> tuple[Check, ...]:
    """Compare what each student got with what is known of them; `scores` lacks those who were not graded."""
    base = next((scores[one.id] for one in students if one.kind == "untouched" and one.id in scores), {})
    flagged = list(flags)
    found = [
        Check("everybody was graded", tuple(one.id for one in students if one.id not in scores)),
        _check("the model solution gets all points", students, "solution", lambda s: _differences(s, scores)),
        _untouched(students, base),
        _check(
            "foreseen wrong answers get exactly their score", students, "foreseen", lambda s: _differences(s, scores)
        ),
        _check("attackers get what they deserve", students, "attack", lambda s: _attacker(s, scores, base)),
        _check("copies get what the work that they copied got", students, "copy", lambda s: _copied(s, scores)),
        _check("copies are said to be similar", students, "copy", lambda s: _alike(s, flagged)),
        Check("nobody gets more than there is", tuple(_beyond(scores, exercises))),
    ]
    kinds = {student.kind for student in students}
    wanted = {"foreseen": found[3], "attack": found[4], "copy": found[5]}
    left_out = [check for kind, check in wanted.items() if kind not in kinds]
    return tuple(one for one in found if one not in left_out and (one is not found[6] or "copy" in kinds))


def _check(what: str, students: Sequence[Student], kind: str, look: Callable[[Student], Iterator[str]]) -> Check:
    failures = (f"{one.id} ({one.story}) {said}" for one in students if one.kind == kind for said in look(one))
    return Check(what, tuple(failures))


def _untouched(students: Sequence[Student], base: Mapping[str, float]) -> Check:
    """Nothing, but for the tests that the notes call given."""
    known = {key: points for one in students if one.kind == "untouched" for key, points in one.deserves.items()}
    failures = [
        f"{key} gives {got:g}{f', not {known[key]:g}' if key in known else ''}: its tests pass without an answer"
        for key, got in base.items()
        if abs(got - known.get(key, 0.0)) > ENOUGH
    ]
    return Check("an untouched worksheet gets nothing but what is given", tuple(failures))


def _differences(student: Student, scores: Scores) -> Iterator[str]:
    got = scores.get(student.id, {})
    for key, deserved in student.deserves.items():
        if abs(got.get(key, 0.0) - deserved) > ENOUGH:
            yield f"gets {got.get(key, 0.0):g} in {key}, and deserves {deserved:g}"


def _attacker(student: Student, scores: Scores, base: Mapping[str, float]) -> Iterator[str]:
    if not student.bounded:
        yield from _differences(student, scores)
        return
    for key, got in scores.get(student.id, {}).items():
        if got > base.get(key, 0.0) + ENOUGH:
            yield f"gets {got:g} in {key}, where an untouched worksheet gets {base.get(key, 0.0):g}"


def _copied(student: Student, scores: Scores) -> Iterator[str]:
    mine, other = (sum(scores.get(name, {}).values()) for name in (student.id, student.twin))
    if abs(mine - other) > ENOUGH:
        yield f"gets {mine:g}, and {student.twin} {other:g}"


def _alike(student: Student, flags: Sequence[Flag]) -> Iterator[str]:
    pair = {student.id, student.twin}
    if not any(flag.kind == "similar" and pair <= set(flag.students) for flag in flags):
        yield f"is not called similar to {student.twin}"


def _beyond(scores: Scores, exercises: Sequence[Exercise]) -> Iterator[str]:
    most = {exercise.key: sum(test.points for test in exercise.tests) for exercise in exercises}
    for student, got in scores.items():
        for key, points in got.items():
            if points > most.get(key, 0.0) + ENOUGH or points < -ENOUGH:
                yield f"{student} gets {points:g} of {most.get(key, 0.0):g} in {key}"
