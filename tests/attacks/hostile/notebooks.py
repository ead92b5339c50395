"""The notebook's file: metadata, tags, cells that are missing, doubled, renamed, or look like tests."""

from __future__ import annotations

import copy
from typing import Any

from hostile import sheet
from hostile.deed import Deed, attack
from hostile.sheet import Notebook

HUNDRED = {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": {"text/plain": "100"}}


def labels(cell: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = cell["metadata"].get("nbgrader", {})
    return found


def tests(notebook: Notebook) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if labels(cell).get("grade")]


def without(notebook: Notebook, *names: str) -> None:
    notebook["cells"] = [cell for cell in notebook["cells"] if labels(cell).get("grade_id") not in names]


@attack(stock=29)
def skip_tag() -> Deed:
    """Tags the tests `skip-execution`, so that nbclient does not run them."""

    def edit(notebook: Notebook) -> None:
        for cell in tests(notebook):
            cell["metadata"]["tags"] = ["skip-execution"]

    return Deed(edit=edit)


@attack()
def every_other_tag() -> Deed:
    """Tags the tests with everything that some tool heeds: raises-exception, remove-cell, nbval-skip …"""

    def edit(notebook: Notebook) -> None:
        for cell in tests(notebook):
            cell["metadata"] |= {"tags": ["raises-exception", "remove-cell", "nbval-skip", "parameters", "skip"]}
            cell["metadata"] |= {"deletable": True, "editable": True, "run_through_control": False, "init_cell": True}

    return Deed(edit=edit)


@attack()
def notebook_metadata() -> Deed:
    """Names another kernel, another language, and its own limits for the whole notebook."""

    def edit(notebook: Notebook) -> None:
        spec = {"name": "bash", "display_name": "Bash", "language": "bash"}
        notebook["metadata"] = {"kernelspec": spec, "language_info": {"name": "R"}, "coursemill": {"trust": True}}
        notebook["metadata"] |= {
            "papermill": {"parameters": {"last": "x"}},
            "trusted": True,
            "execution": {"timeout": 1},
        }

    return Deed(edit=edit)


@attack()
def points_of_a_hundred() -> Deed:
    """Makes each test worth a hundred points."""

    def edit(notebook: Notebook) -> None:
        for cell in tests(notebook):
            labels(cell)["points"] = 100

    return Deed(edit=edit)


@attack()
def tests_that_say_100() -> Deed:
    """Replaces the tests by `100`, and unlocks them."""

    def edit(notebook: Notebook) -> None:
        for cell in tests(notebook):
            cell["source"] = "100"
            labels(cell).update(locked=False, solution=True, schema_version=1, checksum="0" * 32)

    return Deed(edit=edit)


@attack()
def outputs_of_a_pass() -> Deed:
    """Hands in outputs as if the tests had been run and had given everything."""

    def edit(notebook: Notebook) -> None:
        for cell in tests(notebook):
            cell |= {"execution_count": 1, "outputs": [copy.deepcopy(HUNDRED)]}

    return Deed(edit=edit)


@attack()
def tests_deleted() -> Deed:
    """Deletes all tests but its own one's."""
    return Deed(edit=lambda notebook: without(notebook, *(sheet.VISIBLE.keys() - {"last-test"}), *sheet.HIDDEN))


@attack()
def tests_doubled() -> Deed:
    """Has each test twice, the second time empty."""

    def edit(notebook: Notebook) -> None:
        notebook["cells"] += [
            {**copy.deepcopy(cell), "source": "", "id": f"{cell['id']}-2"} for cell in tests(notebook)
        ]

    return Deed(edit=edit)


@attack()
def cells_in_another_order() -> Deed:
    """Turns the order of all cells around, so that the tests come before what they test."""
    return Deed(edit=lambda notebook: notebook["cells"].reverse())


@attack()
def ids_swapped() -> Deed:
    """Gives each test the id of the next one, and the easy one's id to all others as cell ids."""

    def edit(notebook: Notebook) -> None:
        cells = tests(notebook)
        names = [labels(cell)["grade_id"] for cell in cells]
        for cell, name in zip(cells, names[1:] + names[:1], strict=True):
            labels(cell)["grade_id"] = name
            cell["id"] = "last-test"

    return Deed(edit=edit)


@attack()
def tests_renamed() -> Deed:
    """Gives the tests ids that the instructor does not know, and sources that pass."""

    def edit(notebook: Notebook) -> None:
        for cell in tests(notebook):
            if labels(cell)["grade_id"] != "last-test":
                labels(cell)["grade_id"] = f"my-{labels(cell)['grade_id']}"
                cell["source"] = "pass"

    return Deed(edit=edit)


@attack()
def tests_as_prose() -> Deed:
    """Turns the tests into Markdown and raw cells."""

    def edit(notebook: Notebook) -> None:
        for number, cell in enumerate(tests(notebook)):
            cell["cell_type"] = labels(cell)["cell_type"] = ("markdown", "raw")[number % 2]
            del cell["outputs"], cell["execution_count"]

    return Deed(edit=edit)


@attack()
def answers_as_tests() -> Deed:
    """Calls the answers tests of a hundred points, which pass."""

    def edit(notebook: Notebook) -> None:
        for cell in notebook["cells"]:
            if labels(cell).get("solution"):
                labels(cell).update(grade=True, solution=False, locked=True, points=100)

    return Deed(edit=edit)


@attack()
def cells_like_tests() -> Deed:
    """Adds cells that look like the tests, with their ids in the notebook format."""

    def edit(notebook: Notebook) -> None:
        for cell in tests(notebook):
            notebook["cells"].append({**sheet.added("100", cell["id"]), "outputs": [copy.deepcopy(HUNDRED)]})

    return Deed(edit=edit)


@attack()
def tests_in_an_answer() -> Deed:
    """Writes the tests' own sources, without what they ask, into an answer."""
    source = "\n".join(f"# {name}\nassert True" for name in sheet.VISIBLE)
    return Deed({"limit": source})


@attack()
def given_cell_changed() -> Deed:
    """Changes the instructor's first cell, which tests rely on."""

    def edit(notebook: Notebook) -> None:
        notebook["cells"][0]["source"] = (
            "import builtins\nbuiltins.AssertionError = int\nunittest = np = pd = Item = None"
        )

    return Deed(edit=edit)


@attack()
def ids_that_are_paths() -> Deed:
    """Adds cells whose ids are paths, code and markup."""

    def edit(notebook: Notebook) -> None:
        for name in (
            "../../gradebook.db",
            "<script>alert(1)</script>",
            "'; drop table grade; --",
            "\u202egnp.exe",
            "~twin-0",
        ):
            cell = sheet.added("pass", "x")
            cell["metadata"]["nbgrader"] = {
                "grade_id": name,
                "grade": True,
                "locked": True,
                "points": 5,
                "solution": False,
            }
            notebook["cells"].append(cell | {"id": name})

    return Deed(edit=edit)


@attack()
def numbers_that_are_none() -> Deed:
    """Puts lists, huge numbers and nothing where points and counts belong."""

    def edit(notebook: Notebook) -> None:
        wrong: list[Any] = [[100], 10**400, -1, None, "100", {"a": 1}, True]
        for number, cell in enumerate(tests(notebook)):
            labels(cell)["points"] = wrong[number % len(wrong)]
            labels(cell)["schema_version"] = wrong[-number % len(wrong)]
            cell["execution_count"] = wrong[(number + 3) % len(wrong)]

    return Deed(edit=edit)
