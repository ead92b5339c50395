"""A line that asks AnyBlock for something: `[list2table|scroll(460)|#Title]`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from coursemill.pure import near

Mode = Literal["", "sections", "cards", "table", "grid", "tree", "timeline", "flow", "mind"]
"""What becomes of a list: sections and cards, tables of four kinds, diagrams of two; nothing: it stays a list."""
GOES_ON = "[list2tab|]"
"""What begins the rest of a list that code cells cut: sections that go on; more bars: so many levels deeper."""

_MODES: Mapping[Mode, str] = {
    "sections": "tab tabs",
    "cards": "card cards col cols",
    "table": "table mdtable tableT mdtableT crossTable multiCrossTable multiWayTable fakeList",
    "grid": "ut mdut utT mdutT dataTable",
    "tree": "lt mdlt ult ulTable listTable treeTable listGrid treeGrid dt dir dirTree",
    "timeline": "timeline mdtimeline timelineT mdtimelineT c2t",
    "flow": "mermaid flow wbs pumlWBS pumlActivity",
    "mind": "mindmap mdMindmap pumlMindmap markmap node nodes abMindmap",
}
_OTHERS = "list c2list listdata c2listdata astree astreeH jsontext quote code"
"""What `list2…` also makes: for other commands, or for the eye; a list shows the same."""
_CHAINED: Mapping[str, Mode] = {"c2listdata2tab": "sections", "c2listdata2items": "cards", "listdata2nodes": "mind"}
_BARE = frozenset({
    "tab", "tabs", "card", "cards", "col", "flow", "mindmap", "mdmindmap", "timeline", "wbs", "node", "dir",
})  # fmt: skip
"""What needs no `list2` before it; so does every table."""
_LOOKS = """
    fold flod hide overfold scroll scrollX limit part width addClass add_class addDiv heimu title md text add slice
    replace indent code quote list x xcode xquote xxx transposition transpose trs exTable strictTable listroot
    listXinline code2quote quote2code listdata2list listdata2strict mditTabs mditCard mditCol
"""
_WORDS = frozenset({
    "add", "code", "dir", "hide", "indent", "limit", "list", "md", "node", "part", "quote", "replace", "slice", "text",
    "title", "width", "x",
})  # fmt: skip
"""Commands that are English words: alone in brackets they are no header."""
LONGEST = 500
"""Characters of a header."""

_LINE = re.compile(r"(?P<prefix>(?:[ \t]|>|[-*+][ \t]|\d{1,9}[.)][ \t])*)\[(?P<inside>[#A-Za-z0-9][^\n]*)\]:?[ \t]*")
_PART = re.compile(r"(?:\[\[[^\[\]]*\]\]|`[^`]*`|\$[^$|]+\$|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)|[^|])+")
_COMMAND = re.compile(r"(?P<name>[A-Za-z][\w-]*|2[A-Za-z]\w*)(?:\((?P<argument>.*)\))?")
_BRACKETED = re.compile(r"\[\[[^\[\]]*\]\]|`[^`]*`|\[[^\[\]]*\]")
_LIKE = re.compile(r"(?:list|title|quote|code|table)2[A-Za-z]")
"""What begins with this can hardly be anything but a command."""


@dataclass(frozen=True, slots=True)
class Header:
    """What is asked for; the look of it (colours, widths, scrolling) is left to Jupyter."""

    prefix: str = ""
    """What stands before it: quote marks, a list's sign, blanks."""
    mode: Mode = ""
    title: str = ""
    root: str = ""
    """Of a tree, when the list has none."""
    fold: Literal["", "-", "+"] = ""
    """`-`: folded; `+`: folded when it is long."""
    columns: int = 0
    """Of cards; 0: not said."""
    transposed: bool = False
    bare: bool = False
    """Without its quote marks."""
    deeper: int = 0
    """Levels by which its sections stand deeper than others in their place: those around them are cut off."""
    unknown: tuple[str, ...] = ()
    """Commands that there are not."""

    def below(self, first: Header) -> Header:
        """This header and the one on the line above it as one."""
        if self.deeper or (self.mode == "sections" and not self.title and not self.fold):
            return replace(first, mode="sections", fold="", transposed=False, columns=0, deeper=self.deeper)
        return replace(
            self,
            prefix=first.prefix,
            mode=self.mode or first.mode,
            title=self.title or first.title,
            root=self.root or first.root,
            fold=self.fold or first.fold,
            columns=self.columns or first.columns,
            transposed=self.transposed or first.transposed,
            bare=self.bare or first.bare,
            unknown=first.unknown + self.unknown,
        )


