"""What an export of grades says of students beside their points, as nbgrader's gradebook knows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from coursemill.effects import quick
from coursemill.effects.grading import cells, gradebook
from coursemill.effects.grading.gradebook import Book
from coursemill.errors import CoursemillError


@dataclass(frozen=True, slots=True)
class Member:
    """A student; what nobody has entered is empty."""

    first: str = ""
    last: str = ""
    email: str = ""
    lms: str = ""
    """The id in the LMS."""
    handed: str = ""
    """When the worksheet was handed in, as `nbgrader export` writes it."""


def members(book: Book, worksheet: str) -> Mapping[str, Member]:
    """Every student that the gradebook knows, by id. Raises CoursemillError when it cannot be read."""
    if (file := gradebook.database(book)) and not file.exists():
        return {}
    with quick.imports():
        from nbgrader.api import Gradebook, Student, SubmittedAssignment
        from sqlalchemy.exc import SQLAlchemyError

    try:
        with Gradebook(book.url, book.course or cells.COURSE) as found:
            times = {
                one.student_id: str(one.timestamp)
                for one in found.db.query(SubmittedAssignment)
                if one.name == worksheet and one.timestamp is not None
            }
            return {
                one.id: Member(
                    one.first_name or "",
                    one.last_name or "",
                    one.email or "",
                    one.lms_user_id or "",
                    times.get(one.id, ""),
                )
                for one in found.db.query(Student)
            }
    except SQLAlchemyError as error:
        said = " ".join(str(getattr(error, "orig", None) or error).split())[:300]
        raise CoursemillError(f"the gradebook cannot be read: {said}", where=file.name if file else "") from error
