"""Exceptions that cross the wall, as the examiner sees and tells them.

Python's own are made by their classes, a library's without running the library's code, an answer's are of classes that
look like the answer's.
"""

from __future__ import annotations

import contextlib
import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coursemill.pure import plain, wire
from coursemill.pure.plain import Refused
from coursemill.pure.wire import Malformed

if TYPE_CHECKING:
    from coursemill.effects.sandbox.inmate.sight import Sight

CAUSES = 10
"""Exceptions behind an exception that are taken."""
FIELDS = frozenset({"value", "code", "name", "obj", "path", "errno", "strerror", "filename", "filename2"})
"""What C's exceptions hold beside `args`, and what anything may be."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of an exception of the candidate's."""

    proxy: Any
    said: str
    trace: str
    """Where it arose, as the candidate tells."""


def seen(error: BaseException) -> Seen | None:
    """What is known of an exception; None: it is the test's own."""
    found = error.__dict__.get("_seen")
    return found if type(found) is Seen else None


def received(sight: Sight, unpacker: wire.Unpacker, tree: Any, causes: int = CAUSES) -> tuple[BaseException, bool]:
    """The exception that the candidate has raised, and whether it is the candidate's: not the test's own again.

    Raises Malformed, TypeError, ValueError, KeyError and AttributeError.
    """
    if type(tree) is not dict or causes < 0:
        raise Malformed("an exception expected")
    if tree["yours"]:
        own = sight.kept.thing(tree["yours"])
        if isinstance(own, BaseException):
            return own, False
    kind = sight.kinds.kind(tree["kind"])
    if not plain.subclass(kind.claimed, BaseException):
        raise Malformed("an exception expected")
    args, held, fields = (unpacker.value(tree[name]) for name in ("args", "held", "fields"))
    error = _made(sight.kinds.error(kind), args if type(args) is tuple else ())
    if type(fields) is dict:
        _set(error, {name: value for name, value in fields.items() if name in FIELDS})
    if type(held) is dict:
        error.__dict__.update({k: v for k, v in held.items() if type(k) is str and not k.startswith("_")})
    said, trace = unpacker.fields([tree["said"], tree["trace"]], str, str)
    error.__dict__["_seen"] = Seen(sight.thing(tree["thing"], kind), said, trace)
    if tree["cause"] is not None:
        error.__cause__ = received(sight, unpacker, tree["cause"], causes - 1)[0]
    return error, True


def sent(packer: wire.Packer, error: BaseException, number: int) -> Any:
    """JSON's values for an exception of the test's: its classes, the nearest first, and what it was raised with."""
    classes = [[plain.text(cls, "__module__"), plain.text(cls, "__qualname__")] for cls in plain.mro(type(error))[:-1]]
    try:
        args = packer.tree(list(error.args), 1)
    except Exception:  # something that cannot be lent
        args = [str(error)]
    held = {}
    for name, value in error.__dict__.items():
        if not name.startswith("_"):
            with contextlib.suppress(Exception):
                held[name] = packer.tree(value, 1)
    return [number, classes, args, held]


def told_at_exit(kind: Any, error: Any, trace: Any) -> tuple[Any, Any, None]:
    """What an answer's `__exit__` is told: of a failed assertion no more than that it failed."""
    if isinstance(error, AssertionError | Refused) and seen(error) is None:
        return AssertionError, AssertionError(), None
    return kind, error, None


def _made(cls: type[BaseException], args: tuple[Any, ...]) -> BaseException:
    if issubclass(cls, UnicodeError) and cls is not UnicodeError:
        return _unicode(cls, args)
    if cls.__module__ == "builtins":
        with contextlib.suppress(Exception):
            return cls(*args)
    python = next(base for base in plain.mro(cls) if base.__module__ == "builtins")
    error: BaseException = python.__new__(cls, *args)
    error.args = args
    return error


def _unicode(cls: type[BaseException], args: tuple[Any, ...]) -> BaseException:
    """An error of a codec, whose C code believes the places that it is told."""
    first, last = args[-3:-1] if len(args) >= 4 else (0, -1)
    if type(first) is not int or type(last) is not int or not 0 <= first <= last <= len(args[-4]):
        raise Malformed("an error of a codec expected")
    python = next(base for base in plain.mro(cls) if base.__module__ == "builtins")
    error: BaseException = python(*args)
    return error


def _set(error: BaseException, fields: dict[Any, Any]) -> None:
    for base in plain.mro(type(error)):
        for name, field in vars(base).items():
            if type(field) is types.MemberDescriptorType and name in fields:
                with contextlib.suppress(AttributeError, TypeError):
                    field.__set__(error, fields[name])
