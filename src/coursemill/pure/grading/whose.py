"""The ids that nbgrader has, or gets, for the people whom exports name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from coursemill.pure import naming
from coursemill.pure.grading import membernames
from coursemill.pure.grading.exports import Owner
from coursemill.pure.grading.roster import Roster

_OWN = ("exchange", "submitted", "folders", "files", "pattern", "gradescope")
"""Layouts whose key is an id already."""


@dataclass(frozen=True, slots=True)
class Student:
    """Somebody's id, or why they have none."""

    id: str
    known: bool = False
    """Whether the class list or the gradebook has them."""
    problem: str = ""


def identify(owners: Iterable[Owner], roster: Roster) -> dict[Owner, Student]:
    """Find everybody's id; who is not known gets one that is made of their name.

    Two people never get one id: the system's number tells people of one name apart.
    """
    everybody = list(dict.fromkeys(owners))
    found = {owner: _known(owner, roster) for owner in everybody}
    made: defaultdict[str, set[str]] = defaultdict(set)
    for owner in everybody:
        if not found[owner]:
            made[naming.folded(_made(owner))].add(owner.lms)
    students = {
        owner: _listed(found[owner])
        if found[owner]
        else _new(owner, several=len(made[naming.folded(_made(owner))] - {""}) > 1)
        for owner in everybody
    }
    alike: defaultdict[str, list[Owner]] = defaultdict(list)
    for owner, student in students.items():
        alike[naming.folded(student.id)].append(owner)
    return {
        owner: _unique(owner, student, {other: students[other] for other in alike[naming.folded(student.id)]})
        for owner, student in students.items()
    }


def _known(owner: Owner, roster: Roster) -> str:
    return roster.find(lms=owner.lms, key=owner.key, name=owner.name)


def _listed(id: str) -> Student:
    """Somebody of the class; an id may be odd, but it must be a folder's name."""
    unsafe = id.startswith(".") or any(mark in id for mark in "/\0")
    return Student(id, known=True, problem="this id cannot be a folder's name" if unsafe else "")


def _made(owner: Owner) -> str:
    """An id for somebody who has none."""
    if owner.layout in _OWN and owner.key and not membernames.cannot_be_id(owner.key):
        return owner.key
    return membernames.student_id(owner.name or owner.key) or membernames.student_id(owner.lms)


def _new(owner: Owner, *, several: bool) -> Student:
    made = _made(owner)
    if several and owner.lms:
        made = membernames.student_id(f"{made}-{owner.lms}")
    return Student(made) if made else Student("", problem="no id can be made of the student's name")


def _unique(owner: Owner, student: Student, alike: Mapping[Owner, Student]) -> Student:
    """Refuse an id that means two people: by their numbers, or by names that are one on other systems."""
    for other, theirs in alike.items():
        others = other.layout == owner.layout and other.lms and owner.lms and other.lms != owner.lms
        if others or theirs.id != student.id:
            who = f"`{membernames.shown(owner.shown)}` and `{membernames.shown(other.shown)}`"
            return Student(student.id, student.known, f"{who} would be one student: tell them apart with --students")
    return student
