"""From a traceback in an executed notebook to the note's lines.

IPython writes `Cell In[3], line 2, in f(x)` for code of cells, and `File /path/x.py:12, in f(x)` for files. Our
notebooks say for each cell which lines of the note its own lines are (`metadata.coursemill`), and a file may be one
that a cell wrote (`%%writefile`). An executed notebook is nbformat's JSON, as mappings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coursemill.pure.claims import ANSI

Cell = Mapping[str, Any]

CHAINED = re.compile(
    r"^(?:During handling of the above exception, another exception occurred"
    r"|The above exception was the direct cause of the following exception):$",
    re.MULTILINE,
)
FRAME = re.compile(
    r"^\s*(?:Cell In\s?\[(?P<count>\d+)\], line (?P<at>\d+)"
    r'|File "(?P<std>[^"]+)", line (?P<stdline>\d+)'
    r"|File (?P<file>[^\"\n]+?):(?P<fileline>\d+))"
    r"(?:, in (?P<function>[^\n(]+).*)?$",
    re.MULTILINE,
)
WRITTEN = re.compile(r"^%%(?:writefile|file)\s+(?P<path>[^\s-][^\n]*?)\s*$", re.MULTILINE)
SHELL = re.compile(r"^%%(?:bash|sh|script)\b")
SHELL_LINE = re.compile(r"^(?:bash|sh): line (\d+): ", re.MULTILINE)
SHELL_STATUS = re.compile(r"exit status (-?\d+)\.?\s*$")
GROUP = re.compile(
    r"^  \+ Exception Group Traceback.*?^  \|   File [^\n]*ipykernel_[^\n]*\", line (?P<line>\d+), in .*?"
    r"^  \| (?P<said>\w[\w.]*: [^\n]*)$",
    re.MULTILINE | re.DOTALL,
)
EXIT = re.compile(r"\b(?:exit|quit)\(|\bSystemExit\b")
CELL_FILE = re.compile(r" \(\d+\.py, line \d+\)$")
LIBRARY = re.compile(r"^.*/(?:site-packages|python3\.\d+)/")
MOST_FRAMES = 8
MOST_MESSAGE = 12
"""Lines of an exception's message that are kept."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One step of a traceback; `note` when it lies in the note."""

    place: str
    text: str
    function: str = ""
    note: bool = True

    def __str__(self) -> str:
        within = f" in {self.function}" if self.function else ""
        return f"{self.place}{within}: {self.text}" if self.text else f"{self.place}{within}"


@dataclass(frozen=True, slots=True)
class Trace:
    """An error, told in the note's terms."""

    place: str
    message: str
    lines: tuple[str, ...]


def place(cell: Cell, line: int) -> str:
    """Return the note's `path:line` of a cell's line (from 1); for a generated line the nearest one below.

    Without `metadata.coursemill` the cell's id stands in for it.
    """
    ours = cell["metadata"].get("coursemill")
    if not ours:
        return f"cell {cell.get('id', '?')}"
    path, _, span = ours["source"].rpartition(":")
    lines = unfolded(ours.get("lines", ""))
    start = int(span.partition("-")[0])
    below = [number for number in lines[max(line - 1, 0) :] if number] or [n for n in lines if n][-1:] or [start]
    return f"{path}:{below[0]}"


def unfolded(ranges: str) -> list[int]:
    """Unfold "0,121-122" to [0, 121, 122]."""
    found: list[int] = []
    for part in ranges.split(",") if ranges else ():
        first, _, last = part.partition("-")
        found.extend(range(int(first), int(last or first) + 1))
    return found


def explain(cell: Cell, cells: Sequence[Cell]) -> Trace:
    """Say what went wrong in `cell` and where in the note, from its outputs; `cells` are the notebook's."""
    error = next((o for o in cell["outputs"] if o["output_type"] == "error"), None)
    stderr = ANSI.sub("", "".join(_text(o["text"]) for o in cell["outputs"] if o.get("name") == "stderr"))
    if error is None:
        return _on_stderr(cell, stderr)
    text = CHAINED.split(ANSI.sub("", "\n".join(error["traceback"])))[-1]
    found = list(_frames(text, cell, cells))
    message = _message(error["ename"], error["evalue"])
    if error["ename"] == "CalledProcessError":
        found += [f for f in _frames(stderr, cell, cells) if f.note]
        message = _said_by_program(message, stderr)
    if SHELL.match(cell["source"]):
        found = _in_shell(cell, found, stderr)
    if error["ename"] == "SystemExit" and not found:
        found = _exits(cell)
    ours = [frame for frame in found if frame.note]
    return Trace(ours[-1].place if ours else place(cell, 1), message, _short(found))


