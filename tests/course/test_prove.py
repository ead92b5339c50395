"""Real proofs of small lessons, with every kind of fault that an exercise can have."""

import threading
from pathlib import Path

import pytest

from coursemill.config import Config
from coursemill.course.prove import LessonProof, Request, Watch, prove
from coursemill.effects import prover
from coursemill.errors import CoursemillError
from coursemill.pure.proof import Proof

SOUND = """\
---
worksheet: WS_1
---
# Prices

```python
import re
prices = [1.5, 2.5]
```

> [!exercise|id=price] Read a price
> Write `price_of(text)`.

```python role="solution"
def price_of(text):
    ### BEGIN SOLUTION
    found = re.search(r"\\d+\\.\\d\\d", text)
    return float(found.group()) if found else None
    ### END SOLUTION
```

```python role="test" points=1
assert price_of("now $49.99") == 49.99, "a float"
```

```python role="test" points=2 hidden=true
assert price_of("sold out") is None, "no price: None"
```

```python role="wrong" score=1
def price_of(text):
    return 49.99
```

```python role="wrong" score=2
def price_of(text):
    return None
```

> [!quiz|id=kind points=2] Which are numbers?
> - [x] `1.5`
> - [ ] `"1.5"`
> - [x] `2`

> [!exercise|id=file] Write a module

```python role="solution" path="shop/tax.py"
RATE = 0.19

def gross(net):
    ### BEGIN SOLUTION
    return round(net * (1 + RATE), 2)
    ### END SOLUTION
```

```python role="test" points=1
from shop.tax import gross

assert gross(100) == 119.0
```

```python role="wrong" score=0
def gross(net):
    return net
```

> [!exercise|id=total] Add up

```python role="solution"
def total(values):
    ### BEGIN SOLUTION
    return sum(values)
    ### END SOLUTION

def checked(values):
    assert values
    return total(values)
```

```python
doubled = [2 * checked([1, 2]), 3]
```

```python role="test" points=1 given=true
assert isinstance(total.__name__, str)
```

```python role="test" points=1
assert total(prices) == 4.0
assert doubled == [6, 3]
```

```bash role="run"
test -f shop/tax.py
```
"""

FAULTS = """\
---
worksheet: WS_1
---
```python
import threading
threading.Thread(target=threading.Event().wait, daemon=True).start()
```

> [!exercise|id=unsound] The stub passes the second test

```python role="solution"
def f(x):
    ### BEGIN SOLUTION
    return x
    ### END SOLUTION
```

```python role="test" points=1
assert f(1) == 1
```

```python role="test" points=1
assert callable(f)
```

```python role="wrong" score=0
def f(x):
    return 1
```

> [!exercise|id=live] The test needs the answer's object, and the cheats pass it

```python role="solution"
class Box:
    def __init__(self, size):
        ### BEGIN SOLUTION
        self.size = size
        ### END SOLUTION

    def __add__(self, other):
        return Box(self.size + other.size)
```

```python role="test" points=1
assert (Box(1) + Box(2)).size == 3
```

```python role="test" points=1
assert Box(1) + Box(2), "a box"
```

> [!exercise|id=deadly] Answers that harm

```python role="solution"
def g(x):
    ### BEGIN SOLUTION
    return [x] * 3
    ### END SOLUTION
```

```python role="test" points=1
assert g(2) == [2, 2, 2]
```

```python role="wrong" score=0
def g(x):
    while True:
        pass
```

```python role="wrong" score=0
import os

def g(x):
    open("left.txt", "w").write("x")
    os._exit(3)
```

```python role="wrong" score=1
def g(x):
    return bytearray(1 << 36)
```

```python role="wrong" score=0
raise SystemExit
```

```python role="wrong" score=0
import os, signal
os.kill(os.getpid(), signal.SIGKILL)
```

> [!exercise|id=noise] What nbgrader does not like

```python role="solution"
def h():
    ### BEGIN SOLUTION
    return 0.5
    ### END SOLUTION
```

```python role="test" points=2
import warnings

assert not __import__("os").path.exists("left.txt"), "another answer's file"
warnings.warn("careful")
```

```python role="test" points=1
h()
```

```python role="test" points=1
raise SystemExit(h())
```

> [!exercise|id=stops] Behind it nothing can be tried

```python
1 / 0
```

```python role="solution"
x = 1
```

```python role="test" points=1
assert x == 1
```

> [!quiz|id=behind points=1] Never reached
> - [x] Yes
> - [ ] No
"""


