"""Find out, once for a notebook, how its tests are examined: on the instructor's own solution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from coursemill.errors import CoursemillError
from coursemill.pure import preload
from coursemill.pure.grading import ladder, looks, patience, twins
from coursemill.pure.grading.assignment import Assignment, Item
from coursemill.pure.grading.job import Options, Package
from coursemill.pure.grading.ladder import Values
from coursemill.pure.grading.looks import Learnt, Survey
from coursemill.pure.grading.plan import Look, Plan
from coursemill.pure.grading.verdict import Outcome


class Rehearsal(Protocol):
    """What one run of the solution tells: see `effects.grading.rehearsal`."""

    @property
    def outcomes(self) -> tuple[Outcome, ...]: ...
    @property
    def seconds(self) -> Mapping[str, float]: ...
    @property
    def looks(self) -> Mapping[str, Look]: ...
    @property
    def liberties(self) -> Mapping[str, frozenset[str]]: ...
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
    candidate then, with their twins. Raises Unavailable where there is no sandbox, unless `options.trust`, and
    CoursemillError where the solution does not come to its last test.
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
    clean: bool = True
    """Whether nothing was tried twice before it in the first run, so that its passing there counts."""
    inside: Look | None = None
    """How it is run in the candidate, if it is."""
    late: bool = False
    """Whether it needs all that earlier tests do in the candidate, those from outside, too."""
    liberties: frozenset[str] | None = None
    """What the solution's objects did in it beyond giving data; None: nobody has looked."""
    shaky: bool = False
    """Whether it has both passed and failed in the same way."""

    @property
    def look(self) -> Look:
        return self.inside or self.rungs[self.level]

    @property
    def further(self) -> tuple[Look, ...]:
        return tuple(dict.fromkeys(rung for rung in self.rungs[self.level + 1 :] if rung != self.look))

    def hopes(self) -> bool:
        """Whether it may pass from outside though it has failed once."""
        wide = len(self.rungs) // 2  # where all data are looked up, as they were in the first run
        if self.forced or self.passes == [False, False]:
            return False
        if self.passes == [True, False]:
            if self.level or not (self.clean or self.rungs[wide] != self.rungs[0]):
                return False
            self.shaky = self.rungs[wide] == self.rungs[0]
            self.level = 0 if self.shaky else wide
        return True