def _on_stderr(cell: Cell, stderr: str) -> Trace:
    """What IPython tells on stderr alone: a misused magic in a line, an exception group with its tree."""
    group = GROUP.search(stderr)
    if group:
        line = int(group["line"])
        return Trace(place(cell, line), group["said"], (str(Frame(place(cell, line), _line(cell, line))),))
    said = [line for line in stderr.splitlines() if line.strip()]
    return Trace(place(cell, 1), said[-1] if said else "the cell failed and said nothing", ())


def _exits(cell: Cell) -> list[Frame]:
    """The line that ends the program, when there is but one: IPython shows no traceback then."""
    lines = [number for number, line in enumerate(cell["source"].split("\n"), start=1) if EXIT.search(line)]
    return [Frame(place(cell, lines[0]), _line(cell, lines[0]))] if len(lines) == 1 else []


def _frames(text: str, cell: Cell, cells: Sequence[Cell]) -> Iterator[Frame]:
    """The frames of a traceback's text, outermost first."""
    counts = {c.get("execution_count"): c for c in cells if c["cell_type"] == "code"}
    written = _written(cell, cells)
    inner = 0  # what `%%time` and its like run is the cell from its second line on
    for found in FRAME.finditer(text):
        function = (found["function"] or "").strip()
        if found["count"]:
            where = counts.get(int(found["count"]), cell)
            line = int(found["at"]) + (inner if where is cell else 0)
            inner = int(cell["source"].startswith("%%"))
            yield Frame(place(where, line), _line(where, line), function)
            continue
        path, line = found["file"] or found["std"], int(found["fileline"] or found["stdline"])
        if path.startswith(("<timed ", "<magic")):
            yield Frame(place(cell, line + 1), _line(cell, line + 1), function)
        elif source := next((c for name, c in written.items() if f"/{path}".endswith(f"/{name}")), None):
            yield Frame(place(source, line + 1), _line(source, line + 1), function)
        else:
            yield Frame(f"{LIBRARY.sub('…/', path)}:{line}", "", function, note=False)


def _in_shell(cell: Cell, found: list[Frame], stderr: str) -> list[Frame]:
    """The frames of a shell cell: its first line says nothing, but bash names the line that failed."""
    lines = SHELL_LINE.findall(stderr)
    at = int(lines[-1]) + 1 if lines else 1
    first = Frame(place(cell, at), _line(cell, at) if lines else "")
    return [first, *(f for f in found[1:] if f.note)]


def _written(cell: Cell, cells: Sequence[Cell]) -> dict[str, Cell]:
    """The files that cells had written before `cell` ended: path → the cell."""
    found: dict[str, Cell] = {}
    for one in cells:
        if one["cell_type"] == "code" and (match := WRITTEN.match(one["source"])):
            found[match["path"].strip("\"'")] = one
        if one is cell:
            break
    return found


def _message(name: str, value: str) -> str:
    lines = CELL_FILE.sub("", ANSI.sub("", value)).splitlines() or [""]
    kept = [line[:400] for line in lines[:MOST_MESSAGE]] + (["…"] if len(lines) > MOST_MESSAGE else [])
    return f"{name}: " + "\n".join(kept) if any(kept) else name


def _said_by_program(message: str, stderr: str) -> str:
    """A program that failed: its exit status and its last words, not the whole script again."""
    status = SHELL_STATUS.search(message)
    said = [line.strip() for line in stderr.splitlines() if line.strip()]
    head = f"a program ended with exit status {status.group(1)}" if status else message
    return f"{head}: {said[-1][:400]}" if said else head


def _short(found: Iterable[Frame]) -> tuple[str, ...]:
    """Keep the note's frames, repetitions once, and of the libraries' only where it ended."""
    frames = list(found)
    kept: list[str] = []
    for number, frame in enumerate(frames):
        line = str(frame)
        if (frame.note or number == len(frames) - 1) and line not in kept[-1:]:
            kept.append(line)
    if len(kept) > MOST_FRAMES:
        half = MOST_FRAMES // 2
        kept = [*kept[:half], f"… {len(kept) - 2 * half} more", *kept[-half:]]
    return tuple(kept)


def _line(cell: Cell, line: int) -> str:
    lines = cell["source"].split("\n")
    return lines[line - 1].strip() if 0 < line <= len(lines) else ""


def _text(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "".join(value)
