import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure import outcome, report
from coursemill.pure.outcome import Failure, Framework, Kernel, Report, Run
from coursemill.pure.record import Model, Record

FAILURE = Failure(
    "claim", "notes/L.md:12", "c1", "the code prints something else", ("notes/L.md:3: f()",), "- <b>1</b>\n+ 2"
)
RUNS = (
    Run(
        "A",
        "notes/A.md",
        "ws",
        "cpu",
        "passed",
        seconds=2.5,
        statements=7,
        imports=2,
        shown=1,
        notebook="build/runs/cpu/ws/A.ipynb",
    ),
    Run("A", "notes/A.md", "ws", "gpu", "unavailable", "no NVIDIA driver", "install it"),
    Run("B", "notes/B.md", "ws", "cpu", "failed", "wrong & <bad>", seconds=61, failures=(FAILURE,), exercises=2),
    Run("B", "notes/B.md", "ws", "gpu", "not offered", "the note does not list gpu"),
    Run("C", "notes/C.md", "ws", "cpu", "died", "the kernel was killed", failures=(FAILURE,)),
    Run("D", "notes/D.md", "ws", "cpu", "empty", "no statement was executed", code=1),
    Run("E", "notes/E.md", "ws", "cpu", "empty", "it has no code", shown=4),
    Run("F", "notes/F.md", "ws", "cpu", "passed", seconds=0.5, cached=True, parameters={"epochs": 1}),
)
KERNELS = (Kernel("cpu", True, devices=("2 cores",)), Kernel("gpu", False, "no NVIDIA driver", "install it"))
REPORT = Report(RUNS, KERNELS, 64.0, "2026-01-02T03:04:05+00:00")


def test_problems_are_what_failed_and_comments_that_pass_for_code() -> None:
    assert [run.lesson for run in REPORT.problems] == ["B", "C", "D"]
    assert REPORT.counts() == {"passed": 2, "failed": 1, "died": 1, "empty": 2, "unavailable": 1, "not offered": 1}
    assert REPORT.lacking == ()
    assert Report(RUNS, KERNELS, 1.0, "", required=("gpu", "cpu")).lacking == (KERNELS[1],)


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run.lesson}-{run.kernel}")
def test_runs_survive_json(run: Run) -> None:
    assert outcome.from_data(json.loads(json.dumps(outcome.to_data(run)))) == run


def test_data_says_everything() -> None:
    data = json.loads(json.dumps(report.data(REPORT)))
    assert data["counts"]["passed"] == 2
    assert data["totals"] == {"statements": 7, "imports": 2, "shown": 5}
    assert data["kernels"][1]["reason"] == "no NVIDIA driver"
    assert [run["problem"] for run in data["runs"]] == [False, False, True, False, True, True, False, False]


def test_junit_has_a_suite_a_kernel_and_a_case_a_lesson() -> None:
    cpu, gpu = ElementTree.fromstring(report.junit(REPORT)).findall("testsuite")
    assert {k: cpu.attrib[k] for k in ("name", "tests", "failures", "errors", "skipped", "time")} == {
        "name": "coursemill cpu",
        "tests": "6",
        "failures": "2",
        "errors": "1",
        "skipped": "1",
        "time": "64.000",
    }
    assert [case.attrib["name"] for case in gpu] == ["A"]
    assert gpu[0][0].tag == "skipped"
    assert gpu[0][0].attrib == {"message": "no NVIDIA driver (install it)"}
    outcomes = [[e.tag for e in case if e.tag != "system-out"] for case in cpu]
    assert outcomes == [[], ["failure"], ["error"], ["failure"], ["skipped"], []]
    assert [case.findtext("system-out") for case in cpu] == [
        "7 statements executed (2 imports), 1 block shown, not run",
        "0 statements executed",
        None,
        None,
        "4 blocks shown, not run",
        "0 statements executed",
    ]
    assert cpu[1][0].attrib == {"message": "wrong & <bad>", "type": "failed"}
    assert cpu[1][0].text == report.explain(FAILURE)


def test_junit_has_only_what_jenkins_schema_allows() -> None:
    allowed = {
        "testsuites": set(),
        "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
        "testcase": {"classname", "name", "time"},
        "failure": {"message", "type"},
        "error": {"message", "type"},
        "skipped": {"message"},
        "system-out": set(),
    }
    for element in ElementTree.fromstring(report.junit(REPORT)).iter():
        assert element.attrib.keys() <= allowed[element.tag]


