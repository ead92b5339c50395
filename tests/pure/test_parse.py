"""Notes and what the parser makes of them: pairs in `fixtures/parse/*.md`, and what holds for any text at all.

In the pairs each part is a line `Kind first-last "title" attributes` with its text below, behind `|`; then follow what
stays out of the lesson (`loose`), headings (`#`), links (`->`), files (`file`) and findings (`!`).
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coursemill.model import Code, Exercise, FrontMatter, Lesson, Prose, Question, Quiz, Solution, Span, Test, Wrong
from coursemill.pure import parse

FIXTURES = Path(__file__).parent / "fixtures" / "parse"
CASE = re.compile(r"^## ([^\n]*)\n.*?^(`{6,})markdown\n(.*?)^\2\n.*?^(`{6,})text\n(.*?)^\4$", re.MULTILINE | re.DOTALL)
PATH = "notes/Note.md"
LINES = [
    "", "", "", "text", "text [[Note|alias]] `[[no]]`", "# Heading", "## Heading", "Set", "===", "---", "***",
    "```", "```python", "````", "`````", "~~~", "~~~python", "```bash role=\"run\"", "``` trailing", "```- item",
    '```python role="solution"', '```python role="test" points=1', '```python role="test" hidden=true id="x"',
    '```python role="wrong" score=1', '```python role="setup"', '```python role="show"', '```text role="output"',
    '```python role="file" path="a/b.py"', '```text role="file" path="../x"', '```python role="tset"', "```python x=\"",
    "> [!exercise|id=a] Title", "> [!exercise|id=b points=2 grade=manual] T", "> [!exercise] no id", "> [!note] N",
    "> [!question] Why?", "> [!question|id=w]- F", "> [!question|id=v] V",
    "> [!quiz|id=q points=1] Q", "> - [x] yes *why*", "> - [ ] no", "> [!hint]- H", "> [!solution]- S", "> [!rubric] R",
    "[list2tab|#Tabs]", "- item", "* item", "1. item", "2) item", "x = 1", "    x = 1", "### BEGIN SOLUTION", "<!--",
    "<div>", "[a]: b", "| a | b |", "\u2028", "\x85", "\x0c", "\ufeff", "\x00", "key: value", "- - a",
    "> > q", "-->", "%%", "$$", "+ b", "<%*", "%>", "![[a]] ^b",
]  # fmt: skip
PREFIXES = [
    "",
    "",
    "",
    "",
    " ",
    "  ",
    "    ",
    "        ",
    "\t",
    "\t\t",
    "> ",
    "> > ",
    ">",
    "- ",
    "1. ",
    "- > ",
    "> - ",
    ">     ",
]
ENDS = ["\n"] * 12 + ["\r\n", "\r", ""]

RANDOM_LINES = st.builds(lambda prefix, line, end: prefix + line + end, *map(st.sampled_from, (PREFIXES, LINES, ENDS)))
NOTES = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "", "---\nworksheet: W\n---\n", "---\nkey: v\n", "\ufeff"]),
        st.lists(RANDOM_LINES | st.text(max_size=8), max_size=30).map("".join),
    ),
)


def cases() -> Iterator[object]:
    for file in sorted(FIXTURES.glob("*.md")):
        for case in CASE.finditer(file.read_text(encoding="utf-8")):
            yield pytest.param(case[3], case[5], id=f"{file.stem}: {case[1]}")


@pytest.mark.parametrize(("note", "expected"), list(cases()))
def test_a_note_is_understood(note: str, expected: str) -> None:
    lesson = parse.lesson(PATH, note)
    check(lesson, note)
    assert "\n".join(shown(lesson)) + "\n" == expected


def shown(lesson: Lesson) -> Iterator[str]:
    defaults = FrontMatter()
    for field in fields(FrontMatter):
        value = getattr(lesson.front, field.name)
        if field.name not in ("lines", "properties") and value != getattr(defaults, field.name):
            yield f"{field.name}: {value}"
    for part in lesson.parts:
        yield from shown_part(part)
    for part in lesson.loose:
        yield from ("loose " + line if n == 0 else line for n, line in enumerate(shown_part(part)))
    yield from (f"{'#' * h.level} {h.line} {h.slug} {h.text}" for h in lesson.headings)
    for link in lesson.links:
        words = "".join(f" {k}={getattr(link, k)!r}" for k in ("heading", "alias", "embed") if getattr(link, k))
        yield f"-> {link.line}:{link.col} {link.target!r}{words}"
    yield from (f"file {file.line}:{file.col} {file.target}" for file in lesson.files)
    for finding in lesson.findings:
        mark = "!" if finding.severity == "error" else "?"
        yield f"{mark} {finding.line}:{finding.col} {finding.code} {finding.message} ({finding.fix})"


def shown_part(part: object, margin: str = "") -> Iterator[str]:
    names = [f.name for f in fields(part)]  # type: ignore[arg-type]  # every part is a dataclass
    span = part.span  # type: ignore[attr-defined]
    head = f"{margin}{type(part).__name__} {span.start}-{span.end}"
    skipped = {"span", "text", "prompt", "parts", "options", "claim", "first_line", "key", "model_answer", "rubric"}
    for name in names:
        value = getattr(part, name)
        if name not in skipped and value not in ("", 0, False, (), None) and (name, value) != ("role", "run"):
            head += f" {name}={value!r}"
    yield head
    for name in ("prompt", "text", "model_answer", "rubric"):
        if text := getattr(part, name, ""):
            mark = {"model_answer": "answer|", "rubric": "rubric|"}.get(name, "|")
            yield from (f"{margin}{mark} {line}".rstrip() for line in text.split("\n"))
    for option in getattr(part, "options", ()):
        yield f"{margin}[{'x' if option.right else ' '}] {option.text!r}" + (
            f" why={option.why!r}" if option.why else ""
        )
    if claim := getattr(part, "claim", None):
        yield from shown_part(claim, margin + "  ")
    for inner in getattr(part, "parts", ()):
        yield from shown_part(inner, margin + "  ")


@given(NOTES | st.text())
@settings(max_examples=400)
@example("> ```python\n> > \t\n")
@example("- [list2tab|#a]\n- b\n  ```python\n  x\n  ```\n- c\n")
@example("```python\n\u2028\x0b\x0c\x1c\x85x\n```\n")
def test_nothing_is_lost_nothing_stands_twice_and_nothing_raises(note: str) -> None:
    check(parse.lesson(PATH, note), note)


YAML = [
    "worksheet: ",
    "related: ",
    "[[a]]",
    "- ",
    "timeout: ",
    "<%",
    "%>",
    "---\n",
    "%YAML 1.1\n",
    "<<: ",
    "\n  ",
    "\ue0000\ue001",
]
WORDS = ["id=", "points=", "role=", "hidden", "test", "solution", "file", "path=", "true", "1", "grade=manual", "tags="]


def mixed(words: list[str], characters: str) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from([*words, *characters]) | st.characters(), max_size=40).map("".join)


@given(mixed(YAML, ":-?[]{},#&*!|>'\"%@` \n\t\r\u2028\x85\x00a1"))
def test_any_properties_are_read_or_refused(yaml: str) -> None:
    note = f"---\n{yaml}\n---\nText.\n"
    check(parse.lesson(PATH, note), note)


@given(mixed(WORDS, "=\"' \\,|][{}-+\t"), mixed(WORDS, "=\"' \\,|][{}-+\t"))
def test_any_attributes_are_read_or_refused(first: str, second: str) -> None:
    note = f"> [!exercise|id=a {first}] T\n> [!quiz|{second}]\n> - [x] {first}\n\n```python {second}\nx\n```\n"
    check(parse.lesson(PATH, note), note)


@given(NOTES)
@settings(max_examples=100)
def test_line_ends_change_nothing_but_the_warning(note: str) -> None:
    unix = note.replace("\r\n", "\n").replace("\r", "\n")
    ended = parse.lesson(PATH, unix.replace("\n", "\r\n"))
    lesson = parse.lesson(PATH, unix)
    assert [f for f in ended.findings if f.code != "CM103"] == list(lesson.findings)
    assert (ended.parts, ended.front, ended.links) == (lesson.parts, lesson.front, lesson.links)


def codes_of(note: str) -> list[tuple[int, int, str]]:
    return [(f.line, f.col, f.code) for f in parse.lesson(PATH, note).findings]


def test_a_byte_order_mark_is_taken_off() -> None:
    lesson = parse.lesson(PATH, "\ufeff---\nworksheet: W\n---\n# T [[a]]\n")
    assert lesson.front.worksheets == ("W",)
    assert lesson.links[0].col == 5
    assert [f.code for f in lesson.findings] == ["CM102"]


def test_worksheets_are_named_in_any_way() -> None:
    for value in (
        "A_1, B 2",
        '"[[A_1]], [[folder/B 2|second]]"',
        "\n  - [[A_1]]\n  - B 2",
        '["[[A_1.md]]", B 2]',
        "[A_1,B 2]",
    ):
        lesson = parse.lesson(PATH, f"---\nworksheet: {value}\n---\n# T\n")
        assert (lesson.front.worksheets, lesson.findings) == (("A_1", "B 2"), ()), value
    (finding,) = parse.lesson(PATH, "---\nworksheet: <% tp.file.folder() %>\n---\n# T\n").findings
    assert (finding.code, finding.severity) == ("CM113", "warning")


def test_every_property_is_kept() -> None:
    note = "---\nstatus: done\nshops: [a, [[B]], 'c: d']\nempty:\nmade: <% now %> x\n---\n"
    expected = {"status": ("done",), "shops": ("a", "[[B]]", "c: d"), "empty": (), "made": ("<% now %> x",)}
    assert parse.lesson(PATH, note).front.properties == expected


def test_a_template_may_name_the_title() -> None:
    lesson = parse.lesson("notes/_My_Map.md", "# On <% tp.file.title %>\n\n## `<% tp.x %>` and <% tp.y %>\n")
    assert lesson.title == "On _My_Map"
    assert [h.text for h in lesson.headings] == ["On _My_Map", "<% tp.x %> and <% tp.y %>"]


def test_carriage_returns_end_lines() -> None:
    lesson = parse.lesson(PATH, "# T\n\r\n```python\r\nx = 1\r\n```\rtext\r")
    assert [(type(p), p.span.start, p.span.end) for p in lesson.parts] == [(Prose, 1, 1), (Code, 3, 5), (Prose, 6, 6)]
    assert [(f.line, f.code) for f in lesson.findings] == [(2, "CM103")]


def test_only_newlines_and_carriage_returns_end_lines() -> None:
    lesson = parse.lesson(PATH, "a\u2028b\n\n```python\nx = 'a\u2028b\u2029c'\n```\n")
    assert [(p.span.start, p.span.end) for p in lesson.parts] == [(1, 1), (3, 5)]
    assert not lesson.findings
    assert codes_of("a\x0bb\x0cc\x85d\n\nz\n") == [(1, 2, "CM104")]


def test_control_characters_are_reported_line_by_line() -> None:
    assert codes_of("a\n\x00b\n```python\nx\x1b\n```\n\x7f\n") == [(2, 1, "CM104"), (4, 2, "CM104"), (6, 1, "CM104")]
    assert len(codes_of("\x00\n" * 1000)) == 20
    assert codes_of("\ud800\n") == [(1, 1, "CM104")]


@pytest.mark.parametrize("note", ["", "\n", " \n\t\n", "\ufeff", "---\nworksheet: W\n---\n\n"])
def test_an_empty_note_is_reported(note: str) -> None:
    lesson = parse.lesson(PATH, note)
    assert "CM105" in [f.code for f in lesson.findings]
    assert not lesson.parts


def test_a_note_of_properties_alone_is_fine_when_it_is_no_lesson() -> None:
    assert not codes_of("---\ntags: [moc]\n---\n")


@pytest.mark.parametrize(
    ("yaml", "codes"),
    [
        pytest.param("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]", ["CM114"], id="bomb"),
        pytest.param("a: " + "[" * 30_000, ["CM113"], id="deep"),
        pytest.param("a: " + "- " * 5_000, ["CM111"], id="deep, refused by YAML"),
        pytest.param("a: b\n" * 30_000, ["CM111"], id="long"),
        pytest.param("a: \x00\ud800", ["CM104"], id="control characters"),
        pytest.param("a: " + "<%" * 30_000, [], id="many openings of Templater"),
        pytest.param("a: \u2028 b\nc: \x85d", ["CM104"], id="YAML's own line ends"),
        pytest.param("!!binary a: b", ["CM114"], id="tag"),
        pytest.param("? [a, b]\n: c", [], id="a list as a key"),
        pytest.param("a: b\n--- \nc: d", [], id="a second document"),
        pytest.param("a: |\n  b: c\n  d\ntimeout: 5", [], id="block text"),
    ],
)
def test_hostile_front_matter_is_read_or_refused(yaml: str, codes: list[str]) -> None:
    lesson = parse.lesson(PATH, f"---\n{yaml}\n---\nText.\n")
    assert sorted({f.code for f in lesson.findings}) == codes


def test_lines_of_front_matter_are_right_behind_a_line_separator() -> None:
    assert codes_of("---\na: x\u2028y\nb: [\n---\nText.\n") == [(3, 1, "CM111")]


LARGE = {
    "prose": "Some text with `code` and [[Link|alias]].\n\n",
    "headings": "# Heading\n\n",
    "fences": "```python\nx = 1\n```\n",
    "fences that are never closed": "```python\nx = 1\n\n## Heading\n\n",
    "fences that text follows": "- ```\n  a\n  ```- b\n",
    "fences in items": "- a\n  ```python\nx\n  ```\n",
    "items": "- a\n",
    "quotes": "> text\n",
    "exercises": "> [!exercise|id=a] T\n> x\n\n",
    "brackets": "[[",
    "ticks": "`a ",
    "quote marks": "> ",
    "list marks": "- ",
    "tabs": "\t",
    "parentheses": "](a(",
    "comments": "<!--\n",
    "definitions": "[a]: b\n\n[a] ",
    "emphasis": "*a",
    "attributes": '```python a="b" a=\'c d=e\n',
}


@pytest.mark.parametrize("piece", [pytest.param(piece, id=name) for name, piece in LARGE.items()])
def test_time_grows_with_the_note_and_not_with_its_square(piece: str) -> None:
    small, large = (piece * (size // len(piece)) for size in (6_000, 48_000))
    limit = 8 * 3 * min(seconds(small) for _ in range(3)) + 0.1
    assert any(seconds(large) < limit for _ in range(4))  # a busy machine may slow down any single run


def seconds(note: str) -> float:
    """The CPU time that parsing takes."""
    start = time.process_time()
    parse.lesson(PATH, note)
    return time.process_time() - start


@pytest.mark.parametrize("mark", ["> ", "- ", "1. ", "  - a\n", "> - "])
def test_deep_nesting_ends_somewhere(mark: str) -> None:
    deep = mark * 1000 if "\n" not in mark else "".join("  " * n + "- a\n" for n in range(1000))
    note = f"{deep}a\n\n# Next\n\n```python\nx = 1\n```\n"
    lesson = parse.lesson(PATH, note)
    check(lesson, note)
    assert isinstance(lesson.parts[-1], Code)
    assert [h.text for h in lesson.headings] == ["Next"]


def spans(lesson: Lesson) -> Iterator[Span]:
    """Every part's lines, of each kind and depth."""
    for part in (*lesson.parts, *lesson.loose):
        yield part.span
        if isinstance(part, Exercise | Question | Quiz):
            inner = list(part.parts)
            yield from (p.span for p in inner)
            yield from (p.claim.span for p in inner if isinstance(p, Code) and p.claim)
        if isinstance(part, Question):
            yield from part.key
        if isinstance(part, Code) and part.claim:
            yield part.claim.span


