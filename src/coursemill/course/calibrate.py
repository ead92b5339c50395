"""Find out, once for a notebook, how its tests are examined: on the instructor's own solution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from coursemill.pure import preload
from coursemill.pure.grading import ladder, looks, twins
from coursemill.pure.grading.assignment import Assignment
from coursemill.pure.grading.job import Options, Package
from coursemill.pure.grading.ladder import TWIN, Values
from coursemill.pure.grading.looks import Survey
from coursemill.pure.grading.plan import Look, Plan
from coursemill.pure.grading.verdict import Outcome

PATIENCE = 600.0
"""Seconds that a cell of the instructor's own may take, where nobody says."""


class Rehearsal(Protocol):
    """What one run of the solution tells: see `effects.grading.rehearsal`."""

    @property
    def outcomes(self) -> tuple[Outcome, ...]: ...
    @property
    def seconds(self) -> Mapping[str, float]: ...
    @property
    def looks(self) -> Mapping[str, Look]: ...
    @property
    def values(self) -> Values: ...
    @property
    def errors(self) -> Mapping[str, str]: ...
    @property
    def trouble(self) -> str: ...


class Rehearse(Protocol):
    """Run the solution once: see `effects.grading.rehearsal.rehearse`."""

    def __call__(
        self,
        package: Package,
        capture: Mapping[str, tuple[str, ...]],
        tries: Mapping[str, tuple[Look, ...]],
        options: Options,
    ) -> Rehearsal: ...


def calibrate(package: Package, options: Options, build: Path | None = None, rehearse: Rehearse | None = None) -> Plan:
    """Return the plan of a notebook's examination; `build` is the course's folder in which plans are kept.

    The solution is run twice: the first run shows how each test can look at answers, the second one that it does
    so again, and which data are others in every run. Tests for which there is no way from outside are run in the
    candidate then, with their twins. Raises Unavailable where there is no sandbox, unless `options.trust`.
    """
    from coursemill.effects.grading import plans  # imports what a command line need not

    if not package.assignment.tests or package.assignment.language != "python":
        return Plan(imports=_imports(package))
    key = plans.key(package, options)
    plan = plans.find(build, key) if build else None
    if plan is None:
        plan = _Calibration(package, options, rehearse or _rehearse).plan()
        if build:
            plans.keep(build, key, plan)
    return plan


@dataclass(slots=True)
class _State:
    """What is known of one test."""

    rungs: tuple[Look, ...]
    forced: str
    """Why it has to be in the candidate, whatever it could."""
    level: int = 0
    passes: list[bool] = field(default_factory=list)
    reason: str = ""
    """Why it did not pass when it did not pass last."""
    inside: Look | None = None
    """How it is run in the candidate, if it is."""

    @property
    def look(self) -> Look:
        return self.inside or self.rungs[self.level]

    @property
    def further(self) -> tuple[Look, ...]:
        others = (rung for rung in self.rungs[self.level + 1 :] if rung != self.look)
        return () if self.inside else tuple(dict.fromkeys(others))


