"""AnyBlock's headers: what becomes of lists, as pairs in `fixtures/anyblock.md`, and what never happens to them."""

import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coursemill.model import FrontMatter, Lesson, Prose
from coursemill.pure import editions, parse
from coursemill.pure.anyblock import find, header, maps, tree
from coursemill.pure.diagrams import diagram_sources
from coursemill.pure.prose import Page, render
from coursemill.pure.vault import VaultMap

CASES = re.compile(r"^## (.+)\n\n`````note\n([\s\S]*?)\n`````\n\n`````jupyter\n([\s\S]*?)\n`````$", re.MULTILINE)
PAIRS = CASES.findall((Path(__file__).parent / "fixtures" / "anyblock.md").read_text(encoding="utf-8"))
STYLE = re.compile(r'style="border-left: 4px solid rgb\(([^)]*)\);[^"]*"')
SHOP = Lesson("notes/a/Shop.md", "Shop", "The shop", FrontMatter(worksheets=("WS_Two",)), ())
PAGE = Page("notes/a/Note.md", "WS_One", VaultMap.of([SHOP]))
HEADERS = (
    "[list2tab|#T]", "[list2table|scroll(460)|#T]", "[2mdtable]", "[list2ut]", "[list2lt]", "[list2timeline|overfold]",
    "[list2card|addClass(ab-col3)]", "[list2mermaid|#T]", "[listroot(R)|list2mindmap]", "[crosstable|trs]", "[fold|#T]",
    "[#T]", "[list2foo|#T]", "[X]", "[list2tab|]", "[list2tab||]",
)  # fmt: skip


def drawn(text: str) -> Page:
    """The page of a text whose diagrams are drawn."""
    return replace(PAGE, pictures={source: "<svg/>" for source, _, _ in find.diagrams(text)}, shown={})


@pytest.mark.parametrize(("name", "note", "jupyter"), PAIRS, ids=[pair[0] for pair in PAIRS])
def test_pairs(name: str, note: str, jupyter: str) -> None:
    page = PAGE if name.endswith("is not") else drawn(note)
    assert STYLE.sub("cyan", render(note, page, 2)) == jupyter


def test_every_pair_is_read() -> None:
    text = (Path(__file__).parent / "fixtures" / "anyblock.md").read_text(encoding="utf-8")
    assert len(PAIRS) == text.count("\n`````note\n") > 20


@pytest.mark.parametrize(
    ("line", "command", "advice"),
    [
        ("[list2tabb|#T]", "list2tabb", "did you mean `list2tab`"),
        ("[list2foo]", "list2foo", "did you mean"),
        ("[wobble|#T]", "wobble", ""),
        ("[list2table|wobble]", "wobble", ""),
        ("[list2table|#T]", "", ""),
        ("[text](url)", "", ""),
        ("[text]", "", ""),
        ("[a|b]", "", ""),
        ("[1] x", "", ""),
        ("- [x]", "", ""),
        ("[H2O]", "", ""),
        ("[2nd]", "", ""),
        ("[[list2foo|#T]]", "", ""),
        ("[list2foo", "", ""),
    ],
)
def test_unknown_commands(line: str, command: str, advice: str) -> None:
    assert header.unknown(line) == command
    assert header.meant(command).startswith(advice)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("[list2card|addClass(ab-col4)]", header.Header(mode="cards", columns=4)),
        ("  > - [2table|#a | b]", header.Header("  > - ", "table", "a")),
        ("[listroot(root((a b)))|mindmap]", header.Header(mode="mind", root="a b")),
        ("[list2tableT]:", header.Header(mode="table", transposed=True)),
        ("[list2tab|fold|#`a|b` [[c|d]] (e|f)]", header.Header(mode="sections", fold="-", title="`a|b` [[c|d]] (e|f)")),
        ("[title(Words)]", header.Header(title="Words")),
        ("[#2024]", None),
        ("[X]", None),
        ("[list2tab] text", None),
        ("[list2tab" + "|#" + "x" * 500 + "]", None),
    ],
)
def test_headers(line: str, expected: header.Header | None) -> None:
    found = header.read(line)
    assert (found and replace(found, unknown=())) == expected


