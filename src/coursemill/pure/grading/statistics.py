"""What a class's work on a worksheet shows: of the class, of each exercise, of each test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from coursemill.pure.grading import answers, choices, measures
from coursemill.pure.grading.answers import Cluster, Declared, Given
from coursemill.pure.grading.exercises import Exercise
from coursemill.pure.grading.measures import Spread
from coursemill.pure.grading.papers import Paper
from coursemill.pure.grading.verdict import STATUSES, Outcome, Status

ENOUGH = 1e-9
SMALL = 30
"""Students, below which a correlation says little: look at the index of upper and lower groups."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The numbers of an exercise, or of one of its tests."""

    id: str
    points: float
    graded: int
    """Students whose score is known."""
    mean: float | None
    difficulty: float | None
    """Share of the points that were earned, from 0 to 1."""
    correlation: float | None
    """With the points in all other exercises."""
    index: float | None
    """Share of the points that the best 27 % earned, less that of the weakest 27 %."""
    why: str = ""
    """Why a number is missing."""


@dataclass(frozen=True, slots=True)
class TestFigures:
    """A test, and how it ended."""

    figures: Figures
    outcomes: Mapping[Status, int]
    """How many students' ended so; those that did not happen are left out."""
    modes: Mapping[str, int] = field(default_factory=dict)
    """In how many verdicts it was `isolated` and `in-candidate`."""
    seconds: float = 0.0
    """Mean of what it took."""

    __test__ = False  # pytest: not a test class


@dataclass(frozen=True, slots=True)
class Choice:
    """An option of a quiz, or several together, and how many took it."""

    letters: str
    """Empty: no answer that can be read."""
    text: str
    right: bool
    count: int


@dataclass(frozen=True, slots=True)
class ExerciseFigures:
    """All about an exercise."""

    exercise: Exercise
    figures: Figures
    tests: tuple[TestFigures, ...]
    full: int
    """Students with all points."""
    unanswered: int
    """Students who left every answer as it was released."""
    pending: int
    """Students whose answer waits for a person."""
    wrong: tuple[Cluster, ...] = ()
    """Answers that did not earn all points, the most common first."""
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Reliability:
    """How far the exercises agree on who knows more."""

    alpha: float | None
    error: float | None
    """Points, give or take."""
    exercises: int
    why: str = ""
    """Why there is no number."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """All about a class's work on a worksheet."""

    points: float
    handed: int
    """Students who handed something in: all numbers are of them."""
    absent: tuple[str, ...]
    """Those who did not."""
    totals: Mapping[str, float]
    """Points by student."""
    spread: Spread | None
    exercises: tuple[ExerciseFigures, ...]
    reliability: Reliability
    outcomes: Mapping[Status, int]
    seconds: Spread | None
    """What grading a student's notebooks took."""
    own: Spread | None
    """Of these seconds, what their cells and tests took."""


def of(
    exercises: Sequence[Exercise], papers: Sequence[Paper], declared: Mapping[str, Sequence[Declared]] | None = None
) -> Statistics:
    """Work a class out; `declared` are answers that the author foresaw, by the exercise's key.

    Students who handed nothing in count nowhere. A notebook that is missing or cannot be read counts as 0 points in
    each of its tests, as it does in the grade. What a person has not graded yet counts nowhere.
    """
    handed = [paper for paper in papers if paper.handed]
    table = _Table.of(exercises, handed)
    totals = {paper.student: paper.total(exercises) for paper in handed}
    found = Counter(outcome.status for paper in handed for _, outcome in paper.outcomes())
    return Statistics(
        points=sum(exercise.points for exercise in exercises),
        handed=len(handed),
        absent=tuple(paper.student for paper in papers if not paper.handed),
        totals=totals,
        spread=measures.spread(list(totals.values())),
        exercises=tuple(_exercise(one, table, (declared or {}).get(one.key, ())) for one in exercises),
        reliability=_reliability(table),
        outcomes={status: found[status] for status in STATUSES if found[status]},
        seconds=measures.spread([sum(v.seconds for v in paper.verdicts) for paper in handed]),
        own=measures.spread([sum(v.own for v in paper.verdicts) for paper in handed]),
    )