def test_a_required_kernel_that_is_not_there_is_an_error_of_its_lessons() -> None:
    lacking = Report(RUNS, KERNELS, 1.0, "", required=("gpu",))
    assert ElementTree.fromstring(report.junit(lacking))[1].attrib["errors"] == "1"


@given(st.text(), st.text())
def test_any_text_makes_valid_xml(reason: str, message: str) -> None:
    run = Run("A", "n.md", "ws", "cpu", "failed", reason, failures=(Failure("error", "", "", message),))
    ElementTree.fromstring(report.junit(Report((run,), KERNELS, 0.0, "")))


def test_explain_indents_what_is_below_the_place() -> None:
    assert report.explain(FAILURE) == (
        "notes/L.md:12: the code prints something else\n    in cell c1\n    notes/L.md:3: f()\n    - <b>1</b>\n    + 2"
    )
    assert report.explain(Failure("died", "", "", "gone\nlast words")) == "gone\n    last words"


def test_the_page_stands_alone_links_the_notebooks_and_escapes() -> None:
    page = report.html(REPORT, lambda path: f"../../{path}")
    assert 'href="../../build/runs/cpu/ws/A.ipynb"' in page
    assert "7 statements executed (2 imports), 5 blocks shown, not run." in page
    assert 'href="../../notes/A.md"' in page
    assert "&lt;b&gt;1&lt;/b&gt;" in page
    assert "<b>1" not in page
    assert "prefers-color-scheme: dark" in page
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//|@import|<script""", page)
    assert page.count("<rect") == 3
    assert page.count("<article>") == 3


RECORDED = Run(
    "G",
    "notes/G.md",
    "ws",
    "gpu",
    "passed",
    seconds=3,
    parameters={"epochs": 20},
    record=Record(
        machine=("GPU 0: <H200>",),
        devices={"tensorflow": ("GPU:0 H200",)},
        backend="tensorflow",
        libraries={"keras": "3.15.1", "python": "3.11.7"},
        models=(Model("model", "Sequential", {"GPU:0": 4}), Model("raw", "Model")),
        missing="half of it",
    ),
)


def test_the_page_and_the_data_say_what_lessons_ran_on() -> None:
    kernel = Kernel("gpu", True, devices=("GPU 0",), frameworks=(Framework("jax", "JAX", "1", ("GPU:0",)),))
    whole = Report((RECORDED,), (kernel,), 3.0, "")
    page = report.html(whole, str)
    for said in ("GPU 0: &lt;H200&gt;", "tensorflow: GPU:0 H200", "keras 3.15.1, python 3.11.7", "epochs = 20"):
        assert said in page
    assert "model (Sequential): GPU:0; raw (Model): no variables yet" in page
    assert "half of it" in page
    assert "What they ran on" not in report.html(REPORT, str)
    data = json.loads(json.dumps(report.data(whole)))
    assert data["kernels"][0]["frameworks"][0]["devices"] == ["GPU:0"]
    assert data["runs"][0]["record"]["models"][0] == {"name": "model", "kind": "Sequential", "devices": {"GPU:0": 4}}
    assert outcome.from_data(json.loads(json.dumps(outcome.to_data(RECORDED)))) == RECORDED


def test_the_page_is_well_formed() -> None:
    page = report.html(replace(REPORT, runs=(*RUNS, RECORDED)), str).replace("<!doctype html>", "")
    ElementTree.fromstring(re.sub(r"<(meta|br|wbr)([^>]*)>", r"<\1\2/>", page))


@given(st.lists(st.floats(min_value=0, max_value=1e5), max_size=80))
def test_any_durations_can_be_drawn(seconds: list[float]) -> None:
    runs = tuple(Run(f"L{n}", f"n{n}.md", "ws", "cpu", "passed", seconds=s) for n, s in enumerate(seconds))
    page = report.html(Report(runs, KERNELS[:1], sum(seconds), ""), str)
    widths = [float(w) for w in re.findall(r'<rect[^>]* width="([\d.]+)"', page)]
    assert all(1 <= width <= 460 for width in widths)
