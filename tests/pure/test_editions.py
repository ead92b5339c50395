"""Whole notebooks; `python tests/pure/test_editions.py` writes the goldens again."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from coursemill.effects import release
from coursemill.model import Lesson
from coursemill.pure import codes, editions, parse, rules
from coursemill.pure.cells import Notebook
from coursemill.pure.editions import Context, instructor, numbers, worked
from coursemill.pure.grading.assignment import Assignment
from coursemill.pure.vault import VaultMap

GOLDEN = Path(__file__).parent / "golden"
PATH = "notes/demo/Everything.md"
TEXT = (GOLDEN / "Everything.md").read_text(encoding="utf-8")
OTHER = "---\nworksheet: WS_Two\n---\n# The other note\n\nBack to [[Everything]].\n\n## Second part\n\nText.\n"
THIRD = "---\nworksheet: WS_Demo\n---\n# A third\n\nSee [[Everything note]].\n"
SVG = '<svg xmlns="http://www.w3.org/2000/svg"/>'
EDITIONS = {"worked": worked, "instructor": instructor}
UNSEEN = (
    "the solution",
    "return float",
    "no price:",
    "the model answer",
    "names the text",
    "a remark",
    "a wrong answer",
)
MARKERS = ("BEGIN ", "END SOLUTION", "END HIDDEN", "END MARK", "role=", "[!", "[[M", "list2tab", "%% never")


def vault(*lessons: Lesson) -> VaultMap:
    others = [parse.lesson("notes/b/Other Note.md", OTHER), parse.lesson("notes/b/Third.md", THIRD)]
    return VaultMap.of([*lessons, *others], ["notes/demo/Everything.files/shop.png"])


def make(text: str = TEXT, before: dict[str, str] | None = None) -> dict[str, Notebook]:
    """Both editions of a note, validated."""
    lesson = parse.lesson(PATH, text)
    context = Context(vault(lesson), "WS_Demo", {"a -> b: hello": SVG}, before or {})
    made = {name: edition(lesson, context) for name, edition in EDITIONS.items()}
    for notebook in made.values():
        validate(notebook)
    return made


def validate(notebook: Notebook) -> None:
    from nbgrader.nbgraderformat.v3 import MetadataValidatorV3

    node = nbformat.from_dict(notebook)
    nbformat.validate(node)
    MetadataValidatorV3().validate_nb(node)
    assert editions.dumps(notebook) == nbformat.writes(node) + "\n"


def cells(notebook: Notebook, kind: str = "") -> dict[str, dict[str, Any]]:
    return {cell["id"]: cell for cell in notebook["cells"] if not kind or cell["cell_type"] == kind}


@pytest.mark.parametrize("edition", EDITIONS)
def test_golden(edition: str) -> None:
    golden = (GOLDEN / f"Everything.{edition}.ipynb").read_text(encoding="utf-8")
    assert editions.dumps(make()[edition]) == golden


def test_the_golden_note_has_no_mistakes() -> None:
    assert not [f for f in parse.lesson(PATH, TEXT).findings if f.severity == "error"]


def test_the_worked_edition_has_neither_markers_nor_wrong_answers() -> None:
    notebook = make()["worked"]
    text = "\n".join(cell["source"] for cell in notebook["cells"])
    assert not [mark for mark in MARKERS if mark in text]
    assert [hidden for hidden in UNSEEN if hidden not in text] == ["a wrong answer"]
    assert not [cell for cell in notebook["cells"] if "nbgrader" in cell["metadata"]]


def test_every_line_of_code_knows_its_line_in_the_note() -> None:
    lines = TEXT.split("\n")
    for edition, notebook in make().items():
        for name, cell in cells(notebook, "code").items():
            numbers = [n for part in cell["metadata"]["coursemill"]["lines"].split(",") for n in _range(part)]
            source = cell["source"].split("\n")
            assert len(numbers) == len(source), (edition, name)
            assert all(lines[n - 1].endswith(text.lstrip()) for n, text in zip(numbers, source, strict=True) if n)
            assert any(numbers) or cell["metadata"].get("jupyter") or "answer_" in cell["source"], (edition, name)


def test_both_editions_name_common_cells_alike() -> None:
    made = make()
    extra = cells(made["worked"]).keys() ^ cells(made["instructor"]).keys()
    assert extra == {"demo-type-why", "demo-right-why"}


def test_ids_of_tasks_are_the_authors() -> None:
    graded = {
        name: cell["metadata"]["nbgrader"]
        for name, cell in cells(make()["instructor"]).items()
        if "nbgrader" in cell["metadata"]
    }
    assert all(name == grading["grade_id"] for name, grading in graded.items())
    points = {name: grading["points"] for name, grading in graded.items() if "points" in grading}
    assert points == {
        "demo-price-test-1": 1,
        "demo-price-test-2": 3,
        "demo-price-test-free": 0.5,
        "demo-why": 2,
        "demo-type-test-1": 1,
        "demo-right-test-1": 2,
        "demo-file-test-1": 1,
    }
    answers = [name for name, grading in graded.items() if grading["solution"]]
    assert answers == ["demo-price", "demo-type", "demo-right", "demo-file"]
    assert [name for name, grading in graded.items() if grading["task"]] == ["demo-why"]


NEW_EXERCISE = """> [!exercise|id=demo-new] New
> New.

