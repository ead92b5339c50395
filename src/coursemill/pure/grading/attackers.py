"""Simulated students who hand in trouble: what each does to a notebook, and what that deserves.

None of them does harm where it is not kept in: they end, wait, print, look around, and lie.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from coursemill.pure import cheats, names
from coursemill.pure.grading.assignment import Assignment, Item
from coursemill.pure.trials import WRITEFILE

Notebook = dict[str, Any]
Deserves = Literal["nothing", "all"]
"""`nothing`: no more than an untouched notebook; `all`: the answers are right, whatever else was done."""


@dataclass(frozen=True, slots=True)
class Handed:
    """What an attacker hands in instead of a notebook."""

    content: bytes | None
    """None: no notebook at all."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    link: str = ""
    """Where a link leads that stands in the notebook's place, relative to it."""


@dataclass(frozen=True, slots=True)
class Attack:
    """A way to get points, or to be in the way, without knowing anything."""

    name: str
    story: str
    deserves: Deserves
    make: Callable[[Notebook, Assignment], Handed]
    """Of the notebook (untouched, or solved where it deserves all) what is handed in."""
    python: bool = True
    """Whether it is written in Python, and works in no other language."""


def attacks(language: str) -> tuple[Attack, ...]:
    """Return all attacks for notebooks in a language, those first that a small class should have."""
    return tuple(attack for attack in _ATTACKS if language == "python" or not attack.python)


def _code(notebook: Notebook, source: str, place: int = 0) -> Notebook:
    """Put a cell in."""
    cell: dict[str, Any] = {
        "cell_type": "code",
        "id": "my-own-cell",
        "metadata": {},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }
    notebook["cells"].insert(place, cell)
    return notebook


def _bytes(notebook: Notebook) -> Handed:
    return Handed(json.dumps(notebook, indent=1).encode())


def _with(source: str) -> Callable[[Notebook, Assignment], Handed]:
    """An attack that is a cell at the top."""
    return lambda notebook, assignment: _bytes(_code(copy.deepcopy(notebook), source))


def _graded(notebook: Notebook) -> list[dict[str, Any]]:
    """The cells with tests."""
    found = ((cell, cell["metadata"].get("nbgrader", {})) for cell in notebook["cells"])
    return [cell for cell, about in found if about.get("grade") and not about.get("solution")]


def _metadata(notebook: Notebook, assignment: Assignment) -> Handed:
    changed = copy.deepcopy(notebook)
    for cell in _graded(changed):
        cell["source"] = "100"
        cell["metadata"]["nbgrader"] |= {"points": 100, "locked": False}
    changed["metadata"]["kernelspec"] = {"name": "bash", "display_name": "Bash", "language": "bash"}
    return _bytes(changed)


def _tags(notebook: Notebook, assignment: Assignment) -> Handed:
    changed = copy.deepcopy(notebook)
    for cell in _graded(changed):
        cell["metadata"]["tags"] = ["skip-execution", "raises-exception"]
        result = {"output_type": "execute_result", "data": {"text/plain": "100"}, "metadata": {}, "execution_count": 1}
        cell |= {"outputs": [result], "execution_count": 1}
    return _bytes(changed)


def _deleted(notebook: Notebook, assignment: Assignment) -> Handed:
    changed = copy.deepcopy(notebook)
    tests = _graded(changed)
    changed["cells"] = [cell for cell in changed["cells"] if not any(cell is test for test in tests)]
    return _bytes(changed)


def _shuffled(notebook: Notebook, assignment: Assignment) -> Handed:
    changed = copy.deepcopy(notebook)
    tests = _graded(changed)
    others = [cell for cell in changed["cells"] if not any(cell is test for test in tests)]
    changed["cells"] = [*tests[::-1], *others, *copy.deepcopy(tests[:2])]
    return _bytes(changed)


def _equal(notebook: Notebook, assignment: Assignment) -> Handed:
    changed = copy.deepcopy(notebook)
    answers = {item.id: item for item in assignment.items if item.role == "answer"}
    for cell in changed["cells"]:
        item = answers.get(cell["metadata"].get("nbgrader", {}).get("grade_id", ""))
        if item:
            cell["source"] = _agreeing(item)
    return _bytes(changed)


def _agreeing(item: Item) -> str:
    """An answer whose names are bound to objects that are equal to everything."""
    written = WRITEFILE.match(item.source)
    body = item.source[written.end() :] if written else item.source
    cell = not written
    made = cheats.equal_to_everything(names.imports(body, cell=cell), names.definitions(body, cell=cell))
    return (written[0] if written else "") + made


def _broken(notebook: Notebook, assignment: Assignment) -> Handed:
    whole = json.dumps(notebook, indent=1).encode()
    return Handed(whole[: 2 * len(whole) // 3])


def _missing(notebook: Notebook, assignment: Assignment) -> Handed:
    return Handed(None, {"readme.txt": b"My dog ate the notebook.\n"})


def _link(notebook: Notebook, assignment: Assignment) -> Handed:
    return Handed(None, link=f"../../../source/{assignment.worksheet}/{assignment.name}.ipynb")


def _shadow(notebook: Notebook, assignment: Assignment) -> Handed:
    lie = b"class AssertionError(BaseException): pass\nimport builtins\nbuiltins.AssertionError = AssertionError\n"
    return Handed(_bytes(notebook).content, {"json.py": lie, "random.py": lie, "sitecustomize.py": lie})


_LOOP = "while True:\n    pass"
_FLOOD = "while True:\n    print('spam and eggs ' * 10_000)"
_EXIT = "import os\nos._exit(0)"
_TRANSFORMER = """import ast


class NoAsserts(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()


shell = get_ipython()
shell.ast_transformers.append(NoAsserts())
honest = shell.run_cell
shell.run_cell = lambda source, *args, **more: honest("100" if "assert" in source else source, *args, **more)"""
_READER = """import json, pathlib

for folder in [pathlib.Path.cwd(), *pathlib.Path.cwd().parents]:
    for name in ("source", "solution", "release", "autograded"):
        for path in folder.glob(f"{name}/**/*.ipynb"):
            for cell in json.loads(path.read_text())["cells"]:
                if "BEGIN SOLUTION" in "".join(cell["source"]):
                    exec("".join(cell["source"]))"""

_ATTACKS = (
    Attack(
        "metadata", "makes every test worth 100 points, and replaces it by `100`", "nothing", _metadata, python=False
    ),
    Attack("equal", "answers with objects that are equal to everything", "nothing", _equal),
    Attack("exit", "ends Python in the first cell", "nothing", _with(_EXIT)),
    Attack("deleted", "has every answer right, and deletes all tests", "all", _deleted, python=False),
    Attack("broken", "hands in a notebook that breaks off in the middle", "nothing", _broken, python=False),
    Attack("link", "hands in a link to the instructor's notebook", "nothing", _link, python=False),
    Attack("loop", "never comes to an end", "nothing", _with(_LOOP)),
    Attack("transformer", "takes the asserts out of all code that is run", "nothing", _with(_TRANSFORMER)),
    Attack("tags", "tags the tests to be skipped, with the outputs of a pass", "nothing", _tags, python=False),
    Attack("missing", "hands in an excuse, and no notebook", "nothing", _missing, python=False),
    Attack("flood", "prints without end", "nothing", _with(_FLOOD)),
    Attack("reader", "looks for the solutions on the disk, to run them", "nothing", _with(_READER)),
    Attack("shadow", "brings modules with the names of Python's own", "nothing", _shadow),
    Attack("shuffled", "has every answer right, and shuffles and doubles the tests", "all", _shuffled, python=False),
)
