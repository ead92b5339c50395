from typing import Any

from coursemill.pure.judge import Stop, judge
from coursemill.pure.outcome import Failure


def code(source: str, count: int | None = 1, *, tags: tuple[str, ...] = (), **about: Any) -> dict[str, Any]:
    ours = {"source": "notes/L.md:10-20", "lines": "11-19"} | ({"claim": about["claim"]} if "claim" in about else {})
    return {
        "cell_type": "code",
        "id": about.get("id", "c1"),
        "source": source.splitlines(keepends=True),
        "execution_count": count,
        "metadata": {"coursemill": ours, "tags": list(tags), "papermill": {"exception": about.get("exception")}},
        "outputs": about.get("outputs", []),
    }


def notebook(*cells: dict[str, Any]) -> dict[str, Any]:
    return {"cells": [{"cell_type": "markdown", "source": "x", "metadata": {}}, *cells]}


ERROR = {
    "output_type": "error",
    "ename": "ValueError",
    "evalue": "no",
    "traceback": ["Cell In[1], line 2\n----> 2 f()"],
}
STREAM = {"output_type": "stream", "name": "stdout", "text": ["1\n"]}
CLAIM = {"text": "1", "source": "notes/L.md:30-32"}


def test_a_pass_counts_its_statements_without_what_papermill_put_in() -> None:
    judged = judge(
        notebook(code("x = 1\ny = 2\n"), code("n = 5", 2, tags=("injected-parameters",)), code("print(1)", 3))
    )
    assert (judged.status, judged.code, judged.cells, judged.statements) == ("passed", 2, 3, 3)


def test_comments_and_no_code_prove_nothing() -> None:
    judged = judge(notebook(code("# x")))
    assert (judged.status, judged.code, judged.reason) == (
        "empty",
        1,
        "no statement was executed: its code cells hold only comments",
    )
    assert judge(notebook()).status == "empty"


def test_imports_alone_prove_nothing() -> None:
    judged = judge(notebook(code("import os\nfrom re import sub"), code("# x", 2)))
    assert (judged.status, judged.statements, judged.imports) == ("empty", 2, 2)
    assert judged.reason == "nothing but imports was executed"
    judged = judge(notebook(code("import os\nos.getcwd()")))
    assert (judged.status, judged.statements, judged.imports) == ("passed", 2, 1)


def test_files_alone_prove_nothing() -> None:
    folder = code("from pathlib import Path\nPath('a').mkdir()")
    folder["metadata"]["coursemill"]["lines"] = "0,0"
    judged = judge(notebook(folder, code("%%writefile a/b.py\nx = 1", 2)))
    assert (judged.status, judged.statements) == ("empty", 0)
    assert judged.reason == "files were written, and nothing was executed"


def test_an_error_fails_and_its_statements_do_not_count() -> None:
    judged = judge(notebook(code("x = 1\nf()", outputs=[ERROR], exception=True), code("y = 2", None, id="c2")))
    assert (judged.status, judged.cells, judged.statements) == ("failed", 0, 0)
    assert judged.reason == "ValueError: no"
    assert [f.place for f in judged.failures] == ["notes/L.md:12"]


def test_an_error_that_is_meant_does_not() -> None:
    assert judge(notebook(code("f()", outputs=[ERROR], tags=("raises-exception",)))).status == "passed"


def test_every_false_claim_is_told() -> None:
    cells = [
        code("print(1)", n, id=f"c{n}", claim=CLAIM | {"text": text}, outputs=[STREAM])
        for n, text in enumerate("121", 1)
    ]
    cells.append(code("print(3)", 4, id="c4", claim=CLAIM | {"text": "4"}))
    judged = judge(notebook(*cells))
    assert judged.reason == "the code prints something else (and 1 more)"
    assert judged.failures == (
        Failure("claim", "notes/L.md:30", "c2", "the code prints something else", (), "- 2\n+ 1"),
        Failure("claim", "notes/L.md:30", "c4", "the code prints something else", (), "- 4\n+ (nothing was printed)"),
    )


def test_a_cell_that_never_ran_is_no_pass() -> None:
    judged = judge(notebook(code("x = 1"), code("y = 1", None, id="c2")))
    assert (judged.status, judged.reason) == ("failed", "the cell was not executed")
    assert judge(notebook(code("x = 1"), code("y = 1", None, tags=("skip-execution",)))).status == "passed"


def test_a_stop_is_told_of_the_cell_that_ran_with_the_line_that_hung() -> None:
    hung = notebook(code("a\nsleep()", outputs=[ERROR], exception=True), code("y = 1", None, id="c2"))
    judged = judge(hung, Stop("timeout", "c1", "still running after 3 s"))
    assert (judged.status, judged.reason) == ("timeout", "still running after 3 s")
    assert judged.failures[0].place == "notes/L.md:12"
    dead = judge(notebook(code("x = 1"), code("die()", 2, id="c2")), Stop("died", "c2", "the kernel was killed"))
    assert (dead.status, dead.statements, dead.failures[0].place) == ("died", 1, "notes/L.md:11")


def test_a_stop_before_the_first_cell_is_told_too() -> None:
    judged = judge(notebook(code("x = 1", None)), Stop("died", "", "the kernel did not answer"))
    assert (judged.status, judged.reason, judged.failures[0].place) == (
        "died",
        "the kernel did not answer",
        "notes/L.md:11",
    )
