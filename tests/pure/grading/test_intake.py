"""Whatever a student's file is: a notebook, or words that help; soon, and never anything else."""

import json
import time
from contextlib import suppress
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure.grading import intake
from coursemill.pure.grading.intake import Limits, Taken, Unreadable

SMALL = Limits(
    bytes=20_000, depth=8, containers=200, strings=500, cells=9, source=200, sources=300, outputs=400, values=50
)


def code(source: Any = "x = 1", **more: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None, **more}


def notebook(*cells: Any, **more: Any) -> dict[str, Any]:
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **more}


def take(content: Any, limits: Limits | None = None, encoding: str = "utf-8") -> Taken:
    return intake.notebook(json.dumps(content).encode(encoding), limits)


def refused(data: bytes, limits: Limits | None = None) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        intake.notebook(data, limits)
    assert caught.value.what
    assert caught.value.fix
    return caught.value


def test_a_notebook_is_read() -> None:
    taken = take(notebook(code(["a = 1\n", "b = 2"], id="abc"), {"cell_type": "markdown", "source": "# T"}))
    assert [cell["source"] for cell in taken.notebook["cells"]] == ["a = 1\nb = 2", "# T"]
    assert [cell["id"] for cell in taken.notebook["cells"]] == ["abc", "taken-2"]
    assert taken.notes == ()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings(encoding: str) -> None:
    data = json.dumps(notebook(code("s = 'é€'")), ensure_ascii=False).encode(encoding)
    assert intake.notebook(data).notebook["cells"][0]["source"] == "s = 'é€'"


def test_what_an_old_editor_on_windows_saved() -> None:
    data = json.dumps(notebook(code("s = 'é€'")), ensure_ascii=False).encode("cp1252")
    assert intake.notebook(data).notebook["cells"][0]["source"] == "s = 'é€'"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"\0" * 500, "filled with zeros"),
        (b"PK\x03\x04rest", "a zip archive"),
        (b"\x1f\x8brest", "a gzip archive"),
        (b"%PDF-1.4", "a PDF"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"\n <html>", "a web page"),
        (b"import numpy\n", "begins with {"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git"),
        (b"[]", "no notebook"),
        (b"3", "no notebook"),
        (b"{}", "no cells"),
        (b'{"cells": {}}', "no cells"),
        (b'{"cells": [4]}', "no cell"),
        (b'{"cells": [{"cell_type": "code", "source": {"a": 1}}]}', "no text"),
        (b'{"cells": [], "nbformat": 5}', "format"),
        (b'{"cells": [', "ends in the middle"),
        (b'{"cells": [{"source": "abc', "ends in the middle"),
        (b'{"cells": [}', "no JSON"),
        (b'{"cells": [1e5e]}', "no JSON"),
        (b"\xff\xfe\x00", "no notebook"),
    ],
)
def test_what_is_no_notebook_is_named(data: bytes, said: str) -> None:
    assert said in str(refused(data))


def test_the_place_of_the_trouble_is_told() -> None:
    assert refused(b'{\n "cells": [\n  {"source": tru}\n]}').where == "line 3, column 14"
    assert refused(b'{"cells": [{"source": ""}, []]}').where == "cell 2"


def test_an_unfinished_merge_is_named_with_its_line() -> None:
    text = json.dumps(notebook(code()), indent=1)
    lines = text.split("\n")
    lines[3:3] = ["<<<<<<< HEAD", '   "source": "1",', "=======", '   "source": "2",', ">>>>>>> other"]
    error = refused("\n".join(lines).encode())
    assert error.where == "line 4"
    assert "git" in error.what


def test_numbers_and_strings_that_others_stumble_over() -> None:
    data = {"application/json": ["NAN", "INF", "BIG", "\ud800", "\ud83d\ude00"]}
    content = notebook(code("s = '\ud800'", outputs=[{"output_type": "display_data", "data": data}], execution_count=7))
    text = json.dumps(content).replace('"NAN"', "NaN").replace('"INF"', "1e999999").replace('"BIG"', "9" * 100_000)
    taken = intake.notebook(text.encode())
    (cell,) = taken.notebook["cells"]
    assert cell["source"] == "s = '\ufffd'"
    assert cell["outputs"][0]["data"]["application/json"] == [None, None, None, "\ufffd", "😀"]
    json.dumps(taken.notebook, allow_nan=False).encode()


