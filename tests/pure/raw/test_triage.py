"""Triage of whole notes: what they become, that nothing else changes, and that it ends."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursemill.model import Lesson
from coursemill.pure import parse, python
from coursemill.pure.fences import PYTHON
from coursemill.pure.raw import edits, triage
from coursemill.pure.raw.triage import Triaged

FIXTURES = Path(__file__).parents[1] / "fixtures" / "triage"
CASE = re.compile(
    r"^## ([^\n]*)\n+``````markdown\n(.*?)^``````\n+``````markdown\n(.*?)^``````$", re.MULTILINE | re.DOTALL
)
PREFIXES = ["", "", "", "- ", "  ", "    ", "> ", ">   ", "1. ", "\t", "-   ", "        "]
LINES = [
    "", "", "text", "## Heading", "[list2tab|#Tabs]", "> [!note] Tip", "```", "```", "```python", "```python", "````",
    "~~~", "~~~python", "```- item", "``` text", "```    more", "```text", "```output", "```html",
    '```python role="show"', "# x = 1", "# print(x)  # Output: 1", "#     y = 2", "# if x:", "# else:", "print(x)",
    "x = 1", "import os", "y = ...", "# # Output:", "# # 1", "# Output: 1", "    return x", "def f():",
    "# pkg/mod.py", "# ../mod.py", "from .a import b", "<!-- a.html -->", "# Prose here.", "`x` and [[Note]]", "%%",
    "<!--", "Output:", "├── a", "'''", "# '''", "x = (", "> [!exercise|id=a] Do", '```python role="solution"',
    "np.array()", "\\",
]  # fmt: skip
NEW = {"numpy": "2.4.6", "pandas": "2.3.3", "keras": "3.15.1", "tensorflow": "2.21.0", "scrapy": "2.19.0"}
ENDS = ["\n", "\n", "\n", "\n", "\r\n"]
RANDOM = st.builds(
    lambda head, lines, tail: head + "".join(lines) + tail,
    st.sampled_from(["", "", "---\nworksheet: W\n---\n", "\ufeff"]),
    st.lists(
        st.builds(lambda p, line, end: p + line + end, *map(st.sampled_from, (PREFIXES, LINES, ENDS)))
        | st.text(max_size=6),
        max_size=25,
    ),
    st.sampled_from(["", "```", "# x = 1"]),
)


def cases() -> Iterator[object]:
    for file in sorted(FIXTURES.glob("*.md")):
        for case in CASE.finditer(file.read_text(encoding="utf-8")):
            yield pytest.param(case[2], case[3], id=case[1])


@pytest.mark.parametrize(("note", "after"), list(cases()))
def test_a_note_becomes_honest(note: str, after: str) -> None:
    result = triage.triage("notes/Note.md", note)
    assert result.after == after
    sound(result)


@pytest.mark.parametrize(("note", "after"), list(cases()))
def test_other_line_ends_stay(note: str, after: str) -> None:
    result = triage.triage("notes/Note.md", note.replace("\n", "\r\n").removesuffix("\r\n"))
    assert result.after == after.replace("\n", "\r\n").removesuffix("\r\n")


def sound(result: Triaged, versions: Mapping[str, str] | None = None) -> None:
    """The edits make the text, no line is lost, every fence is still the same one, and nothing is left to propose."""
    assert edits.apply(result.text, result.edits) == result.after
    again = triage.triage(result.path, result.after, versions)
    assert again.edits == ()
    assert again.after == result.after
    assert {row.now for row in again.rows} <= {row.after for row in again.rows} | {0}
    before, after = (parse.lesson(result.path, text) for text in (result.text, result.after))
    assert outside(before, result.text, ()) == outside(after, result.after, (result.text, before))
    added = len(after.blocks) - len(before.blocks)
    assert added == sum("claim" in row.proposed for row in result.rows) - marked(before, after)


def marked(before: Lesson, after: Lesson) -> int:
    """Fences that became claims as they stand."""
    texts = [dedent(block.text) for block in after.blocks if block.role == "output"]
    return sum(not b.role and dedent(b.text) in texts and b.language not in PYTHON for b in before.blocks)


def outside(lesson: Lesson, text: str, other: tuple[object, ...]) -> list[str]:
    """What is not blank and stands in no fence, less the ticks before it and its place."""
    lines = [line for line, _ in edits.split(text)]
    inside = {n for block in lesson.blocks for n in range(block.span.start, block.span.end + 1)}
    kept = [
        re.sub(r"^[ \t>]*(?:`{3,}|~{3,})", "", line).strip(" \t>") for n, line in enumerate(lines, 1) if n not in inside
    ]
    return [line for line in kept if line]


@settings(max_examples=60)
@given(RANDOM)
def test_any_note(note: str) -> None:
    sound(triage.triage("notes/Note.md", note))


@settings(max_examples=60)
@given(st.text(max_size=80))
def test_any_text(note: str) -> None:
    sound(triage.triage("notes/Note.md", note))


@pytest.fixture(scope="module")
def real(transcript: Path) -> list[tuple[str, str]]:
    """The transcript's notes: path and text."""
    lines = transcript.read_text(encoding="utf-8").split("\n")
    found = []
    for n, line in enumerate(lines):
        if line.startswith("Filename: "):
            end = next(k for k in range(n + 2, len(lines)) if re.fullmatch("`{4,}", lines[k]))
            found.append((line.removeprefix("Filename: ").strip(), "\n".join(lines[n + 2 : end]) + "\n"))
    return found


