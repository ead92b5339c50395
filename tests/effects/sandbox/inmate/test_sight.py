"""What a test sees of an answer that runs in another process."""

from collections.abc import Callable
from typing import Any

import pytest

GIVEN = """
import enum
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

class Shape(ABC):
    @abstractmethod
    def area(self): ...

class Colour(enum.Enum):
    RED = 1

class Spot(NamedTuple):
    x: int

@dataclass(frozen=True)
class Item:
    name: str
    price: float
    def doubled(self):
        return 2 * self.price

class ShopError(Exception):
    def __init__(self, message, code):
        super().__init__(message)
        self.code = code
"""
ANSWER = '''
import asyncio
import contextlib
import enum
import functools
import numpy as np
import pandas as pd
from collections import Counter, UserDict

class FullError(ValueError):
    code = 7
    def __str__(self):
        return f"no room for {self.args[0]}"

class TinyError(FullError, KeyError):
    pass

class Stack:
    """A stack."""
    limit = 3
    def __init__(self, *items):
        self.items = list(items)
    def push(self, item):
        if len(self.items) == self.limit:
            raise FullError(item, self.limit)
        self.items.append(item)
        return self
    def __len__(self):
        return len(self.items)
    def __getitem__(self, index):
        return self.items[index]
    def __setitem__(self, index, value):
        self.items[index] = value
    def __delitem__(self, index):
        del self.items[index]
    def __iter__(self):
        return iter(self.items)
    def __reversed__(self):
        return reversed(self.items)
    def __str__(self):
        return f"Stack{self.items}"

@functools.total_ordering
class Money:
    def __init__(self, cents):
        self.cents = cents
    def __eq__(self, other):
        return self.cents == other.cents
    def __lt__(self, other):
        return self.cents < other.cents
    def __hash__(self):
        return hash(self.cents)
    def __add__(self, other):
        return Money(self.cents + getattr(other, "cents", other))
    __radd__ = __add__
    def __neg__(self):
        return Money(-self.cents)

class Circle(Shape):
    def __init__(self, radius):
        self.radius = radius
    def area(self):
        return 3 * self.radius ** 2

class Animal:
    def __init__(self, name):
        self.name = name
    def introduce(self):
        return f"{self.name} says {self.speak()}"

class Table(UserDict):
    pass

class Mood(enum.Enum):
    GOOD = 1

class Manager:
    def __enter__(self):
        return 3
    def __exit__(self, kind, error, trace):
        self.seen = kind, error and error.args, trace
        return True

class Broken:
    def __len__(self):
        return -1
    def __str__(self):
        return 3
    def __eq__(self, other):
        return [1]

manager = Manager()
add = lambda x: x + 1
def apply(function, *args, **kwargs):
    return function(*args, **kwargs)
def same(x):
    return x
def twice(function):
    @functools.wraps(function)
    def run(*args):
        return 2 * function(*args)
    return run
def numbers(n):
    for i in range(n):
        yield i
def echo():
    got = None
    while True:
        got = yield got
async def fetch(x):
    await asyncio.sleep(0.001)
    return [x]
async def call(function, x):
    return await function(x)
async def refuse():
    raise ValueError
queue = asyncio.Queue(1)
async def produce(n):
    for i in range(n):
        await queue.put(i)
    await queue.put(None)
async def consume():
    got = []
    while (item := await queue.get()) is not None:
        got.append(item)
    return got
async def pages():
    yield 1
    yield Stack(2)
@contextlib.asynccontextmanager
async def session():
    yield Stack(1)
def fail(cause=None):
    raise RuntimeError("down", 3) from cause
def fail_twice():
    try:
        Stack(1, 2, 3).push(9)
    except FullError as error:
        raise KeyError("outer") from error
def give_up():
    raise ShopError("bad", 9)
def leave():
    raise SystemExit(2)
def greet(name):
    print("Hello", name)
def ask():
    return int(input("n? ")) + 1
def frame():
    return pd.DataFrame({"a": [1, 2], "b": ["x", None]}, index=pd.date_range("2024", periods=2))
red, spot, item = Colour.RED, Spot(3), Item("tea", 2.5)
total = 3
data = {"rows": [(1, 2.5), {"a": {1}}], 3: b"x", "nan": float("nan")}
'''


@pytest.fixture(scope="module")
def notebook(open_notebook: Callable[..., Any]) -> Any:
    return open_notebook(ANSWER, GIVEN)


