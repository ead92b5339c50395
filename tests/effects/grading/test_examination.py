import contextlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from coursemill.effects.grading import pair, rehearsal, rounds
from coursemill.effects.grading.candidate import Candidate, Ran
from coursemill.effects.grading.examination import examine
from coursemill.effects.sandbox import servers
from coursemill.pure import wire
from coursemill.pure.grading import assignment
from coursemill.pure.grading.job import Handed, Options, Package
from coursemill.pure.grading.plan import Given, Look, Plan
from coursemill.pure.grading.verdict import Note, Outcome, Verdict
from coursemill.pure.proof import Mode

HIDDEN = "### BEGIN HIDDEN TESTS\n{}\n### END HIDDEN TESTS"


def cell(source: str, name: str, kind: str = "code", **grading: Any) -> dict[str, Any]:
    about = {"schema_version": 3, "grade": False, "locked": True, "solution": False, "task": False, "grade_id": name}
    about |= {"cell_type": kind, **grading}
    made = {"cell_type": kind, "id": name, "metadata": {"nbgrader": about}, "source": source}
    return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def given(name: str, source: str) -> dict[str, Any]:
    return cell(source, name)


def answer(name: str, solution: str) -> dict[str, Any]:
    return cell(f"### BEGIN SOLUTION\n{solution}\n### END SOLUTION", name, solution=True, locked=False)


def check(name: str, visible: str = "", hidden: str = "", points: float = 1.0) -> dict[str, Any]:
    source = "\n".join([visible or "# hidden", *([HIDDEN.format(hidden)] if hidden else [])])
    return cell(source, name, grade=True, points=points)


def notebook(cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": list(cells), "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5}


@dataclass
class Sheet:
    """An instructor's notebook with its plan."""

    cells: Sequence[Mapping[str, Any]]
    looks: Mapping[str, Look]
    givens: Mapping[str, Given] = field(default_factory=dict)
    imports: tuple[str, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)

    @property
    def package(self) -> Package:
        read = assignment.read(notebook(self.cells), "WS", "Sheet")
        return Package(read, Plan(self.looks, self.givens, imports=self.imports), self.files, self.limits)

    def handed(self, answers: Mapping[str, str], added: Mapping[str, str] | None = None, **files: bytes) -> Handed:
        """What a student hands in: `answers` by cell, and cells `added` behind one."""
        cells: list[dict[str, Any]] = []
        for item in self.package.assignment.items:
            source = answers.get(item.id, item.released)
            grading = item.metadata.get("nbgrader", {})
            cells.append(cell(source, item.id, item.type, **grading))
            if added and item.id in added:
                outputs: dict[str, Any] = {"outputs": [], "execution_count": None}
                cells.append({"cell_type": "code", "metadata": {}, "source": added[item.id], **outputs})
        return Handed("alice", json.dumps(notebook(cells)).encode(), files)

    def verdict(
        self,
        answers: Mapping[str, str],
        added: Mapping[str, str] | None = None,
        timeout: float = 0.0,
        trust: bool = False,
        **files: bytes,
    ) -> Verdict:
        return examine(self.package, self.handed(answers, added, **files), Options(timeout=timeout, trust=trust))


def outcome(verdict: Verdict, test: str) -> Outcome:
    return next(one for one in verdict.outcomes if one.test == test)


def shown(verdict: Verdict) -> str:
    """All that anybody but the instructor may read in a verdict, but for the sources."""
    outputs = [cell.get("outputs", cell["source"]) for cell in verdict.autograded["cells"]]
    return json.dumps(outputs, ensure_ascii=False) + "".join(o.message for o in verdict.outcomes) + verdict.trouble


pytestmark = pytest.mark.sandbox

DOUBLE = Sheet(
    [
        given("start", "OFFSET = 1"),
        answer("double", "def double(x):\n    return 2 * x"),
        check("double-test", "assert double(2) == 4, 'two times two'", points=2),
        check("double-hidden", hidden="assert double(31337) == 62674, f'got {double(31337)}'", points=3),
        answer("triple", "def triple(x):\n    return 3 * x"),
        check("triple-test", "assert triple(1) == 3, f'triple(1) gives {triple(1)}'"),
    ],
    {
        "double-test": Look(names=("double",)),
        "double-hidden": Look(names=("double",)),
        "triple-test": Look(names=("triple",)),
    },
)
RIGHT = {"double": "def double(x):\n    return 2 * x", "triple": "def triple(x):\n    return 3 * x"}