def test_text_is_made_safe_for_mermaid() -> None:
    text = 'A "b" <c> [[Note#Part|words]] `d_e` **f** ![g](h.png)<br>==i== #j; %%k%% \\n l\nm'
    assert maps.words(text) == "A 'b' words d_e f g i # j; \\\u200bn l m"
    assert maps.words("x" * 200).endswith("…")
    source = maps.source(header.Header(mode="flow", root="R"), tree.items('- a"]\n- end\n    - x | y'))
    assert source.split("\n")[9:] == [
        '    n0["R"]',
        '    n1["a\']"]',
        "    n0 --> n1",
        '    n2["end"]',
        "    n0 --> n2",
        '    n3["x"]',
        "    n2 --> n3",
        '    n4["y"]',
        "    n3 --> n4",
    ]


def test_what_is_too_large_for_a_picture_stays_a_list() -> None:
    many = "[list2mindmap|#T]\n" + "\n".join(f"- item {n}" for n in range(1000))
    deep = "[list2mindmap|#T]\n" + "\n".join("  " * n + f"- item {n}" for n in range(30))
    for text in (many, deep, deep.replace("mindmap", "table")):
        assert not list(find.diagrams(text))
        assert "item 29" in render(text, PAGE)
        assert "<img" not in render(text, PAGE)


def test_diagrams_are_found_wherever_they_stand() -> None:
    note = """\
---
worksheet: W
---
# T

> [!note] Box
> - item
>   [list2mindmap|#A]
>   - a
>   - b %%hidden%%

[list2tab]
- tab

    [list2mermaid|fold]

    - c
        - d

```d2
x -> y
```

> [!exercise|id=x points=1 grade=manual] Title
> [list2markmap|#B]
> - e
"""
    lesson = parse.lesson("notes/n.md", note)
    found = [(d.lang, d.span.start, d.span.end) for d in diagram_sources(lesson)]
    assert found == [("mermaid", 8, 10), ("mermaid", 15, 19), ("d2", 20, 22), ("mermaid", 25, 26)]
    pictures = {d.source: "<svg/>" for d in diagram_sources(lesson)}
    context = editions.Context(VaultMap.of([lesson]), "W", pictures)
    shown = "\n".join(cell["source"] for cell in editions.instructor(lesson, context)["cells"])
    assert shown.count("<img") == 4
    assert "hidden" not in shown


WORDS = st.integers(0, 10**6).map(lambda n: f"w{n}x")
MARKS = st.sampled_from(["{}", "{} | {}", "`{}`", "**{}** {}", "< {}", "[[{}]]", "{}: {}", '"{}"', "$ {} $", "[ ] {}"])
TEXTS = st.builds(lambda mark, one, two: mark.format(one, two), MARKS, WORDS, WORDS)
LEVELS = st.lists(st.tuples(st.integers(0, 5), TEXTS, st.integers(0, 9)), min_size=1, max_size=12)


@st.composite
def lists(draw: st.DrawFn) -> list[str]:
    """A list with several levels, with blocks in its items."""
    sign = draw(st.sampled_from(["-", "*", "1."]))
    tabs = draw(st.booleans())
    lines: list[str] = []
    above = -1
    for wanted, text, block in draw(LEVELS):
        above = min(wanted, above + 1)
        margin, inner = ("\t" * above, "\t" * (above + 1)) if tabs else ("    " * above, "    " * (above + 1))
        lines.append(f"{margin}{sign} {text}")
        more = {1: ["", "{}", ""], 2: ["```text", "{}  <b> |", "```"], 3: ["> {}"], 4: ["{}"]}
        lines += [inner + line.format(draw(WORDS)) if line else "" for line in more.get(block, [])]
    return lines


