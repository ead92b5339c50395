"""What is surely wrong in a d2 source, seen without its compiler: unknown shapes and style keywords.

The compiler finds more. The lists are its own (d2 0.7, `d2target/d2target.go` and `d2ast/keywords.go`); a test
compares them with the compiler where there is one.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import islice

from coursemill.pure import near

SHAPES = frozenset({
    "c4-person", "callout", "circle", "class", "cloud", "code", "cylinder", "diamond", "document", "hexagon",
    "hierarchy", "image", "oval", "package", "page", "parallelogram", "person", "queue", "rectangle",
    "sequence_diagram", "sql_table", "square", "step", "stored_data", "text",
})  # fmt: skip
ARROWHEADS = frozenset({
    "arrow", "box", "cf-many", "cf-many-required", "cf-one", "cf-one-required", "circle", "cross", "diamond", "none",
    "triangle",
})  # fmt: skip
STYLES = frozenset({
    "3d", "animated", "bold", "border-radius", "double-border", "fill", "fill-pattern", "filled", "font", "font-color",
    "font-size", "italic", "multiple", "opacity", "shadow", "stroke", "stroke-dash", "stroke-width", "text-transform",
    "underline",
})  # fmt: skip
MEANT = {
    "actor": ("person",), "array": ("queue",), "block": ("rectangle",), "box": ("rectangle",), "browser": ("page",),
    "comment": ("callout",), "component": ("package", "rectangle"), "container": ("rectangle",),
    "data": ("stored_data", "parallelogram"), "database": ("cylinder", "stored_data"), "db": ("cylinder",),
    "decision": ("diamond",), "device": ("rectangle", "page"), "directory": ("package",), "disk": ("cylinder",),
    "ellipse": ("oval",), "end": ("oval",), "file": ("document", "page"), "folder": ("package",),
    "input": ("parallelogram",), "io": ("parallelogram",), "module": ("package",), "node": ("rectangle",),
    "note": ("callout", "page"), "output": ("parallelogram",), "process": ("step", "rectangle"),
    "rect": ("rectangle",), "rhombus": ("diamond",), "rounded": ("rectangle",), "screen": ("page",),
    "server": ("rectangle", "cylinder"), "service": ("rectangle", "hexagon"), "stack": ("queue",), "start": ("oval",),
    "storage": ("cylinder", "stored_data"), "store": ("stored_data", "cylinder"), "table": ("sql_table",),
    "terminator": ("oval",), "user": ("person",),
}  # fmt: skip
"""What other tools call a shape → the shapes that look like it."""
DEEPEST = 40
"""Maps in one another; nothing is said of what is deeper."""
MOST = 50
"""What is said of one source."""
_KEY = re.compile(r"""(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\n]|'')*'|(?<=\))\[[^\]\n]*\]|\\.|[^\n;:{}\[\]#"'|\\])+""")
_QUOTED = re.compile(r"""["'](?P<text>(?:(?<=")(?:[^"\\\n]|\\.)*(?="))|(?:(?<=')(?:[^'\n]|'')*(?=')))["']""")
_UNQUOTED = re.compile(r"(?:\\(?:\n[ \t]*|.)|[^\n;{}\[\]#\\])+")
_BLOCK = re.compile(r"\|(?P<signs>[^\w\s]*)")
_PART = re.compile(r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^.])+""")
_STRAY = re.compile(r"style[ \t]+\w[\w.-]*")
_HOLDERS = frozenset({"style", "vars", "classes", "layers", "scenarios", "steps"})
_RESERVED = frozenset({
    "class", "constraint", "direction", "grid-columns", "grid-gap", "grid-rows", "height", "horizontal-gap", "icon",
    "label", "left", "link", "near", "shape", "source-arrowhead", "target-arrowhead", "tooltip", "top", "vertical-gap",
    "width",
})  # fmt: skip
_BLANK = re.compile(r"[ \t]*")


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong at a line and a column of a source, both from 1, and what to do."""

    line: int
    col: int
    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """A key with its value: `path` is the way to it through the maps around it."""

    path: tuple[str, ...]
    at: int
    """Where the key's last part stands in the source."""
    value: str
    value_at: int


def mistakes(source: str) -> list[Mistake]:
    """Return the first unknown shapes and style keywords of a d2 source, in order; never raises."""
    return list(islice(_mistakes(source), MOST))


def _mistakes(source: str) -> Iterator[Mistake]:
    found = list(settings(source))
    last = {setting.path: setting for setting in found}
    for setting in found:
        if "vars" in setting.path or last[setting.path] is not setting:  # what is set again below counts there
            continue
        above, key = setting.path[-2:-1], setting.path[-1]
        if above == ("style",) and re.fullmatch(r"[a-z0-9-]+", key) and key not in STYLES:
            yield _mistake(source, setting.at, f'invalid style keyword: "{key}"')
        elif key == "shape" and above != ("style",) and re.fullmatch(r"[^$\\\n]+", setting.value):
            heads = ARROWHEADS if above in (("source-arrowhead",), ("target-arrowhead",)) else frozenset()
            edge = any("->" in part or "--" in part or "<-" in part for part in setting.path)
            known = SHAPES | ARROWHEADS | {"null"} if edge else SHAPES | {"null"} | heads
            if setting.value.lower() not in known:
                yield _mistake(source, setting.value_at, f'unknown shape "{setting.value}"')