```python role="solution"
### BEGIN SOLUTION
new = 1
### END SOLUTION
```

```python role="test" points=1
assert new == 1
```

"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("> [!exercise|id=demo-price]", f"{NEW_EXERCISE}> [!exercise|id=demo-price]"),
        ("> [!exercise|id=demo-why", f"{NEW_EXERCISE}> [!exercise|id=demo-why"),
        ("Write `price_of(text)`. See [[Other Note|the other]].", "Quite another prompt."),
        ('assert price_of("$49.99") == 49.99, "leave', 'assert price_of("$49.99") == 49.99, "please leave'),
        ("Between the tests.", "```python role=\"test\" points=2\nassert price_of('$1') == 1\n```"),
        ("## Code\n", "## Code\n\nNew text.\n\n```python\nnew = 1\n```\n"),
        ("# Everything *at once*", "# Another title"),
    ],
    ids=["exercise before", "exercise behind", "prompt", "test reworded", "test", "code", "title"],
)
def test_an_edit_changes_no_other_id(old: str, new: str) -> None:
    before = make()["instructor"]
    assert TEXT.count(old) == 1
    after = make(TEXT.replace(old, new), numbers(before))["instructor"]
    same = {name: cell["source"] for name, cell in cells(after).items()}
    prose = {n for n, cell in cells(before).items() if not re.match("demo-", n) and cell["cell_type"] == "markdown"}
    for name, cell in cells(before).items():
        if name not in prose:
            assert name in same, f"{name} has another id"
        if "nbgrader" in cell["metadata"] and "reworded" not in new and "please" not in new:
            assert same[name] == cell["source"] or name == "demo-why"
    assert len(prose - same.keys()) <= 1, "only the text that was edited has a new id"


def test_the_next_build_is_the_same() -> None:
    first = make()["instructor"]
    assert make(TEXT, numbers(first))["instructor"] == first


def test_ids_that_collide_stay_unique_and_the_authors_win() -> None:
    exercise = NEW_EXERCISE.replace("demo-new", "a") + NEW_EXERCISE.replace("demo-new", "a-test-1")
    text = f'---\nworksheet: W\n---\n# T\n\n{exercise}```python id="a-prompt"\nx = 1\n```\n'
    names = list(cells(make(text)["instructor"]))
    assert names[1:-1] == [
        "a-prompt-2",
        "a",
        "a-test-1-2",
        "a-test-1-prompt",
        "a-test-1",
        "a-test-1-test-1",
        "a-prompt",
    ]


def test_answers_stand_where_the_note_has_them() -> None:
    text = """---
worksheet: W
---
> [!quiz|id=q points=1] Which?
> - [x] a
> - [ ] b

> [!hint]- One
> a

After the quiz.

> [!hint]- Two
> a

> [!exercise|id=m points=1 grade=manual] Why?

Before the answer.

> [!solution]- Model
> So.

> [!rubric]- Rubric
> - 1 pt: so

After the question.

```python id="code"
x = 1
```
"""
    quiz = ["q-prompt", "q-hint-1", "q", "q-test-1"]
    manual = ["q-hint-2", "m", "Before the answer.", "m-answer", "After the question.", "code"]
    for edition, why in (("instructor", []), ("worked", ["q-why"])):
        found = make(text)[edition]["cells"][1:-1]
        said = [cell["source"] if cell["id"].startswith("cell-") else cell["id"] for cell in found]
        assert said == [*quiz, *why, "After the quiz.", *manual]


