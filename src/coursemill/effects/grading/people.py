"""The students whom the gradebook knows, read without making or changing it."""

from __future__ import annotations

from coursemill.effects import quick
from coursemill.effects.grading import gradebook
from coursemill.effects.grading.gradebook import Book
from coursemill.errors import CoursemillError
from coursemill.pure.grading import roster
from coursemill.pure.grading.roster import Roster


def people(book: Book) -> Roster:
    """Everybody in the gradebook; nobody where there is none yet. Raises CoursemillError when it cannot be read."""
    if (file := gradebook.database(book)) and not file.exists():
        return Roster()
    with quick.imports():
        import sqlalchemy
        from sqlalchemy.exc import ArgumentError, NoSuchTableError, SQLAlchemyError

    try:
        engine = sqlalchemy.create_engine(book.url, poolclass=sqlalchemy.pool.NullPool)
        with engine.connect() as connection:
            table = sqlalchemy.Table("student", sqlalchemy.MetaData(), autoload_with=connection)
            rows = [dict(row._mapping) for row in connection.execute(sqlalchemy.select(table))]
    except NoSuchTableError:
        return Roster()
    except (SQLAlchemyError, ArgumentError, ModuleNotFoundError) as error:
        said = " ".join(str(getattr(error, "orig", None) or error).split())[:300]
        raise CoursemillError(
            f"the gradebook's students cannot be read: {said}", where=file.name if file else ""
        ) from error
    return Roster(tuple(_person({key: str(value or "") for key, value in row.items()}) for row in rows))


def _person(row: dict[str, str]) -> roster.Person:
    keys = (row.get("email", ""),)
    return roster.person(
        row["id"], row.get("first_name", ""), row.get("last_name", ""), keys=keys, lms=row.get("lms_user_id", "")
    )
