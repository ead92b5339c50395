"""Tests that nbgrader has made of AUTOTEST comments: it ran the solution for that, and keeps what it made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from coursemill.effects import quick
from coursemill.errors import CoursemillError
from coursemill.pure.grading import intake


def asked(notebook: Mapping[str, Any], mark: str) -> bool:
    """Whether a cell asks for such tests."""
    return any(mark in _source(cell) for cell in notebook["cells"] if cell.get("cell_type") == "code")


def made(db_url: str, files: Iterable[Path], worksheet: str, notebook: str, mark: str) -> dict[str, str]:
    """Sources of the notebook's cells by grade_id, from the gradebook, or else from what stands in `files`."""
    found: dict[str, str] = {}
    for path in files:
        for name, source in _of_file(path):
            if mark not in source:
                found.setdefault(name, source)
    kept = {name: source for name, source in _of_gradebook(db_url, worksheet, notebook).items() if mark not in source}
    return found | kept


def _of_file(path: Path) -> Iterable[tuple[str, str]]:
    try:
        content, _ = intake.parsed(path.read_bytes())
    except (OSError, intake.Unreadable):
        return
    for cell in content["cells"]:
        if name := cell.get("metadata", {}).get("nbgrader", {}).get("grade_id"):
            yield name, _source(cell)


def _of_gradebook(db_url: str, worksheet: str, notebook: str) -> dict[str, str]:
    """What stands in the gradebook, if there is one: it has the hidden tests, too."""
    with quick.imports():
        from nbgrader import api
        from sqlalchemy import create_engine
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import SQLAlchemyError
        from sqlalchemy.orm import Session

    try:
        url = make_url(db_url)
        if url.drivername.startswith("sqlite") and not Path(url.database or "").is_file():
            return {}
        engine = create_engine(url)
        try:
            with Session(engine) as session:
                cells = session.query(api.SourceCell).join(api.Notebook).join(api.Assignment)
                rows = cells.filter(api.Notebook.name == notebook, api.Assignment.name == worksheet)
                return {str(row.name): str(row.source) for row in rows if row.source is not None}
        finally:
            engine.dispose()
    except SQLAlchemyError as error:
        fix = "look at c.CourseDirectory.db_url in nbgrader_config.py"
        raise CoursemillError(f"the gradebook cannot be read: {error}", where=db_url, fix=fix) from error


def _source(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)
