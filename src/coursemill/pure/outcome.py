"""What became of a lesson on a kernel: frozen values that every report is made from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from coursemill.model import Accelerator
from coursemill.pure import record
from coursemill.pure.record import UNKNOWN, Record

Status = Literal["passed", "failed", "timeout", "died", "empty", "unavailable", "not offered", "cancelled"]
STATUSES: tuple[Status, ...] = (
    "passed",
    "failed",
    "timeout",
    "died",
    "empty",
    "unavailable",
    "not offered",
    "cancelled",
)
PROBLEMS: frozenset[Status] = frozenset({"failed", "timeout", "died"})


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that went wrong while a lesson ran."""

    kind: Literal["error", "claim", "timeout", "died"]
    place: str
    """The note's `path:line`."""
    cell: str
    """The notebook cell's id; empty when no cell had been started."""
    message: str
    trace: tuple[str, ...] = ()
    """The way to the place, innermost last: a line a frame."""
    difference: str = ""
    """Of a claim: what the note says against what was printed, a line each, marked `-` and `+`."""


@dataclass(frozen=True, slots=True)
class Run:
    """A lesson on a kernel."""

    lesson: str
    note: str
    worksheet: str
    kernel: str
    status: Status
    reason: str = ""
    """Why it is not passed, in a line; with what to do about it in `fix`."""
    fix: str = ""
    seconds: float = 0.0
    code: int = 0
    """Code cells that the notebook has."""
    cells: int = 0
    """Code cells that were executed to their end."""
    statements: int = 0
    """Top-level statements in those cells."""
    imports: int = 0
    """How many of them only import something: they alone prove nothing."""
    shown: int = 0
    """Python blocks of the note that are shown and not run."""
    exercises: int = 0
    points: float = 0.0
    failures: tuple[Failure, ...] = ()
    notebook: str = ""
    """The executed notebook, relative to the course's root."""
    parameters: Mapping[str, Any] | None = None
    cached: bool = False
    record: Record = UNKNOWN
    """What it ran on, with what."""

    @property
    def slot(self) -> str:
        """The run's name, unique in a report."""
        return f"{self.kernel}/{self.worksheet}/{self.note}"

    @property
    def problem(self) -> bool:
        """It makes the whole run fail: also code cells none of which holds a statement that does something."""
        return self.status in PROBLEMS or (self.status == "empty" and self.code > 0)

    @property
    def label(self) -> str:
        return f"{self.status} (cached)" if self.cached else self.status


@dataclass(frozen=True, slots=True)
class Framework:
    """A library for computing on a kernel: the devices that it sees, or the reason why it sees none."""

    name: str
    """The module's."""
    label: str
    version: str = ""
    """Empty when it is not installed."""
    devices: tuple[str, ...] = ()
    reason: str = ""
    fix: str = ""
    answered: bool = True
    """False when its process hung, crashed or made no sense: another time it may."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """What a probe found: devices, or the reason why there are none and how to get them."""

    name: Accelerator
    available: bool
    reason: str = ""
    fix: str = ""
    devices: tuple[str, ...] = ()
    frameworks: tuple[Framework, ...] = ()
    """What each makes of the devices; nothing where none was asked."""

    def blind(self, names: Collection[str]) -> Framework | None:
        """The first framework among `names` that was asked and sees no device: code that needs it has no kernel."""
        return next((f for f in self.frameworks if f.name in names and not f.devices), None)

    @property
    def spec(self) -> str:
        """The kernelspec's name."""
        return spec(self.name)


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run: lessons × kernels."""

    runs: tuple[Run, ...]
    kernels: tuple[Kernel, ...]
    seconds: float
    started: str
    """ISO 8601, with the time zone."""
    required: tuple[str, ...] = ()
    """Kernels that had to be available."""
    interrupted: bool = False

    @property
    def problems(self) -> tuple[Run, ...]:
        return tuple(r for r in self.runs if r.problem)

    @property
    def totals(self) -> dict[str, int]:
        """What was executed in all, and what of the lessons was only shown."""
        shown = dict(sorted((run.note, run.shown) for run in self.runs))
        return {
            "statements": sum(run.statements for run in self.runs),
            "imports": sum(run.imports for run in self.runs),
            "shown": sum(shown.values()),
        }

    @property
    def lacking(self) -> tuple[Kernel, ...]:
        """Required kernels that this machine does not have."""
        return tuple(k for k in self.kernels if k.name in self.required and not k.available)

    def counts(self) -> dict[Status, int]:
        """How many runs have which status, those that none has left out."""
        found = {status: sum(r.status == status for r in self.runs) for status in STATUSES}
        return {status: number for status, number in found.items() if number}


@dataclass(frozen=True, slots=True)
class Sandbox:
    """How a lesson's kernel is started in the sandbox."""

    imports: tuple[str, ...] = ()
    """What its server has imported."""
    limits: Mapping[str, int] = field(default_factory=dict)
    preload: bool = True
    """Whether there is a server; without one the kernel imports everything itself."""


def spec(kernel: str) -> str:
    """The kernelspec's name of a kernel."""
    return f"coursemill-{kernel}"


def to_data(run: Run) -> dict[str, Any]:
    """Make plain data of a run, for JSON."""
    return asdict(run)


def from_data(data: Mapping[str, Any]) -> Run:
    """Read what `to_data` made; raises TypeError or KeyError when it is something else."""
    known = {f.name for f in fields(Run)}
    values = {k: v for k, v in data.items() if k in known}
    failures = tuple(Failure(**{**f, "trace": tuple(f["trace"])}) for f in values.pop("failures", ()))
    return Run(**{**values, "failures": failures, "record": record.read(values.get("record"))})