@pytest.mark.parametrize("versions", [{}, NEW])
def test_real_notes(real: list[tuple[str, str]], versions: dict[str, str]) -> None:
    results = [triage.triage(path, text, versions) for path, text in real]
    for result in results:
        sound(result, versions)
    blocks = [b for r in results for b in parse.lesson(r.path, r.after).blocks if b.language in PYTHON]
    assert len(real) == 14
    assert len(blocks) == 39
    assert not [str(b.span) for b in blocks if python.look(b.text, cell=b.role != "file").problem]
    assert sum(row.after for r in results for row in r.rows) > sum(row.now for r in results for row in r.rows)


@settings(max_examples=15)
@given(st.data())
def test_real_notes_mangled(real: list[tuple[str, str]], data: st.DataObject) -> None:
    path, text = data.draw(st.sampled_from(real))
    lines = text.split("\n")
    for _ in range(data.draw(st.integers(1, 6))):
        n = data.draw(st.integers(0, len(lines) - 1))
        how = data.draw(st.sampled_from(["drop", "join", "indent", "twice", "tab", "cut"]))
        if how == "drop":
            del lines[n]
        elif how == "join" and n + 1 < len(lines):
            lines[n : n + 2] = [lines[n] + lines[n + 1]]
        else:
            line = lines[n]
            made = {
                "indent": ["  " + line],
                "twice": [line, line],
                "tab": ["\t" + line.lstrip()],
                "cut": [line[: len(line) // 2]],
            }
            lines[n : n + 1] = made.get(how, [line])
        lines = lines or [""]
    sound(triage.triage(path, "\n".join(lines)))


def test_files_that_would_overwrite_one_another() -> None:
    note = "```python\n# tea.py\ncups = 1\n```\n\n```python\n# tea.py\npots = 2\n```\n"
    result = triage.triage("Note.md", note)
    assert [row.proposed for row in result.rows] == [("file tea.py",)] * 2
    assert [f"{f.line} {f.code} {f.message}" for f in result.findings] == [
        "6 CM610 this would overwrite tea.py of line 1"
    ]


def test_rows_say_what_is_executed_and_what_is_proposed() -> None:
    note = "```python\nimport os\n# x = 1\n# print(x)\n```\n\n```bash\nls\n```\n\n```python\n# y = z\n```\n"
    rows = triage.triage("Note.md", note).rows
    assert [(r.language, r.kind, r.now, r.after, r.proposed) for r in rows] == [
        ("python", "imports", 1, 3, ("uncomment",)),
        ("bash", "shell", 0, 0, ()),
        ("python", "commented", 0, 0, ("uncomment", "show: nothing above defines z")),
    ]


def test_what_calls_something_that_is_gone_is_shown_and_the_rest_runs() -> None:
    note = (
        "```python\nimport pandas as pd\n```\n\n"
        "```python\n# df = pd.DataFrame()\n# df = df.append({})\n# pd.Panel()\n```\n\n"
        "```python\nprint(df)\n```\n\n"
        '```python role="show"\npd.Panel()\n```\n\n'
        "```python\n# old/frames.py\nimport pandas as pd\npd.Panel()\n```\n\n"
        "```python\ntotal = pd.Series([1]).sum()\n```\n"
    )
    result = triage.triage("Note.md", note, NEW)
    assert [row.proposed for row in result.rows] == [
        (),
        ("uncomment", "show: `df.append` is gone since pandas 2.0"),
        ("show: it needs df from code that is not run",),
        (),
        ("file old/frames.py",),
        (),
    ]
    assert '```python role="show" why="df.append is gone since pandas 2.0"\ndf = pd.DataFrame()\n' in result.after
    sound(result, NEW)
    assert not any("is gone" in what for row in triage.triage("Note.md", note).rows for what in row.proposed)


def test_findings_stand_where_the_note_has_them() -> None:
    note = "```python\nx = 1\n``` and so on.\n\n```python\n# import numpy as np\n# y = np.array()\n```\n\n```js\na\n"
    found = triage.triage("Note.md", note).findings
    assert [(f.line, f.code) for f in found] == [(7, "CM601"), (10, "CM201")]
