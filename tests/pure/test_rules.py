"""What the rules find, as pairs of notes and findings in `fixtures/rules/*.md`; and that nothing makes them raise."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.model import Finding
from coursemill.pure import codes, parse, rules
from coursemill.pure.vault import VaultMap

FIXTURES = Path(__file__).parent / "fixtures" / "rules"
FENCE = re.compile(r"^(````+)\w+ ?([^\n]*)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
CASE = re.compile(r"^## ([^\n]*)\n.*?^```findings\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PLACE = re.compile(r"(?:(notes/.*?):)?(\d+):(\d+) (CM\d+) (.*)")


def cases() -> Iterator[tuple[str, str]]:
    for file in sorted(FIXTURES.glob("*.md")):
        for case in CASE.finditer(file.read_text(encoding="utf-8")):
            yield f"{file.stem}: {case[1]}", case[0]


def check(files: dict[str, str], worksheets: tuple[str, ...] = ()) -> list[Finding]:
    lessons = [parse.lesson(path, text) for path, text in files.items() if path.endswith(".md")]
    others = [path for path in files if not path.endswith(".md")]
    folders = [str(folder) for path in others for folder in PurePosixPath(path).parents]
    known = rules.Known.of(VaultMap.of(lessons, others), worksheets, [*others, *folders])
    return sorted(finding for lesson in lessons for finding in rules.check(lesson, known))


@pytest.mark.parametrize("body", [pytest.param(body, id=title) for title, body in cases()])
def test_what_is_found(body: str) -> None:
    files, worksheets = {}, ()
    for _, info, text in FENCE.findall(body):
        path = re.search(r'path="([^"]*)"', info)
        known = re.search(r'worksheets="([^"]*)"', info)
        worksheets = tuple(known[1].split()) if known else worksheets
        head = "" if "whole" in info or not (path is None or path[1].endswith(".md")) else "---\nworksheet: WS_1\n---\n"
        files[path[1] if path else "notes/Lesson.md"] = head + (text or "Text.\n")
    found = check(files, worksheets)
    wanted = body.rpartition("```findings\n")[2].removesuffix("```").splitlines()
    assert [said(finding, line) for finding, line in zip(found, wanted, strict=False)] == wanted, shown(found)
    assert len(found) == len(wanted), shown(found)


def said(finding: Finding, wanted: str) -> str:
    """The finding as the fixture writes it: with its path and its advice only where these are expected."""
    path = f"{finding.path}:" if wanted.startswith("notes/") else ""
    fix = f" ({finding.fix})" if wanted.endswith(f"({finding.fix})") else ""
    return f"{path}{finding.line}:{finding.col} {finding.code} {finding.message}{fix}"


def shown(found: list[Finding]) -> str:
    return "\n".join(map(str, found))


PIECES = st.sampled_from(
    [
        "---", "worksheet: WS_1", "# Heading", "[[Note#x|y]] [[#Heading]] ![](a.png) ![[b.png]]",
        "> [!exercise|id=a] A", "> [!exercise|id=b points=2 grade=manual] B", "> [!quiz|id=a points=1] C",
        "> - [x] a", "> - [ ] ", "> [!hint]- H", "> [!solution]- M", "> [!rubric]- R", "> - 1 pt: x", "",
        '```python role="solution"', '```python role="test" points=1 id="a"', '```python role="wrong" score=3 path="b"',
        '```python role="file" path="a.py"', '```python tags="parameters"', "```", "### BEGIN SOLUTION",
        "### END SOLUTION", "    ### END HIDDEN TESTS", "x = (1", "%magic", "- item", "  text", "\x00", "\ud800",
    ]
)  # fmt: skip


@given(st.lists(PIECES, max_size=30))
def test_no_note_makes_the_rules_raise(lines: list[str]) -> None:
    text = "\n".join(["---", "worksheet: WS_1", "---", *lines])
    for finding in check({"notes/A.md": text, "notes/B.md": text}):
        assert 1 <= finding.line <= len(lines) + 3
        assert finding.col >= 1
        assert finding.code in codes.REGISTRY
        assert finding.message
