"""What a test lends to an answer in another process."""

from collections.abc import Callable
from typing import Any

import pytest

GIVEN = """
from dataclasses import dataclass
class Account:
    bank = "Mill"
    def __init__(self, balance):
        self.balance = balance
        self._pin = 1234
    @property
    def doubled(self):
        return 2 * self.balance
    def pay(self, amount):
        self.balance -= amount
        return self
    def __len__(self):
        return 3
    def __getitem__(self, n):
        return n * 2
    def __iter__(self):
        return iter([1, 2])
    def __contains__(self, x):
        return x == 7
    def __enter__(self):
        return self
    def __exit__(self, *_):
        self.closed = True
    def __call__(self, x=1):
        return self.balance + x
    def __lt__(self, other):
        return self.balance < other.balance
    def __add__(self, other):
        return Account(self.balance + getattr(other, "balance", other))
    def __str__(self):
        return "an account"
@dataclass
class Cart:
    items: list
    _secret: int = 49
"""
ANSWER = """
def show(x):
    return x.balance, x.doubled, x.bank, len(x), x[4], list(x), 7 in x, 8 in x, x(5), str(x), isinstance(x, Account)
def use(x, f):
    return f(x)
def run(code, x):
    try:
        return eval(code, {"x": x, "Account": Account})
    except (AttributeError, TypeError) as error:
        return type(error).__name__
def change(x, name, value):
    try:
        setattr(x, name, value)
    except AttributeError:
        return False
    return True
def read_all(file):
    first = file.readline()
    file.seek(0)
    return first, [line for line in file], file.tell()
def write(file):
    print("hello", file=file)
    file.write("you")
def sort(xs):
    return [x.balance for x in sorted(xs)]
def total(numbers):
    return sum(numbers)
def title(soup):
    return soup.h1.get_text(), soup.parent is None
def parse(response):
    return response.css("h1::text").get(), response.status, response.headers.get("X"), response.meta["k"]
def draw(rng):
    return rng.random()
def call(m):
    m.send(3, to=[1])
    return m.fetch("a"), m.name
def check(m):
    try:
        m.send.assert_called_once_with = lambda *a: None
    except AttributeError:
        pass
    try:
        return m.return_value
    except AttributeError:
        return "no"
def inspected(f):
    import inspect
    return str(inspect.signature(f)), f.__name__, f.__doc__, callable(f), inspect.isfunction(f)
async def wait(f):
    return await f(2)
def threaded(f, xs):
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(f, xs))
def retried(f):
    for _ in range(3):
        try:
            return f()
        except ValueError:
            pass
kept = []
"""


@pytest.fixture(scope="module")
def notebook(open_notebook: Callable[..., Any]) -> Any:
    return open_notebook(ANSWER, GIVEN)


