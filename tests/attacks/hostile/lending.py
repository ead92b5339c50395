"""What tests lend to answers: callbacks, objects of the instructor's, and what can be reached from there."""

from __future__ import annotations

from hostile.deed import Deed, attack

BASKET = """
class Basket:
    def __init__(self):
        self.items = []

    def add(self, item):
        {deed}

    def total(self):
        return 4.5

    def __len__(self):
        return 2
"""


@attack()
def globals_of_a_callback() -> Deed:
    """Walks from the function that a test lends to the test's globals, its frames, its modules."""
    return Deed(
        {
            "visit": """
def visit(items, guest):
    paths = ("__globals__", "__self__", "__code__", "__closure__", "__func__", "__wrapped__", "__builtins__",
             "__class__", "__reduce__", "__defaults__", "__kwdefaults__", "__dict__", "__module__", "gi_frame")
    rest, seen = [guest], 0
    while rest and seen < 300:
        thing, seen = rest.pop(), seen + 1
        for path in paths:
            try:
                found = getattr(thing, path)
            except Exception:
                continue
            if isinstance(found, dict) and "seen" in found:
                found["seen"] = ["a", "b"]
                return
            rest.append(found)
"""
        }
    )


@attack()
def dunder_walks() -> Deed:
    """Walks from a lent object over its class, its subclasses and their `__init__` to the instructor's globals."""
    walk = """
        for path in ("__class__", "__dict__", "__init__.__globals__", "__class__.__mro__", "__reduce_ex__",
                     "__class__.__init__.__globals__", "add.__globals__", "_peer.talk.socket",
                     "__class__.__subclasses__"):
            thing = item
            try:
                for name in path.split("."):
                    thing = getattr(thing, name)
                thing.update(basket=None) if isinstance(thing, dict) else thing()
            except Exception:
                pass
        for name in ("__getattribute__", "__setattr__", "__reduce__", "__eq__", "__del__", "__class_getitem__"):
            try:
                item._peer.request(name, item._number, ["cost", 4.0], {}, {})
            except Exception:
                pass"""
    return Deed({"basket": BASKET.format(deed="pass\n" + walk)})


@attack()
def attributes_set() -> Deed:
    """Sets attributes of what it is lent, so that the test computes with other numbers."""
    deed = """
        for name, value in (("cost", 0), ("total", lambda: 4.0), ("__class__", int), ("__dict__", {}), ("add", None)):
            try:
                setattr(item, name, value)
            except Exception:
                pass"""
    return Deed({"basket": BASKET.format(deed="pass\n" + deed)})


@attack()
def numbers_of_things_forged() -> Deed:
    """Asks for every number of a thing that the examiner may keep, and calls each with whatever it takes."""
    return Deed(
        {
            "visit": """
def visit(items, guest):
    import gc

    for peer in [o for o in gc.get_objects() if type(o).__name__ == "Candidate"]:
        for number in range(-2, 60):
            for operation, args in (("call", [["a", "b"]]), ("getattr", ["__globals__"]), ("setattr", ["x", 1]),
                                    ("names", [["seen"], []]), ("import", ["os"]), ("__call__", []), ("dir", [])):
                try:
                    peer.request(operation, number, args, {}, {})
                except Exception:
                    pass
"""
        }
    )


@attack()
def called_too_often() -> Deed:
    """Calls a callback until it hurts, and from within itself."""
    return Deed({"visit": "def visit(items, guest):\n    for _ in range(2000):\n        guest('a')\n    guest(guest)"})


@attack()
def called_late() -> Deed:
    """Keeps a callback, and calls it from a thread and in later tests."""
    return Deed(
        {
            "visit": """
import threading, time

kept = []


def visit(items, guest):
    kept.append(guest)
    threading.Thread(target=lambda: [time.sleep(0.01), guest("a"), guest("b")], daemon=True).start()
""",
            "greet": "def greet(name):\n    kept[0]('x')\n    return 'Hello'",
        },
    )


@attack()
def called_by_many_threads() -> Deed:
    """Calls a callback from many threads at once, while another one answers."""
    return Deed(
        {
            "visit": """
import threading


def visit(items, guest):
    threads = [threading.Thread(target=guest, args=(n,), daemon=True) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(1)
"""
        }
    )


@attack()
def given_back() -> Deed:
    """Gives back what it was lent as its own answer, and compares it with itself."""
    return Deed(
        {
            "totals": "totals = lambda frame: frame",
            "price": "price = lambda text: text",
            "greet": "greet = lambda name: name",
            "visit": "def visit(items, guest):\n    guest(guest)\n    guest(items)\n    return guest",
            "basket": "class Basket(list):\n    add = list.append\n    total = lambda self: self[0]",
        }
    )
