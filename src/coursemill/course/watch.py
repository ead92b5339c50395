"""Build again whenever the vault changes, while an author writes."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from coursemill import config as settings
from coursemill.config import Config
from coursemill.course.build import Built, build
from coursemill.effects import release
from coursemill.effects import vault as disk
from coursemill.errors import CoursemillError
from coursemill.model import Lesson
from coursemill.pure import parse
from coursemill.pure.diagrams import FOLDER

QUIET = 60
"""Milliseconds without another change after which a change is complete: editors write a file in several steps."""
MOST = 400
"""Milliseconds after which it is built, however fast the changes come."""
IDLE = 200
"""Milliseconds without any change after which watching looks whether it should stop."""
PASSING = ("~", ".swp", ".swx", ".tmp", ".part", "4913")
"""Ends of names of what editors write for a moment only."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of a change: `built`, or the `error` that stopped the whole build."""

    changed: tuple[str, ...]
    """Paths from the course's root; empty for the first build."""
    built: Built | None = None
    error: str = ""
    seconds: float = 0.0


def watch(config: Config, report: Callable[[Rebuilt], None], stop: threading.Event | None = None) -> None:
    """Build, and build again after every change of the vault or of the settings, until `stop` is set.

    `report` is called after each build. An error is reported, too; the next change may mend it. Raises
    CoursemillError when there is no vault.
    """
    from watchfiles import watch as changes

    disk.walk(config)
    understand = _remembering()
    batches = changes(
        config.path(config.notes),
        watch_filter=_counts(config),
        debounce=MOST,
        step=QUIET,
        stop_event=stop,
        rust_timeout=IDLE,
        yield_on_timeout=True,
    )
    first = next(batches, set())  # watching has begun: what changes during the first build is not missed
    last = _settings(config)
    report(_rebuilt(config, (), understand))
    for found in chain([first], batches):
        now = _settings(config)
        changed = {path for _, path in found} | {path for path, _ in now ^ last}
        last = now
        if changed:
            report(_rebuilt(config, sorted(changed), understand))


def _settings(config: Config) -> set[tuple[str, int]]:
    """The files of settings that there are, and their times: editors replace a file, and it may come and go."""
    found = set()
    for name in (settings.SETTINGS, release.SETTINGS):
        with contextlib.suppress(OSError):
            found.add((str(config.path(name)), config.path(name).stat().st_mtime_ns))
    return found


def _rebuilt(config: Config, changed: Iterable[str], understand: Callable[[str, str], Lesson]) -> Rebuilt:
    begun = time.monotonic()
    paths = tuple(_inside(config, path).as_posix() for path in changed)
    try:
        result = Rebuilt(paths, build(settings.load(config.root), jobs=1, understand=understand))
    except CoursemillError as error:
        result = Rebuilt(paths, error=str(error))
    return replace(result, seconds=time.monotonic() - begun)


def _counts(config: Config) -> Callable[[object, str], bool]:
    """Tell changes that matter from what editors and the build itself write."""
    drawn = config.path(config.notes, FOLDER)

    def counts(change: object, path: str) -> bool:
        hidden = any(part.startswith(".") for part in _inside(config, path).parts)
        return not hidden and not path.endswith(PASSING) and not Path(path).is_relative_to(drawn)

    return counts


def _inside(config: Config, path: str) -> Path:
    """The path from the course's root; of what a link leads to elsewhere, its name."""
    whole = Path(path)
    return whole.relative_to(config.root) if whole.is_relative_to(config.root) else Path(whole.name)


def _remembering() -> Callable[[str, str], Lesson]:
    """The parser, which does not parse a text again that has not changed."""
    known: dict[str, tuple[str, Lesson]] = {}

    def understand(path: str, text: str) -> Lesson:
        if path not in known or known[path][0] != text:
            known[path] = text, parse.lesson(path, text)
        return known[path][1]

    return understand
