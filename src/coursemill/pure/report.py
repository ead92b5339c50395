"""A run's reports: plain data, JUnit XML, and one HTML page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any
from xml.etree import ElementTree

from coursemill.pure.outcome import Failure, Report, Run, to_data
from coursemill.pure.record import placed

NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
LONGEST_PLOT = 60
"""Bars of the durations' plot; the shortest runs beyond are left out, and the page says so."""


def data(report: Report) -> dict[str, Any]:
    """Everything that is known of a run, for `--json`."""
    return {
        "version": 1,
        "started": report.started,
        "seconds": round(report.seconds, 3),
        "interrupted": report.interrupted,
        "required": list(report.required),
        "counts": report.counts(),
        "totals": report.totals,
        "kernels": [
            {
                "name": k.name,
                "available": k.available,
                "reason": k.reason,
                "fix": k.fix,
                "devices": list(k.devices),
                "frameworks": [asdict(framework) for framework in k.frameworks],
            }
            for k in report.kernels
        ],
        "runs": [{**to_data(run), "problem": run.problem} for run in report.runs],
    }


def junit(report: Report) -> str:
    """JUnit XML as Jenkins, GitLab and GitHub's actions read it: a suite a kernel, a case a lesson.

    Lessons that a kernel is not offered to are no cases; a required kernel that is not there is an error of each.
    The form is pytest's xunit2: https://github.com/jenkinsci/xunit-plugin/blob/master/src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd
    """
    root = ElementTree.Element("testsuites")
    for kernel in report.kernels:
        runs = [r for r in report.runs if r.kernel == kernel.name and r.status != "not offered"]
        lacking = kernel in report.lacking
        suite = ElementTree.SubElement(root, "testsuite", name=f"coursemill {kernel.name}")
        kinds = [_case(suite, run, lacking=lacking) for run in runs]
        suite.attrib.update(
            tests=str(len(runs)),
            failures=str(kinds.count("failure")),
            errors=str(kinds.count("error")),
            skipped=str(kinds.count("skipped")),
            time=f"{sum(r.seconds for r in runs):.3f}",
            timestamp=report.started,
        )
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def html(report: Report, link: Callable[[str], str]) -> str:
    """One page without external resources; `link` makes an address of a path relative to the course's root."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("coursemill.pure"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    bars, totals = _bars(report.runs), report.totals
    page = environment.get_template("run.html.jinja").render(
        report=report,
        rows=_rows(report),
        bars=bars[:LONGEST_PLOT],
        left_out=len(bars[LONGEST_PLOT:]),
        axis=_axis(max((bar.seconds for bar in bars), default=0.0)),
        problems=report.problems,
        executed=executed,
        total=_executed(totals["statements"], totals["imports"], totals["shown"]),
        recorded=[run for run in report.runs if run.record.machine and run.seconds],
        placed=placed,
        link=link,
    )
    return page.rstrip("\n") + "\n"


def explain(failure: Failure) -> str:
    """A failure as text: where and what, then the way there or the difference, indented."""
    head = f"{failure.place}: {failure.message}" if failure.place else failure.message
    cell = [f"in cell {failure.cell}"] if failure.cell else []
    below = [*cell, *failure.trace, *failure.difference.splitlines()]
    return "\n".join([head.replace("\n", "\n    "), *(f"    {line}" for line in below)])


def executed(run: Run) -> str:
    """What a run has executed, in a few words; nothing when it never began."""
    ran = bool(run.seconds or run.statements)
    return _executed(run.statements, run.imports, run.shown, ran=ran)


def _executed(statements: int, imports: int, shown: int, *, ran: bool = True) -> str:
    """The same of numbers."""
    among = f" ({_count(imports, 'import')})" if imports else ""
    done = [f"{_count(statements, 'statement')} executed{among}"] if ran else []
    return ", ".join([*done, *([f"{_count(shown, 'block')} shown, not run"] if shown else [])])


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the page's matrix: a lesson with its run on each kernel, None where there is none."""

    lesson: str
    worksheet: str
    note: str
    exercises: int
    points: float
    runs: tuple[Run | None, ...]


@dataclass(frozen=True, slots=True)
class _Bar:
    label: str
    seconds: float
    status: str
    cached: bool


def _case(suite: ElementTree.Element, run: Run, *, lacking: bool) -> str:
    """Add a test case; say which element tells its outcome, "" for a pass."""
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=_xml(f"{run.kernel}.{run.worksheet}"),
        name=_xml(run.lesson),
        time=f"{run.seconds:.3f}",
    )
    kind = _kind(run, lacking=lacking)
    if kind:
        _outcome(case, run, kind)
    if said := executed(run):
        ElementTree.SubElement(case, "system-out").text = said
    return kind


def _kind(run: Run, *, lacking: bool) -> str:
    if run.status == "passed":
        return ""
    if run.problem:
        return "error" if run.status in {"died", "timeout"} else "failure"
    return "error" if lacking else "skipped"


def _outcome(case: ElementTree.Element, run: Run, kind: str) -> None:
    message = f"{run.reason} ({run.fix})" if run.fix else run.reason
    attributes = {"message": _xml(message or run.status)}
    outcome = ElementTree.SubElement(case, kind, attributes | ({"type": run.status} if kind != "skipped" else {}))
    if run.failures:
        outcome.text = _xml("\n\n".join(map(explain, run.failures)))


def _rows(report: Report) -> list[_Row]:
    found: dict[tuple[str, str], dict[str, Run]] = {}
    for run in report.runs:
        found.setdefault((run.worksheet, run.note), {})[run.kernel] = run
    rows = []
    for (worksheet, note), runs in sorted(found.items()):
        one = next(iter(runs.values()))
        by_kernel = tuple(runs.get(k.name) for k in report.kernels)
        rows.append(_Row(one.lesson, worksheet, note, one.exercises, one.points, by_kernel))
    return rows


def _bars(runs: Iterable[Run]) -> list[_Bar]:
    """Durations, longest first; the kernel is named where there are several."""
    timed = sorted((r for r in runs if r.seconds), key=lambda r: -r.seconds)
    several = len({r.kernel for r in timed}) > 1
    return [_Bar(f"{r.lesson} · {r.kernel}" if several else r.lesson, r.seconds, r.status, r.cached) for r in timed]


def _axis(longest: float) -> tuple[float, ...]:
    """Three to six round numbers from 0 that reach `longest`."""
    if longest <= 0:
        return (0.0, 1.0)
    size = 10.0 ** len(str(int(longest)))
    step = next(s for s in (size / d for d in (500, 200, 100, 50, 20, 10, 5, 2, 1)) if longest / s <= 5)
    ticks = [0.0]
    while ticks[-1] < longest:
        ticks.append(round(ticks[-1] + step, 6))
    return tuple(ticks)


def _xml(text: str) -> str:
    """Replace what XML 1.0 has no way to say."""
    return NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