def test_doubled_keys_count_as_jupyter_reads_them() -> None:
    data = b'{"nbformat": 4, "cells": [], "cells": [{"cell_type": "code", "source": "1", "source": "2"}]}'
    assert intake.notebook(data).notebook["cells"][0]["source"] == "2"


def test_line_breaks_inside_of_strings_are_read() -> None:
    data = b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": "a\nb\tc"}]}'
    assert intake.notebook(data).notebook["cells"][0]["source"] == "a\nb\tc"


@pytest.mark.parametrize(
    ("content", "sources"),
    [
        (
            {
                "nbformat": 3,
                "nbformat_minor": 0,
                "metadata": {"name": ""},
                "worksheets": [
                    {
                        "cells": [
                            {"cell_type": "heading", "level": 2, "source": "T"},
                            {"cell_type": "code", "input": ["x\n", "y"], "language": "python", "outputs": [{"a": 1}]},
                        ]
                    },
                    {"cells": [{"cell_type": "markdown", "source": "m", "metadata": {}}]},
                ],
            },
            ["## T", "x\ny", "m"],
        ),
        ({"worksheets": [{"cells": [{"cell_type": "code", "input": "x", "outputs": []}]}]}, ["x"]),
        ({"nbformat": 2, "worksheets": [{"cells": [{"cell_type": "code", "input": "x", "outputs": []}]}]}, ["x"]),
        (
            {"nbformat": 1, "cells": [{"cell_type": "code", "code": "x"}, {"cell_type": "text", "text": "t"}]},
            ["x", "t"],
        ),
    ],
)
def test_old_formats_are_upgraded_and_that_is_noted(content: dict[str, Any], sources: list[str]) -> None:
    taken = take(content)
    assert [cell["source"] for cell in taken.notebook["cells"]] == sources
    assert [note.kind for note in taken.notes] == ["upgraded"]
    assert take(content) == taken


def test_nonsense_in_an_old_format_is_refused() -> None:
    for cells in ([{"cell_type": "heading", "level": [], "source": "T"}], [{"metadata": {}}]):
        refused(json.dumps({"nbformat": 3, "worksheets": [{"cells": cells}]}).encode())


def test_only_what_is_of_use_is_kept_of_metadata() -> None:
    metadata = {
        "tags": ["skip-execution", 4, "a,b", "", "x" * 1000, "skip-execution"],
        "nbgrader": {"grade_id": "a", "points": 1e999, "more": 10**400, "deep": {"er": 1}, "locked": True},
        "editable": False,
        "id": "from-colab",
    }
    (cell,) = take(notebook(code() | {"metadata": metadata})).notebook["cells"]
    assert cell["metadata"] == {
        "tags": ["skip-execution"],
        "nbgrader": {"grade_id": "a", "locked": True},
        "id": "from-colab",
    }


def test_pictures_are_the_only_attachments() -> None:
    given = {
        "a.png": {"image/png": "QUJD"},
        "b.svg": {"image/svg+xml": "<svg onload=alert(1)>"},
        "c.png": {"image/png": "<script>"},
        "d.png": "x",
    }
    taken = take(notebook({"cell_type": "markdown", "source": "", "attachments": given}))
    assert taken.notebook["cells"][0]["attachments"] == {"a.png": {"image/png": "QUJD"}}
    assert [note.kind for note in taken.notes] == ["removed"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (notebook(*[code()] * 10), "10 cells"),
        (notebook(code("x" * 201)), "too long"),
        (notebook(code("x" * 150), code("x" * 151)), "too long"),
        (notebook(code(metadata={"a": [[[[[[[[[[]]]]]]]]]]})) | {"x": [[]] * 201}, "more values"),
        (notebook(code(), x=["a"] * 600), "more values"),
        (notebook(code("x" * 20_000)), "longer than"),
        (
            notebook(
                code(outputs=[{"output_type": "display_data", "data": {"application/json": [[[[[[[[[1]]]]]]]]]}}])
            ),
            "deep",
        ),
    ],
)
def test_each_limit(content: dict[str, Any], said: str) -> None:
    assert said in str(refused(json.dumps(content).encode(), SMALL))