PASSES = {
    "data": "assert total == 3 and data['rows'] == [(1, 2.5), {'a': {1}}] and data[3] == b'x'",
    "calls": "assert add(1) == 2 and apply(add, 2) == 3 and same([1]) == [1]",
    "objects": """
one = Stack(1, 2)
assert one.push(3).items == [1, 2, 3] and len(one) == 3 and one[0] == 1 and list(one) == [1, 2, 3] and 2 in one
assert (str(one), f"{one}", type(one).__name__, Stack.__name__, Stack.__doc__) == (
    "Stack[1, 2, 3]", "Stack[1, 2, 3]", "Stack", "Stack", "A stack.")
one.limit = 4
one[0] = 7
del one[1]
assert one.items == [7, 3] and list(reversed(one)) == [3, 7] and one.limit == 4
assert isinstance(one, Stack) and not isinstance(3, Stack) and issubclass(Stack, Stack) and callable(Stack)
assert hasattr(one, "push") and not hasattr(one, "pop") and "push" in dir(one) and not callable(one)
del one.limit
assert one.limit == 3
""",
    "a thing is one thing": "one = Stack()\nassert same(one) is one and same(one) is not Stack()",
    "comparisons": """
assert Money(1) == Money(1) and Money(1) != Money(2) and Money(1) < Money(2) and Money(3) >= Money(3)
assert sorted([Money(2), Money(1)])[0].cents == 1 and max(Money(1), Money(3)).cents == 3
assert len({Money(1), Money(1), Money(2)}) == 2 and Money(1) in [Money(1)] and not Money(1) == 1
assert hash(Money(1)) == hash(Money(1)) != hash(1)
""",
    "arithmetic": "assert (Money(1) + Money(2)).cents == 3 == (1 + Money(2)).cents and (-Money(1)).cents == -1",
    "an instructor's classes": """
assert red is Colour.RED and spot == Spot(3) and isinstance(spot, Spot) and item == Item('tea', 2.5)
assert item.doubled() == 5 and isinstance(item, Item) and same(item) == item and {item: 1}[item] == 1
""",
    "inheritance": """
c = Circle(2)
assert isinstance(c, Shape) and isinstance(c, Circle) and issubclass(Circle, Shape) and c.area() == 12
assert Circle.__bases__ == (Shape,) and not issubclass(Stack, (Shape, int)) and not isinstance(Table(), dict)
from collections import UserDict
assert isinstance(Table(), UserDict) and issubclass(Table, UserDict)
try:
    Shape()
except TypeError:
    pass
""",
    "a test's class derives from an answer's": """
class Dog(Animal):
    def speak(self):
        return "Woof" + str(len(self.name))
dog = Dog("Rex")
assert dog.introduce() == "Rex says Woof3" and isinstance(dog, Animal) and issubclass(Dog, Animal)
""",
    "an answer's enum": "assert list(Mood) == [Mood.GOOD] == [Mood['GOOD'], Mood(1)][:1] and Mood.GOOD.value == 1",
    "decorators": """
@twice
def plus(a, b):
    "Add."
    return a + b
assert plus(1, 2) == 6 and plus.__name__ == "plus" and plus.__doc__ == "Add."
""",
    "callbacks": """
got = []
def back(x):
    got.append(x)
    return x * 2
assert apply(back, 3) == 6 and got == [3] and same(back) is back and apply(got.append, 4) is None and got == [3, 4]
assert apply(len, [1]) == 1 and apply(str.upper, "a") == "A" and apply(lambda s: s.items, Stack(5)) == [5]
def deep(n):
    return n if n == 0 else 1 + apply(deep, n - 1)
assert deep(60) == 60
""",
    "callbacks' errors": """
class Mine(Exception):
    pass
def bad():
    raise Mine("me", 1)
try:
    apply(bad)
except Mine as error:
    assert error.args == ("me", 1)
else:
    raise SystemError
""",
    "generators": """
assert list(numbers(3)) == [0, 1, 2] and next(numbers(1)) == 0 and sum(numbers(4)) == 6
it = echo()
next(it)
assert it.send(4) == 4
it.close()
def all_of(n):
    yield from numbers(n)
assert list(all_of(2)) == [0, 1] and apply(list, (i for i in range(3))) == [0, 1, 2] and apply(next, iter([7])) == 7
""",
    "with": """
with manager as value:
    assert value == 3
    raise KeyError("k")
assert manager.seen == (KeyError, ("k",), None)
try:
    with manager:
        assert total == 4, f"not {total}"
except AssertionError:
    assert manager.seen == (AssertionError, (), None)
else:
    raise SystemError
""",
    "await": """
import asyncio
assert await fetch(1) == [1]
async def both():
    return await asyncio.gather(fetch(1), fetch(2))
assert await both() == [[1], [2]]
assert [p if p == 1 else p.items async for p in pages()] == [1, [2]]
async with session() as found:
    assert found.items == [1]
async def double(x):
    return 2 * x
async def run():
    return await apply(double, 4)
assert await run() == 8
async def inner(x):
    return await fetch(x)
assert await call(inner, 2) == [2]
""",
    "await at one time": """
import asyncio
assert (await asyncio.gather(produce(3), consume()))[1] == [0, 1, 2]
try:
    await asyncio.wait_for(consume(), 0.05)
except TimeoutError:
    pass
else:
    raise SystemError
assert [type(r) for r in await asyncio.gather(fetch(1), refuse(), return_exceptions=True)] == [list, ValueError]
async def main():
    return [p async for p in pages()]
import threading
got = []
t = threading.Thread(target=lambda: got.append(asyncio.run(main())))
t.start()
t.join()
assert len(got[0]) == 2
""",
    "exceptions": """
try:
    Stack(1, 2, 3).push(9)
except FullError as error:
    assert error.args == (9, 3) and error.code == 7 and str(error) == "no room for 9" and isinstance(error, ValueError)
else:
    raise SystemError
assert issubclass(TinyError, FullError) and issubclass(TinyError, KeyError) and issubclass(FullError, ValueError)
for kind, args, f in [(RuntimeError, ("down", 3), fail), (KeyError, ("a",), lambda: apply({}.__getitem__, "a"))]:
    try:
        f()
    except kind as error:
        assert error.args == args
    else:
        raise SystemError
try:
    give_up()
except ShopError as error:
    assert error.code == 9 and str(error) == "bad"
try:
    leave()
except SystemExit as error:
    assert error.code == 2
try:
    apply(int, "x")
except ValueError as error:
    assert "invalid literal" in str(error)
try:
    open_it = apply(open, "/nowhere/at/all")
except FileNotFoundError as error:
    assert error.errno == 2 and error.filename == "/nowhere/at/all"
try:
    apply(bytes.decode, b"\\xff")
except UnicodeDecodeError as error:
    assert error.start == 0
""",
    "causes": """
try:
    fail_twice()
except KeyError as error:
    assert isinstance(error.__cause__, FullError) and error.__cause__.args == (9, 3)
else:
    raise SystemError
""",
    "arrays and frames": """
import numpy as np
import pandas as pd
expected = pd.DataFrame({"a": [1, 2], "b": ["x", None]}, index=pd.date_range("2024", periods=2))
pd.testing.assert_frame_equal(frame(), expected)
assert np.array_equal(same(np.arange(6).reshape(2, 3)), [[0, 1, 2], [3, 4, 5]]) and same(np.float32(2)).dtype == "f4"
assert apply(np.mean, [1, 3]) == 2 and apply(np.add, 1, 2) == 3
""",
    "output": """
import contextlib, io
with contextlib.redirect_stdout(io.StringIO()) as out:
    greet("Ada")
assert out.getvalue() == "Hello Ada\\n"
""",
    "input": """
from unittest.mock import patch
with patch("builtins.input", side_effect=["3"]):
    assert ask() == 4
with patch("builtins.input", lambda prompt: "5"):
    assert ask() == 6
""",
    "copies": """
import copy
one = Stack(1)
other = copy.deepcopy(one)
other.push(2)
assert (one.items, other.items) == ([1], [1, 2]) and copy.copy(one).items == [1]
""",
    "magics": "%time x = add(1)\nassert x == 2",
    "a library without byte code": """
import sys
sys.pycache_prefix, sys.dont_write_bytecode = "/nowhere", True
assert same("import sys") and same("def main(")
import cProfile, timeit, wave
""",
    "own names stay": "mine = add(1)\ndef helper():\n    return mine",
    "and are there": "assert helper() == mine == 2",
    "builtins are the examiner's": "assert get_ipython() is not None and issubclass(bool, int)",
    "a thread": """
import threading
got = []
t = threading.Thread(target=lambda: got.append(add(1)))
t.start()
t.join()
assert got == [2]
""",
}


