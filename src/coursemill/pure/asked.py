"""What a notebook was told about the rest of the vault: when the answers are the same, so is the notebook."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from coursemill.model import Lesson
from coursemill.pure.dataview import Result
from coursemill.pure.vault import VaultMap

Question = tuple[str, ...]


class Asked(VaultMap):
    """A vault that remembers what it was asked."""

    def __init__(self, vault: VaultMap) -> None:
        super().__init__(vault.lessons, vault.others)
        object.__setattr__(self, "_vault", vault)  # the dataclass is frozen
        object.__setattr__(self, "questions", {})

    _vault: VaultMap
    questions: dict[Question, None]

    def lesson(self, path: str) -> Lesson | None:
        self.questions["lesson", path] = None
        return self._vault.lesson(path)

    def resolve(self, target: str, from_path: str) -> tuple[str, ...]:
        self.questions["resolve", target, from_path] = None
        return self._vault.resolve(target, from_path)

    def block(self, path: str, name: str) -> int:
        self.questions["block", path, name] = None
        return self._vault.block(path, name)

    def excerpt(self, path: str, wanted: str) -> str | None:
        self.questions["excerpt", path, wanted] = None
        return self._vault.excerpt(path, wanted)

    def listed(self, query: str, path: str) -> Result | None:
        self.questions["listed", query, path] = None
        return self._vault.listed(query, path)

    def backlinks(self, path: str) -> tuple[str, ...]:
        self.questions["backlinks", path] = None
        return self._vault.backlinks(path)


def answers(vault: VaultMap, questions: Iterable[Question]) -> str:
    """Return a digest of what `vault` answers; of a lesson only what other notes can show of it counts."""
    found = hashlib.sha256()
    for kind, *about in sorted(questions):
        answer: object = about
        if kind != "lesson":
            answer = getattr(vault, kind)(*about)
        elif lesson := vault.lesson(*about):
            answer = (lesson.name, lesson.title, lesson.front.worksheets, lesson.headings)
        else:
            answer = None
        found.update(repr((kind, about, answer)).encode("utf-8", "surrogatepass"))
    return found.hexdigest()
