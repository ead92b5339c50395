"""Expressions of Dataview queries: properties, literals, comparisons and a few functions; anything else is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Note:
    """A link to a note, as a value: its path, or the target of one that is not there."""

    path: str


Value = str | float | bool | Note | tuple["Value", ...] | None
Lookup = Callable[[str], Value]
"""The name of a field → its value, for one note."""
Expression = Callable[[Lookup], Value]


class NotUnderstoodError(Exception):
    """What stands there is Dataview's, perhaps, but not of the part of it that is understood here."""


def expression(text: str, link: Callable[[str], Note]) -> Expression:
    """Understand `text`; `link` resolves what stands between `[[` and `]]`. Raises NotUnderstoodError."""
    reading = _Reading(tokens(text), link)
    found = reading.either()
    if reading.at < len(reading.tokens):
        raise NotUnderstoodError
    return found


def tokens(text: str) -> list[str]:
    """The words and signs of a query; a string keeps its first quote. Raises NotUnderstoodError."""
    found = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise NotUnderstoodError
        found += [match[0]] if match[0].strip() else []
        at = match.end()
    return found


def truth(value: Value) -> bool:
    """Whether a condition of that value holds."""
    return bool(value) and value != "false"


_TOKEN = re.compile(
    r"\s+|\"(?:[^\"\\]|\\.)*\"|\[\[[^\[\]\n]*\]\]|#[\w/-]+|\d{4}-\d\d(?:-\d\d)?(?:T[\d:]+)?(?![\w-])|\d+(?:\.\d+)?(?![\w-])|"
    r"[^\W\d][\w-]*(?:\.[^\W\d][\w-]*)*|!=|<=|>=|[=<>!&|(),-]"
)
_DATE = re.compile(r"\d{4}(?:-\d\d(?:-\d\d)?(?:T[\d:]+)?)?")
_FIELD = re.compile(r"(?:this\.)?(?:file\.(?:name|folder|path|link|tags|etags|aliases|inlinks|outlinks)|[^\W\d][\w-]*)")
_SIGNS: dict[str, Callable[[int], bool]] = {
    "=": lambda order: order == 0,
    "!=": lambda order: order != 0,
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}


@dataclass
class _Reading:
    tokens: list[str]
    link: Callable[[str], Note]
    at: int = field(default=0)
    depth: int = field(default=0)

    def take(self, *wanted: str) -> bool:
        """Go past the next token if it is one of `wanted`."""
        there = self.at < len(self.tokens) and self.tokens[self.at].lower() in wanted
        self.at += there
        return there

    def next(self) -> str:
        if self.at >= len(self.tokens):
            raise NotUnderstoodError
        self.at += 1
        return self.tokens[self.at - 1]

    def either(self) -> Expression:
        left = self.both()
        while self.take("or", "|"):
            left = _or(left, self.both())
        return left

    def both(self) -> Expression:
        left = self.compared()
        while self.take("and", "&"):
            left = _and(left, self.compared())
        return left

    def compared(self) -> Expression:
        left = self.value()
        if self.at < len(self.tokens) and (sign := _SIGNS.get(self.tokens[self.at])):
            self.at += 1
            right = self.value()
            return lambda note: sign(order(left(note), right(note)))
        return left

    def value(self) -> Expression:
        self.depth += 1
        if self.depth > 50:
            raise NotUnderstoodError
        token = self.next()
        if token == "!":
            inner = self.value()
            return lambda note: not truth(inner(note))
        if token == "(":
            inner = self.either()
            if not self.take(")"):
                raise NotUnderstoodError
            return inner
        if token[0].isdecimal():
            if "-" in token:  # a date without its function
                raise NotUnderstoodError
            return _constant(float(token))
        if token[0] == '"':
            return _constant(re.sub(r"\\(.)", r"\1", token[1:-1]))
        if token[0] == "[":
            return _constant(self.link(token[2:-2]))
        if token.lower() in ("true", "false", "null"):
            return _constant({"true": True, "false": False, "null": None}[token.lower()])
        if self.take("("):
            return self.called(token.lower())
        if not _FIELD.fullmatch(token):
            raise NotUnderstoodError
        return lambda note: note(token)

    def called(self, name: str) -> Expression:
        if name == "date":
            return self.date()
        arguments = [] if self.take(")") else [self.either()]
        while arguments and self.take(","):
            arguments.append(self.either())
        if (arguments and not self.take(")")) or (name, len(arguments)) not in _FUNCTIONS:
            raise NotUnderstoodError
        function = _FUNCTIONS[name, len(arguments)]
        return lambda note: function(*(argument(note) for argument in arguments))

    def date(self) -> Expression:
        """`date(2026-01-31)`: dates are compared as texts; a notebook says the same every day, so not `date(today)`."""
        text = self.next()
        if not _DATE.fullmatch(text) or not self.take(")"):
            raise NotUnderstoodError
        return _constant(text)


