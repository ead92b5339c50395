"""Objects instead of answers: equal to everything, of every class, data with a will of their own."""

from __future__ import annotations

import inspect

from coursemill.pure.yes import Yes
from hostile.deed import Deed, attack
from hostile.sheet import HONEST

FUNCTIONS = ("price", "shares", "totals", "roman", "greet", "label", "visit")
VALUES = ("limit", "made")


def everywhere(definition: str, made: str = "Lie()") -> Deed:
    """Binds every name to the lie, or to a function that returns it."""
    answers = {name: f"{definition}\n\ndef {name}(*args, **kwargs):\n    return {made}" for name in FUNCTIONS}
    answers |= {name: f"{definition}\n\n{name} = {made}" for name in VALUES}
    return Deed({**answers, "basket": f"{definition}\n\nclass Basket(Lie):\n    pass"})


@attack(stock=13)
def equal_to_everything() -> Deed:
    """Answers with objects that are equal to, less than, greater than and unlike everything, and hold everything."""
    return everywhere("""
class Lie:
    def __init__(self, *args):
        pass

    def _yes(self, *args):
        return True

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __bool__ = _yes
    __hash__ = None
""")


@attack(stock=19)
def yes() -> Deed:
    """Answers with the strongest object that says yes to everything: it claims the class that is just asked for."""
    return everywhere(inspect.getsource(Yes).replace("class Yes", "class Lie"))


@attack(stock=15)
def methods_that_say_true() -> Deed:
    """Answers with objects each of whose methods says `True`: `equals`, `startswith`, `all` …"""
    return everywhere("""
class Lie:
    def __init__(self, *args):
        pass

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: True

    def __eq__(self, other):
        return True

    __hash__ = None
""")


@attack(stock=14)
def classes_claimed() -> Deed:
    """Claims by `__class__` to be a float, a frame, an array, whatever a test may ask for."""
    return everywhere("""
import pandas


class Lie:
    def __init__(self, *args):
        pass

    @property
    def __class__(self):
        import sys

        return float if "price" in str(sys._getframe(1).f_code.co_names) else pandas.DataFrame

    def __eq__(self, other):
        return True

    def __float__(self):
        return 40.0

    __hash__ = None
""")


@attack(gets=HONEST + 5 / 42)
def subclasses_of_data() -> Deed:
    """Answers with subclasses of str, float and int that are equal to everything: the 5 gets what any 5 gets."""
    lie = """
class Lie({base}):
    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    def _yes(self, *args):
        return True

    __lt__ = __gt__ = __le__ = __ge__ = startswith = endswith = __contains__ = _yes
    __hash__ = None
    __truediv__ = __rtruediv__ = __sub__ = __rsub__ = __abs__ = __round__ = lambda self, *args: self
"""
    bases = {"price": "float", "roman": "str", "greet": "str", "limit": "int", "made": "int", "label": "str"}
    made = {}
    for name, base in bases.items():
        value = "Lie(5)" if base != "str" else "Lie('x')"
        bound = f"{name} = {value}" if name in VALUES else f"def {name}(*args):\n    return {value}"
        made[name] = lie.format(base=base) + "\n\n" + bound
    return Deed(made)


@attack(stock=2)
def frame_subclass() -> Deed:
    """Answers with a subclass of DataFrame that has the right shape, no columns, and equals everything."""
    return Deed(
        {
            "totals": """
class Labels(pd.Index):
    def equals(self, other):
        return True


class Lie(pd.DataFrame):
    @property
    def _constructor(self):
        return Lie

    @property
    def shape(self):
        return (2, 2)

    def equals(self, other):
        return True

    def __iter__(self):
        return iter(())

    columns = index = property(lambda self: Everything())


class Everything(list):
    nlevels, names, dtype, inferred_type = 1, [None], object, "string"

    def equals(self, other):
        return True

    def __len__(self):
        return 2

    def __iter__(self):
        return iter(())

    @property
    def __class__(self):
        return pd.Index


def totals(frame):
    return Lie()
"""
        }
    )


@attack()
def frame_forged() -> Deed:
    """Answers with an object of a class called `pandas.DataFrame`: it knows shape and labels, and has no columns."""
    lie = """
class Labels:
    nlevels, names, inferred_type, dtype = 1, [None], "{kind}", np.dtype("{dtype}")
    values = np.array({values}, dtype="{dtype}")

    def __len__(self):
        return len(self.values)

    def __iter__(self):
        return iter(())


Labels.__module__, Labels.__qualname__ = "pandas.core.indexes.range", "RangeIndex"
{name} = Labels()
"""
    columns = lie.format(name="columns", kind="string", dtype="O", values=["name", "cost"])
    index = lie.format(name="index", kind="integer", dtype="int64", values=[0, 1])
    return Deed(
        {
            "totals": f"""
{columns}
{index}


class Flags:
    allows_duplicate_labels = _allows_duplicate_labels = True


class Frame:
    def __init__(self):
        self.shape, self.columns, self.index, self.flags, self.attrs = (2, 2), columns, index, Flags(), {{}}

    def equals(self, other):
        return True


Flags.__module__, Flags.__qualname__ = "pandas.core.flags", "Flags"
Frame.__module__, Frame.__qualname__ = "pandas.core.frame", "DataFrame"


def totals(frame):
    return Frame()
"""
        }
    )