THREAD = "threading.Thread(target=threading.Event().wait, daemon=True).start()"
"""Where a process has two threads, answers are tried in place."""


def course(folder: Path, **notes: str) -> Config:
    for name, text in notes.items():
        path = folder / "notes" / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Config(folder)


def only(config: Config, **options: float) -> LessonProof:
    (lesson,) = prove(config, Request(modes=False, **options)).lessons  # type: ignore[arg-type]  # patience alone
    return lesson


def by_id(lesson: LessonProof) -> dict[str, Proof]:
    return {p.id: p for p in lesson.proofs}


def line(text: str) -> int:
    return FAULTS.split("\n").index(text) + 1


def told(proof: Proof) -> list[str]:
    return [str(p).removeprefix("notes/Faults.md:") for p in proof.problems]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> LessonProof:
    return only(course(tmp_path_factory.mktemp("course"), Prices=SOUND))


@pytest.fixture(scope="module", params=["forked", "in place"])
def faults(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LessonProof:
    note = FAULTS if request.param == "in place" else FAULTS.replace(THREAD, "pass")
    return only(course(tmp_path_factory.mktemp("course"), Faults=note), patience=2)


def test_a_sound_lesson(sound: LessonProof) -> None:
    assert [str(p) for proof in sound.proofs for p in proof.problems] == []
    assert (sound.status, sound.problems) == ("sound", ())


def test_every_answer_is_tried_and_gets_what_it_deserves(sound: LessonProof) -> None:
    scores = {p.id: {t.name: t.score for t in p.tried} for p in sound.proofs}
    cheats = {"an object equal to everything": 0.0, "a function that returns such objects": 0.0}
    assert scores["price"] == {"the solution": 3, "the stub": 0, "wrong answer 1": 1, "wrong answer 2": 2, **cheats}
    assert scores["kind"] == {
        **{"the answer AC": 2, "the stub": 0, "the answer A": 0, "the answer B": 0, "the answer C": 0},
        **{"the answer ABC": 0, "no answer": 0, "an object equal to everything": 0},
    }
    assert scores["file"] == {"the solution": 1, "the stub": 0, "wrong answer 1": 0, **cheats}
    assert scores["total"]["the stub"] == 1
    assert {p.id: p.modes for p in sound.proofs} == {"price": (2, 0), "kind": (1, 0), "file": (1, 0), "total": (2, 0)}


def test_a_test_that_the_stub_passes(faults: LessonProof) -> None:
    stub, wrong, cheat, other = told(by_id(faults)["unsound"])
    second = line("assert callable(f)")
    assert stub == (
        f"{second}: the stub gets 1 of 1 point in unsound-test-2 "
        "(test what the starter lacks, or mark the test `given=true`)"
    )
    assert wrong == (
        f"{second + 3}: wrong answer 1 gets 2 of 2 points, and deserves 0; it passes unsound-test-1, unsound-test-2 "
        "(say its score, or change the tests)"
    )
    assert cheat.startswith(f"{second}: an object equal to everything gets 1 of 1 point in unsound-test-2 (compare")
    assert other.startswith(
        f"{second}: a function that returns such objects gets 1 of 1 point in unsound-test-2 (compare"
    )


def test_a_test_that_needs_live_objects(faults: LessonProof) -> None:
    proof = by_id(faults)["live"]
    where = line('assert Box(1) + Box(2), "a box"')
    assert proof.modes == (1, 1)
    assert [one.partition(" (")[0] for one in told(proof)] == [
        f"{where}: {name} gets 1 of 1 point in live-test-2"
        for name in ("an object equal to everything", "a function that returns such objects")
    ]


def test_answers_that_harm_do_so_to_nobody_else(faults: LessonProof) -> None:
    proof = by_id(faults)["deadly"]
    assert {t.name: t.broken for t in proof.tried if t.kind == "wrong"} == {
        "wrong answer 1": "is still running after 2 s",
        "wrong answer 2": "ends its process, which ended with exit status 3",
        "wrong answer 3": "",
        "wrong answer 4": "",
        "wrong answer 5": "ends its process, which was killed by SIGKILL",
    }
    (memory,) = told(proof)
    where = line("    return bytearray(1 << 36)") - 2
    assert memory == (
        f"{where}: wrong answer 3 gets 0 of 1 point, and deserves 1; deadly-test-1 says MemoryError in "
        "`return bytearray(1 << 36)` (say its score, or change the tests)"
    )


def test_what_nbgrader_takes_for_failure(faults: LessonProof) -> None:
    warns, partial, leaves = told(by_id(faults)["noise"])
    assert warns.startswith(
        f"{line('import warnings')}: the solution gets 0 of 2 points in noise-test-1: "
        "it wrote to stderr, for which nbgrader gives nothing: <noise"
    )
    assert partial == (
        f"{line('h()')}: the solution gets 0.5 of 1 point in noise-test-2: its last line gives 0.5 of 1 points"
    )
    assert leaves == f"{line('raise SystemExit(h())')}: the solution gets 0 of 1 point in noise-test-3: SystemExit: 0.5"
    assert [t.kind for t in by_id(faults)["noise"].tried] == ["solution"]


def test_a_cell_of_the_lesson_that_fails(faults: LessonProof) -> None:
    (problem,) = faults.problems
    where = f"notes/Faults.md:{line('1 / 0')}"
    assert str(problem) == f"{where}: the lesson's own code fails: ZeroDivisionError: division by zero"
    assert by_id(faults)["behind"].tried == ()
    (behind,) = told(by_id(faults)["behind"])
    quiz = line("> [!quiz|id=behind points=1] Never reached")
    assert behind == f"{quiz}: behind is not proven: the lesson stops before it, at {where}"


def test_nothing_to_prove(tmp_path: Path) -> None:
    assert prove(course(tmp_path, Note="---\nworksheet: WS_1\n---\n# Text\n"), Request()).lessons == ()


def test_unknown_lessons(tmp_path: Path) -> None:
    with pytest.raises(CoursemillError, match="no lesson or worksheet `Nothing`"):
        prove(course(tmp_path, Prices=SOUND), Request(("Nothing",)))


def test_what_the_machine_lacks(tmp_path: Path) -> None:
    lesson = only(course(tmp_path, Prices=SOUND.replace("---\n#", "requires: [abacus]\n---\n#")))
    assert (lesson.status, lesson.reason, lesson.proofs) == ("unavailable", "abacus is not installed", ())


def test_files_of_note_and_worksheet_are_there(tmp_path: Path) -> None:
    note = """\
---
worksheet: [WS_1]
---
```python
from helper import double

text = open("Data.files/deep/x.txt").read()
```

> [!exercise|id=deep] Double it

```python role="solution"
twice = double(text)
```

```python role="test" points=1
assert twice == "abab"
```
"""
    config = course(tmp_path, Data=note)
    for name, text in {
        "Data.files/deep/x.txt": "ab",
        "_worksheets/WS_1/helper.py": "def double(x):\n    return 2 * x\n",
    }.items():
        path = tmp_path / "notes" / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    assert only(config).status == "sound"


def test_progress_and_end(tmp_path: Path) -> None:
    seen: list[object] = []

    class Told(Watch):
        def begin(self, total: int) -> None:
            seen.append(total)

        def step(self, lesson: object, done: int, total: int) -> None:
            seen.append((done, total))

        def end(self, proven: LessonProof) -> None:
            seen.append(proven.status)

    prove(course(tmp_path, A=QUICK.format("a"), B=QUICK.format("b")), Request(jobs=2, modes=False), Told())
    assert seen[0] == 2
    assert seen.count((3, 3)) >= 2
    assert seen.count("sound") == 2


def test_a_cancelled_proof_leaves_nothing_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cancelled = threading.Event()
    real = prover.prove

    def late(order: prover.Order, on_step: prover.OnStep, event: threading.Event) -> prover.Found:
        threading.Timer(1.0, event.set).start()
        return real(order, on_step, event)

    monkeypatch.setattr(prover, "prove", late)
    note = QUICK.format("a").replace("x = 1", "import time\ntime.sleep(600)")
    lesson = only(course(tmp_path, A=note))
    assert (lesson.status, lesson.reason) == ("cancelled", "interrupted")
    assert not cancelled.is_set()


QUICK = """\
---
worksheet: WS_1
---
> [!exercise|id={}] One

```python role="solution"
x = 1
```

```python role="test" points=1
assert x == 1
```
"""
