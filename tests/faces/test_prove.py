"""The command: its table, its lines for problems, its JSON and its exit code."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from coursemill.effects.sandbox import view
from coursemill.errors import Unavailable
from coursemill.faces import cli

NOTE = """\
---
worksheet: WS_1
---
# Numbers

> [!exercise|id=next] The next number

```python role="solution"
def after(x):
    ### BEGIN SOLUTION
    return x + 1
    ### END SOLUTION
```

```python role="test" points=1
assert after(1) == 2, "one more"
```

```python role="test" points=1 hidden=true
assert after(-1) == 0
```

```python role="wrong" score=1
def after(x):
    return 2
```

> [!quiz|id=odd points=1] Which is odd?
> - [x] 1
> - [ ] 2
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "notes").mkdir()
    return tmp_path


def call(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli.cli, ["--root", str(root), "prove", *arguments])


@pytest.mark.sandbox
def test_a_sound_lesson(root: Path) -> None:
    (root / "notes/Numbers.md").write_text(NOTE)
    done = call(root)
    rows = [line.split() for line in done.stdout.splitlines() if line.strip()]
    assert rows[0][0] == "Numbers"
    assert rows[1] == ["exercise", "tests", "points", "solution", "stub", "wrong", "answers", "cheats", "mode"]
    assert rows[3] == ["next", "2", "2", "ok", "ok", "ok", "ok", "2/2", "isolated"]
    assert rows[4] == ["odd", "1", "1", "ok", "ok", "ok", "2/2", "ok", "isolated"]
    assert done.stdout.rstrip().endswith("all sound")
    assert "2 exercises and quizzes, 10 answers tried in" in done.stdout
    assert ", 3 of 3 tests isolated: all sound" in done.stdout
    assert done.stderr.startswith("sound Numbers")
    assert done.exit_code == cli.OK


def test_problems_are_lines_with_their_place(root: Path) -> None:
    (root / "notes/Numbers.md").write_text(NOTE.replace("score=1", "score=0"))
    done = call(root, "Numbers")
    assert done.exit_code == cli.PROBLEMS
    assert (
        "notes/Numbers.md:23: wrong answer 1 gets 1 of 2 points, and deserves 0; it passes next-test-1; "
        "next-test-2 says AssertionError in `assert after(-1) == 0` (say its score, or change the tests)"
    ) in done.stdout.splitlines()
    row = next(line.split() for line in done.stdout.splitlines() if line.split()[:1] == ["next"])
    assert row[5:8] == ["failed", "ok", "2/2"]
    assert done.stdout.rstrip().endswith(": 1 problem")


LIVE = """
> [!exercise|id=box] A box that can be compared

```python role="solution"
class Box:
    ### BEGIN SOLUTION
    def __init__(self, value):
        self.value = value

    def __eq__(self, other):
        return isinstance(other, Box) and other.value == self.value
    ### END SOLUTION
```

```python role="test" points=1
import pickle

assert pickle.loads(pickle.dumps(Box(3))).value == 3, "boxes can be kept"
```
"""


@pytest.mark.sandbox
def test_help_for_a_test_that_is_not_isolated(root: Path) -> None:
    (root / "notes/Numbers.md").write_text(NOTE + LIVE)
    done = call(root)
    row = next(line.split() for line in done.stdout.splitlines() if line.split()[:1] == ["box"])
    assert row[-1] == "in-candidate"
    (told,) = [line for line in done.stdout.splitlines() if "is in-candidate" in line]
    line = (NOTE + LIVE).split("\n").index("import pickle") + 1
    assert told.startswith(f"notes/Numbers.md:{line - 1}-{line + 3}: box-test-1 is in-candidate: notes/Numbers.md:")
    assert "(what a library sends to its workers must not be of the test's making" in told
    assert "3 of 4 tests isolated" in done.stdout
    found = json.loads(call(root, "--json").stdout)
    assert (found["isolated"], found["tests"]) == (3, 4)
    (box,) = found["lessons"][0]["exercises"][2]["modes"]
    assert (box["test"], box["mode"], box["files"], box["twins"] > 0, box["trouble"]) == (
        *("box-test-1", "in-candidate", False, True, ""),
    )


