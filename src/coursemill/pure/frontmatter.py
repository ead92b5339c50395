"""A note's properties: YAML between two lines of `---`, read without tags, anchors or surprises.

Every scalar is text here (no `no` that becomes False); what needs a number converts it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from coursemill.model import ACCELERATORS, Accelerator, Finding, FrontMatter
from coursemill.pure import codes, limits
from coursemill.pure.attributes import meant

_LONGEST = 64 * 1024
_DEEPEST = 20
_FENCE = re.compile(r"---[ \t]*")
_KEY = re.compile(r"[^\s#:\[\]{}-][^:\n]{0,60}:(?:[ \t]|$)|\{")
_YAML_LINE = re.compile(rf"[ \t]*$|[ \t]+\S|#|-(?:[ \t]|$)|[\]}}]|<%|%>|{_KEY.pattern}")
_PLACE = re.compile("\ue000([0-9]{1,6})\ue001")
_HEADING = re.compile(r"#{1,6}[ \t]+\S")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_WORKSHEET = re.compile(r"\w[\w .-]{0,99}")
_LINK = re.compile(r"\[\[([^\[\]|#]*)(?:[|#][^\[\]]*)?\]\]")
_OURS = frozenset({"worksheet", "objectives", "prerequisites", "accelerators", "requires", "limits"})
_LISTS = (*sorted(_OURS), "tags", "aliases", "related")
_KNOWN = frozenset({*_LISTS, "timeout", "date_created"})

_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is ten times as fast


def read(path: str, lines: list[str]) -> tuple[FrontMatter, list[Finding]]:
    """Read the properties at the head of `lines`; never raises. Without any, `end_line` is 0."""
    if not lines or not _FENCE.fullmatch(lines[0]):
        return FrontMatter(), []
    end = next((n for n in range(1, len(lines)) if _FENCE.fullmatch(lines[n])), None)
    if end is not None and any(lines[1:end]) and not any(_KEY.match(line) for line in lines[1:end]):
        return FrontMatter(), []  # two rules across the page
    reading = _Reading(path)
    entries = None if end is None else reading.entries(lines[1:end])
    if end is None or _holds_heading(lines[1:end]) or (entries is None and _is_body(lines[1:end])):
        if len(lines) < 2 or not _KEY.match(lines[1]):
            return FrontMatter(), []  # a rule across the page
        end = next((n for n in range(1, len(lines)) if _is_end(lines[n])), len(lines))
        reading = _Reading(path, [codes.FRONT_MATTER_OPEN.at(path, 1)])
        entries = reading.entries(lines[1:end])
        end -= 1  # there is no closing line
    return reading.front(entries or {}, end + 1), reading.findings


def _is_body(lines: list[str]) -> bool:
    """Whether the text below the properties, down to a rule across the page, was taken for them."""
    gap = next((n for n, line in enumerate(lines) if _is_end(line)), len(lines))
    return any(not _YAML_LINE.match(line) for line in lines[gap:])


def _holds_heading(lines: list[str]) -> bool:
    """Whether a heading stands among the properties: a comment in YAML has no blank line beside it."""
    headings = (n for n in range(1, len(lines) - 1) if _HEADING.match(lines[n]))
    return any(not lines[n - 1].strip(" \t") or not lines[n + 1].strip(" \t") for n in headings)


def _is_end(line: str) -> bool:
    """Whether properties that are never closed end above `line`."""
    return not line.strip(" \t") or line.startswith("#") or not _YAML_LINE.match(line)


@dataclass(frozen=True, slots=True)
class _Value:
    """A value with its line in the note: text, or a list of values; a mapping is neither."""

    line: int
    text: str = ""
    items: tuple[_Value, ...] | None = None
    mapping: bool = False

    def __str__(self) -> str:
        return self.text if self.items is None else f"[{', '.join(map(str, self.items))}]"


class _NotAllowedError(Exception):
    """A tag, an anchor or an alias."""


@dataclass
class _Reading:
    path: str
    findings: list[Finding] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)
    saved: list[str] = field(default_factory=list)
    """Templater's expressions, which stand out of YAML's sight."""

    def report(self, code: codes.Code, line: int, message: str = "", fix: str = "", *, col: int = 1) -> None:
        self.findings.append(code.at(self.path, line, message, fix=fix, col=col))

    def entries(self, lines: list[str]) -> dict[str, _Value] | None:
        """Key → value of the YAML in `lines` (the note's line 2 and on); None, and a finding, when it is none."""
        text = "\n".join(lines) + "\n"
        if len(text) > _LONGEST:
            self.report(codes.FRONT_MATTER_YAML, 1, "the front matter is too long", "keep to a few short properties")
            return None
        text = _UNPRINTABLE.sub(" ", self._hide(text))
        try:
            return self._entries(yaml.parse(text, Loader=_Loader))
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, col = (min(mark.line, len(lines) - 1) + 2, mark.column + 1) if mark else (1, 1)
            message = f"the front matter is not YAML: {error.problem or error.context}"
            self.report(
                codes.FRONT_MATTER_YAML, line, message, 'quote a value that holds `: `, `#`, `[` or `"`', col=col
            )
        except _NotAllowedError:
            pass  # reported where it was seen
        return None

    def _hide(self, text: str) -> str:
        """Put a word in the place of each Templater expression; nothing where one has its lines to itself."""
        pieces: list[str] = []
        at = 0
        while (start := text.find("<%", at)) >= 0 and (end := text.find("%>", start) + 2) >= 2:
            ends = "\n" * text.count("\n", start, end)
            alone = text[start - 1 : start] in {"", "\n"} and text[end : end + 1] == "\n"
            pieces += [text[at:start], ends if alone else f"\ue000{len(self.saved)}\ue001{ends}"]
            if not alone:
                self.saved.append(text[start:end])
            at = end
        return "".join(pieces) + text[at:]

    def _shown(self, text: str) -> str:
        return _PLACE.sub(lambda m: self.saved[int(m[1])] if int(m[1]) < len(self.saved) else m[0], text)

    def _entries(self, events: Iterator[yaml.Event]) -> dict[str, _Value] | None:
        entries: dict[str, _Value] = {}
        next(events)  # the stream starts
        if isinstance(next(events), yaml.StreamEndEvent):
            return entries  # comments only
        first = next(events)
        if not isinstance(first, yaml.MappingStartEvent):
            self._value(first, events)
            self.report(codes.FRONT_MATTER_YAML, _line(first), "the front matter has no `key: value`")
            return None
        self._refuse(first)
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key, value = self._value(event, events), self._value(next(events), events)
            if key.text not in entries:
                entries[key.text], self.lines[key.text] = value, key.line
                continue
            fix = f"keep this one or that of line {self.lines[key.text]}"
            self.report(codes.FRONT_MATTER_KEY_TWICE, key.line, f"`{key.text}` stands twice", fix)
        return entries

    def _value(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int = 0) -> _Value:
        self._refuse(event)
        line = _line(event)
        if isinstance(event, yaml.ScalarEvent):
            null = event.implicit[0] and event.value in {"~", "null", "Null", "NULL"}
            return _Value(line, "" if null else self._shown(event.value).strip())
        items: list[_Value] = []
        if depth > _DEEPEST:
            self.report(codes.FRONT_MATTER_VALUE, line, "lists are nested too deep")
            raise _NotAllowedError
        for inner in events:
            if isinstance(inner, yaml.SequenceEndEvent | yaml.MappingEndEvent):
                break
            items.append(self._value(inner, events, depth + 1))
        if isinstance(event, yaml.SequenceStartEvent):
            return _Value(line, items=tuple(items))
        return _Value(line, items=(), mapping=bool(items))

    def _refuse(self, event: yaml.Event) -> None:
        """Stop at a tag, an anchor or an alias."""
        tag, anchor = getattr(event, "tag", None), getattr(event, "anchor", None)
        if tag or anchor:
            what = f"the tag `{tag}`" if tag else f"the anchor or alias `{anchor}`"
            self.report(codes.FRONT_MATTER_TAG, _line(event), f"{what} is not allowed", col=_column(event))
            raise _NotAllowedError

    def front(self, entries: dict[str, _Value], end_line: int) -> FrontMatter:
        """Understand the entries that are ours; the others are left alone."""
        lists = {key: self._list(key, entries[key]) for key in _LISTS if key in entries}
        texts = {key: tuple(dict.fromkeys(v.text for v in values)) for key, values in lists.items()}
        for key in entries.keys() - _KNOWN:
            if close := meant(key, _OURS):
                finding = codes.FRONT_MATTER_VALUE.at(self.path, self.lines[key], f"`{key}` means nothing", fix=close)
                self.findings.append(replace(finding, severity="warning"))
        return FrontMatter(
            worksheets=tuple(dict.fromkeys(self._worksheets(lists.get("worksheet", ())))),
            tags=tuple(dict.fromkeys(tag.lstrip("#") for text in texts.get("tags", ()) for tag in _words(text))),
            aliases=texts.get("aliases", ()),
            related=texts.get("related", ()),
            objectives=texts.get("objectives", ()),
            prerequisites=texts.get("prerequisites", ()),
            accelerators=self._accelerators(lists.get("accelerators", ())) or ("cpu",),
            requires=texts.get("requires", ()),
            timeout=self._timeout(entries["timeout"]) if "timeout" in entries else None,
            limits=dict(self._limits(entries["limits"], lists["limits"])) if "limits" in entries else {},
            end_line=end_line,
            lines=dict(self.lines),
            properties={key: _texts(value) for key, value in entries.items()},
        )

    def _list(self, key: str, value: _Value) -> tuple[_Value, ...]:
        """The texts of a property that is a list, or one text in place of a list of one."""
        if value.items is None:
            return (value,) if value.text else ()
        texts: list[_Value] = []
        for item in value.items:
            if item.items is None:
                texts += [item] if item.text else []
            elif link := _unquoted_link(item):
                texts.append(_Value(item.line, f"[[{link}]]"))
                message = f"`[[{link}]]` without quotes is a list"
                if key != "worksheet":
                    self.report(codes.FRONT_MATTER_VALUE, item.line, message, f'write "[[{link}]]"')
            else:
                message, fix = f"`{key}` is a list of texts", "write one text a line; quote one that holds `: `"
                self.report(codes.FRONT_MATTER_VALUE, item.line, message, fix)
        return tuple(texts)

    def _worksheets(self, values: Iterable[_Value]) -> Iterator[str]:
        """The names in `values`: several between commas in one, also those that are written as links."""
        for value in values:
            if "<%" in value.text:
                message = f"`{value}` names no worksheet before Templater has run"
                finding = codes.FRONT_MATTER_VALUE.at(self.path, value.line, message, fix="write what it stands for")
                self.findings.append(replace(finding, severity="warning"))
                continue
            for part in value.text.split(","):
                link = _LINK.fullmatch(part.strip())
                name = (link[1] or "").rpartition("/")[2].removesuffix(".md") if link else part
                if _WORKSHEET.fullmatch(name := name.strip()):
                    yield name
                elif name or not value.text.strip(", "):
                    message = f"`{name or value}` cannot name a worksheet, which is a folder"
                    fix = "use letters, digits, `_`, `-`; one name an item"
                    self.report(codes.FRONT_MATTER_VALUE, value.line, message, fix)

    def _accelerators(self, values: tuple[_Value, ...]) -> tuple[Accelerator, ...]:
        named = {value.text.lower() for value in values}
        for value in values:
            if value.text.lower() not in ACCELERATORS:
                fix = meant(value.text, ACCELERATORS) or "there are cpu, gpu and tpu"
                self.report(codes.FRONT_MATTER_VALUE, value.line, f"there is no accelerator `{value}`", fix)
        return tuple(a for a in ACCELERATORS if a in named)

    def _limits(self, whole: _Value, values: tuple[_Value, ...]) -> Iterator[tuple[str, int]]:
        """Name and amount of each limit in `values`: several between commas in one, too."""
        if whole.mapping:
            message = "`limits` is a list of texts"
            self.report(codes.FRONT_MATTER_VALUE, whole.line, message, "write `limits: [memory=6 GB, disk=2 GB]`")
        seen = set()
        for line, text in ((value.line, part) for value in values for part in value.text.split(",") if part.strip()):
            entry = limits.split(text)
            name = entry[0] if entry else text.strip()
            if entry is None or name not in limits.KINDS:
                fix = meant(name, limits.KINDS) or f"there are {', '.join(limits.KINDS)}"
                message = f"there is no limit `{name}`" if entry else f"`{name}` sets no limit"
                self.report(codes.FRONT_MATTER_VALUE, line, message, fix if entry else "write `memory=6 GB`")
            elif (amount := limits.amount(name, entry[1])) is None:
                fix = f"give {limits.SHAPES[limits.KINDS[name]]}"
                self.report(codes.FRONT_MATTER_VALUE, line, f"the limit `{name}` is `{entry[1]}`", fix)
            elif name in seen:
                self.report(codes.FRONT_MATTER_VALUE, line, f"the limit `{name}` is set twice", "keep one of them")
            else:
                seen.add(name)
                yield name, amount

    def _timeout(self, value: _Value) -> int | None:
        if re.fullmatch(r"[0-9]{1,6}", value.text) and int(value.text) > 0:
            return int(value.text)
        if str(value):
            self.report(
                codes.FRONT_MATTER_VALUE, value.line, f"`timeout` is `{value}`", "give whole seconds, such as 600"
            )
        return None


def _line(event: yaml.Event) -> int:
    """The note's line: its first is the `---` above the YAML."""
    return event.start_mark.line + 2 if event.start_mark else 2


def _column(event: yaml.Event) -> int:
    return event.start_mark.column + 1 if event.start_mark else 1


def _texts(value: _Value) -> tuple[str, ...]:
    """The texts of any value; `[[Note]]` without quotes is one."""
    if value.items is None:
        return (value.text,) if value.text else ()
    links = ((item, _unquoted_link(item)) for item in value.items)
    return tuple(f"[[{link}]]" if link else str(item) for item, link in links if link or str(item))


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,]+", text) if word]


def _unquoted_link(item: _Value) -> str:
    """`[[Note]]` without quotes is a list in a list: its text, if `item` is one."""
    while item.items is not None and len(item.items) == 1 and item.items[0].items is not None:
        item = item.items[0]
    texts = [inner.text for inner in item.items or () if inner.items is None]
    return ", ".join(texts)