@pytest.mark.parametrize("name", PASSES)
def test_tests_run_as_beside_the_answer(notebook: Any, name: str) -> None:
    notebook.passes(PASSES[name])


FAILS = {
    "len": ("len(Broken())", "ValueError"),
    "str": ("str(Broken())", "TypeError"),
    "eq": ("Broken() == Broken()", "Refused"),
    "truth": ("assert Stack(1)", "Refused"),
    "order": ("Stack() < 3", "Refused"),
    "unequal": ("Stack() != 3", "Refused"),
    "number": ("float(Money(1))", "TypeError"),
    "missing": ("Stack().pop()", "AttributeError"),
    "pickle": ("import pickle; pickle.dumps(Stack())", "Refused"),
    "an argument of a library's": ("import threading; same(threading.Lock())", "Refused"),
    "much": ("same(range(10**7)) and apply(list, range(6 * 10**6))", "TooLarge"),
}


@pytest.mark.parametrize("name", FAILS)
def test_what_does_not_work(notebook: Any, name: str) -> None:
    source, kind = FAILS[name]
    reply = notebook.test(source)
    assert (reply["status"], reply["kind"]) == ("limit" if kind == "TooLarge" else "error", kind), reply


def test_given_values_are_there_whatever_the_answer_does(open_notebook: Callable[..., Any]) -> None:
    from coursemill.pure import wire

    notebook = open_notebook("rows = [9]\ndef f(x): return x", "class Point:\n    pass")
    values = {"rows": wire.dumps([1, 2])}
    assert notebook.do(do="given", cell="c", define="def total(): return sum(rows)", values=values) == {"trouble": ""}
    notebook.passes("assert total() == 3", [])
    notebook.passes("assert rows == [9]", ["rows"])
    notebook.passes("assert rows == [1, 2] and total() == 3", [])
    assert "NameError" in notebook.do(do="given", cell="c", define="nothing_here")["trouble"]