@pytest.mark.sandbox
def test_a_test_that_only_fails_when_it_is_graded(root: Path) -> None:
    here = f"import os; assert after(-1) == 0 and os.path.exists({str(root)!r})"
    (root / "notes/Numbers.md").write_text(NOTE.replace("assert after(-1) == 0", here))
    done = call(root)
    assert done.exit_code == cli.PROBLEMS
    assert "next-test-2 fails when it is graded: " in done.stdout


def test_without_a_sandbox_nothing_is_decided(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking() -> None:
        raise Unavailable("there is no bubblewrap", fix="install it")

    monkeypatch.setattr(view, "require", lacking)
    (root / "notes/Numbers.md").write_text(NOTE)
    done = call(root)
    assert done.exit_code == cli.OK
    assert "how the tests are examined is not decided: there is no bubblewrap (install it)" in done.stdout
    row = next(line.split() for line in done.stdout.splitlines() if line.split()[:1] == ["next"])
    assert row[-1] == "undecided"
    lesson = json.loads(call(root, "--json").stdout)["lessons"][0]
    assert lesson["undecided"] == "there is no bubblewrap"
    assert (lesson["exercises"][0]["isolated"], lesson["exercises"][0]["modes"]) == (None, [])


@pytest.mark.sandbox
def test_json(root: Path) -> None:
    (root / "notes/Numbers.md").write_text(NOTE)
    done = call(root, "--json", "--jobs", "1")
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["sound"] is True
    (lesson,) = found["lessons"]
    assert (lesson["lesson"], lesson["status"], lesson["problems"]) == ("Numbers", "sound", [])
    first = lesson["exercises"][0]
    assert {k: first[k] for k in ("id", "place", "points", "tests", "isolated", "in_candidate", "sound")} == {
        **{"id": "next", "place": "notes/Numbers.md:6", "points": 2, "tests": 2},
        **{"isolated": 2, "in_candidate": 0, "sound": True},
    }
    assert [(a["name"], a["score"]) for a in first["answers"][:3]] == [
        ("the solution", 2),
        ("the stub", 0),
        ("wrong answer 1", 1),
    ]
    assert first["answers"][2]["tests"][1] == {
        "test": "next-test-2",
        "mode": "isolated",
        "score": 0,
        "reason": "AssertionError in `assert after(-1) == 0`",
        "line": 20,
    }


def test_what_cannot_run_here_is_no_problem(root: Path) -> None:
    (root / "notes/Numbers.md").write_text(NOTE.replace("---\n#", "requires: [abacus]\n---\n#"))
    done = call(root)
    assert "unavailable Numbers: abacus is not installed (put `abacus` on PATH)" in done.stdout.splitlines()
    assert done.exit_code == cli.OK


def test_a_note_with_mistakes(root: Path) -> None:
    (root / "notes/Numbers.md").write_text(NOTE + "\n```python\nnever closed\n")
    done = call(root)
    assert done.exit_code == cli.PROBLEMS
    assert "unsound Numbers: the note has mistakes" in done.stdout
    assert "notes/Numbers.md:32: CM201" in done.stdout


def test_nothing_to_prove(root: Path) -> None:
    (root / "notes/Numbers.md").write_text("---\nworksheet: WS_1\n---\n# Words\n")
    done = call(root)
    assert done.stdout.strip() == "There is nothing to prove: no lesson here has exercises or quizzes."
    assert done.exit_code == cli.OK


def test_an_unknown_lesson(root: Path) -> None:
    (root / "notes/Numbers.md").write_text(NOTE)
    command = [sys.executable, "-m", "coursemill", "--root", str(root), "prove", "Numers"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == cli.USAGE
    assert done.stderr == "coursemill: there is no lesson or worksheet `Numers` (did you mean Numbers?)\n"


def test_ctrl_c(root: Path) -> None:
    sign = root / "running"
    slow = NOTE.replace("# Numbers\n", f"```python\nopen({str(sign)!r}, 'w')\nimport time\ntime.sleep(600)\n```\n")
    (root / "notes/Numbers.md").write_text(slow)
    command = [sys.executable, "-m", "coursemill", "--root", str(root), "prove"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(root)}
    ) as running:
        while not sign.exists():
            assert running.poll() is None
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        out, _ = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "cancelled Numbers: interrupted" in out
    assert [p.name for p in root.iterdir() if p.name.startswith("coursemill-prove-")] == []