@pytest.fixture(autouse=True)
def short_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers end soon after the tests."""
    monkeypatch.setattr(servers, "IDLE", 20.0)


# ---- what an honest student gets


def test_a_right_answer_gets_all() -> None:
    verdict = DOUBLE.verdict(RIGHT)
    assert [o.status for o in verdict.outcomes] == ["passed"] * 3
    assert (verdict.score, verdict.points) == (6, 6)
    assert verdict.seconds > verdict.own > 0
    assert verdict.memory > 1 << 20
    assert (verdict.trouble, verdict.notes, verdict.unanswered) == ("", (), ())


def test_an_answer_may_use_a_library_that_the_notebook_does_not() -> None:
    numbers = "import numpy as np\ndef double(x): return np.multiply(2, x)"
    frames = "import pandas as pd\ndef triple(x): return (3 * pd.Series([x])).max()"
    assert DOUBLE.verdict({"double": numbers, "triple": frames}).score == 6


def test_a_wrong_answer_hears_what_a_visible_test_says_and_nothing_hidden() -> None:
    verdict = DOUBLE.verdict(RIGHT | {"double": "def double(x):\n    return x + 2"})
    assert [o.status for o in verdict.outcomes] == ["passed", "failed", "passed"]
    hidden = outcome(verdict, "double-hidden")
    assert hidden.message == "got …"
    assert "31339" in hidden.reason
    assert "31337" not in shown(verdict)
    assert "31339" not in shown(verdict)


def test_an_answer_that_raises_is_an_error_with_its_kind() -> None:
    verdict = DOUBLE.verdict(RIGHT | {"double": "def double(x):\n    raise LookupError('no')", "triple": "triple = 3"})
    assert [o.status for o in verdict.outcomes] == ["error", "error", "error"]
    assert outcome(verdict, "double-test").message == "LookupError: no"
    assert outcome(verdict, "double-hidden").message == "LookupError"
    assert "TypeError" in outcome(verdict, "triple-test").message


def test_what_was_not_answered_is_named() -> None:
    verdict = DOUBLE.verdict({})
    assert verdict.unanswered == ("double", "triple")
    assert verdict.score == 0


def test_the_last_line_gives_a_part_of_the_points() -> None:
    sheet = Sheet([answer("a", "n = 3"), check("t", "min(n, 2) / 2", points=2)], {"t": Look(names=("n",))})
    assert sheet.verdict({"a": "n = 1"}).score == 0.5
    assert sheet.verdict({"a": "n = 7"}).score == 1.0
    assert sheet.verdict({"a": "n = -4"}).score == 0.0


@pytest.mark.parametrize("mode", ["isolated", "in-candidate"])
@pytest.mark.parametrize(
    "check_four",
    [
        "%%time\nassert f(2) == 4",
        "%time assert f(2) == 4",
        "%%capture out\nassert f(2) == 4",
        "%%timeit -n1 -r1\nassert f(2) == 4",
        "%run -i four.py",
        "get_ipython().run_cell('assert f(2) == 4')",
    ],
)
def test_an_error_that_a_magic_shows_is_an_error(check_four: str, mode: Mode) -> None:
    sheet = Sheet(
        [answer("f", "def f(x):\n    return 2 * x"), check("f-test", check_four)],
        {"f-test": Look(mode, names=("f",))},
        files={"four.py": b"assert f(2) == 4"},
    )
    assert outcome(sheet.verdict({"f": "def f(x):\n    return x + 2"}), "f-test").status == "passed"
    assert outcome(sheet.verdict({"f": "def f(x):\n    return x"}), "f-test").status == "failed"


def test_what_is_written_to_stderr_costs_nothing() -> None:
    loud = "import sys, warnings\nwarnings.warn('!')\ndef double(x):\n    print('!', file=sys.stderr)\n    return 2 * x"
    assert DOUBLE.verdict(RIGHT | {"double": loud}).score == 6


def test_cells_run_in_order_and_each_test_sees_its_place() -> None:
    cells = [answer("a", "n = 1"), check("t1", "assert n == 1"), answer("b", "n = 2"), check("t2", "assert n == 2")]
    sheet = Sheet(cells, {"t1": Look(names=("n",)), "t2": Look(names=("n",))})
    assert sheet.verdict({"a": "n = 1", "b": "n = n + 1"}).score == 2


def test_a_cell_that_raises_does_not_stop_the_others() -> None:
    verdict = DOUBLE.verdict(RIGHT | {"double": "1 / 0"})
    assert [o.status for o in verdict.outcomes] == ["error", "error", "passed"]


def test_outputs_are_kept_as_jupyter_shows_them() -> None:
    talk = (
        "from IPython.display import clear_output, display, HTML\n"
        "print('gone'); clear_output(); print('a'); print('b')\n"
        "h = display(HTML('<b>1</b>'), display_id=True); h.update(HTML('<b>2</b>')); 40 + 2"
    )
    verdict = DOUBLE.verdict(RIGHT, added={"start": talk})
    cells = [c for c in verdict.autograded["cells"] if c["source"] == talk]
    kinds = [output["output_type"] for output in cells[0]["outputs"]]
    assert kinds == ["stream", "display_data", "execute_result"]
    assert cells[0]["outputs"][0]["text"] == "a\nb\n"
    assert cells[0]["outputs"][1]["data"]["text/html"] == "<b>2</b>"
    assert cells[0]["outputs"][2]["data"]["text/plain"] == "42"


def test_given_cells_are_taken_over_without_being_run_again() -> None:
    look = Look(names=("answer",))
    cells = [given("g", "import json\nTABLE = {'a': 1}"), answer("a", "answer = TABLE['a']")]
    sheet = Sheet([*cells, check("t", "assert json.dumps(answer) == '1' and TABLE == {'a': 1}")], {"t": look})
    sheet.givens = {"g": Given("import json", {"TABLE": wire.dumps({"a": 1})})}
    assert sheet.verdict({"a": "answer = TABLE['a']"}).score == 1
    assert sheet.verdict({"a": "answer = TABLE['a']; TABLE['a'] = 2"}).score == 1, "the examiner has its own"


def test_files_of_the_worksheet_are_there_and_tests_have_the_instructors() -> None:
    look = Look(names=("text",))
    sheet = Sheet([answer("a", "text = 1"), check("t", "assert text == open('d/data.txt').read()")], {"t": look})
    sheet.files = {"d/data.txt": b"hello"}
    read = {"a": "text = open('d/data.txt').read()"}
    assert sheet.verdict(read).score == 1
    assert sheet.verdict(read, **{"d/data.txt": b"other"}).score == 0
    assert sheet.verdict({"a": "text = open('mine.txt').read()"}, **{"mine.txt": b"hello"}).score == 1


def test_files_with_which_nothing_starts_are_left_out() -> None:
    sheet = replace(DOUBLE, files={"d/data.txt": b"hello"})
    for path in ("d", "../x", "a" * 300, "x/\0"):
        verdict = sheet.verdict(RIGHT, **{path: b"!"})
        assert verdict.score == 6, path
        assert [note.kind for note in verdict.notes] == ["file"]


def test_a_notebook_in_another_language_is_not_run() -> None:
    package = DOUBLE.package
    package = replace(package, assignment=replace(package.assignment, language="R"))
    verdict = examine(package, DOUBLE.handed(RIGHT), Options())
    assert {o.status for o in verdict.outcomes} == {"not-reached"}
    assert "in R" in verdict.trouble


def test_files_that_an_answer_writes_cross_where_a_test_looks_at_them() -> None:
    cells = [answer("a", "def save(): ..."), check("t", "save()\nassert open('out.txt').read() == 'hello'")]
    sheet = Sheet(cells, {"t": Look(names=("save",), files=True)})
    write = "def save():\n    with open('out.txt', 'w') as file:\n        file.write('hello')"
    assert sheet.verdict({"a": write}).score == 1
    assert sheet.verdict({"a": write.replace("hello", "bye")}).score == 0


def test_a_test_in_the_candidate_is_run_among_twins() -> None:
    look = Look("in-candidate", ("n",), twins=("assert n == 8",))
    sheet = Sheet([answer("a", "n = 7"), check("t", "assert n == 7")], {"t": look})
    right = outcome(sheet.verdict({"a": "n = 7"}), "t")
    assert (right.status, right.twin, right.mode, right.score) == ("passed", "failed", "in-candidate", 1)
    always = "class Yes:\n    def __eq__(self, other):\n        return True\nn = Yes()"
    faked = outcome(sheet.verdict({"a": always}), "t")
    assert (faked.status, faked.twin, faked.score) == ("passed", "passed", 0)
    assert outcome(sheet.verdict({"a": "n = 1"}), "t").status == "failed"


def test_nothing_and_no_notebook_have_outcomes_of_their_own() -> None:
    package = DOUBLE.package
    missing = examine(package, Handed("alice", None), Options())
    assert {o.status for o in missing.outcomes} == {"missing"}
    unreadable = examine(package, Handed("alice", b"%PDF-1.7"), Options())
    assert {o.status for o in unreadable.outcomes} == {"unreadable"}
    assert "PDF" in unreadable.trouble
    refused = Handed("alice", None, notes=(Note("file", "Sheet.ipynb", "it is left out: it is a link"),))
    assert examine(package, refused, Options()).trouble == "it is a link"
    assert {o.status for o in examine(package, refused, Options()).outcomes} == {"unreadable"}


def test_it_works_on_plain_processes_where_code_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")  # there is no bubblewrap
    verdict = DOUBLE.verdict(RIGHT | {"triple": "def triple(x):\n    return 4 * x"}, trust=True)
    assert [o.status for o in verdict.outcomes] == ["passed", "passed", "failed"]
    assert verdict.memory > 1 << 20


def test_frames_cross_by_value() -> None:
    look = Look(names=("total",))
    frame = "import pandas as pd\nframe = pd.DataFrame({'a': [1, 2, 3]})\n"
    source = frame + "pd.testing.assert_frame_equal(total(frame), frame * 2)"
    sheet = Sheet([answer("a", "def total(f): ..."), check("t", source)], {"t": look}, imports=("pandas",))
    assert sheet.verdict({"a": "def total(frame):\n    return frame * 2"}).score == 1
    assert sheet.verdict({"a": "def total(frame):\n    return frame * 3"}).score == 0


# ---- what comes to no good end


def test_an_endless_loop_is_ended_and_the_next_test_is_run() -> None:
    verdict = DOUBLE.verdict(RIGHT | {"double": "def double(x):\n    while True: pass"}, timeout=1)
    assert [o.status for o in verdict.outcomes] == ["timeout", "timeout", "passed"]
    verdict = DOUBLE.verdict(RIGHT | {"triple": "while True: pass"}, timeout=1)
    assert [o.status for o in verdict.outcomes] == ["passed", "passed", "error"]


class Waits:
    """How long cells may take, in the order in which they are run."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.of: list[tuple[str, float]] = []
        run = Candidate.run

        def noted(side: Candidate, name: str, source: str, limit: float) -> Ran:
            self.of.append((source, limit))
            return run(side, name, source, limit)

        monkeypatch.setattr(Candidate, "run", noted)

    def on(self, source: str) -> list[float]:
        return [limit for said, limit in self.of if said == source]