class _Calibration:
    """Runs a solution as often as it takes."""

    def __init__(self, package: Package, options: Options, rehearse: Rehearse) -> None:
        self.package, self.rehearse = package, rehearse
        self.options = patience.with_solution(options)
        self.imports = _imports(package)
        self.survey = self._surveyed()
        self.states = {t: _State(ladder.ladder(sight), sight.trouble) for t, sight in self.survey.sights.items()}
        self.values: Values = {}
        self.seconds: dict[str, float] = {}

    def plan(self) -> Plan:
        """Find it out."""
        self.values = self._run(self.package.assignment, climb=True).values
        self._learn(ladder.learnt(self.survey, self.values))
        clean = True
        for state in self.states.values():
            state.clean = clean
            clean = clean and state.passes[0] and not state.level
            if not state.passes[0]:
                state.level = len(state.rungs) - 1  # now as the first thing that is tried with it
        again = self._run(self.package.assignment).values
        self._learn(ladder.learnt(self.survey, self.values, again))
        unclear = [test for test, state in self.states.items() if state.forced or not all(state.passes)]
        self._try_once_more(unclear)
        self._confirm()
        self._find_twins([test for test, state in self.states.items() if state.inside])
        found = {test: _with_trouble(state) for test, state in self.states.items()}
        given = ladder.givens(self.survey, self.values, found)
        return Plan(found, given, self.survey.modules, self.imports, self.seconds)

    def _surveyed(self, learnt: Learnt | None = None) -> Survey:
        return looks.survey(self.package.assignment, self.package.files, learnt, self.package.editable)

    def _learn(self, learnt: Learnt) -> None:
        """Look at the notebook again, with what is known of its data now."""
        self.survey = self._surveyed(learnt)
        for test, sight in self.survey.sights.items():
            self.states[test].rungs = ladder.ladder(sight)

    def _try_once_more(self, unclear: Sequence[str]) -> None:
        """Run tests that did not pass both times: from outside if there is hope, else in the candidate."""
        left = list(unclear)
        for test in left:
            if not self.states[test].hopes():
                self._go_inside(test)
        while left:
            self._run(ladder.replayed(self.package.assignment, left, {}, self._views()))
            outside = [t for t in left if not (self.states[t].inside or self.states[t].passes[-1])]
            for test in outside:
                self._go_inside(test)
            left = outside
        self._try_after_others([test for test in unclear if self.states[test].inside])

    def _try_after_others(self, inside: Sequence[str]) -> None:
        """Run tests that fail in the candidate once more, behind all others: earlier ones may change what they see."""
        while late := [t for t in inside if not (self.states[t].passes[-1] or self.states[t].late)]:
            for test in late:
                self.states[test].late = True
            self._lead_up()
            inside = [test for test, state in self.states.items() if state.inside]
            self._run(ladder.replayed(self.package.assignment, inside, {}, self._views()))
        for test in inside:
            state = self.states[test]
            if state.inside and not state.passes[-1]:  # it fails wherever it is
                state.reason = state.inside.why if state.reason in state.inside.why else state.reason
                state.inside, state.level = None, 0
        self._lead_up()

    def _lead_up(self) -> None:
        """Have tests that need it preceded by those which the candidate would not run."""
        sources: list[str] = []
        for item in self.package.assignment.tests:
            state = self.states[item.id]
            if state.inside is None:
                sources.append(item.source)
            elif state.late:
                state.inside, sources = replace(state.inside, before=ladder.led_up(sources)), []

    def _confirm(self) -> None:
        """Run tests from outside without those in the candidate, as grading does: they may have needed them."""
        fallen = [test for test, state in self.states.items() if state.inside]
        while fallen:
            outside = [test for test, state in self.states.items() if not state.inside]
            passed = [test for test in outside if self.states[test].passes[-1]]
            if not passed:
                return
            self._run(ladder.replayed(self.package.assignment, outside, {}, self._views()))
            fallen = [test for test in passed if not self.states[test].passes[-1]]
            self._try_once_more(fallen)

    def _go_inside(self, test: str) -> None:
        state = self.states[test]
        state.inside = ladder.inside(self.survey.sights[test], state.forced or state.reason)

    def _find_twins(self, inside: Sequence[str]) -> None:
        """Keep the twins that fail, of tests that can be run among others."""
        if not inside:
            return
        sources = {item.id: item.source for item in self.package.assignment.tests}
        beside = {test: (*twins.twins(sources[test])[: ladder.MOST], sources[test]) for test in inside}
        views = self._views()
        views |= {
            ladder.twin(test, n): Look("in-candidate") for test, texts in beside.items() for n in range(len(texts))
        }
        ran = self._rehearsed(ladder.replayed(self.package.assignment, inside, beside, views), views, {})
        passed = {outcome.test for outcome in ran.outcomes if outcome.status == "passed"}
        for test, texts in beside.items():
            state = self.states[test]
            if state.inside and {test, ladder.twin(test, len(texts) - 1)} <= passed:
                state.inside = replace(state.inside, twins=ladder.telling(test, texts, passed))

    def _views(self) -> dict[str, Look]:
        return {test: state.look for test, state in self.states.items()}

    def _run(self, assignment: Assignment, *, climb: bool = False) -> Rehearsal:
        """Run the solution, and take down what came of each test, which may climb as far as it must."""
        states = {test.id: self.states[test.id] for test in assignment.tests}
        ran = self._rehearsed(assignment, self._views(), {t: state.further for t, state in states.items() if climb})
        outcomes = {outcome.test: outcome for outcome in ran.outcomes}
        _check(assignment, ran)
        for item in assignment.tests:
            self._take(states[item.id], outcomes.get(item.id), ran.looks.get(item.id))
            if item.id in ran.liberties:
                states[item.id].liberties = (states[item.id].liberties or frozenset()) | ran.liberties[item.id]
            if not states[item.id].passes[-1]:
                states[item.id].reason = _told(item, outcomes.get(item.id), ran.trouble)
        for cell in ran.seconds.keys() & set(self.survey.order):
            self.seconds[cell] = max(ran.seconds[cell], self.seconds.get(cell, 0.0))
        return ran

    def _rehearsed(
        self, assignment: Assignment, views: Mapping[str, Look], further: Mapping[str, tuple[Look, ...]]
    ) -> Rehearsal:
        given = ladder.givens(self.survey, self.values, views)
        plan = Plan(views, given, self.survey.modules, self.imports, self.seconds)
        package = replace(self.package, assignment=assignment, plan=plan)
        return self.rehearse(package, self.survey.capture, further, self.options)

    def _take(self, state: _State, outcome: Outcome | None, passed: Look | None) -> None:
        fine = outcome is not None and outcome.status == "passed"
        state.passes.append(fine)
        if fine and passed in state.rungs:
            state.level = state.rungs.index(passed, state.level)


def _check(assignment: Assignment, ran: Rehearsal) -> None:
    """Raise CoursemillError when tests are not reached, of which then nothing is known."""
    places = {item.id: item.place for item in assignment.tests}
    unknown = [outcome.test for outcome in ran.outcomes if outcome.status == "not-reached"]
    if unknown:
        what = f"{len(unknown)} of {len(ran.outcomes)} tests of {assignment.name} are not reached: {ran.trouble}"
        fix = "mend the cells and the tests before it: the solution has to come to its end"
        raise CoursemillError(what, where=places.get(unknown[0], ""), fix=fix)


def _with_trouble(state: _State) -> Look:
    """How a test is looked at, and what is wrong with it: it has to pass at last."""
    if state.passes[-1] and not state.shaky:
        return state.look if state.inside else replace(state.look, liberties=state.liberties)
    often = "it passes only sometimes: " if state.shaky else ""
    return replace(state.look, trouble=f"{often}{state.reason}")


def _told(item: Item, outcome: Outcome | None, trouble: str) -> str:
    """Why a test did not pass, with the line where that is known."""
    if outcome is None:
        return trouble or "it was not reached"
    said = outcome.reason or outcome.message or outcome.status
    return said if outcome.place == item.place else f"{outcome.place}: {said}"


def _imports(package: Package) -> tuple[str, ...]:
    code = [item for item in package.assignment.items if item.type == "code" and item.role != "prose"]
    return preload.of_cells([item.source for item in code], package.files)


def _rehearse(
    package: Package, capture: Mapping[str, tuple[str, ...]], tries: Mapping[str, tuple[Look, ...]], options: Options
) -> Rehearsal:
    from coursemill.effects.grading import rehearsal  # jupyter_client takes a third of a second

    return rehearsal.rehearse(package, capture, tries, options)