class _Calibration:
    """Runs a solution as often as it takes."""

    def __init__(self, package: Package, options: Options, rehearse: Rehearse) -> None:
        self.package, self.rehearse = package, rehearse
        self.options = replace(options, timeout=max(options.timeout, PATIENCE))
        self.imports = _imports(package)
        self.survey: Survey = looks.survey(package.assignment, package.files)
        self.states = {t: _State(ladder.ladder(sight), sight.trouble) for t, sight in self.survey.sights.items()}
        self.values: Values = {}
        self.seconds: dict[str, float] = {}

    def plan(self) -> Plan:
        """Find it out."""
        self.values = self._run(self.package.assignment).values
        self._learn(ladder.learnt(self.survey, self.values))
        for state in self.states.values():
            if not state.passes[-1]:
                state.level = len(state.rungs) - 1  # now as the first thing that is tried with it
        again = self._run(self.package.assignment).values
        self._learn(ladder.learnt(self.survey, self.values, again))
        if unclear := [test for test, state in self.states.items() if state.forced or not state.passes[0]]:
            self._try_once_more(unclear)
        found = {test: _with_trouble(state) for test, state in self.states.items()}
        given = ladder.givens(self.survey, self.values, found)
        return Plan(found, given, self.survey.modules, self.imports, self.seconds)

    def _learn(self, learnt: looks.Learnt) -> None:
        """Look at the notebook again, with what is known of its data now."""
        self.survey = looks.survey(self.package.assignment, self.package.files, learnt)
        for test, sight in self.survey.sights.items():
            self.states[test].rungs = ladder.ladder(sight)

    def _try_once_more(self, unclear: Sequence[str]) -> None:
        """Run tests that did not pass at once: in the candidate, with all their twins, if they never did."""
        sources = {item.id: item.source for item in self.package.assignment.tests}
        tried = {}
        for test in unclear:
            state = self.states[test]
            if state.forced or not any(state.passes):
                tried[test] = twins.twins(sources[test])[: ladder.MOST]
                state.inside = ladder.inside(self.survey.sights[test], state.forced or state.reason)
            state.passes = [True] if any(state.passes) else []
        views = self._views()
        views |= {f"{test}{TWIN}{n}": Look("in-candidate") for test, found in tried.items() for n in range(len(found))}
        ran = self._run(ladder.replayed(self.package.assignment, unclear, tried, views), views)
        passed = {outcome.test for outcome in ran.outcomes if outcome.status == "passed"}
        for test, candidates in tried.items():
            state = self.states[test]
            if state.passes[-1]:
                assert state.inside
                state.inside = replace(state.inside, twins=ladder.telling(test, candidates, passed))
            else:
                state.inside, state.level = None, 0  # it fails wherever it is

    def _run(self, assignment: Assignment, views: Mapping[str, Look] | None = None) -> Rehearsal:
        """Run the solution; each test climbs as far as it must."""
        tests = {item.id for item in assignment.tests}
        states = {test: state for test, state in self.states.items() if test in tests}
        further = {test: state.further for test, state in states.items() if state.further}
        views = views or self._views()
        given = ladder.givens(self.survey, self.values, views)
        plan = Plan(views, given, self.survey.modules, self.imports, self.seconds)
        package = replace(self.package, assignment=assignment, plan=plan)
        ran = self.rehearse(package, self.survey.capture, further, self.options)
        outcomes = {outcome.test: outcome for outcome in ran.outcomes}
        for test, state in states.items():
            self._take(state, outcomes.get(test), ran.looks.get(test), ran.trouble)
        for cell in ran.seconds.keys() & set(self.survey.order):
            self.seconds[cell] = max(ran.seconds[cell], self.seconds.get(cell, 0.0))
        return ran

    def _take(self, state: _State, outcome: Outcome | None, passed: Look | None, trouble: str) -> None:
        fine = outcome is not None and outcome.status == "passed"
        state.passes.append(fine)
        if fine and passed in state.rungs:
            state.level = state.rungs.index(passed, state.level)
        if not fine:
            state.reason = _told(outcome, trouble)

    def _views(self) -> dict[str, Look]:
        return {test: state.look for test, state in self.states.items()}


def _with_trouble(state: _State) -> Look:
    """How a test is looked at, and what is wrong with it."""
    if all(state.passes):
        return state.look
    often = "it passes only sometimes: " if any(state.passes) else ""
    return replace(state.look, trouble=f"{often}{state.reason}")


def _told(outcome: Outcome | None, trouble: str) -> str:
    if outcome is None:
        return trouble or "it was not reached"
    said = outcome.reason or outcome.message or outcome.status
    return f"{outcome.place}: {said}" if outcome.place else said


def _imports(package: Package) -> tuple[str, ...]:
    code = [item for item in package.assignment.items if item.type == "code" and item.role != "prose"]
    return preload.of_cells([item.source for item in code], package.files)


def _rehearse(
    package: Package, capture: Mapping[str, tuple[str, ...]], tries: Mapping[str, tuple[Look, ...]], options: Options
) -> Rehearsal:
    from coursemill.effects.grading import rehearsal  # jupyter_client takes a third of a second

    return rehearsal.rehearse(package, capture, tries, options)
