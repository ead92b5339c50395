"""What libraries removed, renamed and changed: rules as data, read from `apis/*.toml` beside this module."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from importlib import resources
from typing import Any, Literal

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

Kind = Literal["removed", "moved", "deprecated", "ignored", "changed", "prose"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that is out of date since some version of a library; what the fields hold is said in docs/."""

    id: str
    kind: Kind
    library: str
    """Name of its TOML file."""
    since: str
    """Versions for which it holds (PEP 440): `>=2.0`."""
    source: str
    name: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()
    keyword: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    argument: int = -1
    parameter: tuple[str, ...] = ()
    text: str = ""
    base: tuple[str, ...] = ()
    defines: tuple[str, ...] = ()
    takes: str = ""
    unless: tuple[str, ...] = ()
    setting: tuple[str, ...] = ()
    words: str = ""
    near: str = ""
    beside: str = ""
    what: str = ""
    says: str = ""
    fix: str = ""
    raises: str = ""
    warns: str = ""
    example: str = ""
    right: str = ""
    proof: str = ""
    verified: str = ""

    @property
    def called(self) -> bool:
        """Whether it is about arguments, and not about a name as such."""
        return bool(self.keyword or self.without or self.text)

    def holds(self, version: str) -> bool:
        """Whether it holds for that version; without one, for the newest that there will be."""
        specifier = _specifier(self.since)
        if not version:
            return not any(one.operator in ("<", "<=", "==", "~=") for one in specifier)
        try:
            return specifier.contains(Version(version), prereleases=True)
        except InvalidVersion:
            return False

    @property
    def first(self) -> str:
        """The version that began with it."""
        return next((one.version for one in _specifier(self.since) if one.operator == ">="), "")


_KEYS = frozenset(one.name for one in fields(Rule))


@dataclass(frozen=True, slots=True)
class Library:
    """A library, and what must be known of it to see through names."""

    key: str
    name: str
    distributions: tuple[str, ...]
    words: re.Pattern[str]
    """A note that holds one of them is about the library."""
    signs: frozenset[str] = frozenset()
    """Lower-case texts of which one is in each of the words: they are found much more quickly."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Names by which everybody imports it: `np` → `numpy`."""
    same: Mapping[str, str] = field(default_factory=dict)
    """Other paths of things: `keras.models.Sequential` → `keras.Sequential`."""
    makes: Mapping[str, str] = field(default_factory=dict)
    """What is called → what comes out of it; `[x]` is several of `x`."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """What has the attribute → what that is."""
    like: Mapping[str, str] = field(default_factory=dict)
    """A type → the one that it is, too."""
    named: tuple[tuple[re.Pattern[str], str], ...] = ()
    """Names that variables of a type often have."""
    rivals: re.Pattern[str] | None = None
    """Libraries whose variables have the same names."""


@dataclass(frozen=True, slots=True)
class Book:
    """All libraries, and all rules."""

    libraries: Mapping[str, Library]
    rules: tuple[Rule, ...]

    @property
    def distributions(self) -> tuple[str, ...]:
        """Of all libraries, whose versions make a difference."""
        return tuple(name for library in self.libraries.values() for name in library.distributions)


@lru_cache(maxsize=1)
def book() -> Book:
    """Read the rules that come with the package."""
    libraries: dict[str, Library] = {}
    rules: list[Rule] = []
    for file in sorted(resources.files(__package__).joinpath("apis").iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".toml"):
            library, found = read(file.name.removesuffix(".toml"), file.read_text(encoding="utf-8"))
            libraries[library.key] = library
            rules += found
    return Book(libraries, tuple(rules))


def read(key: str, text: str) -> tuple[Library, list[Rule]]:
    """Understand a file of rules; raises ValueError for what it does not know."""
    data = tomllib.loads(text)
    if unknown := data.keys() - {"library", "aliases", "same", "type", "names", "rule"}:
        raise ValueError(f"{key}: unknown tables {sorted(unknown)}")
    rules = [rule for group in data.get("names", ()) for rule in _named(key, group)]
    rules += [rule for one in data.get("rule", ()) for rule in _rules(key, one)]
    return _library(key, data), rules


def _library(key: str, data: Mapping[str, Any]) -> Library:
    makes: dict[str, str] = {}
    named: list[tuple[re.Pattern[str], str]] = []
    for one in data.get("type", ()):
        name = one["name"]
        makes |= dict.fromkeys(one.get("made", ()), name)
        makes |= {f"{name}.{method}": name for method in one.get("keeps", ())}
        makes |= dict.fromkeys(one.get("several", ()), f"[{name}]")
        named += [(re.compile(pattern), name) for pattern in one.get("named", ())]
    head = data["library"]
    return Library(
        key=key,
        name=head["name"],
        distributions=tuple(head["distributions"]),
        words=re.compile(head["words"], re.IGNORECASE),
        signs=frozenset(_sign(word) for word in head["words"].split("|")),
        aliases=data.get("aliases", {}),
        same=data.get("same", {}),
        makes=makes,
        parts={f"{one['name']}.{part}": one["name"] for one in data.get("type", ()) for part in one.get("parts", ())},
        like={one["name"]: one["like"] for one in data.get("type", ()) if "like" in one},
        named=tuple(named),
        rivals=re.compile(head["rivals"], re.IGNORECASE) if "rivals" in head else None,
    )


def _sign(word: str) -> str:
    """The longest text that stands in a pattern as it is found."""
    found: list[str] = re.findall(r"[a-z0-9]+", re.sub(r"\\\w|\[.*?\]", " ", word))
    return max(found, key=len)


def _named(key: str, group: Mapping[str, Any]) -> Iterator[Rule]:
    """A rule for each of the names in `of`, whose values say what to write instead."""
    shared = {k: v for k, v in group.items() if k != "of"}
    for name, instead in group["of"].items():
        yield from _rules(key, {**shared, "id": name, "name": [name], "fix": instead})


def _rules(key: str, data: Mapping[str, Any]) -> Iterator[Rule]:
    """The rule, and the one for the versions `before`, in which it was deprecated."""
    now = {k: v for k, v in data.items() if k != "before"}
    if "before" not in data:
        yield _rule(key, now)
        return
    yield _rule(key, {**now, "warns": ""})
    fading = {**now, "kind": "deprecated", "since": data["before"], "id": f"{data['id']}-deprecated", "raises": ""}
    yield _rule(key, {**fading, "says": ""})


def _rule(key: str, data: Mapping[str, Any]) -> Rule:
    if unknown := data.keys() - _KEYS:
        raise ValueError(f"{key}: {data.get('id')}: unknown keys {sorted(unknown)}")
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
    rule = Rule(library=key, **values)
    if not (rule.name or rule.defines or rule.setting or rule.words):
        raise ValueError(f"{key}: {rule.id}: no pattern")
    return rule


@lru_cache(maxsize=256)
def _specifier(text: str) -> SpecifierSet:
    return SpecifierSet(text)
