"""What a lesson may use in the sandbox, as its note says it: `memory=6 GB`, `processes=2000`, `cpu=30 min`."""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["bytes", "seconds", "number"]
KINDS: dict[str, Kind] = {
    "memory": "bytes",
    "processes": "number",
    "cpu": "seconds",
    "file": "bytes",
    "disk": "bytes",
    "shared": "bytes",
    "output": "bytes",
    "descriptors": "number",
    "sockets": "number",
}
"""Limit → what its value counts; the names are the sandbox's."""
SHAPES: dict[Kind, str] = {
    "bytes": "a size with its unit, such as 6 GB or 512 MB",
    "seconds": "a time, such as 600, 90 s or 30 min",
    "number": "a whole number",
}
UNITS: dict[Kind, dict[str, int]] = {
    "bytes": {"kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30, "tb": 1 << 40},
    "seconds": {"": 1, "s": 1, "sec": 1, "min": 60, "h": 3600},
    "number": {"": 1},
}
ENTRY = re.compile(r"\s*(?P<name>[^\s=:]+)\s*[=:]\s*(?P<value>.*?)\s*")
VALUE = re.compile(r"(?P<number>[0-9]{1,6}(?:\.[0-9]{1,3})?)\s*(?P<unit>[A-Za-z]*)")


def split(text: str) -> tuple[str, str] | None:
    """The name and the value of `memory=6 GB`, also with a colon in place of the sign; None when it is neither."""
    found = ENTRY.fullmatch(text)
    return (found["name"].lower(), found["value"]) if found else None


def amount(name: str, value: str) -> int | None:
    """What the limit `name` is set to, in bytes, seconds or pieces; None when `value` does not say it."""
    kind, found = KINDS[name], VALUE.fullmatch(value)
    if not found:
        return None
    unit = found["unit"].lower().replace("ib", "b") if kind == "bytes" else found["unit"].lower()
    factor = UNITS[kind].get(unit)
    if factor is None or (factor == 1 and "." in found["number"]):
        return None
    return round(float(found["number"]) * factor) or None
