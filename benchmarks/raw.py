"""From a chat to checked notes, and vaults of raw notes: python -m benchmarks.raw [TRANSCRIPT].

The transcript is the one given, or one that is made here: notes with their code commented out, damaged and
outdated, in fences that do not fit. Each command is started as a user starts it.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

TEXT = """\
the mill turns with the water and every sack of grain that is brought up is weighed before it goes to the stones where
two of them grind it and a sieve parts the flour from the bran which nobody should forget to sell"""
WORDS = TEXT.split()
HEAD = """\
---
tags: [mill, raw]
aliases: [Mill {number}]
related:
  - "[[Note_{other}|the note before]]"
worksheet: [WS_Mill_{worksheet}]
date_created: <% tp.file.creation_date("YYYY-MM-DD") %>
---
# Mill {number}

{prose} See [[Note_{other}]] and [[Missing_{number}]].

> [!question] Why is the grain weighed in mill {number}?
"""
SECTIONS = (
    """
## Loads {section}

{prose}

```python
# import numpy as np
#
# # One load a day
# loads = [{number}, {section}, 3.5]
# # The mean of all
# print(np.mean(loads))
# # Output: {number}
```
""",
    """
## Sacks {section}

[list2tab|#Two ways]
- By hand

    ```python
    # from bs4 import BeautifulSoup
    # page = BeautifulSoup("<p>{number}</p>", "html.parser")
    # weights = [p.text for p in page.findAll("p")]
    # if weights:
    #     print(weights[0])  # the first weight
    ```    {prose}

- As a program

    ```python
    # mill/sacks_{section}.py
    def weight(sack):
        return sack.split(",").strip()
    ```
""",
    """
## Layout {section}

```
mill/
  sacks.py
```

```python
class Stone:
    ...

stone = ...
values = np.array()
```

```bash
pip install numpy
```

{prose}

| sack | weight |
|---|---|
| {section} | {number} |
""",
    """
## Sieve {section}

{prose}

```python
import pandas as pd

# Take the rows of the day
# frame = pd.DataFrame({{"load": [{number}, {section}]}})
# frame = frame.append({{"load": 1}}, ignore_index=True)
# for name, row in frame.iterrows():
#     total = row["load"] * {section}
#     print(name, total)
# print(frame.describe())
```

```html
<p class="load">{number}</p>
<!-- the rest -->
```
""",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("transcript", nargs="?", type=Path, help="a chat with notes in it  [default: one made here]")
    parser.add_argument("--notes", type=int, nargs="*", default=[100, 1000], help="how many notes to grow to")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--profile", type=int, metavar="NOTES", help="show instead where the time goes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.profile:
            _profile(Path(folder), options.profile)
            return
        _transcript(Path(folder), options.transcript, options.repeat)
        _grow(Path(folder), options.notes)


def _transcript(folder: Path, given: Path | None, repeat: int) -> None:
    """Measure by turns, so that a slow minute of the machine is slow for all."""
    chat = folder / "chat.txt"
    chat.write_bytes(given.read_bytes() if given else _chat(14).encode())
    commands = {
        "unpack": ["unpack", str(chat), "--into", "notes"],
        "triage": ["triage"],
        "check": ["check"],
        "check, again": ["check"],
    }
    times: dict[str, list[float]] = {name: [] for name in (*commands, "start-up alone: --version")}
    for turn in range(repeat):
        course = folder / f"course_{turn}"
        course.mkdir()
        for name, arguments in commands.items():
            times[name].append(_timed(arguments, course)[0])
        times["start-up alone: --version"].append(_timed(["--version"], course)[0])
    medians = {name: statistics.median(all_of_them) for name, all_of_them in times.items()}
    lines, notes = chat.read_bytes().count(b"\n"), len([*(folder / "course_0/notes").rglob("*.md")])
    print(f"| a chat of {lines:,} lines with {notes} notes | seconds |\n|---|---|")
    for name, seconds in medians.items():
        print(f"| {name} | {seconds:.2f} |")
    print(f"| unpack, triage and check | {sum(medians[n] for n in ('unpack', 'triage', 'check')):.2f} |\n", flush=True)


def _grow(folder: Path, sizes: Sequence[int]) -> None:
    """Seconds depend on what else the machine does; processor time a note shows how the work grows."""
    print("| raw notes | unpack, s | triage, s | check, s | all, s | processor, ms a note |\n|---|---|---|---|---|---|")
    for notes in sizes:
        course = folder / f"vault_{notes}"
        course.mkdir()
        (folder / "chat.txt").write_text(_chat(notes), encoding="utf-8")
        unpack = _timed(["unpack", str(folder / "chat.txt"), "--into", "notes"], course)
        triage, check = _timed(["triage"], course), _timed(["check"], course)
        whole, busy = (sum(each) for each in zip(unpack, triage, check, strict=True))
        seconds = " | ".join(f"{one[0]:.1f}" for one in (unpack, triage, check))
        print(f"| {notes:,} | {seconds} | {whole:.1f} | {1000 * busy / notes:.1f} |", flush=True)


def _profile(folder: Path, notes: int) -> None:
    from coursemill.config import Config
    from coursemill.course import check, load, triage, unpack
    from coursemill.effects import workers

    config = Config(folder)
    profile = cProfile.Profile()
    with profile:
        unpack.unpack(_chat(notes).encode(), folder / "notes")
        files = triage.find(config, (), folder)
        for start in range(0, notes, workers.MANY - 1):  # no more at once, or it happens in other processes
            triage.look(files[start : start + workers.MANY - 1])
        check.inspect(load.load(config))
    pstats.Stats(profile).sort_stats("cumulative").print_stats(60)


def _chat(notes: int) -> str:
    """A chat in which no two fences are of one length, some notes are never closed, and names are spelled variously."""
    names = ("Filename: {}", "**Filename:** `{}`", "### File: {}", "<!-- filename: {} -->")
    parts = ["Okay, let's begin with the mill.\n\n---\n"]
    for number in range(notes):
        name = names[number % len(names)].format(f"Mill/Part_{number % 20}/Note_{number}.md")
        inner = "`" * (4 + number % 3)
        closer = "" if number % 7 == 3 else "`" * (4 + number % 5)
        parts.append(f"\n{inner}`markdown\n\n{name}\n{inner}markdown\n{_note(number, notes)}{closer}\n")
        if number % 3 == 0:
            parts.append("\nNext, I'll write the note that comes after it.\n\n---\n")
    return "".join(parts)


def _note(number: int, notes: int) -> str:
    chance = random.Random(number)
    about = {"number": number, "other": (number - 1) % notes, "worksheet": number % 5}
    parts = [HEAD.format(prose=_sentence(chance, 60), **about)]
    for section in range(8):
        parts.append(SECTIONS[section % len(SECTIONS)].format(section=section, prose=_sentence(chance, 70), **about))
    return "".join([*parts, "\n---\n"])


def _sentence(chance: random.Random, length: int) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(length)).capitalize() + "."


def _timed(arguments: Sequence[str], course: Path) -> tuple[float, float]:
    """Seconds on the clock, and of processors, that a command takes; what it reports about the notes is no failure."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "coursemill", *arguments], cwd=course, check=False, capture_output=True, text=True
    )
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in {0, 1} or "Traceback" in done.stderr:
        sys.exit(f"coursemill {' '.join(arguments)} failed:\n{done.stdout[-2000:]}\n{done.stderr}")
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
