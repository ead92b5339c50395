"""What proving an exercise has shown: how each answer fared, and what is not as it should be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from coursemill.pure.trials import Kind, Step, Trial, Variant

Mode = Literal["isolated", "in-candidate"]
"""Whether a test works through the wall, or needs the answer's live objects."""
ENOUGH = 1e-9


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a test gave an answer; `line` is the note's line where it failed (0: unknown)."""

    test: str
    mode: Mode
    score: float
    reason: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Tried:
    """How an answer fared. `broken` says why it came to no end: then no test counts."""

    name: str
    kind: Kind
    outcomes: tuple[Outcome, ...] = ()
    broken: str = ""
    seconds: float = 0.0

    @property
    def score(self) -> float:
        return 0.0 if self.broken else sum(o.score for o in self.outcomes)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that an author must mend: the note's `path:line`, and what."""

    place: str
    about: str
    """The answer that shows it: "the stub", "wrong answer 2"; empty: the exercise as a whole."""
    message: str
    fix: str = ""

    def __str__(self) -> str:
        about = f"{self.about} " if self.about else ""
        advice = f" ({self.fix})" if self.fix else ""
        return f"{self.place}: {about}{self.message}{advice}"


@dataclass(frozen=True, slots=True)
class Proof:
    """An exercise or quiz, and all that was tried; `problems` is empty when it is sound."""

    id: str
    title: str
    place: str
    points: float
    tests: int
    tried: tuple[Tried, ...]
    problems: tuple[Problem, ...]

    @property
    def sound(self) -> bool:
        return not self.problems

    def counted(self, *kinds: Kind) -> tuple[int, int]:
        """How many answers of these kinds fared as they should, and how many were tried."""
        tried = [t for t in self.tried if t.kind in kinds]
        faulty = {p.about for p in self.problems}
        return sum(t.name not in faulty for t in tried), len(tried)

    @property
    def modes(self) -> tuple[int, int]:
        """How many tests work through the wall, and how many need live objects."""
        outcomes = [o for t in self.tried if t.kind == "solution" for o in t.outcomes]
        return sum(o.mode == "isolated" for o in outcomes), sum(o.mode == "in-candidate" for o in outcomes)


def to_data(made: Proof) -> dict[str, Any]:
    """Return a proof as JSON's values, with the points that each answer got."""
    isolated, live = made.modes
    tried = [
        {
            "name": one.name,
            "kind": one.kind,
            "score": one.score,
            "broken": one.broken,
            "seconds": one.seconds,
            "tests": [asdict(outcome) for outcome in one.outcomes],
        }
        for one in made.tried
    ]
    return {
        **{name: getattr(made, name) for name in ("id", "title", "place", "points", "tests", "sound")},
        "isolated": isolated,
        "in_candidate": live,
        "answers": tried,
        "problems": [asdict(problem) for problem in made.problems],
    }


def proof(path: str, trial: Trial, tried: Sequence[Tried], trouble: str = "") -> Proof:
    """Judge what was tried on an exercise of the note at `path`; `trouble` is why it could not be tried at all."""
    if not (trial.variants and trial.tests):
        trouble = f"it has no {'tests' if trial.variants else 'solution'}"
    found = [Problem(f"{path}:{trial.line}", "", f"{trial.id} is not proven: {trouble}")] if trouble else []
    for variant, one in zip(trial.variants, tried, strict=False):
        found.extend(_problems(path, trial, variant, one))
    return Proof(
        id=trial.id,
        title=trial.title,
        place=f"{path}:{trial.line}",
        points=trial.points,
        tests=len(trial.tests),
        tried=tuple(tried),
        problems=tuple(found),
    )


def _problems(path: str, trial: Trial, variant: Variant, tried: Tried) -> Iterator[Problem]:
    if variant.kind == "solution":
        yield from _of_solution(path, trial, variant, tried)
    elif variant.kind in ("stub", "cheat"):
        yield from _of_nothing(path, trial, variant, tried)
    elif abs(tried.score - variant.score) > ENOUGH:
        yield Problem(f"{path}:{variant.line}", variant.name, _told(trial, variant, tried), _mend(variant))


def _of_solution(path: str, trial: Trial, variant: Variant, tried: Tried) -> Iterator[Problem]:
    if tried.broken:
        yield Problem(f"{path}:{variant.line}", variant.name, tried.broken)
        return
    for step, outcome in _pairs(trial, tried):
        if outcome.score < step.points - ENOUGH or outcome.reason:
            line = outcome.line or _line(step)
            worth = f"gets {outcome.score:g} of {_points(step.points)}" if step.points else "fails"
            yield Problem(f"{path}:{line}", variant.name, f"{worth} in {step.id}: {outcome.reason}")


def _of_nothing(path: str, trial: Trial, variant: Variant, tried: Tried) -> Iterator[Problem]:
    """The stub and the cheats deserve nothing, but for what is given, and that the stub does get."""
    if tried.broken:
        return
    for step, outcome in _pairs(trial, tried):
        if outcome.score > ENOUGH and not step.given:
            message = f"gets {outcome.score:g} of {_points(step.points)} in {step.id}"
            yield Problem(f"{path}:{_line(step)}", variant.name, message, _harden(variant, outcome))
        elif variant.kind == "stub" and step.given and outcome.reason:
            message = f"fails {step.id}, which is given: {outcome.reason}"
            yield Problem(f"{path}:{_line(step)}", variant.name, message, "let the starter pass, or drop `given=true`")


def _harden(variant: Variant, outcome: Outcome) -> str:
    """What to do about a test that gives points to an answer which knows nothing."""
    if variant.kind == "stub":
        return "test what the starter lacks, or mark the test `given=true`"
    if outcome.mode == "isolated":
        return "compare what the answer gives with a value (`==`), or its class and its parts"
    return "here the answer's own `==`, `<` or truth decides: assert also what must be false, or compare plain parts"


def _told(trial: Trial, variant: Variant, tried: Tried) -> str:
    """What a wrong answer got, and from which tests."""
    got = f"gets {tried.score:g} of {_points(trial.points)}, and deserves {variant.score:g}"
    if tried.broken:
        return f"{got} ({tried.broken})"
    passed = [s.id for s, o in _pairs(trial, tried) if not o.reason]
    failed = [f"{s.id} says {o.reason}" for s, o in _pairs(trial, tried) if o.reason]
    parts = [f"it passes {', '.join(passed)}"] if passed else []
    return "; ".join([got, *parts, *failed])


def _mend(variant: Variant) -> str:
    return "say its score, or change the tests" if variant.kind == "wrong" else "look at the quiz's options"


def _pairs(trial: Trial, tried: Tried) -> Iterable[tuple[Step, Outcome]]:
    return zip(trial.tests, tried.outcomes, strict=True)


def _line(step: Step) -> int:
    return step.source.line(1)


def _points(number: float) -> str:
    return f"{number:g} point{'' if number == 1 else 's'}"