def test_a_cell_that_took_too_long_is_not_waited_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    waits, slow = Waits(monkeypatch), "kept = 3\nwhile True: pass"
    sheet = Sheet(
        [answer("a", "n = 7"), check("t", hidden="assert n == 7"), answer("b", "kept = 3"), check("u", "kept == 3")],
        {"t": Look(names=("n",)), "u": Look("in-candidate", ("kept",), twins=("assert kept == 4",))},
    )
    verdict = sheet.verdict({"a": "n = 7", "b": slow}, {"b": "print(object())"}, timeout=3)
    assert waits.on(slow) == [pytest.approx(3), pytest.approx(1), pytest.approx(1)]
    assert [o.status for o in verdict.outcomes] == ["passed", "passed"], "what it did before it looped is there"
    assert verdict.stopped == ("b",)
    outputs = next(cell for cell in verdict.autograded["cells"] if cell["id"] == "b")["outputs"]
    assert [output["ename"] for output in outputs] == ["Timeout", "KeyboardInterrupt"]
    assert outcome(verdict, "u").twin == "failed"


def test_where_a_candidate_ends_it_ends_again_without_being_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = Waits(monkeypatch)
    deaf = DEAF.replace("def double(x):", "if True:")
    sheet = Sheet([answer("a", "n = 7"), check("t", "assert n == 7")], {"t": Look("in-candidate", ("n",))})
    verdict = sheet.verdict({"a": deaf}, timeout=1)
    assert waits.on(deaf) == [pytest.approx(1)]
    assert (outcome(verdict, "t").status, verdict.stopped) == ("timeout", ("a",))
    assert outcome(verdict, "t").message == verdict.trouble == "a cell was still running after 1 s"
    outputs = next(cell for cell in verdict.autograded["cells"] if cell["id"] == "a")["outputs"]
    assert [(output["ename"], output["evalue"]) for output in outputs] == [("Timeout", verdict.trouble)]


