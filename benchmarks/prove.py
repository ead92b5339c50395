"""`coursemill prove` against executing the notebook again for each answer: python -m benchmarks.prove.

One exercise with 20 answers (the solution, the stub, 16 wrong answers, two cheats), in a lesson whose setup imports
pandas. Both ways are measured in turns; ours also where no fork is possible, because the lesson has a thread.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from coursemill.config import Config
from coursemill.course.prove import Request, prove
from coursemill.effects import quick
from coursemill.pure import editions, parse, variants
from coursemill.pure.trials import Step, Trial, Variant
from coursemill.pure.vault import VaultMap

WRONG = 16
SETUP = """\
---
worksheet: [w]
---
# Sales

```python
import pandas as pd

sales = pd.DataFrame({"shop": list("abc") * 2_000, "price": range(6_000)})
```

```python
sales.groupby("shop").price.describe()
```
"""
THREAD = """
```python
import threading

threading.Thread(target=threading.Event().wait, daemon=True).start()
```
"""
EXERCISE = """
> [!exercise|id=top] The shop that sold most

```python role="solution"
def top(frame):
    ### BEGIN SOLUTION
    return frame.groupby("shop").price.sum().idxmax()
    ### END SOLUTION
```

```python role="test" points=1
assert top(sales) == "c"
```

```python role="test" points=1 hidden=true
assert top(sales[sales.shop != "c"]) == "b"
```
"""
ANSWER = """
```python role="wrong" score=1
def top(frame):
    return "c{blanks}".strip()
```
"""
LOOP = """\
import sys
from papermill import PapermillExecutionError, execute_notebook
for notebook in sys.argv[1:]:
    try:
        execute_notebook(notebook, notebook + ".out", kernel_name="python3", progress_bar=False)
    except PapermillExecutionError:
        pass
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    loops, forked, in_place = [], [], []
    for _ in range(options.repeat):
        loops.append(_again_and_again(_note("")))
        forked.append(_proven(_note("")))
        in_place.append(_proven(_note(THREAD)))
    loop = statistics.median(loops)
    print("| 20 answers to one exercise | seconds | times faster |")
    print("|---|---|---|")
    print(f"| papermill, the notebook again for each | {loop:.1f} | 1 |")
    for name, times in (("a fork for each", forked), ("in place, where a thread runs", in_place)):
        took = statistics.median(times)
        print(f"| coursemill prove, {name} | {took:.2f} | {loop / took:.0f} |")


def _note(more: str) -> str:
    return SETUP + more + EXERCISE + "".join(ANSWER.format(blanks=" " * number) for number in range(WRONG))


def _proven(note: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "notes").mkdir()
        (Path(folder) / "notes" / "Sales.md").write_text(note)
        began = time.perf_counter()
        found = prove(Config(Path(folder)), Request())
        took = time.perf_counter() - began
    assert not found.problems, found.problems
    assert found.lessons[0].variants == WRONG + 4
    return took


def _again_and_again(note: str) -> float:
    lesson = parse.lesson("notes/Sales.md", note)
    notebook = editions.instructor(lesson, editions.Context(VaultMap.of([lesson]), "w"))
    parts = variants.parts(lesson, notebook)
    (trial,) = (part for part in parts if isinstance(part, Trial))
    before = [part for part in parts if isinstance(part, Step)]
    with tempfile.TemporaryDirectory() as folder:
        files = [_written(Path(folder) / f"{n}.ipynb", before, trial, v) for n, v in enumerate(trial.variants)]
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", LOOP, *files], check=True, capture_output=True)
        return time.perf_counter() - began


def _written(file: Path, before: list[Step], trial: Trial, variant: Variant) -> str:
    with quick.imports():
        import nbformat
        from nbformat.v4 import new_code_cell, new_notebook

    sources = [step.source for step in before]
    sources += [variant.answers.get(step.id, step.source) for step in trial.steps]
    spec = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(new_notebook(cells=[new_code_cell(s.text) for s in sources], metadata=spec), file)
    return str(file)


if __name__ == "__main__":
    main()