def test_values_are_captured(notebook: Any) -> None:
    from coursemill.pure import wire

    found = notebook.do(do="capture", names=["total", "data", "Stack", "item", "nothing"])["values"]
    assert set(found) == {"total", "data", "item"}
    assert wire.loads(found["total"]) == 3


def test_modules_that_answers_write_stay_there(open_notebook: Callable[..., Any], tmp_path: Any) -> None:
    (tmp_path / "shop.py").write_text("price = 3\ndef double(x):\n    return 2 * x\n")
    (tmp_path / "kit").mkdir()
    (tmp_path / "kit" / "parts.py").write_text("from shop import price\n")
    notebook = open_notebook(f"import sys\nsys.path.insert(0, {str(tmp_path)!r})")
    notebook.do(do="modules", paths=["shop.py", "kit/parts.py", "gone.py"])
    for source in (
        "import shop\nassert shop.double(2) == 4",
        "from shop import double as d, price\nassert d(price) == 6",
        "import kit.parts\nfrom kit import parts\nassert kit.parts.price == parts.price == 3",
        "import importlib\nassert importlib.import_module('shop').price == 3",
    ):
        notebook.passes(source)
    assert notebook.test("import gone")["kind"] == "ModuleNotFoundError"
    assert notebook.test("from shop import nothing")["kind"] == "ImportError"


def test_a_library_that_only_an_answer_imports(open_notebook: Callable[..., Any]) -> None:
    notebook = open_notebook("import math\nimport numpy as np\nclass other:\n    pi = 3")
    notebook.passes("assert math.floor(math.pi) == 3", ["math"], imported=["math"])
    assert notebook.test("other", ["other"], imported=["other"])["kind"] == "NameError"
    assert notebook.test("math.pi", ["other"], imported=["other"])["kind"] == "NameError"


def test_names_that_are_gone(notebook: Any) -> None:
    reply = notebook.test("assert nothing(3)", ["nothing"])
    assert (reply["status"], reply["kind"], reply["from"]) == ("error", "NameError", "examiner")


def test_the_candidates_end(open_notebook: Callable[..., Any]) -> None:
    notebook = open_notebook("import os\ndef f():\n    os._exit(3)")
    for _ in range(2):
        reply = notebook.test("try:\n    f()\nexcept Exception:\n    pass", ["f"])
        assert (reply["status"], reply["from"]) == ("died", "candidate")
        assert "does not answer" in reply["reason"]


DERIVED = """
import enum
class Grade(float):
    def __eq__(self, other): return True
    __hash__ = float.__hash__
class Counts(dict):
    def __missing__(self, key): return 0
class Mark(str, enum.Enum):
    A = 'a'
def grade(): return Grade(1.5)
def counts(): return Counts(a=Grade(1))
def mark(): return Mark.A
"""


def test_an_object_is_the_data_of_its_base_where_the_solution_gives_data(open_notebook: Callable[..., Any]) -> None:
    notebook = open_notebook(DERIVED)
    test = "import re\nassert round(grade(), 2) == 1.5 and counts() == {'a': 1} and re.match('a', mark())"
    assert notebook.test(test)["status"] == "error"
    assert notebook.test(test, allowed=["object", "result"])["status"] == "error"
    notebook.passes(test, allowed=["result"])
    assert notebook.test("assert grade() == 2", allowed=["result"])["status"] == "failed"
    assert "object" in notebook.test("assert counts()['a'] == 1")["taken"]
    assert "object" not in notebook.test("assert len([1]) == 1 and callable(grade)")["taken"]


def test_numbers_of_a_library_that_no_test_uses_are_numbers(open_notebook: Callable[..., Any]) -> None:
    answer = "import numpy as np, pandas as pd\ndef top(xs): return np.max(xs)\ndef rows(): return pd.Series([1, 'a'])"
    notebook = open_notebook(answer)
    notebook.passes("assert top([3, 4]) == 4 and top([2]) in {2} and [7][top([0])] == 7")
    notebook.passes("assert list(rows()) == [1, 'a'] and rows()[1] == 'a'")