def oddities(source: str) -> list[Mistake]:
    """Return what d2 draws otherwise than the author surely meant, in order; never raises.

    Seen in d2 0.7: `style x {…}`, as other tools have it, is a shape called `style x`; in a sequence diagram a shape
    in another one is a bar without a label as soon as a connection names it.
    """
    found = list(settings(source))
    odd = [_stray(source, one) for one in found if _STRAY.fullmatch(one.path[-1])][:MOST]
    root = next((one for one in found if one.path == ("shape",) and one.value == "sequence_diagram"), None)
    inner = list(dict.fromkeys(filter(None, map(_bar, found))))[:MOST] if root else []
    bars = [name for name in inner if _is_connected(name, source)]
    if root and bars:
        more = f" and {len(bars) - 1} more" if len(bars) > 1 else ""
        message = f"`shape: sequence_diagram` draws `{bars[0]}`{more} as bars, without their labels"
        fix = "leave that line out, or draw actors and their messages only"
        odd.append(_at(source, root.at, message, fix))
    return sorted(odd, key=lambda one: (one.line, one.col))


def explained(message: str) -> tuple[str, str]:
    """A message of the compiler in our words, and what to do."""
    if shape := re.fullmatch(r'unknown shape "(.*)"', message):
        return f"unknown shape `{shape[1]}`", _shape_advice(shape[1])
    if style := re.fullmatch(r'invalid style keyword: "(.*)"', message):
        fix = near.advice(style[1], STYLES) or f"the keywords: {', '.join(sorted(STYLES))}"
        return f"unknown style keyword `{style[1]}`", fix
    return message, ""


def settings(source: str) -> Iterator[Setting]:
    """Every `key: value` of a source, also those in maps; what stands in arrays and texts is none."""
    at = 0
    maps: list[tuple[str, ...] | None] = [()]  # None: an array
    while at < len(source):
        sign = source[at]
        if sign in " \t\n\r;:":
            at += 1
        elif sign == "#":
            at = _line_end(source, at)
        elif source.startswith('"""', at):
            end = source.find('"""', at + 3)
            at = len(source) if end < 0 else end + 3
        elif sign in "}]":
            maps = maps[:-1] or [()]
            at += 1
        elif sign in "{[":
            maps.append(None if sign == "[" or maps[-1] is None else maps[-1])
            at += 1
        elif sign == "|":
            at = _block_end(source, at)
        elif key := _KEY.match(source, at):
            at = yield from _statement(source, key, maps)
        else:
            at += 1


def _statement(source: str, key: re.Match[str], maps: list[tuple[str, ...] | None]) -> Generator[Setting, None, int]:
    """The setting that begins with `key`; says where to go on, with the map that it opens among `maps`."""
    parts = [(part[0].strip(), key.start() + part.start() + _lead(part[0])) for part in _PART.finditer(key[0])]
    within, at = maps[-1], key.end()
    path = None if within is None else (*within, *(name for name, _ in parts))
    if source.startswith(":", at):
        at = _BLANK.match(source, at + 1).end()  # type: ignore[union-attr] # it always matches
        value, start = "", at
        if source.startswith("|", at):
            at = _block_end(source, at)
        elif quoted := _QUOTED.match(source, at):
            value, at = quoted["text"], quoted.end()
        elif plain := _UNQUOTED.match(source, at):
            value, at = plain[0].rstrip(), plain.end()
        if path and parts:
            yield Setting(path, parts[-1][1], value, start)
        at = _BLANK.match(source, at).end()  # type: ignore[union-attr] # it always matches
    elif path and parts and source.startswith("{", at):
        yield Setting(path, parts[-1][1], "", at)
    if source.startswith(("{", "["), at):
        maps.append(path if source[at] == "{" and path and len(path) < DEEPEST else None)
        at += 1
    return at


def _lead(text: str) -> int:
    return len(text) - len(text.lstrip())


def _line_end(source: str, at: int) -> int:
    end = source.find("\n", at)
    return len(source) if end < 0 else end


def _block_end(source: str, at: int) -> int:
    """Where the block string at `at` ends: its opening signs, mirrored."""
    signs = _BLOCK.match(source, at)
    assert signs is not None  # the caller has seen the bar
    closing = f"{signs['signs'][::-1]}|"
    end = source.find(closing, signs.end())
    return len(source) if end < 0 else end + len(closing)


def _stray(source: str, setting: Setting) -> Mistake:
    name = setting.path[-1].split(maxsplit=1)[1]
    fix = f"write `{name}.style.…`, and an icon as `{name}.icon`"
    return _at(source, setting.at, f"`{setting.path[-1]} {{…}}` draws a shape of that name", fix)


def _bar(setting: Setting) -> str:
    """The name of a shape with a label in another shape; empty when it is no such."""
    *around, name = setting.path
    plain = all(re.fullmatch(r"\w[\w -]*", part) and part not in _HOLDERS for part in setting.path)
    return ".".join(setting.path) if around and plain and setting.value and name not in _RESERVED else ""


def _is_connected(name: str, source: str) -> bool:
    sign, word = r"(?:->|<-|--|<->)", re.escape(name)
    return re.search(rf"(?<![\w.]){word}[ \t]*{sign}|{sign}[ \t]*{word}(?![\w.])", source) is not None


def _mistake(source: str, at: int, message: str) -> Mistake:
    return _at(source, at, *explained(message))


def _at(source: str, at: int, message: str, fix: str) -> Mistake:
    line = source.count("\n", 0, at) + 1
    return Mistake(line, at - (source.rfind("\n", 0, at) + 1) + 1, message, fix)


def _shape_advice(name: str) -> str:
    meant = MEANT.get(name.lower()) or near.near(name, SHAPES)
    if not meant and (elsewhere := near.near(name, MEANT, 1)):
        meant = MEANT[elsewhere[0]]
    if meant:
        return f"did you mean {' or '.join(f'`{shape}`' for shape in meant)}?"
    return f"the shapes: {', '.join(sorted(SHAPES))}"
