"""Near misses: what an author may have meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property

SHORT = 8
"""Characters; in longer names the same share of them is often just a common beginning."""
SHORTEST = 3
"""Characters that a name shares by accident only rarely."""
RARE, MANY, FEW = 5, 200, 20
"""How many of a word's trigrams are looked up, the rarest first; how many names with each; how many are compared."""


def advice(word: str, among: Iterable[str] | Names) -> str:
    """Return `did you mean …?`, or nothing when nothing is near; upper and lower case count as one."""
    names = among if isinstance(among, Names) else Names(frozenset(among))
    found = names.near(word)
    return f"did you mean {' or '.join(f'`{name}`' for name in found)}?" if found else ""


def near(word: str, among: Iterable[str], count: int = 2) -> list[str]:
    """Return up to `count` of the names that resemble `word`, the nearest first, or else that contain it."""
    return Names(frozenset(among)).near(word, count)


@dataclass(frozen=True)
class Names:
    """Names among which near ones are looked for, however many: only those that share rare trigrams are compared."""

    names: frozenset[str] = field(default_factory=frozenset)

    def near(self, word: str, count: int = 2) -> list[str]:
        """Return up to `count` names that resemble `word`, the nearest first, or else that contain it."""
        wanted = word.lower()
        likely = self._likely(wanted)
        close = get_close_matches(wanted, likely, count, cutoff=0.7 if len(wanted) <= SHORT else 0.8)
        longer = [name for name in likely if len(wanted) >= SHORTEST and wanted in name and name not in close]
        return [self._shown[name] for name in (close + longer)[:count]]

    def _likely(self, wanted: str) -> list[str]:
        known = sorted((gram for gram in _trigrams(wanted) if gram in self._index), key=lambda g: len(self._index[g]))
        shared = Counter(name for gram in known[:RARE] for name in self._index[gram][:MANY])
        return sorted(name for name, _ in shared.most_common(FEW))

    @cached_property
    def _shown(self) -> dict[str, str]:
        shown: dict[str, str] = {}
        for name in sorted(self.names):
            shown.setdefault(name.lower(), name)
        return shown

    @cached_property
    def _index(self) -> dict[str, list[str]]:
        index: dict[str, list[str]] = {}
        for name in self._shown:
            for gram in _trigrams(name):
                index.setdefault(gram, []).append(name)
        return index


def _trigrams(word: str) -> set[str]:
    padded = f"\n{word}\n"  # the first and the last character count, too
    return {padded[n : n + 3] for n in range(len(padded) - 2)} or {padded}
