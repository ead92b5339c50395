"""The rules that hold for some versions of the libraries, by what they look for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from coursemill.model import Lesson
from coursemill.pure.raw.apirules import Library, Rule, book
from coursemill.pure.raw.resolve import Names

_LEGACY_KERAS = "TF_USE_LEGACY_KERAS"


@dataclass(frozen=True)
class Index:
    """The rules that hold for some versions, by what they look for."""

    libraries: Mapping[str, Library]
    installed: Mapping[str, str]
    """Library → its installed version; empty when it is not installed."""
    names: Names
    by_name: dict[str, list[Rule]] = field(default_factory=dict)
    by_call: dict[str, list[Rule]] = field(default_factory=dict)
    defines: dict[str, list[Rule]] = field(default_factory=dict)
    settings: dict[str, list[Rule]] = field(default_factory=dict)
    keywords: dict[str, list[Rule]] = field(default_factory=dict)
    words: list[Rule] = field(default_factory=list)
    telling: set[str] = field(default_factory=set)
    """Words without which no code breaks a rule."""

    def about(self, lesson: Lesson) -> frozenset[str]:
        """The libraries that a note speaks of."""
        said = f"{lesson.path}\n{lesson.text}"
        small = said.lower()
        signs = ((key, one) for key, one in self.libraries.items() if any(sign in small for sign in one.signs))
        found = {key for key, library in signs if library.words.search(said)}
        if "keras" in found and any(_LEGACY_KERAS in block.text for block in lesson.blocks):
            found.remove("keras")
        return frozenset(found)


@lru_cache(maxsize=8)
def index(versions: tuple[tuple[str, str], ...]) -> Index:
    """Sort the rules that hold for these versions of distributions."""
    rules = book()
    known = {name.lower(): version for name, version in versions}
    installed = {
        key: next((known[name] for name in library.distributions if name in known), "")
        for key, library in rules.libraries.items()
    }
    every = rules.libraries.values()
    made = Index(
        libraries=rules.libraries,
        installed=installed,
        names=Names(
            aliases={name: full for library in every for name, full in library.aliases.items()},
            same={name: full for library in every for name, full in library.same.items()},
            makes={name: made for library in every for name, made in library.makes.items()},
            parts={name: made for library in every for name, made in library.parts.items()},
            like={name: other for library in every for name, other in library.like.items()},
            starred=frozenset(name for rule in rules.rules for name in rule.name),
        ),
    )
    for rule in rules.rules:
        if rule.holds(installed[rule.library]):
            _enter(made, rule)
    return made


def _enter(made: Index, rule: Rule) -> None:
    made.telling.update(name.rpartition(".")[2] for name in rule.name if not rule.keyword)
    made.telling.update(name.split(".")[-2] for name in rule.name if name.endswith(".*"))
    made.telling.update((*rule.keyword, *rule.defines, *rule.setting))
    for name in rule.name:
        (made.by_call if rule.called else made.by_name).setdefault(name, []).append(rule)
    for method in rule.defines:
        made.defines.setdefault(method, []).append(rule)
    for name in rule.setting:
        made.settings.setdefault(name, []).append(rule)
    for keyword in rule.keyword:
        made.keywords.setdefault(keyword, []).append(rule)
    if rule.words:
        made.words.append(rule)