@pytest.mark.parametrize(
    "outputs",
    [
        [{"output_type": "stream", "name": "stdout", "text": "x" * 500}],
        [{"output_type": "stream", "text": ["x"] * 40}] * 8,
        [{"output_type": "display_data", "data": {"application/json": list(range(80))}}],
    ],
)
def test_outputs_beyond_the_limit_are_left_out(outputs: list[dict[str, Any]]) -> None:
    taken = take(notebook(code(outputs=outputs)), SMALL)
    assert len(json.dumps(taken.notebook["cells"][0]["outputs"])) < 1000
    assert [note.kind for note in taken.notes] == ["removed"]


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 1_000_000,
        b'{"a":' * 1_000_000,
        b'{"nbformat":4,"cells":[' + b"[],[[" * 900_000,
        b'{"nbformat":4,"cells":[' + b"1" * 3_000_000 + b"]}",
        b'{"nbformat":4,"cells":[' + b"0," * 3_000_000 + b"0]}",
        b'{"nbformat":4,"cells":["' + b"\\" * 3_000_001,
        b'{"nbformat":4,"cells":[' + b'"\\ud800",' * 300_000 + b"0]}",
        b"{" + b"\n" * 3_000_000,
    ],
    ids=["lists", "objects", "both", "number", "numbers", "backslashes", "halves", "lines"],
)
def test_bombs_are_refused_soon(data: bytes) -> None:
    start = time.process_time()
    refused(data)
    assert time.process_time() - start < 5


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    with suppress(Unreadable):
        intake.notebook(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
WORDS = ["code", "markdown", "raw", "heading", "stream", "display_data", "execute_result", "error", "image/png", "a"]
NAMES = ["cell_type", "source", "metadata", "outputs", "execution_count", "id", "attachments", "input", "level", "text"]
FIELD = st.sampled_from(NAMES)
CELL = st.dictionaries(FIELD, JSON | st.sampled_from(WORDS) | st.dictionaries(FIELD, JSON, max_size=3), max_size=6)
OUTPUT = st.fixed_dictionaries(
    {"output_type": st.sampled_from(WORDS)},
    optional={
        "data": st.dictionaries(st.sampled_from(["text/plain", "application/json", "a/b+json", "x"]), JSON),
        "text": JSON,
        "name": JSON,
        "traceback": JSON,
        "ename": JSON,
        "execution_count": JSON,
    },
)
CODE = st.fixed_dictionaries(
    {"cell_type": st.just("code"), "source": st.text()}, optional={"outputs": st.lists(OUTPUT)}
)


@given(st.lists(CELL | CODE, max_size=4), st.sampled_from([1, 2, 3, 4, 4, 4, 4.5, None]))
def test_notebooks_of_nonsense_are_notebooks_or_refused(cells: list[Any], version: float | None) -> None:
    content = {"cells": cells, "worksheets": [{"cells": cells}], "metadata": {}, "nbformat": version}
    if version is None or version >= 4:
        del content["worksheets"]
    try:
        taken = intake.notebook(json.dumps(content).encode())
    except Unreadable:
        return
    made = json.loads(json.dumps(taken.notebook, allow_nan=False).encode())
    for number, cell in enumerate(made["cells"]):
        cell["id"] = f"{number}"  # a student's may be doubled
        cell["metadata"].pop("nbgrader", None)
    nbformat.validate({**made, "metadata": {}})


@given(st.integers(0, 2_000), st.binary(max_size=3), st.integers(0, 5))
def test_a_damaged_notebook(place: int, put: bytes, taken_out: int) -> None:
    data = json.dumps(notebook(code(["a\n", "é"]), code(outputs=[{"output_type": "stream", "text": "x"}]))).encode()
    at = place % len(data)
    with suppress(Unreadable):
        intake.notebook(data[:at] + put + data[at + taken_out :])


def test_nbformat_is_imported_for_old_notebooks_only() -> None:
    import subprocess
    import sys

    program = (
        "import sys; from coursemill.pure.grading import intake, merge; "
        'intake.notebook(b\'{"nbformat": 4, "cells": []}\'); '
        "raise SystemExit('nbformat' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
