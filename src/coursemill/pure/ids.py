"""Names that stay: cell ids from the author's ids or the content, and tests that keep their number."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import count, pairwise

LONGEST = 64
"""nbformat's limit for a cell id."""
ALIKE = 0.6
"""Two texts that share this much are one test, reworded (difflib's own threshold for a close match)."""


def numbered(task: str, tests: Sequence[tuple[str, str]], previous: Mapping[str, str]) -> tuple[str, ...]:
    """Ids of the tests (name, text) of a task; one without a name keeps the number that it had.

    `previous` maps the ids of the last build to the tests' texts, in that notebook's order. An unchanged text
    keeps its number; a reworded one takes that of the text it resembles most, or that stood between the same
    neighbours; the others take numbers that were not used in that build. Without a previous build: 1, 2, 3 in order.
    """
    prefix = f"{task}-test-"
    named = {f"{prefix}{name}" for name, _ in tests if name}
    old = {
        int(key.removeprefix(prefix)): text
        for key, text in previous.items()
        if key not in named and key.startswith(prefix) and re.fullmatch(r"[1-9][0-9]*", key.removeprefix(prefix))
    }
    texts = [text for name, text in tests if not name]
    numbers = _matched(texts, old)
    fresh = (n for n in count(max(old, default=0) + 1) if f"{prefix}{n}" not in named)
    unnamed = iter([numbers[i] if i in numbers else next(fresh) for i in range(len(texts))])
    return tuple(f"{prefix}{name or next(unnamed)}" for name, _ in tests)


def derived(slug: str, content: str) -> str:
    """Id of a cell that the author gave none: the heading's slug and a hash of what is in the cell."""
    digest = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    stem = _clean(slug)[: LONGEST - 9 - 4].strip("-") or "cell"
    return f"{stem}-{digest}"


def valid(wanted: str) -> str:
    """`wanted` in nbformat's alphabet and length; what had to change is told apart by a hash."""
    clean = _clean(wanted)
    if clean == wanted and 0 < len(wanted) <= LONGEST:
        return wanted
    return derived(clean, wanted)


def unique(wanted: str, taken: Collection[str]) -> str:
    """`wanted`, or the first of `wanted-2`, `wanted-3`, … that is not taken."""
    stem = valid(wanted)
    number, name = 1, stem
    while name in taken:
        number += 1
        suffix = f"-{number}"
        name = stem[: LONGEST - len(suffix)] + suffix
    return name


def _clean(text: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_-]+", "-", text)


def _matched(texts: Sequence[str], old: Mapping[int, str]) -> dict[int, int]:
    """Index of a text → the number of the old test that it is."""
    found: dict[int, int] = {}
    for index, text in enumerate(texts):
        same = (n for n, before in old.items() if before == text and n not in found.values())
        if (number := next(same, None)) is not None:
            found[index] = number
    ratios = sorted(
        (-SequenceMatcher(None, before, texts[index], autojunk=False).ratio(), number, index)
        for index in range(len(texts))
        for number, before in old.items()
        if index not in found and number not in found.values()
    )
    for ratio, number, index in ratios:
        if -ratio >= ALIKE and index not in found and number not in found.values():
            found[index] = number
    return found | _between(len(texts), list(old), found)


def _between(length: int, old: Sequence[int], found: Mapping[int, int]) -> dict[int, int]:
    """Pair what is left where as many new as old tests stand between the same two neighbours."""
    pairs: dict[int, int] = {}
    anchors = [(-1, -1), *((i, old.index(found[i])) for i in sorted(found)), (length, len(old))]
    for (left, old_left), (right, old_right) in pairwise(anchors):
        used = {*found.values(), *pairs.values()}
        before = [n for n in old[old_left + 1 : max(old_left, old_right)] if n not in used]
        if len(before) == right - left - 1:
            pairs |= dict(zip(range(left + 1, right), before, strict=True))
    return pairs