def test_a_question_is_answered_below_its_box_for_no_points() -> None:
    note = "---\nworksheet: WS_Demo\n---\n> [!question] Why?\n> Say why.\n\n# T\n\n"
    note += "> [!question|id=how] How?\n> ```python\n> f()\n> ```\n"
    made = make(note + "\n> [!question]- Folded?\n> An answer.\n")
    shown = [(cell["id"], cell["cell_type"]) for cell in made["instructor"]["cells"]]
    ids = [name for name, _ in shown]
    assert [name.partition("-")[0] for name in ids] == ["top", "question", "t", "t", "t", "how", "t", "see"]
    assert [cell["id"] for cell in made["worked"]["cells"]] == [ids[0], *ids[2:5], *ids[6:]]
    answer = made["instructor"]["cells"][5]
    assert answer["source"] == "*Your answer (double-click to write it here):*"
    assert answer["metadata"]["nbgrader"] == {
        "grade": True,
        "grade_id": "how",
        "locked": False,
        "points": 0,
        "schema_version": 3,
        "solution": True,
        "task": False,
    }
    moved = make(note.replace("# T", "New text.\n\n# T"))["instructor"]["cells"]
    assert ids[1] in {cell["id"] for cell in moved}, "the id stays while the question does"


def test_graders_know_what_a_lesson_may_use() -> None:
    text = "---\nworksheet: WS\nlimits: [memory=6 GB, cpu=90 s]\n---\n# Big\n"
    made = make(text)
    assert Assignment("WS", "Big", (), made["instructor"]["metadata"]).limits == {"memory": 6 << 30, "cpu": 90}
    assert "limits" not in made["worked"]["metadata"]["coursemill"]
    assert Assignment("WS", "Lesson", (), make()["instructor"]["metadata"]).limits == {}


def test_repeated_cells_are_counted() -> None:
    text = "---\nworksheet: W\n---\n# T\n\n" + "```python\nx = 1\n```\n\n" * 3
    names = list(cells(make(text)["worked"], "code"))
    assert names == [names[0], f"{names[0]}-2", f"{names[0]}-3"]


def test_a_note_without_a_title_or_text_gets_its_name() -> None:
    notebook = make("---\nworksheet: W\nobjectives: [a]\n---\n```python\nx = 1\n```\n")["worked"]
    assert notebook["cells"][0]["source"].startswith("# Everything\n\n<div ")


@pytest.mark.parametrize(
    ("note", "start"),
    [
        ("Title\n=====\n\nText.", "Title\n=====\n\n<div "),
        ("%% a comment %%\n\n<!-- b -->\n\n  # Title\n\nText.", "# Title\n\n<div "),
        ("Text.\n\n# Title\n\nMore.", "<div "),
        ("Text.\n\n## Part", "# Everything\n\n<div "),
        ("- item\n=====", "# Everything\n\n<div "),
    ],
)
def test_a_title_stands_once_and_first(note: str, start: str) -> None:
    notebook = make(f"---\nworksheet: W\nobjectives: [a]\n---\n{note}\n")["worked"]
    assert notebook["cells"][0]["source"].startswith(start)
    assert json.dumps(notebook["cells"]).count("Title") == note.count("Title")


def test_a_solution_without_markers_is_hidden_whole_and_still_writes_its_file() -> None:
    text = TEXT.replace('### BEGIN SOLUTION\nNAME = "the solution"\n### END SOLUTION', 'NAME = "the solution"')
    source = cells(make(text)["instructor"])["demo-file"]["source"]
    assert source == '%%writefile out/spider.py\n### BEGIN SOLUTION\nNAME = "the solution"\n### END SOLUTION'


def test_an_empty_file_is_written_without_the_magic_that_wants_text() -> None:
    text = '---\nworksheet: W\n---\n# T\n\n```python role="file" path="a b/__init__.py" id="empty"\n```\n'
    cell = cells(make(text)["worked"])["empty"]
    assert cell["source"] == "from pathlib import Path\n\nPath('a b/__init__.py').write_text('')"
    assert cell["metadata"]["coursemill"] == {"lines": "0,0,6", "source": f"{PATH}:6-7"}


def test_links_of_a_lesson_in_two_worksheets_stay_in_their_own() -> None:
    lesson = parse.lesson(PATH, TEXT.replace("worksheet: [WS_Demo]", "worksheet: [WS_Demo, WS_Two]"))
    here, there = (worked(lesson, Context(vault(lesson), name)) for name in ("WS_Demo", "WS_Two"))
    assert "(../WS_Two/Other%20Note.ipynb)" in here["cells"][0]["source"]
    assert "(Other%20Note.ipynb)" in there["cells"][0]["source"]
    assert "[A third](../WS_Demo/Third.ipynb)" in there["cells"][-1]["source"]