def order(left: Value, right: Value) -> int:
    """-1, 0 or 1 as `left` is less than, equal to or more than `right`; what is missing comes first."""
    one, other = _key(left), _key(right)
    return (one > other) - (one < other)


def _key(value: Value) -> tuple[int, float, str]:
    if value is None or value in ("", ()):
        return 0, 0.0, ""
    if isinstance(value, bool):
        return 2, 0.0, str(value).lower()
    if isinstance(value, float) or (isinstance(value, str) and re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", value)):
        return 1, float(value), ""
    if isinstance(value, tuple):
        return 2, 0.0, "\0".join(_key(one)[2] for one in value)
    return 2, 0.0, value.path if isinstance(value, Note) else value.casefold()


def _contains(values: Value, wanted: Value) -> Value:
    """In a list one of its values, or a part of one; in a text a part of it."""
    if isinstance(values, tuple):
        return any(_contains(value, wanted) for value in values)
    if isinstance(values, str) and isinstance(wanted, str):
        return wanted in values
    return values is not None and order(values, wanted) == 0


def _joined(values: Value, between: Value) -> Value:
    """The texts of a list as one; of a note its name."""
    if isinstance(values, tuple):
        return str(between).join(str(_joined(value, between)) for value in values)
    if isinstance(values, Note):
        return values.path.rpartition("/")[2].removesuffix(".md")
    return f"{values:g}" if isinstance(values, float) else str(values) if values is not None else ""


def _folded(value: Value) -> Value:
    return tuple(map(_folded, value)) if isinstance(value, tuple) else str(value).casefold() if value else value


def _length(value: Value) -> Value:
    return float(len(value)) if isinstance(value, str | tuple) else 0.0 if value is None else 1.0


def _constant(value: Value) -> Expression:
    return lambda _note: value


def _or(left: Expression, right: Expression) -> Expression:
    return lambda note: truth(left(note)) or truth(right(note))


def _and(left: Expression, right: Expression) -> Expression:
    return lambda note: truth(left(note)) and truth(right(note))


_FUNCTIONS: dict[tuple[str, int], Callable[..., Value]] = {
    ("contains", 2): _contains,
    ("econtains", 2): lambda values, wanted: (
        wanted in values if isinstance(values, tuple) else _contains(values, wanted)
    ),
    ("icontains", 2): lambda values, wanted: _contains(_folded(values), _folded(wanted)),
    ("startswith", 2): lambda text, start: str(text or "").startswith(str(start)),
    ("endswith", 2): lambda text, end: str(text or "").endswith(str(end)),
    ("lower", 1): lambda text: str(text or "").lower(),
    ("upper", 1): lambda text: str(text or "").upper(),
    ("length", 1): _length,
    ("join", 1): lambda values: _joined(values, ", "),
    ("join", 2): _joined,
    ("string", 1): lambda value: _joined(value, ", "),
    ("default", 2): lambda value, otherwise: otherwise if value in (None, "", ()) else value,
}
