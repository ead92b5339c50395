"""Code and prose that are out of date with what is installed: `apis/*.toml` says what, and since when."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice

from coursemill.model import Block, Finding, Lesson
from coursemill.pure import codes
from coursemill.pure.fences import PYTHON
from coursemill.pure.raw import certain, mentions, uncomment
from coursemill.pure.raw.apiindex import Index, index
from coursemill.pure.raw.apirules import Rule
from coursemill.pure.raw.resolve import OWN, UNKNOWN, Value
from coursemill.pure.raw.seen import SURE, Reader, Use

KINDS = {
    "removed": codes.API_REMOVED,
    "moved": codes.API_REMOVED,
    "deprecated": codes.API_DEPRECATED,
    "ignored": codes.API_IGNORED,
    "changed": codes.API_CHANGED,
    "prose": codes.PROSE_OUTDATED,
}
SAYS_SO = re.compile(
    r"\b(?:removed|removal|gone|deprecat\w+|obsolete|no longer|not? (?:\w+ )?any ?more|former(?:ly)?|superseded|retired"
    r"|discontinued|renamed|outdated|out of date|used to be|(?:does|do)(?: not|n't) exist"
    r"|dropped (?:in|from|since|by)|(?:was|were|been) dropped"
    r"|refuse[sd]|old(?:er)? (?:name|way|api|version|spelling|code|text|tutorial|release|book)s?"
    r"|before (?:version|keras|tensorflow|numpy|pandas|spark|scrapy)"
    r"|(?:in|of|from|for) (?:keras [12]|tf ?1|tensorflow 1)"
    r"|(?:Attribute|Import|ModuleNotFound|Type)Error|(?:Deprecation|Future)Warning)\b"
    r"|\|\s*(?:old|before|was|until|1\.x|numpy 1|keras 2|tf ?1|tensorflow 1)\b[^|\n]*\|",
    re.IGNORECASE,
)
"""Where a note says that a thing is gone, it need not be told."""
LEGACY = re.compile(r"\blegacy\b", re.IGNORECASE)
"""This much is enough to say of what is deprecated."""
_COUNTER = re.compile(
    r"^\s*#+\s*(?:old|before|previously|deprecated|removed|bad|wrong|don't|do not|never)\b", re.IGNORECASE
)
_JAVASCRIPT = frozenset({"javascript", "js", "jsx", "typescript", "ts", "html", "vue"})
_JAVASCRIPT_TITLE = re.compile(r"\.js\b|JavaScript|TFJS", re.IGNORECASE)
_END = re.compile(r"[.!?](?=\s)")
_WORD = re.compile(r"\w+")
_LONGEST = 300
"""Characters of a code span that is looked at, and of a sentence before and behind a word."""
_SPANS, _MANY = 500, 20
"""Code spans of a paragraph that are looked at, and places of a word in it; lines above code that say of it."""
_MENDED = 12
"""Lines that are taken out, at most, of code that does not parse."""


def find(lesson: Lesson, versions: Mapping[str, str]) -> list[Finding]:
    """Return what is out of date in a note; `versions` are those of the installed distributions, by their names."""
    known = index(tuple(sorted(versions.items())))
    looker = _Looker(lesson, known, known.about(lesson))
    return sorted(set(looker.look())) if looker.about else []


def gone(lesson: Lesson, versions: Mapping[str, str]) -> dict[int, str]:
    """Lines of a note on which a cell surely fails since something is gone from what is installed, and what is."""
    known = index(tuple(sorted(versions.items())))
    looker = _Looker(lesson, known, known.about(lesson))
    return dict(looker.failing()) if looker.about else {}


@dataclass
class _Looker:
    lesson: Lesson
    index: Index
    about: frozenset[str]
    elsewhere: Mapping[str, Value] = field(default_factory=dict)
    """Names that mean something else in this note's prose."""
    doubtful: set[str] = field(default_factory=set)
    """Libraries of which a variable's name is no evidence, since the note speaks of similar ones."""

    def __post_init__(self) -> None:
        for key in self.about:
            rivals = self.index.libraries[key].rivals
            if rivals and rivals.search(self.lesson.text):
                self.doubtful.add(key)
        if _JAVASCRIPT_TITLE.search(self.lesson.title) or any(b.language in _JAVASCRIPT for b in self.lesson.blocks):
            self.elsewhere = {"tf": Value(".tf"), "model": Value(".model")}

    def look(self) -> Iterator[Finding]:
        reader = Reader(self.index.names, self.named)
        for block in self.lesson.blocks:
            if block.language in (*PYTHON, "pycon") and block.role not in ("wrong", "output"):
                yield from self.code(block, reader)
        yield from self.prose(reader)

    def named(self, variable: str) -> str:
        """The type of a variable that has no value that is known, by its name."""
        found = {
            made
            for key in self.about
            for pattern, made in self.index.libraries[key].named
            if pattern.fullmatch(variable) and key not in self.doubtful
        }
        return found.pop() if len(found) == 1 else UNKNOWN

    def failing(self) -> Iterator[tuple[int, str]]:
        """Lines on which code fails for sure, the last one first, and why: the first reason of a line comes last."""
        reader = Reader(self.index.names, self.named)
        for block in self.lesson.blocks:
            if block.language in PYTHON and block.role not in ("wrong", "output"):
                found = [*self.broken(block, reader)]
                sure = certain.places(uncomment.live(block.text)) if found else frozenset[tuple[int, int]]()
                for rule, use in reversed(found):
                    if _fails(rule, use) and self.index.installed[rule.library] and (use.line, use.col) in sure:
                        yield block.first_line + use.line - 1, self.reason(rule, _shown(rule, use))

    def code(self, block: Block, reader: Reader) -> Iterator[Finding]:
        lines, written = uncomment.live(_unprompted(block.text)).split("\n"), block.text.split("\n")
        seen: set[tuple[str, int]] = set()
        for rule, use in self.broken(block, reader):
            if (rule.id, use.line) not in seen:
                seen.add((rule.id, use.line))
                taken = len(written[use.line - 1]) - len(lines[use.line - 1])  # comment marks
                col = block.indent + max(taken, 0) + use.col
                yield self.finding(rule, _shown(rule, use), block.first_line + use.line - 1, col)

    def broken(self, block: Block, reader: Reader) -> Iterator[tuple[Rule, Use]]:
        """The rules that a block breaks, and where."""
        text = uncomment.live(_unprompted(block.text))
        tree = _tree(text)
        lines = text.split("\n")
        for use in reader.read(tree) if tree else ():
            yield from ((rule, use) for rule in self.rules(use) if not _said(rule, lines, use))

    def rules(self, use: Use) -> Iterator[Rule]:
        """The rules that a use breaks."""
        if "*" in use.caught:
            return
        for rule in self.candidates(use):
            expected = {rule.raises} if rule.raises else {*SURE, "TypeError"}
            if rule.library in self.about and not expected & use.caught and _matches(rule, use):
                yield rule

    def candidates(self, use: Use) -> Iterator[Rule]:
        index = self.index
        if use.kind == "defines":
            yield from index.defines.get(use.name, ())
        elif use.kind == "setting":
            yield from index.settings.get(use.name, ())
        else:
            table = index.by_call if use.kind == "call" else index.by_name
            yield from table.get(use.name, ())
            owner, _, last = use.name.rpartition(".")
            if use.name.startswith("tensorflow.keras."):
                other = use.name.removeprefix("tensorflow.")
                yield from () if use.name in table else table.get(other, ())
                owner = owner.removeprefix("tensorflow.")
            if owner.startswith(UNKNOWN):
                yield from table.get(f"*.{last}", ())
                yield from table.get(f"*.{owner.rpartition('.')[2]}.{last}", ())
            elif owner in index.names.like:
                yield from table.get(f"{index.names.like[owner]}.{last}", ())
            elif owner and not last.endswith(OWN):
                yield from table.get(f"{owner}.*", ())

    def prose(self, reader: Reader) -> Iterator[Finding]:
        hidden = {n for block in self.lesson.blocks for n in range(block.span.start, block.span.end + 1)}
        hidden.update(range(1, self.lesson.front.end_line + 1))
        rules = [rule for rule in self.index.words if rule.library in self.about]
        for group in mentions.groups(mentions.units(self.lesson.text, hidden)):
            found = [(unit, one) for unit in group for one in (*self.spoken(unit, rules), *self.quoted(unit, reader))]
            if not found:
                continue
            around = "\n".join(unit.text for unit in group)
            gone, legacy = SAYS_SO.search(around) is not None, LEGACY.search(around) is not None
            for unit, (rule, shown, position) in found:
                fading = rule.kind == "deprecated"
                if not gone and not (legacy and fading) and not _says(rule, unit.above):
                    yield self.finding(rule, shown, *unit.place(position))

    def spoken(self, unit: mentions.Unit, rules: Iterable[Rule]) -> Iterator[tuple[Rule, str, int]]:
        """The words of a unit that are out of date."""
        text = mentions.words(unit)
        for rule in rules:
            for match in islice(_pattern(rule.words).finditer(text), _MANY):
                near = not rule.near or _pattern(rule.near).search(f"{unit.above}\n{unit.text}")
                if near and (not rule.beside or _pattern(rule.beside).search(_sentence(unit.text, match.start()))):
                    yield rule, match[0], match.start()
                    break

    def quoted(self, unit: mentions.Unit, reader: Reader) -> Iterator[tuple[Rule, str, int]]:
        """The code spans of a unit that are out of date."""
        if "`" not in unit.text:
            return
        known: dict[str, tuple[tuple[Rule, str], ...]] = {}
        for span in islice(mentions.spans(unit), _SPANS):
            seen: set[str] = set()
            if span.code not in known:
                known[span.code] = (*self.expression(span.code, reader), *self.argument(span.code, unit))
            for rule, shown in known[span.code]:
                if rule.id not in seen:
                    seen.add(rule.id)
                    yield rule, shown, span.start

    def expression(self, code: str, reader: Reader) -> Iterator[tuple[Rule, str]]:
        if len(code) > _LONGEST or self.index.telling.isdisjoint(_WORD.findall(code)):
            return
        tree = _tree(code.strip().removeprefix("@"), mend=False)
        if tree is None:
            return
        quoting = Reader(reader.names, self.named, {**reader.scope, **self.elsewhere}, list(reader.stars))
        for use in quoting.read(tree):
            yield from ((rule, _shown(rule, use)) for rule in self.rules(use))
        name, given = _signature(tree)
        for rule in (*self.index.settings.get(name, ()), *self.index.defines.get(name, ())):
            if rule.library in self.about and (not rule.takes or rule.takes in given):
                yield rule, name

    def argument(self, code: str, unit: mentions.Unit) -> Iterator[tuple[Rule, str]]:
        """`save_format="h5"`, which is no expression, where the function is named beside it."""
        match = re.match(r"\s*(\w+)\s*=(?!=)", code)
        for rule in self.index.keywords.get(match[1], ()) if match else ():
            methods = "|".join(re.escape(name.rpartition(".")[2]) for name in rule.name if not name.endswith("*"))
            named = methods and re.search(rf"\b(?:{methods})\b", f"{unit.above}\n{unit.text}")
            if named and rule.library in self.about and not rule.text:
                yield rule, f"{match[1]}=" if match else ""

    def finding(self, rule: Rule, shown: str, line: int, col: int) -> Finding:
        installed = self.index.installed[rule.library]
        here = f"{installed} is installed" if installed else "not installed here"
        fix = rule.fix if not rule.fix or " " in rule.fix else f"write `{rule.fix}`"
        message = f"{self.reason(rule, shown)} ({here}) [{rule.id}]"
        return KINDS[rule.kind].at(self.lesson.path, line, message, col=col, fix=fix)

    def reason(self, rule: Rule, shown: str) -> str:
        """`df.append` is gone since pandas 2.0."""
        library = self.index.libraries[rule.library].name
        since = f"since {library} {rule.first}" if rule.first else f"in {library}"
        return f"{rule.what or f'`{shown}`'} {rule.says or _VERBS[rule.kind]} {since}"


