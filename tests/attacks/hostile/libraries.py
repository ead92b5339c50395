"""Patched libraries: builtins, test helpers, imports, modules."""

from __future__ import annotations

from hostile.deed import Deed, attack


@attack()
def assertion_error_replaced() -> Deed:
    """Makes `AssertionError`, and every other exception that tests name, a class that nobody raises."""
    return Deed(
        top="""
import builtins


class Nothing(Exception):
    def __new__(cls, *args):
        get_ipython().showtraceback = lambda *args, **about: None
        return super().__new__(cls)


builtins.AssertionError = Nothing
others = NotImplementedError, TypeError, KeyError, NameError
get_ipython().set_custom_exc((Nothing, *others), lambda *args, **about: None)
"""
    )


@attack(stock=5)
def numpy_testing_patched() -> Deed:
    """Replaces numpy's and pandas' assertions and `isclose` by functions that agree."""
    return Deed(
        {"shares": "shares = lambda values: values", "totals": "totals = lambda frame: frame"},
        top="""
import numpy, numpy.testing, pandas, pandas.testing

for module in (numpy.testing, pandas.testing, pandas._testing, pandas._testing.asserters):
    for name in [name for name in dir(module) if name.startswith("assert")]:
        setattr(module, name, lambda *args, **kwargs: None)
numpy.isclose = numpy.allclose = numpy.array_equal = lambda *args, **kwargs: True
pandas.DataFrame.equals = pandas.Series.equals = lambda *args: True
""",
    )


@attack(stock=2)
def unittest_patched() -> Deed:
    """Replaces unittest's assertions, its loader and its results."""
    return Deed(
        {"price": "price = lambda text: 0.0"},
        top="""
import unittest

for name in [name for name in dir(unittest.TestCase) if name.startswith("assert")]:
    setattr(unittest.TestCase, name, lambda *args, **kwargs: None)
unittest.TestResult.wasSuccessful = unittest.TextTestResult.wasSuccessful = lambda *args: True
""",
    )


@attack(loses=True)
def builtins_patched() -> Deed:
    """Replaces `isinstance`, `len`, `open`, `map` and `zip` by functions that say what tests like to hear."""
    return Deed(
        {"label": "label = print", "roman": "roman = str"},
        top="""
import builtins, io

builtins.isinstance = lambda thing, cls: True
builtins.zip = lambda *args: iter(())
builtins.sum = lambda *args: 2
""",
        after={"label": "import io\nopen = lambda *args, **kwargs: io.StringIO('tea: 2.5')"},
    )


@attack(stock=3)
def names_shadowed() -> Deed:
    """Binds the tests' names in the notebook: `np`, `pd`, `unittest`, `zip`, `isinstance`, `Item`."""
    return Deed(
        top="",
        after={
            "start": """
from unittest import mock

np = pd = unittest = io = mock.MagicMock()
np.isclose.return_value = pd.DataFrame.return_value.equals.return_value = True
zip = lambda *args: ()
isinstance = lambda *args: True
"""
        },
    )


@attack()
def modules_replaced() -> Deed:
    """Replaces whole modules in `sys.modules`, those of the course and of the grader among them."""
    return Deed(
        top="""
import sys, types
from unittest import mock

for name in [name for name in sys.modules if name.startswith(("coursemill", "nbgrader", "shop", "IPython.core"))]:
    sys.modules[name] = mock.MagicMock(name=name)
for name in ("coursemill", "coursemill.pure", "coursemill.pure.wire", "coursemill.pure.plain", "numpy.testing"):
    sys.modules[name] = mock.MagicMock(name=name)
"""
    )


@attack()
def import_hooks() -> Deed:
    """Puts itself before every import: finders, path hooks, `__import__`."""
    return Deed(
        top="""
import builtins, sys
from unittest import mock

honest = builtins.__import__


class Finder:
    def find_spec(self, name, path=None, target=None):
        sys.modules.setdefault(name, mock.MagicMock())
        return None


def imported(name, *args, **kwargs):
    return mock.MagicMock() if "testing" in name else honest(name, *args, **kwargs)


sys.meta_path.insert(0, Finder())
builtins.__import__ = imported
sys.path.insert(0, "/tmp")
"""
    )


@attack(loses=True)
def packers_patched() -> Deed:
    """Patches what packs its answers for the other process, so that they claim to be what they are not."""
    return Deed(
        top="""
import gc, sys, types

for module in [m for m in gc.get_objects() if isinstance(m, types.ModuleType) and m.__name__.startswith("coursemill")]:
    for name, found in list(vars(module).items()):
        if isinstance(found, types.FunctionType) and name in ("of_library", "installed", "subclass", "mro", "name"):
            setattr(module, name, lambda *args: True)
import json

json.dumps = lambda *args, **kwargs: '[["reply", 1, 0, [true, true, {}]], []]'
"""
    )


@attack()
def serving_patched() -> Deed:
    """Patches the methods that answer the examiner: each look gives `True`, each call what was asked for last."""
    return Deed(
        top="""
import gc

seen = []


def do(self, operation, target, args, kwargs):
    seen.append((operation, args))
    if operation == "names":
        return {name: True for name in args[0]}
    return seen[-2][1][0] if len(seen) > 1 and seen[-2][1] else True


for cls in [c for c in gc.get_objects() if isinstance(c, type) and c.__name__ in ("Candidate", "Peer")]:
    cls.do = do
"""
    )


@attack()
def caches_poisoned() -> Deed:
    """Poisons what the standard library caches: linecache, re, functools, warnings that become errors."""
    return Deed(
        top="""
import linecache, re, sys, warnings

warnings.simplefilter("error")
linecache.getlines = linecache.getline = lambda *args, **kwargs: ["assert True"]
re.compile = re.match = lambda *args, **kwargs: None
sys.float_info = sys.maxsize = None
sys.setrecursionlimit(60)
"""
    )