def test_a_wrong_answer_that_a_twin_expects_fakes_nothing() -> None:
    look = Look("in-candidate", ("n",), twins=("assert n == 8", "assert n == 9"))
    sheet = Sheet([answer("a", "n = 7"), check("t", "assert n == 7")], {"t": look})
    wrong = outcome(sheet.verdict({"a": "n = 8"}), "t")
    assert (wrong.status, wrong.twin) == ("failed", "failed")


def test_an_endless_test_in_the_candidate_fakes_nothing() -> None:
    look = Look("in-candidate", ("f",), twins=tuple(f"assert f() == {n}" for n in range(8, 12)))
    sheet = Sheet([answer("a", "def f(): return 7"), check("t", "assert f() == 7")], {"t": look})
    slow = outcome(sheet.verdict({"a": "def f():\n    while True: pass"}, timeout=1), "t")
    assert (slow.status, slow.twin) == ("timeout", "failed")


DEAF = """
def double(x):
    while True:
        try:
            while True: sum(range(1000))
        except KeyboardInterrupt: pass
"""


def test_one_that_does_not_listen_is_killed() -> None:
    verdict = DOUBLE.verdict(RIGHT | {"double": DEAF}, timeout=1)
    assert [o.status for o in verdict.outcomes] == ["timeout", "not-reached", "not-reached"]
    assert verdict.score == 0


