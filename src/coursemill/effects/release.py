"""Student editions, made by nbgrader's own `generate_assignment`, in process; the only importer of nbgrader here."""

from __future__ import annotations

import glob
import json
import logging
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from coursemill.effects import quick
from coursemill.errors import ConfigError, CoursemillError

SETTINGS = "nbgrader_config.py"
SOURCE, RELEASE = "source", "release"
"""The folders of the staging course: nbgrader's own names for its steps."""
STRUCTURE = "{nbgrader_step}/{student_id}/{assignment_id}"


@dataclass(frozen=True, slots=True)
class Generated:
    """What nbgrader made: `made` is the folder with the students' files; `refused` says why, by notebook."""

    made: Path
    refused: Mapping[str, str] = field(default_factory=dict)


def generate(stage: Path, worksheet: str, settings: Path) -> Generated:
    """Run `generate_assignment --no-db` on what stands in `stage/source/<worksheet>`; the result is in `stage`.

    `stage` is an nbgrader course of its own, so that neither the course's gradebook nor its `release/` is touched;
    `settings` is the course's nbgrader_config.py, whose stubs and headers count. A notebook that nbgrader refuses
    is left out and does not keep the others from being made. nbgrader changes the working directory while it runs,
    so call this where nothing else depends on it. Raises OSError when `stage` cannot be written.
    """
    config = _staging(stage, settings)
    made = stage / RELEASE / worksheet
    if not _run(config, worksheet, "*"):
        return Generated(made)
    refused = {}
    for notebook in sorted((stage / SOURCE / worksheet).glob("*.ipynb")):
        if problem := _run(config, worksheet, glob.escape(notebook.stem)):
            refused[notebook.stem] = problem
    return Generated(made, refused)


def preload() -> None:
    """Import nbgrader, which takes a second, before it is needed."""
    with quick.imports():
        import nbgrader.converters  # noqa: F401 - for later


def register(*, assignment: str, **_: object) -> None:
    """Put a worksheet into the gradebook before nbgrader asks for it: a hook for nbgrader_config.py.

    nbgrader knows an assignment's cells only after `generate_assignment` has run on that machine. A clone holds
    `source/` and `release/` but no gradebook, and the build makes `release/` without one; with this hook stock
    `autograde` and `generate_solution` work at once, and on the tests that `source/` has now. nbgrader calls it for
    each submission, in the course's folder; only the first, and the first after a change, has something to do.
    """
    root = Path.cwd()
    notebooks = {path: path.stat().st_mtime_ns for path in (root / SOURCE / assignment).glob("*.ipynb")}
    if _registered.get((root, assignment)) != notebooks:
        _register(root, assignment)
        _registered[root, assignment] = notebooks


def settings_of(file: Path) -> Any:
    """The course's nbgrader settings: only its own file, nobody's home or environment."""
    with quick.imports():
        from traitlets.config import Config
        from traitlets.config.loader import PyFileConfigLoader

    if not file.is_file():
        return Config()
    try:
        return PyFileConfigLoader(file.name, path=str(file.parent)).load_config()
    except Exception as error:  # whatever the file does
        raise ConfigError(f"{type(error).__name__}: {error}", where=str(file)) from error


_registered: dict[tuple[Path, str], dict[Path, int]] = {}


def _register(root: Path, assignment: str) -> None:
    """Run `generate_assignment` with the course's gradebook, and throw the notebooks away."""
    with tempfile.TemporaryDirectory(prefix="coursemill-") as folder:
        config = settings_of(root / SETTINGS)
        config.CourseDirectory.root = str(root)
        config.CourseDirectory.release_directory = str(Path(folder) / RELEASE)
        if problem := _run(config, assignment, "*"):
            raise CoursemillError(
                f"the gradebook could not take the worksheet: {problem}", where=f"source/{assignment}"
            )


def _run(config: Any, worksheet: str, notebook: str) -> str:
    """Run the converter on the notebooks that the pattern matches; return why it failed, empty when it did not."""
    with quick.imports():
        from nbgrader.converters import GenerateAssignment
        from nbgrader.converters.base import NbGraderException
        from nbgrader.coursedir import CourseDirectory

    log = logging.Logger("coursemill.release", logging.ERROR)  # no child of the root: nothing is printed
    lines = _Lines()
    log.addHandler(lines)
    folder = CourseDirectory(config=config, log=log, assignment_id=worksheet, notebook_id=notebook)
    try:
        with _compiled_schema():
            GenerateAssignment(coursedir=folder, config=config, log=log).start()
    except NbGraderException as error:
        cause = lines.cause or str(error)
        if number := re.search(r"Error: \[Errno (\d+)\]", cause):  # the machine's fault, not the notebook's
            raise OSError(int(number[1]), os.strerror(int(number[1]))) from error
        return cause
    return ""


def _staging(stage: Path, settings: Path) -> Any:
    """The course's settings, for the staging course: no gradebook, no hooks, each notebook validated once."""
    config = settings_of(settings)
    for name in ("header", "footer"):
        if path := config.IncludeHeaderFooter.get(name):
            config.IncludeHeaderFooter[name] = str(settings.parent / path)
    for section in ("BaseConverter", "GenerateAssignment"):
        config[section].pop("pre_convert_hook", None)
        config[section].pop("post_convert_hook", None)
    config.CourseDirectory.update(
        root=str(stage), source_directory=SOURCE, release_directory=RELEASE, directory_structure=STRUCTURE
    )
    config.SaveCells.enabled = False
    config.InstantiateTests.enabled = False  # its AUTOTEST comments execute the notebook; a build executes nothing
    config.GenerateAssignment.update(no_database=True, force=True)
    config.Exporter.optimistic_validation = True
    return config


@contextmanager
def _compiled_schema() -> Iterator[None]:
    """Validate cells against nbgrader's schema as nbformat does notebooks: by code that is compiled once.

    `jsonschema.validate` checks the schema itself first, for every cell, twice: three quarters of the time of
    generate_assignment. It is still asked about cells that fail.
    """
    import fastjsonschema
    from nbgrader.nbgraderformat import common

    original = common.jsonschema
    compiled: dict[str, Callable[[object], object]] = {}

    def validate(instance: object, schema: dict[str, Any]) -> None:
        key = json.dumps(schema, sort_keys=True)
        if key not in compiled:
            compiled[key] = fastjsonschema.compile(schema, use_default=False)
        try:
            compiled[key](instance)
        except fastjsonschema.JsonSchemaException:
            original.validate(instance, schema)

    common.jsonschema = SimpleNamespace(validate=validate)
    try:
        yield
    finally:
        common.jsonschema = original


class _Lines(logging.Handler):
    """Remembers the errors that nbgrader logs: its exceptions only point to them."""

    cause = ""

    def emit(self, record: logging.LogRecord) -> None:
        lines = record.getMessage().strip().splitlines()
        if record.levelno >= logging.ERROR and lines and (not self.cause or lines[0].startswith("Traceback")):
            self.cause = lines[-1]
