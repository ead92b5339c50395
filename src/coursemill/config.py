"""The course's settings: `[tool.coursemill]` in the root's pyproject.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from coursemill.errors import ConfigError

SETTINGS = "pyproject.toml"
MARKERS = ("nbgrader_config.py", "notes")


@dataclass(frozen=True, slots=True)
class Config:
    """Where a course keeps its parts. Paths are relative to `root`; every key has a default."""

    root: Path
    notes: str = "notes"
    notebooks: str = "notebooks"
    source: str = "source"
    release: str = "release"
    build: str = "build"
    shared: str = "_worksheets"
    """Folder of `notes` with one folder a worksheet: files that its lessons share."""
    worksheets: tuple[str, ...] = ()
    """Known worksheets beside those that have a folder of shared files; none at all: any name."""
    timeout: int = 600
    """Seconds that a lesson may run when its front matter does not say."""
    requirements: tuple[str, ...] = ()
    """`module=distribution` pairs for requirements.txt where the installed name is not the one to ask for."""

    def path(self, *parts: str) -> Path:
        """Join `parts` to the root."""
        return self.root.joinpath(*parts)


def load(root: Path) -> Config:
    """Read the settings of the course at `root`.

    Raises ConfigError for an unknown key, a wrong type, or a file that is not TOML.
    """
    file = root / SETTINGS
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"cannot be read: {error}", where=str(file)) from error
    return parse(root, data.get("tool", {}).get("coursemill", {}), where=str(file))


def parse(root: Path, table: dict[str, Any], *, where: str = SETTINGS) -> Config:
    """Make a Config of a TOML table; raises ConfigError."""
    types = {name: hint for name, hint in get_type_hints(Config).items() if name != "root"}
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in types:
            known = ", ".join(f.name for f in fields(Config) if f.name != "root")
            raise ConfigError(f"[tool.coursemill] has no key `{key}`", where=where, fix=f"known keys: {known}")
        values[key] = _typed(key, value, types[key], where)
    return Config(root=root, **values)


def find_root(start: Path) -> Path:
    """The nearest folder at or above `start` that is a course.

    Raises ConfigError when there is none.
    """
    for folder in (start, *start.parents):
        if any((folder / marker).exists() for marker in MARKERS) or _has_table(folder / SETTINGS):
            return folder
    raise ConfigError(
        "no course here or above",
        where=str(start),
        fix="a course has a `notes/` folder, an nbgrader_config.py or [tool.coursemill] in pyproject.toml; "
        "name it with --root",
    )


def _has_table(file: Path) -> bool:
    return file.is_file() and "[tool.coursemill" in file.read_text(encoding="utf-8", errors="replace")


def _typed(key: str, value: Any, hint: Any, where: str) -> Any:
    if get_origin(hint) is tuple and isinstance(value, list) and all(isinstance(v, get_args(hint)[0]) for v in value):
        return tuple(value)
    plain = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    if get_origin(hint) is None and type(value) in plain:
        return value
    raise ConfigError(f"`{key}` must be {_name(hint)}, not {value!r}", where=where)


def _name(hint: Any) -> str:
    return (
        "a list of strings"
        if get_origin(hint) is tuple
        else {str: "a string", int: "a whole number"}.get(hint, str(hint))
    )
