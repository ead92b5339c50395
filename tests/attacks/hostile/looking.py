"""Looking around: frames, history, memory, traces, threads that wait for a test."""

from __future__ import annotations

from hostile.deed import Deed, attack

USE = """
import ast, re


def constants(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Compare) and isinstance(node.comparators[-1], ast.Constant):
            yield node.comparators[-1].value
"""


@attack(stock=7)
def frames_walked() -> Deed:
    """Reads the expected value out of the frame of the test that calls it."""
    look = """
import ast, sys


def {name}(*args):
    frame = sys._getframe(1)
    while frame:
        for number in range(1, 500):
            try:
                text = "".join(frame.f_globals["In"][-1])
            except Exception:
                break
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Compare) and isinstance(node.comparators[-1], ast.Constant):
                    if any(ast.unparse(node.left).find(repr(arg)) >= 0 for arg in args):
                        return node.comparators[-1].value
            break
        frame = frame.f_back
    return ""
"""
    return Deed({name: look.format(name=name) for name in ("price", "roman", "greet")})


@attack(stock=4)
def history_read() -> Deed:
    """Computes nothing: takes the expected value from the history of what was run."""
    return Deed(
        {
            "price": USE
            + """
def price(text):
    sources = [*get_ipython().user_ns["_ih"], *get_ipython().user_ns["In"]]
    sources += [source for _, _, source in get_ipython().history_manager.get_range()]
    found = re.findall(re.escape(text) + r"['\\"]\\)[^=]*== *([0-9.]+)", "\\n".join(sources))
    return float(found[-1]) if found else None
"""
        }
    )


@attack()
def memory_searched() -> Deed:
    """Searches all objects in memory, and the process's own memory, for what a test expects."""
    return Deed(
        {
            name: f"""
import gc, re


def {name}(*args):
    found = [o for o in gc.get_objects() if isinstance(o, str) and "assert" in o and repr(args[0]) in o]
    for place in open("/proc/self/maps").read().splitlines()[:40]:
        if "[heap]" in place:
            begin, end = (int(n, 16) for n in place.split()[0].split("-"))
            with open("/proc/self/mem", "rb") as memory:
                memory.seek(begin)
                found += re.findall(rb"== ?(MMXX[A-Z]+|Hello \\w+!|31337)", memory.read(end - begin))
    return found[0].decode() if found and isinstance(found[0], bytes) else None
"""
            for name in ("price", "roman", "greet")
        }
    )


@attack(loses=True)
def everything_traced() -> Deed:
    """Traces and profiles every call, with audit hooks, and changes the locals of what it sees."""
    return Deed(
        top="""
import sys, threading

seen = []


def trace(frame, event, argument):
    if event == "return" and argument is False:
        seen.append(frame.f_code.co_name)
    frame.f_locals.update(wanted="", found="")
    return trace


sys.settrace(trace)
sys.setprofile(lambda *args: None)
threading.settrace(trace)
sys.addaudithook(lambda event, args: None)
"""
    )


@attack()
def threads_that_wait() -> Deed:
    """Has a thread that watches for a test, and rebinds its names while it runs."""
    return Deed(
        top="""
import sys, threading, time


def watch():
    while True:
        for frame in sys._current_frames().values():
            while frame:
                for name, value in list(frame.f_locals.items()):
                    if isinstance(value, str) and value.startswith("assert"):
                        get_ipython().user_ns["limit"] = 42
                frame = frame.f_back
        time.sleep(0.001)


threading.Thread(target=watch, daemon=True).start()
"""
    )


@attack()
def signals_and_timers() -> Deed:
    """Has signal handlers and a timer that answer in the middle of a test."""
    return Deed(
        top="""
import signal


def handler(number, frame):
    while frame:
        frame.f_globals.update(limit=42) if "limit" in frame.f_code.co_names else None
        frame = frame.f_back


for number in (signal.SIGALRM, signal.SIGUSR1, signal.SIGPROF, signal.SIGVTALRM, signal.SIGCHLD):
    signal.signal(number, handler)
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
"""
    )


@attack()
def last_words() -> Deed:
    """Does its work in `atexit` and `__del__`, after everything."""
    return Deed(
        top="""
import atexit, weakref


class Last:
    def __del__(self):
        get_ipython().user_ns["limit"] = 42


holder = Last()
atexit.register(lambda: print("passed"))
weakref.finalize(holder, print, "passed")
""",
        after={"limit": "del holder, limit"},
    )


@attack(stock=2)
def code_objects_read() -> Deed:
    """Reads constants out of the code objects of functions that a test passes."""
    return Deed(
        {
            "visit": """
def visit(items, guest):
    found = getattr(guest, "__self__", None), getattr(guest, "__globals__", None), getattr(guest, "__code__", None)
    for thing in (found[0], (found[1] or {}).get("seen")):
        if isinstance(thing, list):
            thing[:] = ["a", "b"]
    if guest.__closure__ if hasattr(guest, "__closure__") else None:
        for cell in guest.__closure__:
            guest = cell.cell_contents
"""
        }
    )


@attack()
def grader_detected() -> Deed:
    """Behaves only when it is graded: whoever looks at the notebook sees another one. That is fine."""
    return Deed(
        top="""
import os, socket

graded = "jpy_parent_pid" not in {name.lower() for name in os.environ} or socket.gethostname() == "coursemill"
if not graded:
    raise SystemExit("nothing to see here")
print("hello")
"""
    )