LINES = st.sampled_from(
    [
        "", "text [[Note]]", "# Heading", "> [!exercise|id=a] A", "> [!exercise|id=a-test points=2 grade=manual] B",
        "> [!quiz|id=a-test-1 points=1] C", "> - [x] yes *why*", "> - [ ] no", "> [!hint]- H", "> [!solution]- S",
        "> [!rubric] R", "> text", '```python role="solution"', '```python role="test" points=1', "```", "```python",
        '```python role="test" points=2 hidden=true id="1"', '```python role="setup" id="a-prompt"', "x = 1",
        '```text role="file" path="a/b"', "### BEGIN SOLUTION", "### END SOLUTION", "[list2tab|#T]", "- item",
        "    deep",
    ]
)  # fmt: skip


@given(st.lists(LINES, max_size=40).map("\n".join))
def test_any_note_becomes_valid_notebooks_that_stay(text: str) -> None:
    note = f"---\nworksheet: W\n---\n{text}\n"
    made = make(note)
    lesson = parse.lesson(PATH, note)
    found = rules.check(lesson, rules.Known.of(VaultMap.of([lesson])))
    assume(not any(finding.code == codes.ID_TWICE.code for finding in found))  # such a note is not built
    assert make(note, numbers(made["instructor"])) == made


@pytest.mark.nbgrader
def test_students_get_nothing_that_they_must_not_see(tmp_path: Path) -> None:
    student = released(tmp_path)
    text = json.dumps(student, ensure_ascii=False)
    assert not [hidden for hidden in UNSEEN if hidden in text]
    sources = "\n".join(cell["source"] for cell in student["cells"])
    assert not [mark for mark in MARKERS if mark in sources]
    validate(student)


@pytest.mark.nbgrader
def test_an_untouched_release_gets_nothing_and_a_solved_one_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = make()["instructor"]
    untouched = cells(released(tmp_path))
    tests = [name for name, cell in cells(made).items() if cell["metadata"].get("nbgrader", {}).get("grade")]
    graded = [
        untouched[cell["id"]] if cell["metadata"].get("nbgrader", {}).get("solution") else cell
        for cell in made["cells"]
    ]  # as nbgrader's autograde puts the tests back
    assert failed(made | {"cells": graded}) == [name for name in tests if name != "demo-price-test-free"]
    assert failed(made) == []


@pytest.mark.kernel
def test_the_worked_edition_runs_from_top_to_bottom(tmp_path: Path) -> None:
    import papermill

    (tmp_path / "in.ipynb").write_text(editions.dumps(make()["worked"]), encoding="utf-8")
    done = papermill.execute_notebook(
        tmp_path / "in.ipynb", tmp_path / "out.ipynb", {"epochs": 5}, cwd=tmp_path, progress_bar=False
    )
    printed = [out["text"] for cell in done.cells if cell.cell_type == "code" for out in cell.outputs if "text" in out]
    assert "6 5\n" in printed
    assert (tmp_path / "shop" / "items.py").is_file()


def released(folder: Path) -> Notebook:
    """What nbgrader makes of the instructor edition."""
    source = folder / release.SOURCE / "WS_Demo" / "Everything.ipynb"
    source.parent.mkdir(parents=True)
    source.write_text(editions.dumps(make()["instructor"]), encoding="utf-8")
    made = release.generate(folder, "WS_Demo", folder / "nbgrader_config.py")
    assert not made.refused
    notebook: Notebook = json.loads((made.made / "Everything.ipynb").read_text(encoding="utf-8"))
    return notebook | {"cells": [c | {"source": "".join(c["source"])} for c in notebook["cells"]]}


def failed(notebook: Notebook) -> list[str]:
    """Ids of the tests that fail when every cell is run, errors or not."""
    names: dict[str, Any] = {}
    failures = []
    for name, cell in cells(notebook, "code").items():
        magic, _, rest = cell["source"].partition("\n") if cell["source"].startswith("%%") else ("", "", cell["source"])
        try:
            if magic.startswith("%%writefile "):
                Path(magic.split()[1]).write_text(rest)
            elif not magic:
                exec(rest, names)
        except Exception:
            failures += [name] if cell["metadata"].get("nbgrader", {}).get("grade") else []
    return failures


def _range(part: str) -> range:
    first, _, last = part.partition("-")
    return range(int(first), int(last or first) + 1)


if __name__ == "__main__":
    for _name, _notebook in make().items():
        (GOLDEN / f"Everything.{_name}.ipynb").write_text(editions.dumps(_notebook), encoding="utf-8")
