"""`coursemill run` against a plain loop over papermill, on the same lessons in one run: python -m benchmarks.run."""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from coursemill import config
from coursemill.course.plan import Request, plans
from coursemill.effects import kernels

HERE = Path(__file__).parents[1]
NOTE = """\
---
worksheet: [small]
---
# Lesson {number}

```python
import json, statistics
numbers = list(range({number}, {number} + 50_000))
```

```python
print(len(json.dumps(numbers)) > 100_000, statistics.fmean(numbers))
```
"""
LOOP = """\
import sys
from papermill import PapermillExecutionError, execute_notebook
for folder in sys.argv[1:]:
    paths = f"{folder}/in.ipynb", f"{folder}/out.ipynb"
    try:
        execute_notebook(*paths, cwd=folder, kernel_name="python3", progress_bar=False)
    except PapermillExecutionError as error:  # also for errors that a lesson is meant to show
        print(folder, error.ename, file=sys.stderr)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=20, help="how many small lessons to make and run")
    parser.add_argument("--repeat", type=int, default=3, help="how often the small lessons are run")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only-small", action="store_true", help="leave out the curriculum's lessons (minutes)")
    options = parser.parse_args()
    print("| work | papermill in a loop, s | coursemill run, s | ratio | nothing changed, s |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        course = _small(Path(folder), options.small)
        _compare(f"{options.small} small lessons", course, options.jobs, options.repeat)
    if not options.only_small:
        _compare("the lessons of the curriculum", HERE, options.jobs, 1)


def _compare(work: str, course: Path, jobs: int, repeat: int) -> None:
    """Measure the two by turns, so that a slow minute of the machine is slow for both."""
    loops, ours = [], []
    for _ in range(repeat):
        with tempfile.TemporaryDirectory() as folder:
            loops.append(_timed([sys.executable, "-c", LOOP, *_lay_out(course, Path(folder))]))
        ours.append(_timed(_run(course, "--fresh", "--jobs", str(jobs))))
    again = statistics.median(_timed(_run(course)) for _ in range(3))
    loop, run = statistics.median(loops), statistics.median(ours)
    print(f"| {work}, {jobs} jobs | {loop:.1f} | {run:.1f} | {run / loop:.2f} | {again:.2f} |", flush=True)


def _run(course: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "coursemill", "--root", str(course), "run", *arguments]


def _timed(command: Sequence[str]) -> float:
    # The loop's kernels need what our kernelspec sets: the environment's own programs, and Python for Spark.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    surroundings = {**os.environ, "PATH": path, "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    began = time.perf_counter()
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=surroundings)
    if done.returncode:
        sys.exit(f"{command} failed:\n{done.stdout}\n{done.stderr}")
    return time.perf_counter() - began


def _lay_out(course: Path, folder: Path) -> list[str]:
    """Give each lesson that can run here a directory with its notebook and files."""
    planned = plans(config.load(course), Request(fresh=True), [kernels.probe("cpu")])
    made = []
    for number, plan in enumerate(p for p in planned if p.due):
        place = folder / str(number)
        place.mkdir()
        (place / "in.ipynb").write_text(plan.notebook, encoding="utf-8")
        for name, source in plan.files:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, place / name)
        made.append(str(place))
    return made


def _small(folder: Path, lessons: int) -> Path:
    notes = folder / "notes"
    notes.mkdir()
    for number in range(lessons):
        (notes / f"Lesson_{number}.md").write_text(NOTE.format(number=number), encoding="utf-8")
    return folder


if __name__ == "__main__":
    main()
