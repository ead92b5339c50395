"""`coursemill unpack` on the command line."""

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from coursemill.faces import cli

CHAT = """Okay, here is the first note.

`````markdown

Filename: folder/One.md
````markdown
---
tags: [a]
---
# One

```python
x = 1
```
`````

Next, I'll write another.

**File:** `../Two.md`
```md
# Two
```

```python
# File: app.py
print()
```
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is no course."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "chat.txt").write_text(CHAT)
    return tmp_path


def run(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(cli.cli, arguments, input=given)


def test_it_accounts_for_every_line(here: Path) -> None:
    result = run("unpack", "chat.txt", "--into", "vault")
    assert result.exit_code == 1
    table = result.stdout.partition("all lines")[0]
    rows = [line.split() for line in table.splitlines() if line[1:2].isdigit()]
    ends = [row[0].split("-") for row in rows]
    assert [int(end[0]) for end in ends] == [1, *(int(end[-1]) + 1 for end in ends[:-1])]
    assert sum(int(row[1]) for row in rows) == len(CHAT.splitlines())
    assert "27 lines: 9 note, 5 fence, 2 name, 6 chat, 5 blank, 0 unknown" in result.stdout
    assert "chat.txt:19: refused `../Two.md`: the path leaves the vault with `..`" in result.stdout
    assert result.stdout.endswith("2 notes for vault: 1 written, 1 refused\n")
    assert (here / "vault/folder/One.md").read_text().startswith("---\ntags: [a]\n---\n# One\n")


def test_it_prints_everything_as_json(here: Path) -> None:
    result = run("unpack", "chat.txt", "--into", "vault", "--dry-run", "--json")
    said = json.loads(result.stdout)
    assert result.exit_code == 1
    assert not (here / "vault").exists()
    assert sum(said["totals"].values()) == said["lines"] == sum(r["end"] - r["start"] + 1 for r in said["ranges"])
    first, second = said["notes"]
    text = "\n".join(CHAT.splitlines()[first["start"] - 1 : first["end"]]) + "\n"
    assert first["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert (first["path"], first["outcome"], first["bytes"], first["named"]) == (
        "folder/One.md",
        "written",
        len(text),
        5,
    )
    assert (second["path"], second["outcome"]) == ("../Two.md", "refused")


def test_it_reads_what_is_piped_in(here: Path) -> None:
    assert run("unpack", "-", "--into", "v", given="Filename: a.md\n````md\n# T\n````\n").exit_code == 0
    assert (here / "v/a.md").read_text() == "# T\n"


def test_a_file_without_notes_is_an_error(here: Path) -> None:
    (here / "prose.txt").write_text("only prose\n")
    result = run("unpack", "prose.txt", "--into", "vault")
    assert result.exit_code == 1
    assert "no note was found" in str(result.exception)


def test_it_wants_a_file_and_a_vault(here: Path) -> None:
    assert run("unpack", "chat.txt").exit_code == 2
    assert run("unpack", "missing.txt", "--into", "v").exit_code == 2
    assert run("unpack", ".", "--into", "v").exit_code in (1, 2)
