"""`coursemill build` against `jupytext --to ipynb` on the same notes, and growth: python -m benchmarks.build.

Each is a command of its own, started once for all notes. Jupytext turns each note into one notebook; the build
makes three of it, one of them by nbgrader, and looks for mistakes.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

TEXT = """\
a selector finds every element that matches and keeps their order in the page so that **the first** is the one above all
others while `find` returns `None` when there is none which a careful reader asks for *before* using it"""
WORDS = TEXT.split()
HEAD = """\
---
tags: [benchmark, generated]
worksheet: [WS_{worksheet}]
objectives: [Read a page, Write a function]
related: ["[[Lesson_{other}]]"]
---
# Lesson {number}

See [[Lesson_{other}|the lesson before]] and [[Lesson_{another}#Section 2]].

```python role="setup"
import json
import statistics
```
"""
SECTION = """
## Section {section}

{prose}

> [!tip] A remark
> {remark}

```python
values = [{number} * n for n in range({section} + 3)]
print(statistics.fmean(values))
```

{more}

- one thing, with `code`
- another, with [a link](https://example.org)

| name | value |
|---|---|
| a | {number} |
| b | {section} |
"""
EXERCISE = """
> [!exercise|id=b{number}-{section}] Add {section}
> Write `add(x)`, which returns `x` and {section}. {remark}

> [!hint]- Where to begin?
> With a function of one line.

```python role="solution"
def add(x):
    \"\"\"Return more than x.\"\"\"
    ### BEGIN SOLUTION
    return x + {section}
    ### END SOLUTION
```

```python role="test" points=1
assert add(1) == {section} + 1, "add {section}"
```

```python role="test" points=2 hidden=true
assert add(-1) == {section} - 1, "also to a negative number"
```

```python role="wrong" score=0
def add(x):
    return x
```
"""
QUIZ = """
> [!quiz|id=b{number}-quiz points=1] What does `find` return when nothing matches?
> - [x] `None`
> - [ ] an empty list *that is find_all*
> - [ ] it raises
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notes", type=int, default=300, help="how many notes to compare on")
    parser.add_argument("--growth", type=int, nargs="*", default=[100, 300, 1000], help="how many notes to grow to")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        _compare(Path(folder), options.notes, options.repeat)
    _grow(options.growth)
    _start(options.repeat)


def _compare(folder: Path, notes: int, repeat: int) -> None:
    """Measure by turns, so that a slow minute of the machine is slow for all."""
    course = _vault(folder / "course", notes)
    theirs, ours, same, one = [], [], [], []
    for turn in range(repeat):
        copy = folder / "copy"
        shutil.copytree(course / "notes", copy)
        files = [str(file) for file in sorted(copy.glob("*.md"))]
        theirs.append(_timed([sys.executable, "-m", "jupytext", "--quiet", "--to", "ipynb", *files]))
        shutil.rmtree(copy)
        for made in ("notebooks", "source", "release", "build"):
            shutil.rmtree(course / made, ignore_errors=True)
        ours.append(_timed(_build(course)))
        same.append(_timed(_build(course)))
        with (course / "notes/Lesson_1.md").open("a", encoding="utf-8") as note:
            note.write(f"\nChange {turn}.\n")
        one.append(_timed(_build(course)))
    jupytext, full, nothing, changed = (statistics.median(times) for times in (theirs, ours, same, one))
    size = sum(file.stat().st_size for file in (course / "notes").iterdir()) / notes / 1000
    print(f"| {notes} notes of {size:.0f} kB | seconds | ratio |")
    print("|---|---|---|")
    print(f"| jupytext --to ipynb | {jupytext:.2f} | 1 |")
    print(f"| coursemill build: three editions, checked | {full:.2f} | {full / jupytext:.2f} |")
    print(f"| coursemill build, one note changed | {changed:.2f} | {changed / jupytext:.2f} |")
    print(f"| coursemill build, nothing changed | {nothing:.2f} | {nothing / jupytext:.2f} |\n", flush=True)


def _grow(sizes: Sequence[int]) -> None:
    print("| notes | build, s | a note, ms | nothing changed, s |\n|---|---|---|---|")
    for notes in sizes:
        with tempfile.TemporaryDirectory() as folder:
            course = _vault(Path(folder), notes)
            full, nothing = _timed(_build(course)), _timed(_build(course))
        print(f"| {notes:,} | {full:.1f} | {1000 * full / notes:.1f} | {nothing:.2f} |", flush=True)
    print()


def _start(repeat: int) -> None:
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "coursemill --help": [sys.executable, "-m", "coursemill", "--help"],
        "jupytext --help": [sys.executable, "-m", "jupytext", "--help"],
        "nbgrader --help": [sys.executable, "-m", "nbgrader", "--help"],
    }
    print("| start-up | seconds |\n|---|---|")
    for name, command in commands.items():
        print(f"| {name} | {statistics.median(_timed(command) for _ in range(2 * repeat + 1)):.2f} |", flush=True)


def _vault(root: Path, notes: int) -> Path:
    folder = root / "notes"
    folder.mkdir(parents=True)
    for number in range(notes):
        (folder / f"Lesson_{number}.md").write_text(_note(number, notes), encoding="utf-8")
    return root


def _note(number: int, notes: int) -> str:
    chance = random.Random(number)
    parts = [HEAD.format(number=number, worksheet=number % 5, other=(number - 1) % notes, another=(7 * number) % notes)]
    for section in range(1, 6):
        about = {"number": number, "section": section, "remark": _sentence(chance, 15)}
        parts.append(SECTION.format(prose=_sentence(chance, 90), more=_sentence(chance, 60), **about))
        parts += [EXERCISE.format(**about)] if section % 2 else []
    return "".join([*parts, QUIZ.format(number=number)])


def _sentence(chance: random.Random, length: int) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(length)).capitalize() + "."


def _build(course: Path) -> list[str]:
    return [sys.executable, "-m", "coursemill", "--root", str(course), "build"]


def _timed(command: Sequence[str]) -> float:
    began = time.perf_counter()
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{command[:6]} failed:\n{done.stdout}\n{done.stderr}")
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
