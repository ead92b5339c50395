"""Edits: nothing else of a note changes, and the real tools take the diff."""

import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursemill.pure.raw import edits
from coursemill.pure.raw.edits import Edit

ENDS = st.sampled_from([("\n",), ("\n", "\r\n"), ("\r\n",), ("\r",)])
LINE = st.text(st.sampled_from("ab -+@\\\t\x0c\u2028é"), max_size=4)
LINES = st.lists(LINE, max_size=12)


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, list[Edit]]:
    """A text, with or without a byte order mark and a last newline, and edits that do not overlap."""
    lines = draw(LINES)
    ends = st.sampled_from(draw(ENDS))
    text = "".join(line + draw(ends) for line in lines) + draw(st.sampled_from(["", "", "last"]))
    text = draw(st.sampled_from(["", "", "\ufeff"])) + text
    count, at, found = len(edits.split(text)), 1, []
    while at <= count + 1 and draw(st.booleans()):
        start = draw(st.integers(at, count + 1))
        end = draw(st.integers(start - 1, min(count, start + 2)))
        found.append(Edit(start, end, tuple(draw(st.lists(LINE, max_size=3)))))
        at = end + 2
    return text, found


@pytest.mark.parametrize(
    ("text", "changes", "after"),
    [
        ("a\nb\n", [Edit(1, 1, ("A",))], "A\nb\n"),
        ("a\r\nb\r\n", [Edit(1, 1, ("A", "B")), Edit(3, 2, ("c",))], "A\r\nB\r\nb\r\nc\r\n"),
        ("a\nb", [Edit(2, 2, ("B", "C"))], "a\nB\nC"),
        ("a\nb", [Edit(3, 2, ("c",))], "a\nb\nc"),
        ("\ufeffa\n", [Edit(1, 0, ("z",))], "\ufeffz\na\n"),
        ("a\n\nb\n", [Edit(2, 3, ())], "a\n"),
        ("", [Edit(1, 0, ("a",))], "a\n"),
        ("a\x0cb\u2028c\n", [Edit(1, 1, ("x",))], "x\n"),
    ],
)
def test_apply(text: str, changes: list[Edit], after: str) -> None:
    assert edits.apply(text, changes) == after


def test_a_diff_is_as_tools_write_it() -> None:
    text = "".join(f"{n}\n" for n in range(1, 30)) + "end"
    changes = [Edit(2, 2, ("two",)), Edit(9, 8, ("new",)), Edit(30, 30, ("END", "more"))]
    assert edits.diff("notes/A note.md", text, changes) == (
        "--- a/notes/A note.md\t\n+++ b/notes/A note.md\t\n"
        "@@ -1,11 +1,12 @@\n 1\n-2\n+two\n 3\n 4\n 5\n 6\n 7\n 8\n+new\n 9\n 10\n 11\n"
        "@@ -27,4 +28,5 @@\n 27\n 28\n 29\n-end\n\\ No newline at end of file\n"
        "+END\n+more\n\\ No newline at end of file\n"
    )
    assert edits.diff("A.md", text, [Edit(1, 1, ("1",))]) == ""


@given(edited())
def test_lines_without_an_edit_keep_every_byte(case: tuple[str, list[Edit]]) -> None:
    text, changes = case
    before, after = edits.split(text), edits.split(edits.apply(text, changes))
    touched = {n for edit in changes for n in range(edit.start, edit.end + 1)}
    shift = 0
    for n, (line, end) in enumerate(before, 1):
        if n in touched:
            continue
        shift = sum(len(e.lines) - (e.end - e.start + 1) for e in changes if e.end < n)
        assert after[n - 1 + shift][0] == line
        assert after[n - 1 + shift][1] == end or (n == len(before) and not end)


@settings(max_examples=60)
@given(edited(), st.sampled_from(["note.md", "a folder/été.md", 'quo"ted.md']))
def test_patch_and_git_apply_it(case: tuple[str, list[Edit]], name: str) -> None:
    text, changes = case
    made = edits.diff(name, text, changes)
    after = edits.apply(text, changes)
    assert bool(made) == (text != after)
    if made and text and after:  # git would have an empty file created or deleted
        for tool in (("patch", "-p1", "--silent", "--fuzz=0"), ("git", "apply", "--whitespace=nowarn")):
            assert _applied(tool, name, text, made) == after.encode()


def _applied(tool: tuple[str, ...], name: str, text: str, made: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, name)
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(text.encode())
        done = subprocess.run(tool, input=made.encode(), cwd=folder, capture_output=True, check=False)
        assert done.returncode == 0, (done.stdout, done.stderr)
        assert {path for path in Path(folder).rglob("*") if path.is_file()} == {file}
        return file.read_bytes()