def read(line: str) -> Header | None:
    """What `line` asks for; None when it is no header."""
    match, parts = _parts(line)
    if match is None or not parts:
        return None
    header = Header(prefix=match["prefix"])
    known = 0
    for part in parts:
        command = _COMMAND.fullmatch(part)
        if part.startswith("#"):
            header = replace(header, title=part[1:].strip())
        elif command and command["name"].lower() in _KNOWN:
            known += not (len(parts) == 1 and command["name"].lower() in _WORDS)
            header = _with(header, command["name"], (command["argument"] or "").strip())
        else:
            header = replace(header, unknown=(*header.unknown, part))
    if not known and (header.unknown or not re.search(r"[^\W\d_]", header.title)):
        return None
    if header.unknown and not header.title:
        header = replace(header, title=" | ".join(header.unknown))
    if match["inside"].startswith("list2tab||"):
        header = replace(header, deeper=len(match["inside"]) - len(GOES_ON) + 2)
    commands = (part for part in header.unknown if _COMMAND.fullmatch(part))
    return replace(header, unknown=tuple(commands))


def unknown(line: str) -> str:
    """The command in `line` that there is not, when the line can hardly be anything but a header; else nothing."""
    if header := read(line):
        return header.unknown[0] if header.unknown else ""
    _, parts = _parts(line)
    titled = any(part.startswith("#") for part in parts)
    return next((part for part in parts if _COMMAND.fullmatch(part) and (titled or _LIKE.match(part))), "")


def meant(command: str) -> str:
    """`did you mean …?`, or nothing when no command is near."""
    return near.advice(command.partition("(")[0], _USUAL)


def trailing(lines: Iterable[str]) -> list[Header]:
    """The headers with which `lines` end, in order."""
    found: list[Header] = []
    for line in reversed(list(lines)):
        header = read(line)
        if header is None:
            break
        found.insert(0, header)
    return found


def goes_on(deeper: int = 0) -> str:
    """The header of sections that go on, which stood so many levels deeper than it stands now."""
    return GOES_ON[:-1] + "|" * deeper + GOES_ON[-1]


def merged(headers: Iterable[Header]) -> Header:
    """Headers on lines below one another as one."""
    first, *others = headers
    for header in others:
        first = header.below(first)
    return first


def _parts(line: str) -> tuple[re.Match[str] | None, list[str]]:
    """A line in brackets, and what stands in them between bars."""
    match = _LINE.fullmatch(line) if "[" in line and len(line) <= LONGEST else None
    if match is None or re.search(r"[\[\]]", _BRACKETED.sub("", match["inside"])):
        return None, []
    return match, [part.strip() for part in _PART.findall(match["inside"]) if part.strip()]


def _with(header: Header, name: str, argument: str) -> Header:
    """`header` with what one more command asks for."""
    name = name.lower()
    if mode := _KNOWN[name]:
        header = replace(header, mode=mode, transposed=header.transposed or name.endswith(("tablet", "utt")))
    if name in ("transposition", "transpose", "trs"):
        return replace(header, transposed=True)
    if name in ("x", "xquote", "xxx"):
        return replace(header, bare=True)
    if name in ("fold", "flod", "hide", "heimu") or "heimu" in argument:
        return replace(header, fold="-")
    if name == "overfold":
        return replace(header, fold=header.fold or "+")
    if name == "listroot":
        return replace(header, root=re.sub(r"^[\w-]*\(+(.*?)\)+$", r"\1", argument).strip("\"'"))
    if name == "title":
        return replace(header, title=argument)
    columns = re.search(r"ab-col-?(\d{1,2})", argument)
    return replace(header, columns=int(columns[1])) if columns else header


def _known() -> dict[str, Mode]:
    """Every command, in lower case, and what becomes of a list by it."""
    known: dict[str, Mode] = dict.fromkeys(_LOOKS.lower().split(), "")
    known |= {name.lower(): mode for name, mode in _CHAINED.items()}
    for mode, stems in (*_MODES.items(), ("", _OTHERS)):
        for stem in stems.lower().split():
            known |= {f"{start}2{stem}": mode for start in ("list", "title", "")}
    every = " ".join(_MODES.values()).lower().split()
    bare = [stem for stem in every if stem in _BARE or stem.endswith(("table", "grid", "list"))]
    return known | {stem: known[f"2{stem}"] for stem in bare}


_KNOWN = _known()
_USUAL = frozenset({
    "list2tab", "list2card", "list2col", "list2table", "list2mdtable", "list2ut", "list2lt", "list2timeline",
    "list2mermaid", "list2mindmap", "list2markmap", "title2tab", "2table", "2tab", "2mdtable", "crosstable", "timeline",
    "mindmap", "listroot", "fold", "overfold", "scroll", "addClass", "width", "transposition",
})  # fmt: skip
