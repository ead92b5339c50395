"""The worksheet as a stock nbgrader course on disk, with what students handed in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from hostile import sheet
from hostile.deed import Deed

SETTINGS = """c = get_config()
c.Execute.timeout = 20
c.CourseDirectory.course_id = ""
"""


def lay_out(root: Path, class_: Mapping[str, Deed]) -> None:
    """Write the course below `root`."""
    (root / "nbgrader_config.py").write_text(SETTINGS)
    source = root / "source" / sheet.WORKSHEET
    _write(source, {f"{sheet.NAME}.ipynb": json.dumps(sheet.instructors()).encode(), **sheet.FILES})
    for student, deed in class_.items():
        hand_in(root, student, deed)


def hand_in(root: Path, student: str, deed: Deed) -> None:
    """Write a submission."""
    folder = root / "submitted" / student / sheet.WORKSHEET
    _write(folder, {**sheet.FILES, **deed.files, f"{sheet.NAME}.ipynb": deed.notebook()})


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    for path, content in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
