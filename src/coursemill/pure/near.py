"""Near misses: what an author may have meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

SHORT = 8
"""Characters; in longer names the same share of them is often just a common beginning."""
SHORTEST = 3
"""Characters that a name shares by accident only rarely."""


def advice(word: str, among: Iterable[str]) -> str:
    """Return `did you mean …?`, or nothing when nothing is near; upper and lower case count as one."""
    named = near(word, among)
    return f"did you mean {' or '.join(f'`{name}`' for name in named)}?" if named else ""


def near(word: str, among: Iterable[str], count: int = 2) -> list[str]:
    """Return up to `count` names that resemble `word`, the nearest first, or else that contain it."""
    shown: dict[str, str] = {}
    for name in sorted(among):
        shown.setdefault(name.lower(), name)
    wanted = word.lower()
    close = get_close_matches(wanted, shown, count, cutoff=0.7 if len(wanted) <= SHORT else 0.8)
    longer = [name for name in shown if len(wanted) >= SHORTEST and wanted in name and name not in close]
    return [shown[name] for name in (close + longer)[:count]]
