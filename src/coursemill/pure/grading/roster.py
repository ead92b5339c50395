"""Who is in a class: the ids that nbgrader has for the people whom an export names in its own way."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from coursemill.errors import CoursemillError
from coursemill.pure.grading import membernames

IDS = (
    *("student_id", "nbgrader_id", "id", "username", "user_name", "login", "netid", "sis_login_id"),
    *("sis_user_id", "id_number", "student_number", "sid", "matriculation_number"),
    *("email", "email_address", "e_mail", "mail"),
)
"""Columns that may hold nbgrader's id: what the gradebook knows goes first, else the first of these that is there."""
FIRST = ("first_name", "firstname", "given_name", "forename", "vorname")
LAST = ("last_name", "lastname", "surname", "family_name", "nachname")
FULL = ("full_name", "fullname", "student", "student_name", "display_name", "name")
LMS = ("identifier", "lms_user_id", "canvas_user_id", "participant")
"""Columns that hold what a learning management system calls somebody."""
NOBODY = re.compile(r"\s*points possible\s*|student, test|test student", re.IGNORECASE)
"""Rows of Canvas's gradebook that are no students."""


@dataclass(frozen=True, slots=True)
class Person:
    """A student."""

    id: str
    """nbgrader's."""
    names: frozenset[str] = frozenset()
    """As `membernames.squeezed` leaves them."""
    keys: frozenset[str] = frozenset()
    """Logins, numbers and addresses, in lower case."""
    lms: frozenset[str] = frozenset()
    """What Canvas or Moodle calls them."""


@dataclass(frozen=True, slots=True)
class Roster:
    """A class; `Roster()` knows nobody."""

    people: tuple[Person, ...] = ()
    index: Mapping[tuple[str, str], frozenset[str]] = field(init=False, repr=False)
    """Ids by what they are known by."""

    def __post_init__(self) -> None:
        found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for person in self.people:
            found["id", person.id].add(person.id)
            for kind, values in (("name", person.names), ("key", person.keys), ("lms", person.lms)):
                for value in values:
                    found[kind, value].add(person.id)
        object.__setattr__(self, "index", {known: frozenset(ids) for known, ids in found.items()})

    def find(self, *, lms: str = "", key: str = "", name: str = "") -> str:
        """Return the id of the only one who is meant; empty when nobody is, or several are.

        `lms` is a number that the export gives, `key` a login, number, address or folder's name.
        """
        wanted = [("lms", lms), ("id", key), ("key", key.casefold()), ("id", lms), ("key", lms)]
        for kind, value in [*wanted, ("name", membernames.squeezed(name)), ("name", membernames.squeezed(key))]:
            ids = self.index.get((kind, value), frozenset()) if value else frozenset()
            if ids:
                return next(iter(ids)) if len(ids) == 1 else ""
        return ""

    def __add__(self, other: Roster) -> Roster:
        return Roster((*self.people, *other.people))


def person(id: str, first: str = "", last: str = "", *, keys: Iterable[str] = (), lms: str = "") -> Person:
    """Make a person of what is known of them."""
    names = {membernames.squeezed(text) for text in (f"{first} {last}", f"{last} {first}")} if first or last else set()
    known = frozenset(key.strip().casefold() for key in (id, *keys) if key.strip())
    return Person(id, frozenset(names - {""}), known, frozenset({lms.strip()} - {""}))


def read(text: str, known: Roster | None = None, where: str = "students.csv") -> Roster:
    """Read a class list: Moodle's participants or grading worksheet, Canvas's gradebook, nbgrader's own, or alike.

    The first line names the columns. Of several ids in a row the one counts that `known` has. Raises CoursemillError
    where no column says who somebody is, or an id cannot be one.
    """
    lines = text.lstrip("\ufeff").splitlines(keepends=True)
    header = lines[0] if lines else ""
    delimiter = max(",;\t", key=header.count)
    rows = csv.reader(lines, delimiter=delimiter)
    columns = [_column(cell) for cell in next(rows, [])]
    if not set(columns) & {*IDS, *FULL, *LMS} and not (set(columns) & {*FIRST} and set(columns) & {*LAST}):
        raise CoursemillError(
            "no column says who the students are",
            where=f"{where}:1",
            fix="name one of them `id`, `username`, `email`, or `first_name` and `last_name`",
        )
    try:
        people = tuple(_people(columns, rows, known or Roster(), where))
    except csv.Error as error:
        raise CoursemillError(f"it is no table: {error}", where=f"{where}:{rows.line_num}") from error
    return Roster(people)


def _people(columns: list[str], rows: Iterator[list[str]], known: Roster, where: str) -> Iterator[Person]:
    canvas = "student" in columns
    for number, row in enumerate(rows, 2):
        cells = {name: cell.strip() for name, cell in zip(columns, row, strict=False) if cell.strip()}
        full = next((cells[name] for name in FULL if name in cells), "")
        if not cells or NOBODY.fullmatch(full):
            continue
        lms = cells.get("id", "") if canvas else ""
        keys = [cells[name] for name in IDS if name in cells and not (canvas and name == "id")]
        lms = lms or next((_number(cells[name]) for name in LMS if name in cells), "")
        first, last = (next((cells[n] for n in names if n in cells), "") for names in (FIRST, LAST))
        if full and not (first and last):
            last, comma, first = full.partition(",")
            first, last = (first, last) if comma else (last, "")
        id = next((key for key in keys if known.find(key=key) == key), "") or known.find(
            lms=lms, key=keys[0] if keys else "", name=f"{first} {last}"
        )
        id = id or (keys[0] if keys else "") or lms or membernames.student_id(f"{first} {last}")
        if problem := membernames.cannot_be_id(id):
            raise CoursemillError(f"`{membernames.shown(id)}` is no id: {problem}", where=f"{where}:{number}")
        yield person(id, first, last, keys=keys, lms=lms)


def _column(cell: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", cell.strip().lower()).strip("_")


def _number(text: str) -> str:
    """Moodle writes `Participant 1234567`, in the language of the one who asks."""
    found = re.search(r"\d+$", text)
    return found[0] if found else text