@given(st.sampled_from(HEADERS), lists(), st.sampled_from(["", "> ", "> > ", "- ", "1. ", "> - "]), st.booleans())
@settings(max_examples=200)
def test_no_word_is_lost(asked: str, lines: list[str], prefix: str, gap: bool) -> None:
    further = re.sub(r"[^>\s]", " ", prefix)
    text = "\n".join([prefix + asked, *([further.rstrip()] if gap else []), *(further + line for line in lines)])
    for page in (PAGE, drawn(text)):
        shown = render(text, page, 2)
        for word in re.findall(r"w\d+x", text):
            assert word in shown
    code = re.findall(r"^[ \t>]*(w\d+x  <b> \|)$", text, re.MULTILINE)
    assert all(line in render(text, PAGE, 2) for line in code), "code is as it was"


LINES = st.sampled_from(
    [
        *HEADERS, "", "- item", "  - below", "\t- tab", "1. one", "```text", "```", "> quote", "> [!note] N",
        "| a | b |", "|---|---|", "# H", "%%", "text", "- a | b", "- < c", "- - - d", "-", "<!--",
        "$$", "    ", "- [ ] task",
        "- > q", "- ```text", "- [list2tab]", "* x --> y", "[table]: x",
    ]
)  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(["", "", "  ", "    ", "> ", "\t", "- "]), LINES).map("".join), max_size=25))
@example(["[list2tab|#T]", "-"])
@example(["[list2table]", "- ", "  - a"])
@example(["[fold]"])
@settings(max_examples=300)
def test_anything_is_rendered(lines: list[str]) -> None:
    text = "\n".join(lines)
    page = drawn(text)
    assert render(text, page) == render(text, replace(page, shown={}))
    note = parse.lesson("notes/n.md", f"---\nworksheet: W\n---\n{text}\n")
    count = text.count("\n") + 4
    assert all(1 <= d.span.start <= d.span.end <= count for d in diagram_sources(note))


CELLS = st.sampled_from(["```python\ncode()\n```", "```text\nshown\n```", "more"])


ITEMS = st.lists(st.tuples(st.integers(0, 2), st.lists(CELLS, max_size=2)), min_size=1, max_size=6)


@given(st.sampled_from(HEADERS[:10]), ITEMS)
def test_cut_lists_become_sections(asked: str, items: list[tuple[int, list[str]]]) -> None:
    lines, above = [asked], -1
    for number, (level, inside) in enumerate(items):
        above = min(level, above + 1)
        lines.append("    " * above + f"- word{number}z")
        lines += ["    " * (above + 1) + line for block in inside for line in block.split("\n")]
    lesson = parse.lesson("notes/n.md", "---\nworksheet: W\n---\n" + "\n".join(lines) + "\n")
    cut = any(part for part in lesson.parts if not isinstance(part, Prose))
    for part in lesson.parts:
        if isinstance(part, Prose):
            again = parse.lesson("notes/n.md", part.text).parts
            assert [prose.text for prose in again if isinstance(prose, Prose)] == [part.text]
    shown = "\n\n".join(render(part.text, PAGE, 2) for part in lesson.parts if isinstance(part, Prose))
    assert all(f"word{number}z" in shown for number in range(len(items)))
    assert "list2" not in shown
    if cut:
        assert "<table" not in shown
        assert "|---" not in shown
        assert shown.count("### ") >= 1


@pytest.mark.parametrize(
    "text",
    [
        "[" * 50_000,
        "[list2table|" + "(" * 50_000,
        "[list2table]\n" + "- a | b\n" * 3_000,
        "[list2table]\n- a\n" + "    - b\n" * 3_000,
        "\n\n".join(["[list2tab|#T]\n- a"] * 2_000),
        "- " * 20_000 + "[list2tab]",
        "> " * 20_000 + "[list2tab]",
    ],
    ids=["brackets", "arguments", "rows", "one row", "headers", "signs", "quotes"],
)
def test_time_grows_with_length_alone(text: str) -> None:
    began = time.perf_counter()
    render(text, PAGE)
    list(find.diagrams(text))
    assert time.perf_counter() - began < 10, "something is quadratic"
