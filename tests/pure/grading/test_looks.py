"""Whose is what a test sees."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coursemill.pure import python
from coursemill.pure.grading.assignment import Assignment, Item
from coursemill.pure.grading.looks import Learnt, Survey, survey

STUB = "# YOUR CODE HERE\nraise NotImplementedError()"


def notebook(*cells: str, hidden: frozenset[int] = frozenset()) -> Assignment:
    """`given: x = 1`, `answer: y = 2`, `test: assert y`, with ids g0, a1, t2; after `---` comes what students get."""
    items = []
    for number, cell in enumerate(cells):
        role, _, source = cell.partition(": ")
        source, _, released = source.partition("\n---\n")
        shown = released or (STUB if role == "answer" else source)
        at = hidden if role == "test" else frozenset()
        items.append(Item(f"{role[0]}{number}", role, "code", source, shown, hidden=at))  # type: ignore[arg-type]
    return Assignment("WS", "Lesson", tuple(items))


def look(*cells: str, **options: Any) -> Survey:
    return survey(notebook(*cells), **options)


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        (["answer: def f(x): return x", "test: assert f(1) == 1"], "f"),
        (["answer: x = 3", "test: assert x == 3 and len([x])"], "x"),
        (["answer: def sum(x): return x", "test: assert sum(1) == 1"], "sum"),
        (["given: import re", "answer: x = 3", "test: assert re.match('a', x)"], "x"),
        (["given: def ok(v): return f(v) == 1", "answer: f = abs", "test: assert ok(1)"], "f"),
        (["given: def g(v): return f(v)\ndef ok(v): return g(v)", "answer: f = abs", "test: assert ok(1)"], "f"),
        (["given: class C:\n    def m(self): return f()", "answer: f = abs", "test: assert C().m()"], "f"),
        (["answer: f = abs", "given: y = f(3)", "test: assert y == 3"], "y"),
        (["answer: f = abs", "given: rows = []\nrows.append(f(3))", "test: assert rows == [3]"], "rows"),
        (["answer: f = abs", "given: def g(): return f(1)\ny = g()", "test: assert y == 3"], "y"),
        (["answer: f = abs", "given: f = len", "test: assert f([]) == 0"], ""),
        (["given: f = None", "answer: def f(): pass", "test: assert f"], "f"),
        (["answer: f = abs", "test: f = 3\nassert f == 3"], ""),
        (["answer: f = abs", "test: assert f(1)\nf = 3", "test: assert f == 3"], ""),
        (["answer: f = abs", "test: def ok(): return f(1)\nassert ok()", "test: assert ok()"], "f"),
        (["answer: x = 3", "test: assert 'x' in globals()"], "x"),
        (["answer: x = 3", "test: assert eval('x + 1') == 4"], "x"),
        (["answer: x = 3", "test: assert [x for x in range(3)] == [0, 1, 2]"], ""),
        (["answer: x = 3", "test: for x in range(3):\n    assert x < 3"], ""),
        (["answer: x = 3", "test: def f(x): return x\nassert f(2) == 2"], ""),
        (["answer: exec('z = 3')", "test: assert z == 3"], "z"),
        (["given: from math import *", "answer: x = 1", "test: assert x < pi"], "x"),
        (["answer: x = 1", "given: for i in range(2):\n    print(i)", "test: assert x == i"], "x"),
        (["answer: i = 1\nx = i", "given: for i in range(2):\n    print(i)", "test: assert x == i"], "x"),
        (["given: shop = {}", "answer: shop['a'] = 1", "test: assert shop == {'a': 1}"], "shop"),
        (["given: n = 0", "answer: def f():\n    global n\n    n += 1", "test: f()\nassert n == 1"], "f n"),
        (["given: class C: pass", "answer: C.x = 3", "test: assert C.x == 3"], "C"),
        (["answer: x = 3", "given: del x\nx = 4", "test: assert x == 4"], ""),
    ],
)
def test_names_of_answers(cells: list[str], names: str) -> None:
    found = look(*cells)
    last = list(found.sights)[-1]
    assert found.sights[last].names - {"i"} == set(names.split()), "whose data like `i` are, a run has to tell"


def test_an_import_that_only_the_solution_has_must_be_a_library() -> None:
    found = look(
        "answer: import numpy as np\nfrom math import sqrt\nx = np.array(1)", "test: assert np.all(x == sqrt(1))"
    )
    assert found.sights["t1"].names == {"np", "sqrt", "x"}
    assert found.sights["t1"].imported == {"np"}


def test_an_import_that_students_are_given_is_the_instructors() -> None:
    found = look(
        "answer: import numpy as np\nx = 1\n---\nimport numpy as np\n# YOUR CODE HERE", "test: assert np.all(x)"
    )
    assert found.sights["t1"].names == {"x"}
    assert found.define == {"a0": "import numpy as np"}


def test_what_the_examiner_runs_of_given_cells() -> None:
    found = look(
        "given: import re\nimport json\nprint(1)",
        "given: LIMIT = 3\ndef clean(x): return re.sub('a', '', x)[:LIMIT]\nclean('b')",
        "answer: def f(x): return x",
        "test: assert clean(f('a')) == ''",
    )
    assert found.define["g0"] == "import re"
    assert "def clean" in found.define["g1"]
    assert found.capture == {"g1": ("LIMIT",)}
    assert found.sights["t3"].names == {"f"}


def test_a_name_that_a_later_cell_binds_anew() -> None:
    found = look(
        "given: def h(): return 1",
        "answer: f = abs",
        "test: assert f(1) == h()",
        "given: def h(): return 2",
        "test: assert f(2) == h()",
    )
    assert found.define == {"g0": "def h(): return 1", "g3": "def h(): return 2"}


def test_data_are_captured_wherever_they_may_change() -> None:
    cells = [
        "given: rows = load()",
        "given: print(rows)",
        "given: def more(): rows.append(1)",
        "answer: f = len",
        "given: more()",
        "given: x = 1",
        "test: assert f(rows) == 3",
        "given: rows = []",
    ]
    found = look(*cells)
    assert found.capture == dict.fromkeys(("g0", "g1", "g2", "g4"), ("rows",))
    assert found.sights["t6"].names == {"f", "rows"}, "nobody knows yet whether they are plain data"
    plain = {cell: frozenset({"rows"}) for cell in found.capture}
    assert look(*cells, learnt=Learnt(plain)).sights["t6"].names == {"f"}
    assert look(*cells, learnt=Learnt({**plain, "g4": frozenset()})).sights["t6"].names == {"f", "rows"}


def test_data_that_the_solution_changes_are_an_answers() -> None:
    cells = ["given: rows = load()", "answer: shuffle(rows)", "test: assert rows == [1]"]
    found = look(*cells)
    assert found.touched["a1"] == {"rows"}
    plain = dict.fromkeys(found.capture, frozenset({"rows"}))
    assert look(*cells, learnt=Learnt(plain)).sights["t2"].names == frozenset()
    changed = {"a1": frozenset({"rows"})}
    assert look(*cells, learnt=Learnt(plain, changed)).sights["t2"].names == {"rows"}


def test_what_the_instructor_made_stays_with_the_instructor() -> None:
    found = look(
        "given: import re\nclass Checker:\n    def ok(self, x): return x == y",
        "given: checker = Checker()\nP = re.compile('a')",
        "answer: x = y = 3",
        "test: assert checker.ok(x) and P.match('a')",
    )
    assert found.sights["t3"].names == {"x", "y"}
    assert found.define["g1"] == "checker = Checker()\nP = re.compile('a')"
    assert "class Checker" in found.define["g0"]


def test_what_answers_handle_may_be_looked_up_in_the_candidate() -> None:
    found = look(
        "given: class Shop: pass\nshop = Shop()",
        "answer: def f(): return shop",
        "test: assert f() is shop and isinstance(f(), Shop)",
    )
    assert found.sights["t2"].names == {"f", "shop"}
    assert found.sights["t2"].shared == {"Shop"}


def test_an_imported_helper_beside_the_notebook() -> None:
    cells = ["given: import shop\nfrom shop import Till", "answer: x = 3", "test: assert shop.check(x, Till())"]
    assert look(*cells).sights["t2"].shared == frozenset()
    assert look(*cells, files=["shop.py", "data.csv"]).sights["t2"].shared == {"shop", "Till"}


def test_files_that_answers_write_are_theirs() -> None:
    found = look("answer: %%writefile tools.py\ndef f(): return 1", "test: import tools\nassert tools.f() == 1")
    assert found.modules == ("tools.py",)
    found = look("answer: Path('tools.py').write_text('x = 1')", "given: import tools", "test: assert tools.x == 1")
    assert found.modules == ("tools.py",)
    assert found.sights["t2"].names == {"tools"}


def test_what_a_test_imports_is_there_for_the_next_one() -> None:
    cells = ("answer: %%writefile tools.py\nx = 1", "test: import tools\nassert tools.x", "test: assert tools.x == 1")
    assert look(*cells).sights["t2"].names == set()


def test_files_that_students_may_change_are_theirs() -> None:
    cells = ("given: import shop, other", "answer: x = 1", "test: assert shop.f() == other.g()")
    found = look(*cells, files=["shop.py", "other.py"], editable=["shop.py", "data.csv"])
    assert found.modules == ("shop.py",)
    assert found.sights["t2"].names == {"shop"}


def test_files_that_given_cells_write_are_written_for_the_examiner() -> None:
    found = look(
        "given: %%writefile tools.py\ndef f(): return 1", "answer: x = 1", "test: import tools\nassert x == tools.f()"
    )
    assert "open('tools.py', 'w'" in found.define["g0"]
    assert found.modules == ()


def test_what_later_cells_need_of_a_test() -> None:
    found = look(
        "answer: f = abs",
        "test: import math\nlimit = 3\nresult = f(limit)\nassert result == 3",
        "given: print(result + math.pi)",
        "test: assert f(2) == 2",
    )
    assert found.sights["t1"].leaves == "import math\nlimit = 3\nresult = f(limit)"
    assert found.sights["t1"].trouble == ""
    assert found.sights["t3"].leaves == ""


def test_what_later_cells_need_of_hidden_lines_cannot_be_had() -> None:
    cells = ["answer: f = abs", "test: result = f(3)\nassert result == 3", "given: print(result)"]
    found = survey(notebook(*cells, hidden=frozenset({1, 2})))
    assert "result" in found.sights["t1"].trouble
    assert found.sights["t1"].leaves == ""


def test_names_of_tests_hide_nothing_from_other_cells() -> None:
    found = look(
        "given: import numpy as np",
        "given: def h(): return np.ones(3)",
        "answer: f = abs",
        "test: import numpy as np\nassert f(1) == 1",
        "given: print(np.pi)",
        "test: assert f(2) == h()",
    )
    assert found.define["g0"] == "import numpy as np"
    assert found.sights["t3"].leaves == "import numpy as np"


def test_what_the_examiner_needs_of_tests_that_it_does_not_run() -> None:
    found = look(
        "answer: f = abs",
        "test: import math\ndef near(a, b): return math.isclose(a, b)\ngot = f(1)\nassert near(got, 1)",
        "test: assert near(f(2), got)",
    )
    assert "def near" in found.define["t1"]
    assert "import math" in found.define["t1"]
    assert "got" not in found.define["t1"]


def test_what_a_test_in_the_candidate_needs_of_earlier_ones() -> None:
    found = look(
        "answer: f = abs",
        "test: import math\nLIMIT = 3\ngot = f(1)\nassert got",
        "test: def near(a): return math.isclose(a, got)\nassert near(f(1))",
        "test: assert near(f(LIMIT))",
    )
    assert found.sights["t1"].before == ""
    assert found.sights["t2"].before == "import math\n\ngot = f(1)"
    assert found.sights["t3"].before == "import math\nLIMIT = 3\ngot = f(1)\ndef near(a): return math.isclose(a, got)"


def test_unreadable_cells_are_nobodys() -> None:
    found = look("given: x = (", "answer: %%bash\nls", "test: assert y ==", "test: %%html\n<p>")
    assert found.sights["t2"].names == found.sights["t3"].names == frozenset()


SNIPPETS = (
    *("import math", "from math import *", "x = 1", "x += y", "del x", "def f(a, b=x): return a + y", "y = f(x)"),
    *("class C(D): z = x", "d['a'] = f(1)", "for i in d: i.go()", "%run a.py", "%%writefile a.py\nx = 1", "x = (", ""),
    *(
        "try:\n    import a\nexcept E:\n    a = x",
        "with a as b: c = b",
        "print(x := [y for y in x])",
        "global_ = x.y.z",
    ),
    *("@f\ndef g(): global x; x = h", "lambda: (yield)", "assert f(x) == y", "assert 'x' in globals()", "await f()"),
    *("match x:\n    case [y, *z]: pass", "async def k(): return await f()", "x, (y, *z) = f", "!ls {x}", "\0"),
)


@given(st.lists(st.tuples(st.sampled_from(("given", "answer", "test")), st.sampled_from(SNIPPETS)), max_size=12))
@settings(deadline=None)
def test_any_notebook_is_looked_at(cells: list[tuple[str, str]]) -> None:
    whole = notebook(*(f"{role}: {source}" for role, source in cells))
    found = survey(whole)
    assert found.sights.keys() == {item.id for item in whole.tests}
    known = {item.id for item in whole.items}
    assert known >= {*found.define, *found.capture, *found.touched, *found.order}
    for text in (*found.define.values(), *(s.leaves for s in found.sights.values())):
        assert not python.look(text).problem


@given(st.lists(st.tuples(st.sampled_from(("given", "answer", "test")), st.sampled_from(SNIPPETS)), max_size=12))
@example([("given", "x, (y, *z) = f"), ("test", "x += y"), ("test", "x += y")])
@settings(deadline=None)
def test_with_data_of_the_instructors_no_more_is_looked_up(cells: list[tuple[str, str]]) -> None:
    whole = notebook(*(f"{role}: {source}" for role, source in cells))
    found = survey(whole)
    plain = {cell: frozenset(names) for cell, names in found.capture.items()}
    for test, sight in survey(whole, learnt=Learnt(plain)).sights.items():
        assert sight.names <= found.sights[test].names, "with data of the instructor's, no more is looked up"
