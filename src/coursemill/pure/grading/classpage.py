"""What an instructor gets to see of a class: one page, complete in itself, and the same as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from coursemill.pure.grading import plots, showing
from coursemill.pure.grading.flags import Flag, Kind
from coursemill.pure.grading.statistics import SMALL, Choice, ExerciseFigures, Reliability, Statistics
from coursemill.pure.grading.verdict import STATUSES

WRONG = 8
"""Common wrong answers that are shown of an exercise."""
LINES = 30
"""Of a wrong answer that are shown."""
NAMES = 12
"""Students that are named in a line."""
KIND_WORDS: Mapping[Kind, str] = {
    "twin": "faked verdict",
    "changed": "put right",
    "limit": "limit",
    "unread": "unreadable",
    "similar": "similar",
    "in-candidate": "weaker tests",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A student's line."""

    student: str
    name: str
    score: float | None
    """None: nothing was handed in."""
    pending: int
    """Parts that wait for a person."""
    outcomes: Mapping[str, int]
    seconds: float
    flags: int
    links: Mapping[str, str] = field(default_factory=dict)
    """What is said of a page → its path, relative to the course."""
    penalty: float = 0.0
    """Points that being late cost."""


@dataclass(frozen=True, slots=True)
class ClassReport:
    """All that a report shows."""

    worksheet: str
    made: str
    """ISO 8601, with the time zone."""
    statistics: Statistics
    flags: tuple[Flag, ...]
    rows: tuple[Row, ...]
    anonymous: bool = False
    ungraded: tuple[str, ...] = ()
    """Students who have handed something in that is not graded yet."""


def data(report: ClassReport) -> dict[str, Any]:
    """Everything, for `--json`."""
    found = report.statistics
    return {
        "version": 1,
        "worksheet": report.worksheet,
        "made": report.made,
        "points": found.points,
        "handed_in": found.handed,
        "absent": list(found.absent),
        "ungraded": list(report.ungraded),
        "distribution": asdict(found.spread) if found.spread else None,
        "reliability": asdict(found.reliability),
        "outcomes": dict(found.outcomes),
        "seconds": asdict(found.seconds) if found.seconds else None,
        "own_seconds": asdict(found.own) if found.own else None,
        "exercises": [_exercise(one) for one in found.exercises],
        "flags": [asdict(flag) for flag in report.flags],
        "students": [asdict(row) for row in report.rows],
    }


def page(report: ClassReport, links: Mapping[str, str] | None = None) -> str:
    """One HTML page without external resources; `links` has the address for each path that exists."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("coursemill.pure"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(
        points=points, share=share, decimal=decimal, some=some, titled=showing.title, short=short
    )
    made = environment.get_template("class.html.jinja").render(
        report=report,
        found=report.statistics,
        plots=plots.plots(report.statistics),
        several=len({one.exercise.notebook for one in report.statistics.exercises}) > 1,
        statuses=STATUSES,
        kinds=KIND_WORDS,
        links=links or {},
        reading=reading(report.statistics.reliability),
        remarks=remarks,
        small=SMALL,
        most_wrong=WRONG,
        widest=widest,
    )
    return made.rstrip("\n") + "\n"


def reading(found: Reliability) -> str:
    """What the reliability means, in plain words."""
    if found.alpha is None or found.error is None:
        return f"The exercises cannot be compared with one another: {found.why}."
    if found.alpha >= 0.8:
        said = "The exercises agree well on who knows more."
    elif found.alpha >= 0.6:
        said = "The exercises agree fairly well on who knows more."
    else:
        said = "The exercises agree little on who knows more: they ask for different things, or are few."
    return f"{said} Totals that differ by less than {points(found.error)} points hardly differ."


def remarks(one: ExerciseFigures) -> str:
    """What to look at in an exercise, in a few words."""
    said = []
    figures = one.figures
    if figures.difficulty is not None and figures.difficulty < 0.3:
        said.append("hard")
    elif figures.difficulty is not None and figures.difficulty > 0.9:
        said.append("easy")
    if figures.correlation is not None and figures.correlation < 0:
        said.append("those who are good at the rest do worse here: is it right?")
    elif figures.correlation is not None and figures.correlation < plots.LOW:
        said.append("tells little of who knows more")
    if one.wrong and one.wrong[0].count >= max(3, figures.graded / 4):
        said.append(f"{one.wrong[0].count} gave the same wrong answer")
    return "; ".join(said)


def points(value: float | None) -> str:
    """`12`, `7.5`, `0.33`; a dash for what there is none of."""
    return "–" if value is None else f"{value + 0.0:.2f}".rstrip("0").rstrip(".")


def share(value: float | None) -> str:
    """`62 %`."""
    return "–" if value is None else f"{100 * value:.0f} %"


def decimal(value: float | None) -> str:
    """`0.42`, `−0.10`."""
    return "–" if value is None else f"{value:.2f}".replace("-", "−")


def some(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - NAMES
    return ", ".join(names[:NAMES]) + (f" and {more} more" if more > 0 else "")


def short(source: str) -> str:
    """The first lines of an answer, and how many more there are."""
    lines = source.split("\n")
    more = len(lines) - LINES
    return "\n".join([*lines[:LINES], f"… {more} more lines"]) if more > 1 else source


def widest(choices: Sequence[Choice]) -> int:
    """The most that one option was taken; at least 1."""
    return max((choice.count for choice in choices), default=0) or 1


def _exercise(one: ExerciseFigures) -> dict[str, Any]:
    return {
        "key": one.exercise.key,
        "title": one.exercise.title,
        **asdict(one.figures),
        "full": one.full,
        "unanswered": one.unanswered,
        "pending": one.pending,
        "tests": [
            {
                **asdict(test.figures),
                "outcomes": dict(test.outcomes),
                "modes": dict(test.modes),
                "seconds": test.seconds,
            }
            for test in one.tests
        ],
        "choices": [asdict(choice) for choice in one.choices],
        "wrong_answers": [
            {
                "count": cluster.count,
                "students": list(cluster.students),
                "low": cluster.low,
                "high": cluster.high,
                "declared": cluster.declared.name if cluster.declared else "",
                "place": cluster.declared.place if cluster.declared else "",
                "source": cluster.source,
            }
            for cluster in one.wrong
        ],
    }
