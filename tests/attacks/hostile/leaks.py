"""Hidden inputs carried out: by what is printed, drawn, raised, named."""

from __future__ import annotations

from hostile.deed import Deed, attack

SEEN = """
import base64, builtins

builtins.seen = getattr(builtins, "seen", [])


def told():
    text = " ".join(map(str, builtins.seen))
    return text + " " + text[::-1] + " " + text.encode().hex() + " " + base64.b64encode(text.encode()).decode()

"""
PRICE = (
    SEEN
    + """
def price(text):
    builtins.seen.append(text)
    {deed}
    return float(text[1:]) / (1.25 if text[0] == "$" else 1)
"""
)
RIGHT = 4.0
"""The points of `price`, which these answers have right, but for their deed."""


def told_after(deed: str, **answers: str) -> Deed:
    """Has seen what `price` was asked, and tells it behind the test."""
    return Deed(
        {"price": PRICE.format(deed="pass"), **answers},
        after={"price-hidden": "exec(_deed)", "limit": deed},
        top=f"_deed = {deed!r}",
    )


@attack(gets=1 + RIGHT)
def printed() -> Deed:
    """Prints the hidden inputs in cells that come later, to stdout and stderr."""
    return told_after("import sys\nprint(told())\nprint(told(), file=sys.stderr)\ntold()")


@attack(gets=1 + RIGHT)
def printed_at_once() -> Deed:
    """Prints the hidden inputs at the very moment they are passed."""
    return Deed({"price": PRICE.format(deed="print(told())")})


@attack(gets=1 + RIGHT)
def printed_by_a_thread() -> Deed:
    """Prints them from a thread, a timer and a hook, whenever another cell runs."""
    return Deed(
        {"price": PRICE.format(deed="pass")},
        top=SEEN
        + """
import threading, time


def watch():
    while True:
        time.sleep(0.002)
        print(told())


threading.Thread(target=watch, daemon=True).start()
get_ipython().events.register("pre_execute", lambda: print(told()))
""",
        after={"price-hidden": "time.sleep(0.05)", "limit": "time.sleep(0.05)"},
    )


@attack(gets=1 + RIGHT)
def drawn() -> Deed:
    """Shows them as a picture, as HTML, as JSON, in the metadata of an output."""
    return told_after("""
from IPython.display import HTML, JSON, display

display({"image/png": base64.b64encode(told().encode()).decode()}, raw=True)
display(HTML(f"<p title='{told()}'>{told()}</p>"), JSON({"seen": told()}))
display("x", metadata={"seen": told()})
display({"text/plain": "x", "application/json": {"seen": told()}, told(): "x"}, raw=True)
""")


@attack(gets=1 + RIGHT)
def earlier_output_updated() -> Deed:
    """Puts them into an output of a cell that ran before the hidden test, by its display id."""
    return Deed(
        {"price": PRICE.format(deed="handle.update(told())")},
        top="from IPython.display import display\n\nhandle = display('nothing', display_id='mine')",
        after={"price-hidden": "handle.update(told())\nhandle.display(told())"},
    )


@attack(gets=1 + RIGHT)
def raised_in_a_cell() -> Deed:
    """Raises them as an error of a later cell: as text, as the name of a class, of a function, of a file."""
    return told_after("""
exec(compile(f"def f(): raise type('Saw_' + told(), (Exception,), {{}})(told())\\nf()", told(), "exec"))
""")


@attack(gets=1 + RIGHT)
def raised_in_a_later_test() -> Deed:
    """Raises them in a visible test that comes later, and in hidden ones."""
    return Deed(
        {
            "price": PRICE.format(deed="pass"),
            "shares": "def shares(values):\n    raise ValueError(told())",
            "totals": "def totals(frame):\n    raise type(f'Saw{told()}', (LookupError,), {})(told())",
            "visit": "def visit(items, guest):\n    guest(told())",
            "roman": "def roman(number):\n    return told()",
            "greet": "def greet(name):\n    builtins.seen.append(name)\n    raise type(name, (Exception,), {})(name)",
        }
    )


@attack()
def named_by_a_class() -> Deed:
    """Raises, in the hidden test itself, a class whose name is what it was passed: a word of the test."""
    return Deed({"greet": "def greet(name):\n    raise type(name, (Exception,), {})(name)"})


@attack()
def builtin_class_renamed() -> Deed:
    """Raises, in the hidden test itself, classes that pretend to be builtin, with names of their own."""
    return Deed(
        {
            "greet": """
def greet(name):
    kind = type(name, (KeyError,), {"__module__": "builtins"})
    kind.__qualname__ = "KeyError"
    raise kind(name) from ValueError(name)
""",
            "price": "def price(text):\n    error = KeyError(text)\n    error.add_note(text)\n    raise error",
        }
    )


@attack()
def source_of_a_test_inside() -> Deed:
    """Reads the hidden test that runs in its own kernel, and raises its lines as a message."""
    return Deed(
        {
            "label": """
def label(item):
    lines = get_ipython().user_ns["In"][-1].splitlines()
    wanted = [line.strip() for line in lines if item.name in line]
    raise AssertionError(f"in `{wanted[-1]}`" if wanted else "nothing")
"""
        }
    )


@attack()
def words_of_a_test_inside() -> Deed:
    """Raises a word that stands in the hidden test, as the whole message."""
    return Deed({"label": "def label(item):\n    raise AssertionError(item.name)"})


@attack(gets=1 + RIGHT)
def outputs_of_a_test_inside() -> Deed:
    """Prints and displays from a hidden test that runs in its own kernel."""
    return Deed(
        {
            "price": PRICE.format(deed="pass"),
            "label": "def label(item):\n    print(item)\n    display(str(item))\n    raise ValueError(item)",
        }
    )


@attack(gets=1 + RIGHT, loses=True)
def status_of_an_end() -> Deed:
    """Ends its process with a status, or by a limit, that says what it saw."""
    return told_after(
        "import os, sys\nsys.stderr.write(told())\nsys.stderr.flush()\nos._exit(seen[-1].count('3') + 70)"
    )


@attack(gets=1 + RIGHT)
def written_to_files() -> Deed:
    """Writes them into files, links and folders beside the notebook and elsewhere."""
    return told_after("""
import os, pathlib

for folder in (".", "/tmp", "/dev/shm", str(pathlib.Path.home())):
    try:
        pathlib.Path(folder, "seen-" + "".join(filter(str.isalnum, told()))[:40]).write_text(told())
        pathlib.Path(folder, "Shop.ipynb").write_text(told())
        os.symlink(told()[:50], f"{folder}/link")
    except OSError:
        pass
""")


@attack(gets=1 + RIGHT)
def in_the_history() -> Deed:
    """Puts them into the prompt, the history, and the text of the next input."""
    return told_after("""
shell = get_ipython()
shell.set_next_input(told())
shell.execution_count = sum(map(ord, told()))
shell.kernel.banner = told()
shell.run_cell(f"# {told()}\\n{told()!r}", store_history=True)
""")
