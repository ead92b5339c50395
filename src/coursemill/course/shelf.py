"""The three folders of notebooks as they stand: what is in them, whose it is, and putting things there."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from coursemill.config import Config
from coursemill.course.past import Past
from coursemill.effects import store
from coursemill.effects.store import Stamp
from coursemill.pure.diagrams import FOLDER

NOTEBOOK = ".ipynb"
WRITERS = 4
"""A disk takes its time to say that it has a file, and can be asked several things at once."""
WAITING = 200
"""Files that may wait in memory for their turn."""


@dataclass(slots=True)
class Shelf:
    """What stands in the three folders; with `look_only` nothing is changed, and what would be is remembered."""

    config: Config
    past: Past
    look_only: bool
    files: Mapping[str, os.stat_result]
    """Path from the course's root → status, before the build."""
    stamps: dict[str, Stamp] = field(default_factory=dict)
    """What has been put there, or stood there already."""
    owners: dict[str, str] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    _writing: dict[str, Future[Stamp]] = field(default_factory=dict)
    _writers: ThreadPoolExecutor | None = None
    removed: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, config: Config, past: Past, *, look_only: bool) -> Shelf:
        """Look at the three folders, and remove what a killed build left unfinished."""
        files: dict[str, os.stat_result] = {}
        for folder in (config.notebooks, config.source, config.release):
            files |= store.below(config.root, folder)
        unfinished = {path for path in files if PurePosixPath(path).name.startswith(store.UNFINISHED)}
        if not look_only:
            for folder in (config.build, f"{config.notes}/{FOLDER}"):
                unfinished |= {f"{folder}/{p.name}" for p in config.path(folder).glob(f"{store.UNFINISHED}*")}
            for path in unfinished:
                store.remove(config.root, path)
        files = {path: status for path, status in files.items() if path not in unfinished}
        return cls(config, past, look_only, files)

    def put(self, path: str, data: bytes, owner: str) -> None:
        """Let `data` stand at `path`."""
        stamp = Stamp(len(data), 0, hashlib.sha256(data).hexdigest())
        self._place(path, stamp, owner, lambda: store.write(self.config.root, path, data))

    def copy(self, path: str, source: Path, stamp: Stamp, owner: str) -> None:
        """Let a copy of the file `source` stand at `path`."""
        self._place(path, stamp, owner, lambda: store.copy(self.config.root, path, source))

    def stands(self, path: str, stamp: Stamp, owner: str) -> bool:
        """Whether what `stamp` describes stands at `path`; if so, it stays."""
        if not self.holds(path, stamp.size, stamp.digest):
            return False
        self.stamps[path] = Stamp(stamp.size, self.files[path].st_mtime_ns, stamp.digest)
        self.owners[path] = owner
        return True

    def keep(self, path: str) -> None:
        """Leave what the last build put at `path` to the next one to look at."""
        if path in self.past.outputs:
            self.stamps[path] = self.past.outputs[path]
            self.owners[path] = self.past.owners.get(path, "")

    def intact(self, path: str) -> bool:
        """Whether `path` holds what the last build put there; if so, it stays."""
        known = self.past.outputs.get(path)
        return known is not None and self.stands(path, known, self.past.owners.get(path, ""))

    def finish(self) -> None:
        """Wait until everything stands in its place; raises CoursemillError when something cannot."""
        self._settle(0)
        self.close()

    def close(self) -> None:
        """Write nothing more."""
        if self._writers:
            self._writers.shutdown(cancel_futures=True)
        self._writers = None
        self._writing.clear()

    def remove(self, path: str, owner: str) -> None:
        """Let nothing stand at `path`; `owner` is what it had been made of."""
        self.removed[path] = owner
        if not self.look_only:
            store.remove(self.config.root, path)

    def owner(self, path: str) -> str:
        """The note that the notebook at `path` was made of, by its metadata; empty when it is not one of ours."""
        if not path.endswith(NOTEBOOK) or not stat.S_ISREG(self.files[path].st_mode):
            return ""
        try:
            found = json.loads(self.config.path(path).read_bytes())["metadata"]["coursemill"]["source"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return ""
        return found if isinstance(found, str) else ""

    def _settle(self, most: int) -> None:
        """Wait until no more than `most` files are to be written."""
        while len(self._writing) > most:
            path = next(iter(self._writing))
            self.stamps[path] = self._writing.pop(path).result()

    def holds(self, path: str, size: int, digest: str) -> bool:
        """Whether a file with these bytes stands at `path`."""
        status = self.files.get(path)
        if status is None or not stat.S_ISREG(status.st_mode) or status.st_size != size:
            return False
        known = self.past.outputs.get(path)
        if known and (known.size, known.mtime) == (size, status.st_mtime_ns):
            return known.digest == digest
        try:
            return store.digest(self.config.path(path)) == digest
        except OSError:
            return False

    def _place(self, path: str, stamp: Stamp, owner: str, write: Callable[[], Stamp]) -> None:
        if self.stands(path, stamp, owner):
            return
        self.written.append(path)
        self.owners[path] = owner
        if not self.look_only:
            self._writers = self._writers or ThreadPoolExecutor(WRITERS)
            self._writing[path] = self._writers.submit(write)
            self._settle(WAITING)