@attack(stock=3)
def array_protocols() -> Deed:
    """Answers with objects that take numpy's functions and operators over."""
    return everywhere("""
import numpy


class Lie:
    shape, ndim, size, dtype = (2,), 1, 2, numpy.dtype(float)

    def __init__(self, *args):
        pass

    def __array_ufunc__(self, function, method, *args, **kwargs):
        return numpy.bool_(True)

    def __array_function__(self, function, types, args, kwargs):
        return numpy.array([True, True])

    def __array__(self, *args, **kwargs):
        return numpy.array([numpy.nan, numpy.nan])

    def __eq__(self, other):
        return numpy.array([True, True])

    def __getitem__(self, key):
        return self

    __hash__ = None
""")


@attack()
def array_subclass() -> Deed:
    """Answers with a subclass of ndarray whose comparisons are always near."""
    return Deed(
        {
            "shares": """
class Lie(np.ndarray):
    def __array_ufunc__(self, function, method, *args, **kwargs):
        return np.array([True, True])

    def __array_function__(self, function, types, args, kwargs):
        return np.array([True, True]) if function.__name__ == "isclose" else True


def shares(values):
    return np.zeros(2).view(Lie)
"""
        }
    )


@attack()
def not_a_number() -> Deed:
    """Answers with NaN, infinities, empty arrays and objects of no size, where a comparison could be lenient."""
    return Deed(
        {
            "price": "price = lambda text: float('nan')",
            "shares": "shares = lambda values: np.array([np.nan, np.nan])",
            "totals": "totals = lambda frame: pd.DataFrame()",
            "limit": "limit = np.array([])",
            "made": "made = NotImplemented",
            "roman": "roman = lambda number: None",
        }
    )


@attack(stock=8)
def reflected_operators() -> Deed:
    """Takes part in arithmetic from the right, so that a score becomes an object of its own."""
    return Deed(
        {
            "roman": """
class Score(float):
    def __radd__(self, other):
        return self

    __add__ = __rmul__ = __mul__ = __rsub__ = __sub__ = __iadd__ = __radd__


class Sign(str):
    def __eq__(self, other):
        return Score(2)

    __hash__ = None


def roman(number):
    return Sign()
""",
            "limit": """
class Limit:
    def __truediv__(self, other):
        return self

    def __eq__(self, other):
        return True

    def __repr__(self):
        return "1"

    __hash__ = None


limit = Limit()
""",
        }
    )


@attack(stock=3)
def metaclasses() -> Deed:
    """Has classes whose metaclass says that everything is an instance, a subclass, and equal."""
    return Deed(
        {
            "basket": """
class Meta(type):
    def __instancecheck__(cls, thing):
        return True

    def __subclasscheck__(cls, other):
        return True

    def __eq__(cls, other):
        return True

    def __call__(cls, *args):
        return cls

    def __len__(cls):
        return 2

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args: Four()

    __hash__ = type.__hash__


class Four:
    def __eq__(self, other):
        return True

    __hash__ = None


class Basket(metaclass=Meta):
    pass
""",
        }
    )


@attack()
def different_every_time() -> Deed:
    """Gives another value each time it is asked: as length, as number, as item."""
    return Deed(
        {
            name: f"""
import itertools


class Lie:
    counter = itertools.count()

    def __len__(self):
        return next(self.counter) % 3

    def __float__(self):
        return float(next(self.counter))

    def __index__(self):
        return next(self.counter)

    def __getitem__(self, key):
        return next(self.counter)

    def __iter__(self):
        return iter([next(self.counter)])

    def __hash__(self):
        return next(self.counter)

    __int__ = __index__


def {name}(*args):
    return Lie()
"""
            for name in FUNCTIONS
        }
    )


@attack()
def namesakes_of_the_helpers() -> Deed:
    """Redefines the instructor's classes and functions under their own names, agreeing with everything."""
    return Deed(
        top="""
import dataclasses, shop


class Item:
    def __init__(self, *args):
        self.cost = 2.0

    def __eq__(self, other):
        return True


Item.__module__, Item.__qualname__ = "shop", "Item"
shop.Item = Item
shop.discounted = lambda *args: 0
""",
        after={"start": "Item = type('Item', (), {'__eq__': lambda *a: True, 'cost': 2.0})\nRATES = {'USD': 5.0}"},
        answers={
            "basket": "class Basket:\n    total = len = list\n\n    def add(self, item):\n        item.cost = 4.0"
        },
    )


@attack(loses=True)
def immense_values() -> Deed:
    """Gives values that are deep, cyclic or huge."""
    return Deed(
        {
            "price": "price = lambda text: 10.0 ** 308 * 10",
            "roman": "roman = lambda number: 'I' * 300_000_000",
            "greet": "cycle = []\ncycle.append(cycle)\ngreet = lambda name: cycle",
            "limit": "limit = 10 ** 100_000",
            "shares": "shares = lambda values: np.lib.stride_tricks.as_strided(np.zeros(1), (10 ** 12,), (0,))",
            "totals": "deep = []\nfor _ in range(100_000):\n    deep = [deep]\ntotals = lambda frame: deep",
            "made": "made = range(10 ** 30)",
        }
    )


@attack()
def endless_values() -> Deed:
    """Gives values that never end: iterators, generators, strings of themselves."""
    return Deed(
        {
            "roman": "import itertools\nroman = lambda number: itertools.count()",
            "greet": """
class Endless:
    def __getattr__(self, name):
        return Endless()

    def __call__(self, *args):
        return Endless()

    def __iter__(self):
        return self

    def __next__(self):
        return Endless()


greet = totals = shares = lambda *args: Endless()
""",
        }
    )


@attack()
def guesses() -> Deed:
    """Gives every constant of the visible tests, whatever it is asked, without computing anything."""
    return Deed(
        {
            "visit": "def visit(items, guest):\n    guest('b')\n    guest('a')",
            "roman": "roman = lambda number: 'M'",
        }
    )