@dataclass(frozen=True, slots=True)
class _Table:
    """Scores by student, in the order of `papers`; None is not graded yet."""

    papers: Sequence[Paper]
    parts: Mapping[str, list[float | None]]
    """Of tests and of what a person grades."""
    exercises: Mapping[str, list[float | None]]
    complete: tuple[str, ...]
    """Keys of the exercises that give points and are graded for all."""
    totals: Sequence[float]
    """Points in these."""
    answers: Sequence[Mapping[str, str]]
    outcomes: Sequence[Mapping[str, Outcome]]

    @classmethod
    def of(cls, exercises: Sequence[Exercise], papers: Sequence[Paper]) -> _Table:
        known = [paper.scores() for paper in papers]
        parts = {part: [scores.get(part) for scores in known] for one in exercises for part in one.parts}
        everybody = range(len(papers))
        sums = {one.key: [_sum([parts[part][n] for part in one.parts]) for n in everybody] for one in exercises}
        complete = tuple(e.key for e in exercises if e.points > 0 and None not in sums[e.key])
        totals = [sum(sums[key][n] or 0.0 for key in complete) for n in everybody]
        answers = [paper.answers() for paper in papers]
        return cls(papers, parts, sums, complete, totals, answers, [dict(paper.outcomes()) for paper in papers])


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _exercise(exercise: Exercise, table: _Table, declared: Sequence[Declared]) -> ExerciseFigures:
    column = table.exercises[exercise.key]
    blank = [_left(exercise, paper) for paper in table.papers]
    tests = []
    for item in exercise.tests:
        key = f"{exercise.notebook}/{item.id}"
        figures = _figures(item.id, item.points, table.parts[key], table, exercise.key)
        tests.append(_test(figures, [row[key] for row in table.outcomes if key in row]))
    return ExerciseFigures(
        exercise=exercise,
        figures=_figures(exercise.id, exercise.points, column, table, exercise.key),
        tests=tuple(tests),
        full=sum(score is not None and score >= exercise.points - ENOUGH for score in column),
        unanswered=sum(blank),
        pending=sum(score is None for score in column),
        wrong=answers.clusters(_wrong(exercise, table, column, blank), declared),
        choices=_choices(exercise, table),
    )


def _figures(name: str, points: float, column: Sequence[float | None], table: _Table, key: str) -> Figures:
    """`key` is the exercise's own: its points are not among the rest that it is compared with."""
    graded = [n for n, score in enumerate(column) if score is not None]
    scores = [score for score in column if score is not None]
    totals = table.totals
    own = table.exercises[key] if key in table.complete else [0.0] * len(totals)
    rest = [totals[n] - (own[n] or 0.0) for n in graded]
    correlation = measures.correlation(scores, rest) if scores else None
    return Figures(
        id=name,
        points=points,
        graded=len(scores),
        mean=sum(scores) / len(scores) if scores else None,
        difficulty=measures.difficulty(scores, points),
        correlation=correlation,
        index=measures.upper_lower(scores, [totals[n] for n in graded], points) if scores else None,
        why=_why(scores, rest, points) if correlation is None else "",
    )


def _why(scores: Sequence[float], rest: Sequence[float], points: float) -> str:
    """Why there is no correlation."""
    if not scores:
        return "nobody's is graded yet"
    if points <= 0:
        return "it gives no points"
    if len(scores) < measures.FEWEST:
        return f"fewer than {measures.FEWEST} students"
    if max(scores) - min(scores) <= measures.TINY:
        return "all have the same score"
    if max(rest) - min(rest) <= measures.TINY:
        return "all have the same points in the other exercises"
    return ""


def _test(figures: Figures, outcomes: Sequence[Outcome]) -> TestFigures:
    found = Counter(outcome.status for outcome in outcomes)
    return TestFigures(
        figures=figures,
        outcomes={status: found[status] for status in STATUSES if found[status]},
        modes=dict(sorted(Counter(str(outcome.mode) for outcome in outcomes).items())),
        seconds=sum(outcome.seconds for outcome in outcomes) / len(outcomes) if outcomes else 0.0,
    )


def _left(exercise: Exercise, paper: Paper) -> bool:
    """Whether a student left the exercise as it was released."""
    names = {f"{exercise.notebook}/{item.id}" for item in (*exercise.answers, *exercise.manual)}
    return bool(names) and names <= paper.unanswered()


def _wrong(exercise: Exercise, table: _Table, column: Sequence[float | None], blank: Sequence[bool]) -> list[Given]:
    """The answers that were tried and did not earn all."""
    names = [f"{exercise.notebook}/{item.id}" for item in exercise.answers]
    found = []
    for n, score in enumerate(column):
        if names and score is not None and score < exercise.points - ENOUGH and not blank[n]:
            sources = tuple(table.answers[n].get(name, "") for name in names)
            if any(sources):
                found.append(Given(table.papers[n].student, sources, score))
    return found


def _choices(exercise: Exercise, table: _Table) -> tuple[Choice, ...]:
    """How often each option of a quiz was taken, also those that nobody took; what several took together, too."""
    offered = choices.read(exercise)
    if offered is None or not exercise.answers:
        return ()
    name = f"{exercise.notebook}/{exercise.answers[0].id}"
    found = Counter(choices.taken(row.get(name, ""), offered.variable) or "" for row in table.answers)
    single = [letter for letter in offered.letters if len(offered.right) == 1]
    letters = sorted({*found, *single, offered.right} - {""}, key=lambda some: (-found[some], some))
    return tuple(
        Choice(
            letters=some,
            text=" + ".join(offered.texts.get(letter, letter) for letter in some) if some else "",
            right=some == offered.right,
            count=found[some],
        )
        for some in (*letters, *([""] if found[""] else []))
    )


def _reliability(table: _Table) -> Reliability:
    columns = [[score or 0.0 for score in table.exercises[key]] for key in table.complete]
    found = measures.alpha(columns)
    spread = measures.spread(table.totals)
    error = measures.error(spread.deviation, found) if found is not None and spread else None
    if found is not None:
        why = ""
    elif len(columns) < 2:
        why = "it takes at least two exercises that are graded for all"
    elif len(table.papers) < measures.FEWEST:
        why = f"it takes at least {measures.FEWEST} students"
    else:
        why = "all students have the same points"
    return Reliability(found, error, len(columns), why)