def test_a_kernel_that_ends_itself_is_dead() -> None:
    verdict = DOUBLE.verdict(RIGHT | {"double": "def double(x):\n    import os; os._exit(70 + 7)"})
    assert [o.status for o in verdict.outcomes] == ["died", "not-reached", "not-reached"]
    assert "77" in verdict.outcomes[0].reason
    assert "77" not in shown(verdict), "a number may be a message"
    verdict = DOUBLE.verdict(RIGHT | {"triple": "import os; os.kill(os.getpid(), 9)"})
    assert [o.status for o in verdict.outcomes] == ["passed", "passed", "died"]
    outputs = next(cell for cell in verdict.autograded["cells"] if cell["id"] == "triple")["outputs"]
    assert [(output["ename"], output["evalue"]) for output in outputs] == [("Died", verdict.trouble)]


def test_bombs_end_at_their_limits() -> None:
    sheet = replace(DOUBLE, limits={"memory": 600 << 20, "processes": 300, "output": 8 << 20})
    memory = "kept = []\nwhile True: kept.append(bytearray(8 << 20))"
    forks = "import os, time\nfor _ in range(10_000):\n    if not os.fork(): time.sleep(600)"
    flood = "while True: print('x' * 10_000)"
    for bomb in (memory, forks, flood):
        verdict = sheet.verdict(RIGHT | {"triple": bomb}, timeout=10)
        assert [o.status for o in verdict.outcomes[:2]] == ["passed", "passed"], bomb
        assert outcome(verdict, "triple-test").status in {"limit", "died", "error", "timeout"}, bomb
        assert len(json.dumps(verdict.autograded)) < 1 << 24, bomb