def source_lines(text: str) -> list[str]:
    """A note's lines as an editor counts them."""
    found = re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff"))
    return found if found[-1] else found[:-1]


def check(lesson: Lesson, text: str) -> None:
    """Nothing is lost, nothing stands twice, and every line number is right."""
    source = source_lines(text)
    taken = Counter(line for span in spans(lesson) for line in range(span.start, span.end + 1))
    assert all(1 <= line <= len(source) for line in taken)
    for n, line in enumerate(source, 1):
        shows = re.fullmatch(r"[ \t>]*", line) is None and n > lesson.front.end_line
        assert taken[n] <= 1, f"line {n} stands twice"
        assert taken[n] == 1 or not shows, f"line {n} is lost: {line!r}"
    assert_ordered([part.span for part in lesson.parts])
    for part in lesson.parts:
        if isinstance(part, Exercise | Question | Quiz):
            assert_ordered([part.span, *(p.span for p in part.parts)])
    for code in code_parts(lesson):
        for n, line in enumerate(code.text.split("\n") if code.text else [], code.first_line):
            assert n <= code.span.end
            same_line(line, source[n - 1])
    for finding in lesson.findings:
        assert 1 <= finding.line <= max(len(source), 1)
        assert finding.col >= 1
        assert finding.path == lesson.path
    for link in (*lesson.links, *lesson.files):
        assert 1 <= link.line <= len(source)
        assert 1 <= link.col <= len(source[link.line - 1])


def assert_ordered(found: list[Span]) -> None:
    assert all(span.start <= span.end for span in found)
    assert all(a.end < b.start for a, b in pairwise(found))


def code_parts(lesson: Lesson) -> Iterator[Code | Solution | Test | Wrong]:
    for part in lesson.parts:
        inner = part.parts if isinstance(part, Exercise | Question | Quiz) else (part,)
        yield from (p for p in inner if not isinstance(p, Prose) and hasattr(p, "first_line"))


def same_line(text: str, source: str) -> None:
    """`text` is the note's line, but for the indentation before it."""
    assert source.endswith(text.lstrip(" \t")), (text, source)
