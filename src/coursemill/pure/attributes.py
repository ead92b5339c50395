"""`key=value` attributes of fences (`python role="test" points=1`) and of callouts (`exercise|id=x points=2`)."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

from coursemill.model import Finding
from coursemill.pure import codes

ID_LENGTH = 40
"""Cell ids have 64 characters at most, and derive from ids: `<id>-test-<name>`."""
_LONGEST = 30  # what is longer resembles nothing
_ID = re.compile(r"[A-Za-z0-9_-]+")
_LANGUAGE = re.compile(r"\{?\.?([A-Za-z][\w+#-]*)\}?(?:[:,]\S*)?")
"""`python`, and as other programs write it: `{python}`, `{.python}`, `python:shop/items.py`, `python,editable`."""
_VALUE = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
_FENCE = re.compile(rf"(?P<key>[^\s=\"']+)(?:=(?P<value>{_VALUE}|[^\s\"']*))?(?=\s|$)|(?P<junk>\S+)")
_CALLOUT = re.compile(rf"(?P<key>[^\s=,|\"']+)(?:=(?P<value>{_VALUE}|[^\s,|\"']*))?(?=[\s,|]|$)|(?P<junk>[^\s,|]+)")


@dataclass
class Attributes:
    """The attributes of one fence or callout, and what is wrong with them; values are asked for by type."""

    path: str
    line: int
    """1-based, as in findings."""
    values: dict[str, str | None] = field(default_factory=dict)
    """Key → its value without quotes; None for a word that has no value."""
    columns: dict[str, int] = field(default_factory=dict)
    broken: bool = False
    """Something among them has not the shape of an attribute: what was meant may be lost."""
    findings: list[Finding] = field(default_factory=list)

    def allow(self, known: Collection[str], what: str) -> None:
        """Report every key that `what` (such as `role="test"`) does not have."""
        for key in self.values:
            if key not in known:
                has = "its attributes: " + ", ".join(f"`{k}`" for k in sorted(known)) if known else "it has none"
                self.report(codes.UNKNOWN_ATTRIBUTE, key, f"{what} has no attribute `{key}`", meant(key, known) or has)

    def text(self, key: str, default: str = "") -> str:
        """The value of `key` as it is."""
        if key in self.values and not self.values[key]:
            self.report(codes.ATTRIBUTE_VALUE, key, f"`{key}` has no value", f'write `{key}="…"`')
        return self.values.get(key) or default

    def number(self, key: str) -> float:
        """A finite number that is not negative; 0 when there is none."""
        value = self.text(key)
        try:
            number = float(value or 0)
        except ValueError:
            number = math.nan
        if math.isfinite(number) and number >= 0 and "_" not in value:
            return number
        self.report(codes.ATTRIBUTE_VALUE, key, f"`{key}` is `{value}`", "give a number that is not negative")
        return 0.0

    def flag(self, key: str) -> bool:
        """`true` or `false`; a word alone counts as true, since what it hides must not be shown."""
        if key not in self.values:
            return False
        value = self.values[key]
        if value is None or value.lower() not in {"true", "false"}:
            self.report(codes.ATTRIBUTE_VALUE, key, f"`{key}` is neither true nor false", f"write `{key}=true`")
        return value is None or value.lower() != "false"

    def words(self, key: str) -> tuple[str, ...]:
        """Words that commas or spaces part."""
        return tuple(dict.fromkeys(w for w in re.split(r"[\s,]+", self.text(key)) if w))

    def identifier(self, key: str = "id", longest: int = ID_LENGTH) -> str:
        """An id that nbgrader takes; empty when there is none or when it was refused."""
        value = self.text(key)
        if value and (not _ID.fullmatch(value) or len(value) > longest):
            fix = f"use letters, digits, `-` and `_`, {longest} at most"
            self.report(codes.ID_FORM, key, f"the id `{value}` cannot be used", fix)
            return ""
        return value

    def file_path(self, key: str = "path") -> str:
        """A relative path that stays in the lesson's directory; empty when there is none or when it was refused."""
        value = self.text(key)
        if not value or is_inside(value):
            return value
        self.report(codes.FILE_PATH, key, f"the path `{value}` leaves the lesson's directory or is no plain path")
        return ""

    def report(self, code: codes.Code, key: str, message: str, fix: str = "") -> None:
        """Add a finding at `key`."""
        self.findings.append(code.at(self.path, self.line, message, col=self.columns.get(key, 1), fix=fix))


def of_fence(path: str, line: int, column: int, info: str) -> tuple[str, Attributes]:
    """The language and the attributes of a fence's info string, which starts at `column` (1-based) of `line`."""
    word = re.match(r"[^\s=]+(?=\s|$)", info)
    written = word[0] if word else ""
    named = _LANGUAGE.fullmatch(written)
    return named[1] if named else written, _read(_FENCE, path, line, column + len(written), info[len(written) :])


def of_callout(path: str, line: int, column: int, text: str) -> Attributes:
    """The attributes behind the bar of a callout's header, which start at `column` (1-based) of `line`."""
    return _read(_CALLOUT, path, line, column, text)


def is_inside(path: str) -> bool:
    """Whether a path is relative, POSIX and plain: no `..`, no drive, no backslash, no quote, no control characters."""
    parts = path.split("/")
    return (
        not re.search(r"[\"\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]|^[A-Za-z]:|^~|^\s|\s$", path)
        and all(part not in {"", ".", ".."} for part in parts)
        and len(path.encode()) <= 255
    )


def meant(word: str, known: Iterable[str]) -> str:
    """`did you mean …?` when something known is like `word`."""
    found = closest(word, known, cutoff=0.6)
    return f"did you mean `{found}`?" if found else ""


def closest(word: str, known: Iterable[str], cutoff: float) -> str:
    """What of the known is most like `word`, by difflib's ratio; empty when nothing is."""
    found = get_close_matches(word.lower(), sorted(known), 1, cutoff) if len(word) <= _LONGEST else []
    return found[0] if found else ""


def _read(pattern: re.Pattern[str], path: str, line: int, column: int, text: str) -> Attributes:
    read = Attributes(path, line)
    for match in pattern.finditer(text):
        key, at = match["key"], column + match.start()
        if key is None:
            message = f"`{match['junk']}` is no attribute"
            fix = 'attributes are `key="value"`, with a quote at both ends'
            read.findings.append(codes.ATTRIBUTE_VALUE.at(path, line, message, col=at, fix=fix))
            read.broken = True
        elif key in read.values:
            message = f"`{key}` stands twice"
            read.findings.append(codes.ATTRIBUTE_VALUE.at(path, line, message, col=at, fix="keep one of them"))
        else:
            read.values[key] = _unquoted(match["value"])
            read.columns[key] = at
    return read


def _unquoted(value: str | None) -> str | None:
    if value and value[0] in "\"'":
        return re.sub(r"\\([\"'\\])", r"\1", value[1:-1])
    return value
