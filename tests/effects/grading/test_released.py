"""What is taken out for students is what nbgrader takes out, on notebooks that nobody has seen."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursemill.effects import quick
from coursemill.errors import CoursemillError
from coursemill.pure.grading import assignment
from coursemill.pure.grading.released import Kind, Regions, Rules, released

pytestmark = pytest.mark.nbgrader

ODD = Rules(
    Regions("<<SOL", "SOL>>"),
    Regions("§§", "§§§"),
    Regions("begin", "BEGIN"),
    stubs={"python": "    pass\n\tpass", "R": "stop()"},
    text="…\n…",
)
LINES = [
    "### BEGIN SOLUTION",
    "    ### BEGIN SOLUTION here",
    "### END SOLUTION",
    "### BEGIN HIDDEN TESTS",
    "### END HIDDEN TESTS",
    "=== BEGIN MARK SCHEME ===",
    "=== END MARK SCHEME ===",
    "x = 1",
    "\tx",
    "",
    "![a](attachment:a.png)",
    "<<SOL",
    "\u2003SOL>>",
    "§§",
    "§§§",
    "begin",
    "BEGIN",
]
METADATA = st.sampled_from([{}, {"solution": True}, {"grade": True}, {"grade": True, "solution": True}, {"task": True}])
KINDS = {"code", "markdown", "raw"}


def stock(cell: dict[str, Any], language: str, rules: Rules) -> str:
    """The source after nbgrader's own steps; raises whatever they raise."""
    with quick.imports():
        from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, ClearSolutions

    notebook: Any = nbformat.from_dict(
        {
            "nbformat": 4,
            "nbformat_minor": 4,
            "metadata": {"kernelspec": {"name": "k", "display_name": "k", "language": language}},
            "cells": [cell],
        }
    )
    steps = [
        ClearSolutions(
            code_stub=dict(rules.stubs),
            text_stub=rules.text,
            begin_solution_delimeter=rules.solutions.begin,
            end_solution_delimeter=rules.solutions.end,
        ),
        ClearHiddenTests(begin_test_delimeter=rules.hidden.begin, end_test_delimeter=rules.hidden.end),
        ClearMarkScheme(begin_mark_scheme_delimeter=rules.schemes.begin, end_mark_scheme_delimeter=rules.schemes.end),
    ]
    for step in steps:
        notebook, _ = step.preprocess(notebook, {})
    return str(notebook.cells[0].source)


@settings(max_examples=400)
@given(
    st.lists(st.sampled_from(LINES), max_size=9),
    METADATA,
    st.sampled_from(sorted(KINDS)),
    st.sampled_from([Rules(), ODD]),
    st.sampled_from(["python", "R"]),
)
def test_it_is_what_nbgrader_makes(
    lines: list[str], grading: dict[str, bool], kind: str, rules: Rules, language: str
) -> None:
    source = "\n".join(lines)
    cell = {"cell_type": kind, "source": source, "metadata": {"nbgrader": grading} if grading else {}}
    if kind == "code":
        cell |= {"outputs": [], "execution_count": None}
    try:
        expected: str | None = stock(cell, language, rules)
    except RuntimeError:
        expected = None
    about = Kind(kind, *(grading.get(key, False) for key in ("solution", "grade", "task")))
    try:
        found: str | None = released(source, about, language, rules)
    except ValueError:
        found = None
    assert found == expected


def test_nbgraders_own_notebooks_are_read_or_refused_as_nbgrader_does() -> None:
    with quick.imports():
        import nbgrader
        from nbgrader.nbgraderformat import MetadataValidator

    files = sorted(Path(nbgrader.__file__).parent.rglob("files/*.ipynb"))
    assert len(files) > 40
    read = 0
    for file in files:
        notebook = nbformat.reads(file.read_text(encoding="utf-8"), as_version=4)
        validator = MetadataValidator()
        refusal = None
        try:
            upgraded = validator.upgrade_notebook_metadata(notebook)
            validator.validate_nb(upgraded)
            expected = [stock(cell, "python", Rules()) for cell in upgraded.cells]
        except Exception as error:  # whatever it is
            refusal = error
        try:
            made = assignment.read(nbformat.reads(file.read_text(encoding="utf-8"), as_version=4), "WS", file.stem)
        except CoursemillError as error:
            if not refusal and "AUTOTEST" not in str(error):
                raise
            continue
        assert not refusal, f"{file.name}: {refusal}"
        assert [item.released for item in made.items] == expected
        read += 1
    assert read > 30