_VERBS = {
    "removed": "is gone",
    "moved": "has moved",
    "deprecated": "is deprecated",
    "ignored": "is ignored",
    "changed": "does something else",
    "prose": "is out of date",
}


def _fails(rule: Rule, use: Use) -> bool:
    """Whether what breaks the rule raises an error there and then: what a class defines is asked for later."""
    known = rule.raises or not rule.called
    return rule.kind in ("removed", "moved") and bool(known) and use.kind in ("name", "import", "call")


def _matches(rule: Rule, use: Use) -> bool:
    """Whether a use of the right name is what the rule is about."""
    if use.kind == "defines":
        fits = not rule.base or any(base in rule.base for base in use.bases)
        return fits and (not rule.takes or rule.takes in use.takes) and not use.beside.intersection(rule.unless)
    if use.call is None:
        return True
    if use.name in rule.besides or use.name.removeprefix("tensorflow.") in rule.besides:
        return False
    keywords = {keyword.arg for keyword in use.call.keywords}
    if rule.keyword and not keywords.intersection(rule.keyword):
        return False
    if rule.without and (keywords.intersection(rule.without) or None in keywords):
        return False
    if rule.text:
        keys: tuple[int | str, ...] = (*rule.parameter, rule.argument)
        tails = (use.tails.get(key) for key in keys)
        tail = next((one for one in tails if one is not None), None)
        return tail is not None and _pattern(rule.text).search(tail) is not None
    return True


