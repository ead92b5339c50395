"""Plots of a class, as SVG to be put into a page: text stays text, and each has a title and says what it shows."""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coursemill.pure.grading.statistics import ExerciseFigures, Statistics
from coursemill.pure.grading.verdict import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, ORANGE, GREY = "#3b6fb6", "#c65f00", "#8a93a3"
COLOURS: dict[Status, str] = {
    "passed": "#2e8b57",
    "failed": "#c0392b",
    "error": "#e07b39",
    "timeout": "#8e44ad",
    "died": "#5b2c6f",
    "limit": "#b03a8c",
    "not-reached": "#9aa3b2",
    "unreadable": "#566070",
    "missing": "#c9cfd9",
}
"""Of outcomes; the table beside the plot has the numbers."""
LOW = 0.2
"""A correlation below this tells little."""
NAMED = 12
"""Dots that have a name beside them: the odd ones; all are in the table."""
MOST = 60
"""Rows of a plot; further ones stand in the tables alone."""
_METADATA = re.compile(r"<metadata>.*?</metadata>\s*", re.DOTALL)
_ID = re.compile(r'(?P<before>\bid="|href="#|url\(#)(?P<name>[^")]+)')


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture for a page."""

    title: str
    svg: str


def plots(found: Statistics) -> tuple[Plot, ...]:
    """Return all pictures that there is something to draw for."""
    tasks = found.exercises
    drawn = (distribution(found), difficulty(tasks), discrimination(tasks), outcomes(tasks))
    return tuple(plot for plot in drawn if plot)


def distribution(found: Statistics) -> Plot | None:
    """How many students earned how many points."""
    totals, points = list(found.totals.values()), found.points or 1.0
    if not (totals and found.spread):
        return None
    bins = 10 if len(totals) > 8 else 5
    middle = found.spread.median

    def draw(axes: Axes) -> None:
        from matplotlib.ticker import MaxNLocator

        axes.hist(totals, bins=bins, range=(0, max(points, *totals)), color=BLUE, edgecolor="white")
        axes.axvline(middle, color=ORANGE, linewidth=2, label=f"median {middle:g}")
        axes.set(xlabel=f"points (of {points:g})", ylabel="students", xlim=(0, max(points, *totals)))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), frameon=False)

    alt = (
        f"Histogram of the points of {len(totals)} students, from {found.spread.low:g} to {found.spread.high:g} of "
        f"{points:g}; the median is {middle:g}, the mean {found.spread.mean:.1f}."
    )
    return _drawn("distribution", "How many points students have", alt, (7.2, 3.2), draw)


def difficulty(exercises: Sequence[ExerciseFigures]) -> Plot | None:
    """How large a share of each exercise's points was earned."""
    rows = [(e.exercise.id, e.figures.difficulty) for e in exercises if e.figures.difficulty is not None][:MOST]
    if not rows:
        return None

    def draw(axes: Axes) -> None:
        names, shares = [name for name, _ in rows], [100 * (share or 0.0) for _, share in rows]
        axes.barh(range(len(rows)), shares, color=BLUE)
        _named(axes, names)
        axes.set(xlabel="points earned by the class (%)", xlim=(0, 100))

    hard = min(rows, key=lambda row: row[1] or 0.0)
    alt = f"Bars of {len(rows)} exercises; the hardest is {hard[0]}, where {100 * (hard[1] or 0):.0f} % were earned."
    return _drawn("difficulty", "How hard the exercises were", alt, _size(rows), draw)


def discrimination(exercises: Sequence[ExerciseFigures]) -> Plot | None:
    """Difficulty against discrimination: what is at the left and low deserves a look."""
    dots = [
        (e.exercise.id, 100 * e.figures.difficulty, e.figures.correlation)
        for e in exercises
        if e.figures.difficulty is not None and e.figures.correlation is not None
    ][:MOST]
    if len(dots) < 2:
        return None
    odd = sorted((dot for dot in dots if dot[2] < LOW or not 30 <= dot[1] <= 90), key=lambda dot: dot[2])[:NAMED]
    odd = odd or [min(dots, key=lambda dot: dot[2])]

    def draw(axes: Axes) -> None:
        axes.axhline(0.0, color=GREY, linewidth=1)
        axes.axhline(LOW, color=GREY, linewidth=1, linestyle=":")
        axes.scatter([x for _, x, _ in dots], [y for _, _, y in dots], color=BLUE, zorder=3)
        for name, x, y in odd:
            axes.annotate(name, (x, y), xytext=(4, 4), textcoords="offset points", fontsize=8, parse_math=False)
        axes.set(xlabel="points earned by the class (%)", ylabel="correlation with the rest", xlim=(0, 105))

    low = [name for name, _, y in dots if y < LOW]
    alt = f"Dots of {len(dots)} exercises. Below {LOW}: {', '.join(low) if low else 'none'}."
    return _drawn("discrimination", "Do the exercises tell who knows more?", alt, (7.2, 4.2), draw)


def outcomes(exercises: Sequence[ExerciseFigures]) -> Plot | None:
    """How each test ended, in students."""
    tests = [test for one in exercises for test in one.tests if test.outcomes][:MOST]
    if not tests:
        return None
    statuses = [status for status in COLOURS if any(status in test.outcomes for test in tests)]

    def draw(axes: Axes) -> None:
        left = [0] * len(tests)
        for status in statuses:
            width = [test.outcomes.get(status, 0) for test in tests]
            axes.barh(range(len(tests)), width, left=left, color=COLOURS[status], label=status)
            left = [a + b for a, b in zip(left, width, strict=True)]
        _named(axes, [test.figures.id for test in tests])
        axes.set(xlabel="students", xlim=(0, max(left)))
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=5, frameon=False, fontsize=8)

    alt = f"Bars of {len(tests)} tests, by outcome: {', '.join(statuses)}. The numbers stand in the tables."
    return _drawn("outcomes", "How the tests ended", alt, _size(tests), draw)


def _drawn(name: str, title: str, alt: str, size: tuple[float, float], draw: Callable[[Axes], None]) -> Plot:
    """Draw a picture; its title and what it shows are read aloud."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    style: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": name,
        "font.family": "sans-serif",
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with matplotlib.rc_context(style), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of letters that its fonts lack: the reader's browser has them
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure.add_subplot())
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    svg = out.getvalue()
    inner = _METADATA.sub("", svg[svg.index(">", svg.index("<svg ")) + 1 :])
    head = (
        f'<svg viewBox="0 0 {72 * size[0]:g} {72 * size[1]:g}" role="img" aria-labelledby="{name}-title {name}-alt">\n'
        f'<title id="{name}-title">{html.escape(title)}</title>\n<desc id="{name}-alt">{html.escape(alt)}</desc>'
    )
    return Plot(title, head + _ID.sub(rf"\g<before>{name}-\g<name>", inner))


def _named(axes: Axes, names: Sequence[str]) -> None:
    """A name a row, from the top."""
    axes.set_yticks(range(len(names)))
    axes.set_yticklabels([name if len(name) <= 40 else f"{name[:39]}…" for name in names], parse_math=False)
    axes.invert_yaxis()


def _size(rows: Sequence[object]) -> tuple[float, float]:
    return 7.2, 1.2 + 0.24 * len(rows)