def test_an_examiner_that_ends_costs_no_other_submission(monkeypatch: pytest.MonkeyPatch) -> None:
    real = pair.started

    @contextlib.contextmanager
    def started(*args: Any) -> Iterator[pair.Pair]:
        with real(*args) as both:
            both.examiner.process.end()
            yield both

    with monkeypatch.context() as patch:
        patch.setattr(pair, "started", started)
        verdict = DOUBLE.verdict(RIGHT)
    assert {o.status for o in verdict.outcomes} <= {"error", "not-reached"}
    assert DOUBLE.verdict(RIGHT).score == 6


# ---- attacks


FORGE = """
import json, time
from ipykernel.kernelapp import IPKernelApp
kernel = IPKernelApp.instance().kernel
session, iopub = kernel.session, kernel.iopub_socket
parent = kernel.get_parent()
for _ in range(3):
    session.send(iopub, "status", {"execution_state": "idle"}, parent=parent)
    session.send(iopub, "status", {"execution_state": "idle"}, parent={"msg_id": "x"})
    session.send(iopub, "execute_result", {"data": {"text/plain": 5}, "metadata": [], "n": {}}, parent=parent)
    session.send(iopub, "stream", {"name": 7, "text": None}, parent=parent)
    session.send(iopub, "stream", [1, 2], parent=parent)
    session.send(iopub, "error", {"traceback": 5}, parent=parent)
    session.send(iopub, "execute_reply", {"status": "ok"}, parent=parent)
    session.send(iopub, "display_data", {"data": {"text/plain": "x" * 5_000_000}}, parent=parent)
iopub.send_multipart([b"junk"])
iopub.send_multipart([b"<IDS|MSG>", b"sig", b"{", b"[]", b"", b"\xff"])
iopub.send_multipart([b"<IDS|MSG>", session.sign([b"{}"] * 4), b"{}", b"[" * 100_000, b"{}", b"{}"])
"""


def test_forged_messages_change_nothing() -> None:
    verdict = DOUBLE.verdict({"triple": "def triple(x):\n    return 1"}, added={"start": FORGE})
    assert [o.status for o in verdict.outcomes] == ["error", "error", "failed"]
    verdict = DOUBLE.verdict(RIGHT, added={"start": FORGE})
    assert verdict.score == 6
    json.dumps(verdict.autograded)


FIND = """
import gc, os, socket, stat, struct, threading
walls = [s for s in gc.get_objects() if isinstance(s, socket.socket) and s.family == socket.AF_UNIX and s.type == 1]
"""
DEEDS = {
    "write to everything": """
for fd in range(3, 200):
    try:
        if stat.S_ISSOCK(os.fstat(fd).st_mode): os.write(fd, b'\\0\\0\\0\\x02{}' * 50)
    except OSError: pass
""",
    "write": """
for wall in walls:
    try: wall.send(struct.pack('>I', 4) + b'null' + bytes(1000))
    except OSError: pass
""",
    "close": """
for wall in walls:
    try: wall.close()
    except OSError: pass
""",
    "read": """
def spin():
    for wall in walls:
        try: wall.recv(100)
        except OSError: pass
threading.Thread(target=spin, daemon=True).start()
""",
}


@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS)
def test_what_is_done_to_the_wall_gives_no_point(deed: str) -> None:
    began = time.monotonic()
    verdict = DOUBLE.verdict({}, added={"start": FIND + deed}, timeout=1)
    assert verdict.score == 0
    assert time.monotonic() - began < 60
    assert not {o.status for o in verdict.outcomes} & {"passed", "missing", "unreadable"}


