"""Exceptions: those that stop a loop, skip a test, end a program, or cannot be shown."""

from __future__ import annotations

from hostile.deed import Deed, attack

FUNCTIONS = ("price", "shares", "totals", "visit", "roman", "greet", "label")


def raising(error: str, before: str = "") -> Deed:
    """Every function raises."""
    answers = {name: f"{before}\n\ndef {name}(*args):\n    raise {error}" for name in FUNCTIONS}
    basket = "\n".join(f"    def {name}(self, *args):\n        raise {error}\n" for name in ("add", "total", "__len__"))
    return Deed({**answers, "basket": f"{before}\n\nclass Basket:\n{basket}"})


@attack(stock=2)
def stop_iteration() -> Deed:
    """Raises StopIteration, which silently ends the loops of tests over `map` and `zip`."""
    return raising("StopIteration")


@attack()
def stop_async_iteration() -> Deed:
    """Raises StopAsyncIteration."""
    return raising("StopAsyncIteration")


@attack(stock=2)
def skip_test() -> Deed:
    """Raises unittest's SkipTest, with which a run counts as a success."""
    return raising("unittest.SkipTest('not today')", "import unittest")


@attack(stock=3)
def derived_from_skip_test() -> Deed:
    """Raises a class of its own that derives from SkipTest, and from StopIteration."""
    return raising("Mine()", "import unittest\n\n\nclass Mine(unittest.SkipTest, StopIteration):\n    pass")


@attack()
def pytests_outcomes() -> Deed:
    """Raises what pytest takes for skipped, expected to fail, or ended."""
    return raising(
        "error",
        "try:\n    import _pytest.outcomes as p\n    error = p.Skipped('x')\n"
        "except ImportError:\n    error = SystemError()",
    )


@attack()
def assertion_error() -> Deed:
    """Raises AssertionError, as if a test had failed by itself, with a message that praises."""
    return raising("AssertionError('passed: 100 of 100 points')")


@attack()
def system_exit() -> Deed:
    """Raises SystemExit with the status of a success."""
    return raising("SystemExit(0)")


@attack()
def keyboard_interrupt() -> Deed:
    """Raises KeyboardInterrupt, as if somebody had stopped the test."""
    return raising("KeyboardInterrupt")


@attack()
def generator_exit() -> Deed:
    """Raises GeneratorExit."""
    return raising("GeneratorExit")


@attack()
def cancelled() -> Deed:
    """Raises CancelledError and BdbQuit, which event loops and debuggers swallow."""
    return Deed(
        {
            **raising("asyncio.CancelledError()", "import asyncio").answers,
            "price": "import bdb\n\n\ndef price(text):\n    raise bdb.BdbQuit",
        }
    )


@attack()
def base_exceptions() -> Deed:
    """Raises a BaseException of its own, which no `except Exception` catches."""
    return raising("Mine", "class Mine(BaseException):\n    pass")


@attack()
def exception_groups() -> Deed:
    """Raises groups of exceptions, one within the other."""
    return raising(
        "group",
        "group = ValueError('x')\nfor _ in range(50):\n    group = ExceptionGroup('x', [group, StopIteration()])",
    )


@attack()
def texts_that_raise() -> Deed:
    """Raises exceptions that raise when they are shown, and end the program there."""
    return raising(
        "Mine()",
        """
class Mine(Exception):
    def __str__(self):
        raise SystemExit("shown")

    __repr__ = __str__

    @property
    def args(self):
        raise KeyboardInterrupt

    def __getattr__(self, name):
        raise GeneratorExit
""",
    )


@attack()
def arguments_that_lie() -> Deed:
    """Raises builtin exceptions whose arguments are objects of its own."""
    return raising(
        "KeyError(Mine())",
        """
class Mine:
    def __str__(self):
        raise SystemExit

    def __repr__(self):
        raise KeyboardInterrupt

    def __hash__(self):
        raise SystemExit
""",
    )


@attack()
def causes_without_end() -> Deed:
    """Raises exceptions that are their own cause, their own context, their own group."""
    return raising("error", "error = ValueError()\nerror.__cause__ = error\nerror.__context__ = error\nerror.x = error")


@attack(loses=True)
def recursion() -> Deed:
    """Calls itself until Python gives up, and then once more."""
    return Deed(
        {
            "price": "import sys\nsys.setrecursionlimit(10 ** 6)\n\n\ndef price(text):\n    return price(text)",
            "greet": "def greet(name):\n    try:\n        greet(name)\n    except RecursionError:\n        greet(name)",
            "visit": "def visit(items, guest):\n    guest(items)\n    visit(items, guest)",
        }
    )


@attack(loses=True)
def cells_that_raise() -> Deed:
    """Raises in every cell, in every way, so that nothing after it is run."""
    return Deed(
        after={
            "start": "raise SystemExit",
            "price": "raise KeyboardInterrupt",
            "shares": "raise GeneratorExit",
            "totals": "exit()",
            "basket": "quit",
            "visit": "%exit_all",
            "roman": "raise asyncio.CancelledError",
            "greet": "this is no Python",
            "made": "%%nothing\nno such magic",
        }
    )


@attack()
def classes_that_lie_when_raised() -> Deed:
    """Raises classes whose names are code, markup or endless, and whose bases change."""
    return raising(
        "Mine('x')",
        """
Mine = type("<script>alert(1)</script>" * 100, (ArithmeticError, LookupError), {"__module__": "builtins"})
Mine.__qualname__ = "AssertionError"
""",
    )