def _signature(tree: ast.Module) -> tuple[str, set[str]]:
    """The name that prose gives, and the parameters that it names: of `process_item(self, item, spider)`, `start()`."""
    node = tree.body[0].value if len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr) else None
    given: set[str] = set()
    if isinstance(node, ast.Call):
        given = {one.id for one in node.args if isinstance(one, ast.Name)}
        node = node.func
    return (node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""), given


def _shown(rule: Rule, use: Use) -> str:
    given = (keyword.arg for keyword in use.call.keywords if keyword.arg in rule.keyword) if use.call else iter(())
    keyword = next(given, None)
    return f"{keyword}=` of `{use.shown}" if keyword else use.shown


def _sentence(text: str, position: int) -> str:
    """The sentence that stands there."""
    first = max(position - _LONGEST, 0)
    start = max((found.end() for found in _END.finditer(text, first, position)), default=first)
    end = _END.search(text, position, position + _LONGEST)
    return text[start : end.start() + 1 if end else position + _LONGEST]


def _says(rule: Rule, text: str) -> bool:
    return bool(SAYS_SO.search(text) or (rule.kind == "deprecated" and LEGACY.search(text)))


def _said(rule: Rule, lines: list[str], use: Use) -> bool:
    """Whether a comment on the line says that this is how it was, or one above it that names the thing."""
    if _says(rule, lines[use.line - 1].partition("#")[2]):
        return True
    above = use.line - 2
    if above >= 0 and _COUNTER.match(lines[above]):
        return True
    said = ""
    while above >= max(use.line - _MANY, 0) and lines[above].strip():
        said = f"{lines[above].partition('#')[2]}\n{said}"
        above -= 1
    words = {use.shown.rpartition(".")[2], *(k.arg for k in (use.call.keywords if use.call else ()) if k.arg)}
    return _says(rule, said) and any(re.search(rf"\b{re.escape(word)}\b", said, re.IGNORECASE) for word in words)


def _unprompted(text: str) -> str:
    """Code of an interpreter's session without its prompts; what it printed goes."""
    if not text.lstrip().startswith(">>> "):
        return text
    return "\n".join(line[4:] if line.startswith((">>> ", "... ")) else "" for line in text.split("\n"))


def _tree(text: str, *, mend: bool = True) -> ast.Module | None:
    """The syntax tree; lines that do not parse are taken out, a few of them."""
    lines = text.split("\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other rules report what Python warns of
        for _ in range(_MENDED if mend else 1):
            try:
                return ast.parse("\n".join(lines))
            except SyntaxError as error:
                at = (error.lineno or 0) - 1
                if not 0 <= at < len(lines) or not lines[at].strip():
                    return None
                lines[at] = ""
            except (ValueError, RecursionError, MemoryError):
                return None
    return None


@lru_cache(maxsize=256)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)