TRICKS = {
    "another AssertionError": "import builtins\nbuiltins.AssertionError = type('Nothing', (Exception,), {})",
    "a transformer of trees": """
import ast
class Nothing:
    def visit(self, node):
        return ast.parse("")
get_ipython().ast_transformers.append(Nothing())
""",
    "a transformer of input": "get_ipython().input_transformers_cleanup.append(lambda lines: [])",
    "another run_cell": "get_ipython().run_cell = get_ipython().run_cell_async = lambda *a, **k: None",
    "no modules": "import sys\nfor m in list(sys.modules):\n    if 'coursemill' in m: del sys.modules[m]",
    "yes to all": """
class Yes:
    def __eq__(self, other): return True
    def __getattr__(self, name): return self
    def __call__(self, *args): return self
    def __hash__(self): return 0
double = triple = Yes()
""",
    "a number that equals all": """
class Number(int):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    __hash__ = None
double = triple = lambda x: Number(5)
""",
}


@pytest.mark.parametrize("trick", TRICKS.values(), ids=TRICKS)
def test_tricks_give_no_point(trick: str) -> None:
    assert DOUBLE.verdict({}, added={"triple": trick, "double": trick}, timeout=1).score == 0


TELL = """
seen = []
def double(x):
    seen.append(x)
    return 2 * x
"""


def test_what_a_hidden_test_gives_away_is_not_shown() -> None:
    told = "print('I saw', [x + 1 for x in seen])\nsum(seen)"
    raising = "def triple(x):\n    raise ValueError(f'I saw {seen[-1] + 1}')"
    failing = "def triple(x):\n    return f'I saw {seen[-1] + 1}'"
    kind = "def triple(x):\n    raise type(f'Saw{seen[-1] + 1}', (Exception,), {})"
    for triple in (raising, failing, kind, "import os\nos._exit(seen[-1] % 100)", "raise ValueError(seen[-1] + 1)"):
        verdict = DOUBLE.verdict({"double": TELL, "triple": triple}, added={"double-hidden": told})
        assert outcome(verdict, "double-hidden").status == "passed"
        assert "3133" not in shown(verdict), triple
        assert verdict.score == 5


def test_what_was_shown_before_may_not_change_after_a_hidden_test() -> None:
    early = "from IPython.display import display\nhandle = display('early', display_id=True)"
    late = "handle.update(str([x + 1 for x in seen]))"
    verdict = DOUBLE.verdict({"double": TELL}, added={"start": early, "double-hidden": late})
    assert "31338" not in shown(verdict)
    assert "early" in shown(verdict) or "[3]" in shown(verdict)


def test_outputs_that_were_handed_in_need_no_second_run(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds_run: list[str] = []
    real = rounds.clean
    monkeypatch.setattr(rounds, "clean", lambda *args: rounds_run.append("clean") or real(*args))
    handed = DOUBLE.handed(RIGHT, {"triple": "print('hello')"})
    assert examine(DOUBLE.package, handed, Options()).score == 6
    assert rounds_run == ["clean"]
    content = json.loads(handed.content or b"")
    made = next(c for c in content["cells"] if c["source"] == "print('hello')")
    made["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["hello\n"]}]
    verdict = examine(DOUBLE.package, replace(handed, content=json.dumps(content).encode()), Options())
    assert rounds_run == ["clean"]
    assert "hello" in shown(verdict)


# ---- the instructor's own


def test_a_rehearsal_tells_what_a_test_needs() -> None:
    cells = [
        given("g", "import random\nNUMBER = 3"),
        answer("a", "def save(n):\n    open('n.txt', 'w').write(str(n))"),
        check("t", "save(NUMBER)\nassert open('n.txt').read() == '3'"),
    ]
    names = Look(names=("save",))
    sheet = Sheet(cells, {"t": names})
    tries = {"t": (replace(names, files=True), replace(names, mode="in-candidate"))}
    told = rehearsal.rehearse(sheet.package, {"g": ("NUMBER", "random")}, tries, Options())
    assert [o.status for o in told.outcomes] == ["passed"]
    assert told.looks["t"] == replace(names, files=True)
    assert wire.loads(told.values["g"]["NUMBER"]) == 3
    assert set(told.values["g"]) == {"NUMBER"}
    assert {"g", "a", "t"} == set(told.seconds)
    assert (told.errors, told.trouble) == ({}, "")