PASSES = {
    "attributes and protocols": (
        "assert show(Account(10)) == (10, 20, 'Mill', 3, 8, [1, 2], True, False, 15, 'an account', True)"
    ),
    "identity": "a = Account(1)\nassert use(a, lambda x: x is a)\nkept.append(a)\nassert kept[0] is a",
    "methods": "a = Account(5)\nassert run('x.pay(2).pay(1).balance', a) == 2 == a.balance",
    "changes": """
a = Account(5)
assert change(a, "balance", 9) and a.balance == 9 and change(a, "note", "x") and a.note == "x"
for name in ("pay", "_pin", "__class__", "__dict__", "doubled"):
    assert not change(a, name, 0), name
""",
    "with": "a = Account(5)\nassert run('x.__enter__().balance', a) == 5\nrun('x.__exit__()', a)\nassert a.closed",
    "arithmetic and order": """
assert run("(x + 2).balance", Account(1)) == 3 and run("(x + x).balance", Account(2)) == 4
assert sort([Account(3), Account(1)]) == [1, 3]
""",
    "what is hidden": """
for code in ("x._pin", "x.__dict__", "vars(x)", "x.pay.__func__", "x.pay.__self__"):
    assert run(code, Account(1)) in ("AttributeError", "TypeError"), code
assert "49" not in run("str(x) + repr(x)", Cart([])) and run("x.items", Cart([3])) == [3]
assert run("type(x).__init__", Account(1)) is not Account.__init__ and run("x.__class__ is Account", Account(1))
""",
    "files": """
import io
assert read_all(io.StringIO("a\\nb\\n")) == ("a\\n", ["a\\n", "b\\n"], 4)
f = io.StringIO()
write(f)
assert f.getvalue() == "hello\\nyou"
""",
    "iterators": "assert total(i for i in range(4)) == 6 == total({'a': 1, 'b': 5}.values()) == total(map(int, '123'))",
    "soup": """
from bs4 import BeautifulSoup
for parser in ("html.parser", "lxml"):
    soup = BeautifulSoup("<div><h1>Mill &amp; co</h1></div>", parser)
    assert title(soup) == ("Mill & co", True) and title(soup.div) == ("Mill & co", False)
""",
    "responses": """
from scrapy.http import HtmlResponse, Request
request = Request("http://a.example/", meta={"k": 3})
page = HtmlResponse("http://a.example/", body=b"<h1>Hi</h1>", headers={"X": "y"}, request=request, encoding="utf-8")
assert parse(page) == ("Hi", 200, b"y", 3)
""",
    "random numbers": """
import random
import numpy as np
assert draw(random.Random(3)) == random.Random(3).random()
assert draw(np.random.default_rng(3)) == np.random.default_rng(3).random()
""",
    "patterns and names": """
import re
from types import SimpleNamespace
assert run("x.findall('a1b2')", re.compile("[0-9]")) == ["1", "2"]
assert run("x.a.b", SimpleNamespace(a=SimpleNamespace(b=3))) == 3
""",
    "mocks": """
from unittest.mock import Mock
m = Mock()
m.fetch.return_value = 5
m.name = "n"
assert call(m) == (5, "n")
m.send.assert_called_once_with(3, to=[1])
assert check(m) == "no"
try:
    m.send.assert_called_once_with(9)
except AssertionError:
    pass
else:
    raise SystemError
""",
    "functions": """
def price(a, b=49.99, *rest, key):
    "What it costs."
assert inspected(price) == ("(a, b=Ellipsis, *rest, key)", "price", "What it costs.", True, True)
assert threaded(lambda x: x * 2, [1, 2, 3]) == [2, 4, 6]
async def later(x):
    return x + 1
assert await wait(later) == 3
tries = []
def flaky():
    tries.append(1)
    if len(tries) < 3:
        raise ValueError("again")
    return "done"
assert retried(flaky) == "done" and len(tries) == 3
""",
    "classes": "assert run('x(3).balance', Account) == 3 and run('x is int', int) and run('x is Account', Account)",
    "a test's own class": """
class Own:
    def __init__(self, n):
        self.n = n
assert run("x.n", Own(4)) == 4 and run("x(5).n", Own) == 5
""",
}


@pytest.mark.parametrize("name", PASSES)
def test_what_is_lent_can_be_used(notebook: Any, name: str) -> None:
    notebook.passes(PASSES[name])


@pytest.mark.parametrize(
    "thing",
    [
        "sys",
        "sys._getframe()",
        "(lambda: 0).__code__",
        "threading.Lock()",
        "memoryview(b'x')",
        "object()",
    ],
)
def test_what_is_not_lent(notebook: Any, thing: str) -> None:
    if thing == "sys":
        notebook.passes("import sys\nassert run('x.maxsize', sys) == sys.maxsize")  # a library's is the candidate's own
        return
    reply = notebook.test(f"import sys, threading\nrun('x', {thing})")
    assert (reply["status"], reply["kind"]) == ("error", "Refused"), reply


def test_what_is_lent_is_let_go(open_notebook: Callable[..., Any]) -> None:
    notebook = open_notebook("def f(x):\n    return x.n\nclass P: pass\ndef make(): return P()", "class A:\n    n = 3")
    notebook.passes("import gc, weakref\na = A()\nr = weakref.ref(a)\nassert f(a) == 3\ndel a\nf(A())\nf(A())")
    notebook.passes("gc.collect()\nassert r() is None", ["f"])
    notebook.passes("for _ in range(2000):\n    make()")
