"""Which notes an author may have meant by a link that means none."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from coursemill.pure.near import Names
from coursemill.pure.vault import VaultMap

MOST = 2
"""Notes that are named to choose from."""
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Guesses:
    """The notes of a vault by everything that links nearly say: looking one up takes no longer where there are many."""

    vault: VaultMap

    def near(self, target: str, from_path: str = "") -> list[str]:
        """Return what to write in place of `target`, which means no note: up to two notes, the likeliest first.

        A note that was moved comes first; then one whose name (or alias) differs in signs, blanks, accents and case
        only, in plurals, in the order of its words, or in what is short for another: TF for TensorFlow; then what is
        spelled alike; then what the link begins with: `Keras_API` for `Keras_API_in_TensorFlow`.
        """
        name = posixpath.basename(target.strip().removesuffix(".md"))
        paths = self._moved(target, name, from_path)
        for form, table in self._tables if not paths else ():
            paths = table.get(form(name), ())
            if paths:
                break
        if not paths:
            labels = [label for label in self._shorts.get(_short(name), ()) if _shortens(name, label)]
            paths = tuple(path for label in labels or self._names.near(name) for path in self._labels[label])
        found = paths or self._begun(name)
        return [self._written(path) for path in list(dict.fromkeys(found))[:MOST]]

    def twin(self, target: str) -> str:
        """Return what more links write for the same missing note as `target`, or nothing."""
        own = (self._wanted[_plain(target)], _plain(target))
        alike = {other for form, table in self._missing for other in table.get(form(_plain(target)), ())}
        found = max(((self._wanted[other], other) for other in alike), default=own)
        return found[1] if found > own else ""

    def advice(self, target: str, from_path: str = "") -> str:
        """Return `did you mean …?`, or nothing when no note is near."""
        if found := self.near(target, from_path):
            return f"did you mean {' or '.join(f'`{name}`' for name in found)}?"
        twin = self.twin(target)
        return f"did you mean `{twin}`, which is missing, too, and linked to more often?" if twin else ""

    def _moved(self, target: str, name: str, from_path: str) -> tuple[str, ...]:
        """The notes of that name, when the folders before it are wrong."""
        found = self.vault.resolve(name, from_path) if "/" in target and name.strip() else ()
        return tuple(path for path in found if path.endswith(".md"))

    def _begun(self, name: str) -> tuple[str, ...]:
        """The notes whose names are the first words of `name`, as many as there are, but more than one."""
        words = _words(name)
        _, table = self._tables[0]
        starts = ("".join(words[:count]) for count in range(len(words) - 1, 1, -1))
        return next((table[start] for start in starts if start in table), ())

    def _written(self, path: str) -> str:
        """The name of the note at `path`, or its path in the vault where several have that name."""
        name = posixpath.basename(path).removesuffix(".md")
        return name if len(self._named[name.casefold()]) == 1 else path.partition("/")[2].removesuffix(".md")

    @cached_property
    def _named(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in sorted({*self.vault.lessons, *self.vault.others}):
            if path.endswith(".md"):
                found.setdefault(posixpath.basename(path).removesuffix(".md").casefold(), []).append(path)
        return found

    @cached_property
    def _labels(self) -> Mapping[str, list[str]]:
        """Names and aliases, as they are written → the paths of their notes."""
        found: dict[str, list[str]] = {}
        for paths in self._named.values():
            for path in paths:
                lesson = self.vault.lesson(path)
                for label in (posixpath.basename(path).removesuffix(".md"), *(lesson.front.aliases if lesson else ())):
                    found.setdefault(label, []).append(path)
        return found

    @cached_property
    def _names(self) -> Names:
        return Names(frozenset(self._labels))

    @cached_property
    def _tables(self) -> list[tuple[Callable[[str], str], Mapping[str, tuple[str, ...]]]]:
        return [(form, _table(form, self._labels)) for form in (_squeezed, _singular, _sorted)]

    @cached_property
    def _shorts(self) -> Mapping[str, tuple[str, ...]]:
        return _table(_short, {label: [label] for label in self._labels})

    @cached_property
    def _wanted(self) -> Counter[str]:
        """What links say that mean no note → how many of them do."""
        links = ((link, path) for path, lesson in self.vault.lessons.items() for link in lesson.links)
        missing = (link.target for link, path in links if not self.vault.resolve(link.target, path))
        return Counter(map(_plain, missing))

    @cached_property
    def _missing(self) -> list[tuple[Callable[[str], str], Mapping[str, tuple[str, ...]]]]:
        names = {target: [target] for target in self._wanted}
        return [(_last(form), _table(_last(form), names)) for form in (_squeezed, _singular, _sorted)]


def _table(form: Callable[[str], str], labels: Mapping[str, list[str]]) -> Mapping[str, tuple[str, ...]]:
    """The form of a label → what has such a label."""
    table: dict[str, dict[str, None]] = {}
    for label, found in labels.items():
        if key := form(label):
            table.setdefault(key, {}).update(dict.fromkeys(found))
    return {key: tuple(found) for key, found in table.items()}


def _last(form: Callable[[str], str]) -> Callable[[str], str]:
    """`form` of the last part of a path."""
    return lambda path: form(posixpath.basename(path))


def _plain(target: str) -> str:
    return target.strip().removesuffix(".md")


def _words(name: str) -> list[str]:
    """The words of a name without case and accents."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return _WORD.findall(plain.casefold())


def _squeezed(name: str) -> str:
    return "".join(_words(name))


def _singular(name: str) -> str:
    return "".join(map(_one, _words(name)))


def _sorted(name: str) -> str:
    return " ".join(sorted(map(_one, _words(name))))


def _short(name: str) -> str:
    """The words, of those with several capitals only these: `tf tensor` for `TensorFlow_Tensors` and `TF_Tensors`."""
    return " ".join(_capitals(word) or _one(word.casefold()) for word in _WORD.findall(name))


def _capitals(word: str) -> str:
    found = "".join(filter(str.isupper, word)).casefold()
    return found if len(found) > 1 else ""


def _shortens(name: str, other: str) -> bool:
    """Whether the words of two names with the same short form differ only where one is short for the other."""
    pairs = zip(_WORD.findall(name), _WORD.findall(other), strict=True)
    return all(a.isupper() or b.isupper() or _one(a.casefold()) == _one(b.casefold()) for a, b in pairs)


def _one(word: str) -> str:
    """The singular of an English plural, or the word itself."""
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    if len(word) > 4 and word.endswith(("ches", "shes", "sses", "xes", "zes")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
