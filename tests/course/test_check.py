"""A course is checked as a whole; what is reported is what was asked for."""

from pathlib import Path

import pytest

from coursemill.config import Config
from coursemill.course.check import check
from coursemill.errors import CoursemillError

NOTES = {
    "Web/Soup.md": "---\nworksheet: WS_1\n---\n> [!quiz|id=same points=1] A?\n> - [x] a\n> - [ ] b\n\n[[Nothing]]\n",
    "Web/Spider.md": "---\nworksheet: WS_2\n---\n> [!quiz|id=same points=1] A?\n> - [x] a\n> - [ ] b\n",
    "Idea.md": "```python role=\"sow\"\n```\n\n[[Nothing]]\n",
    "Fine.md": "# Fine\n",
}  # fmt: skip


@pytest.fixture
def config(tmp_path: Path) -> Config:
    for name, text in NOTES.items():
        path = tmp_path / "notes" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "notes/Bad.md").write_bytes(b"\xff")
    return Config(tmp_path)


EVERYTHING = ["Bad CM101", "Idea CM401", "Soup CM401", "Spider CM302"]


@pytest.mark.parametrize(
    ("names", "notes", "lessons", "found"),
    [
        ([], 5, 2, EVERYTHING),
        (["Soup"], 1, 1, ["Soup CM401"]),
        (["notes/Web/Spider.md"], 1, 1, ["Spider CM302"]),
        (["Web"], 2, 2, ["Soup CM401", "Spider CM302"]),
        (["S*"], 2, 2, ["Soup CM401", "Spider CM302"]),
        (["WS_2", "Bad"], 2, 1, ["Bad CM101", "Spider CM302"]),
        (["Fine"], 1, 0, []),
    ],
)
def test_notes_are_named(config: Config, names: list[str], notes: int, lessons: int, found: list[str]) -> None:
    result = check(config, names)
    assert [f"{Path(f.path).stem} {f.code}" for f in result.findings] == found
    assert (result.notes, result.lessons) == (notes, lessons)
    assert result.errors == sum("CM4" not in one for one in found)
    assert result.warnings == sum("CM4" in one for one in found)


def test_ids_are_compared_also_with_notes_that_were_not_named(config: Config) -> None:
    (finding,) = check(config, ["Spider"]).findings
    assert str(finding) == (
        "notes/Web/Spider.md:4:1: CM302 the id `same` stands at notes/Web/Soup.md:4-6 already "
        "(ids are unique in the course: rename one)"
    )


@pytest.mark.parametrize(
    ("select", "ignore", "found"),
    [
        (["cm4"], [], ["Idea CM401", "Soup CM401"]),
        ([], ["CM4", "CM302"], ["Bad CM101"]),
        (["CM4", "CM101"], ["CM401"], ["Bad CM101"]),
        (["CM"], [], EVERYTHING),
    ],
)
def test_codes_are_selected(config: Config, select: list[str], ignore: list[str], found: list[str]) -> None:
    result = check(config, select=select, ignore=ignore)
    assert [f"{Path(f.path).stem} {f.code}" for f in result.findings] == found


@pytest.mark.parametrize(
    ("names", "select", "said"),
    [
        (["Sopu"], [], "there is no note `Sopu`"),
        (["Fine", "Idee"], [], "there is no note `Idee` (did you mean `Idea`?)"),
        (["X*"], [], "there is no note `X*` (name a note, its path"),
        ([""], [], "there is no note ``"),
        ([], ["CM9"], "there is no code `CM9`"),
        ([], [""], "there is no code ``"),
    ],
)
def test_what_means_nothing_is_said(config: Config, names: list[str], select: list[str], said: str) -> None:
    with pytest.raises(CoursemillError) as raised:
        check(config, names, select=select)
    assert said in str(raised.value)


def test_nothing_is_executed(config: Config, tmp_path: Path) -> None:
    code = "from pathlib import Path\nPath('executed').touch()\n"
    fences = "".join(
        f"\n```python{attributes}\n{code}```\n" for attributes in ("", ' role="setup"', ' tags="parameters"')
    )
    shell = '\n```bash role="run"\ntouch executed\n```\n'
    config.path("notes/Code.md").write_text(f"---\nworksheet: WS_1\n---\n{fences}{shell}")
    assert not check(config, ["Code"]).findings
    assert not list(tmp_path.rglob("executed"))
    assert not Path("executed").exists()


DIAGRAM = """---
worksheet: WS_1
---
- item
  ```d2
  a: {shape: process}
  b
  ```

```d2
c: {width: wide}
```

```mermaid
flowchat LR
```

```d2 role="show"
d: {shape: process}
```
"""
COMPILER = """#!/bin/sh
echo asked >> "$0.log"
grep -q wide || exit 7
echo 'err: failed to compile -: -:1:12: non-integer width' >&2
exit 1
"""


def test_diagrams_are_looked_at_and_compiled_once_where_it_can_be_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "d2"
    for path, text in ((tmp_path / "notes/A.md", DIAGRAM), (program, COMPILER)):
        path.parent.mkdir()
        path.write_text(text)
    program.chmod(0o755)
    seen = ["6:14 CM209", "15:1 CM209"]
    monkeypatch.setenv("PATH", "")
    assert [f"{f.line}:{f.col} {f.code}" for f in check(Config(tmp_path)).findings] == seen
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    for _ in range(2):
        found = check(Config(tmp_path), select=["CM209"]).findings
        assert [f"{f.line}:{f.col} {f.code}" for f in found] == [seen[0], "11:12 CM209", seen[1]]
    assert (program.parent / "d2.log").read_text() == "asked\n"
