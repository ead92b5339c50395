"""Classes of the candidate's as an examiner knows them: described, and derived from classes that both sides have."""

from __future__ import annotations

import sys
import types
from dataclasses import dataclass
from typing import Any, cast

from coursemill.pure import plain, proxy, wire
from coursemill.pure.wire import Malformed

MAX_NAME = 200
MAX_BASES = 50
MAX_KINDS = 20_000
FINAL = (bool, type(None), range, slice, type(...), type(NotImplemented))
"""Classes from which none derives: what claims one is no plain data, and so none of these."""
PROTOCOLS = (*proxy.PROTOCOLS, *proxy.NUMBERS)
REFUSALS = {("coursemill.pure.plain", cls.__name__): cls for cls in (plain.Refused, plain.TooLarge)}
"""What the candidate's end may say of itself."""


@dataclass(frozen=True, eq=False, slots=True)
class Kind:
    """A class of the candidate's, as it was described; `real` is the one of that name that both sides have."""

    number: int
    name: str
    bases: tuple[Kind, ...]
    protocols: tuple[str, ...]
    real: type | None
    all: frozenset[int]
    """Numbers of the class and of its bases."""
    own_equality: bool

    @property
    def claimed(self) -> type:
        """The nearest class that both sides have."""
        if self.real is not None:
            return self.real
        found = [base.claimed for base in self.bases]
        return next((cls for cls in found if cls is not object), object)


class Own:
    """The instructor's own classes, which the candidate has, too: those of given cells and of modules beside them."""

    def __init__(self) -> None:
        self._given: dict[str, type] = {}

    def give(self, cls: type) -> None:
        """Note a class that a given cell defines."""
        self._given[cls.__qualname__] = cls

    def names(self, cls: type) -> list[str]:
        """The names of such a class; empty: it is none."""
        names = [plain.text(cls, "__module__"), plain.text(cls, "__qualname__")]
        return names if self.find(*names) is cls else []

    def find(self, module: str, name: str) -> type | None:
        """Such a class by its names."""
        if module == "__main__":
            return self._given.get(name)
        if module.partition(".")[0] == "coursemill":
            return None
        found: Any = sys.modules.get(module)
        if type(found) is not types.ModuleType or plain.installed(found):
            return None
        for part in name.split("."):
            found = vars(found).get(part) if plain.holds(found) else None
        return found if plain.subclass(type(found), type) and plain.text(found, "__module__") == module else None


class Kinds:
    """The classes that a candidate has described."""

    def __init__(self, own: Own) -> None:
        self._own = own
        self._kinds: dict[int, Kind] = {}
        self._mirrors: dict[int, type[BaseException]] = {}

    def resolve(self, module: str, name: str) -> type | None:
        """A class that both sides have."""
        if known := REFUSALS.get((module, name)):
            return known
        if module.partition(".")[0] == "coursemill":
            return None
        return self._own.find(module, name) or wire.library_class(module, name)

    def learn(self, unpacker: wire.Unpacker, described: Any) -> None:
        """Take in descriptions, bases first; raises Malformed."""
        (found,) = unpacker.fields([described], list)
        for one in found:
            number, name, module, qualname, bases, protocols, equality = unpacker.fields(
                one, int, str, str, str, list, list, bool
            )
            if len(self._kinds) >= MAX_KINDS or len(bases) > MAX_BASES:
                raise Malformed("too many classes")
            known = tuple(map(self.kind, bases))
            real = self.resolve(module, qualname)
            made = Kind(
                number,
                name if name.isidentifier() and len(name) <= MAX_NAME else "object",
                known,
                tuple(p for p in PROTOCOLS if p in protocols),
                None if any(real is cls for cls in FINAL) else real,
                frozenset({number}).union(*(base.all for base in known)),
                equality,
            )
            self._kinds.setdefault(number, made)

    def kind(self, number: Any) -> Kind:
        """A class by its number; raises Malformed."""
        found = self._kinds.get(number) if type(number) is int else None
        if found is None:
            raise Malformed("no such class")
        return found

    def error(self, kind: Kind, thing: Any = None) -> type[BaseException]:
        """The class by which a test catches an exception; `thing` is the proxy of the candidate's class."""
        if kind.real is not None:
            return kind.real
        if kind.number not in self._mirrors:
            bases = [self.error(base) for base in kind.bases if plain.subclass(base.claimed, BaseException)]
            body = {"__str__": _text, "__getattr__": _attribute, "__module__": "__main__"}
            made = types.new_class(kind.name, tuple(dict.fromkeys(bases)), exec_body=lambda names: names.update(body))
            self._mirrors[kind.number] = cast(type[BaseException], made)
        if thing is not None:
            self._mirrors[kind.number]._thing = thing  # type: ignore[attr-defined]  # the class itself, when it is lent
        return self._mirrors[kind.number]

    def thing_of(self, cls: type) -> Any:
        """The proxy of the candidate's class that a class of exceptions stands for; None: it stands for none."""
        return vars(cls).get("_thing") if any(cls is one for one in self._mirrors.values()) else None


def _text(self: BaseException) -> str:
    known = self.__dict__.get("_seen")
    return known.said if known else BaseException.__str__(self)


def _attribute(self: BaseException, name: str) -> Any:
    known = self.__dict__.get("_seen")
    if known is None or name.startswith("__"):
        raise AttributeError(name)
    return getattr(known.proxy, name)
