"""What a run has to do: a plan for each lesson and kernel, many of them decided before anything is executed."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from coursemill.config import Config
from coursemill.course.cards import Card, Deck
from coursemill.effects import frameworks as asked
from coursemill.effects import kept, kernels
from coursemill.model import Accelerator
from coursemill.pure import frameworks, parameters
from coursemill.pure.outcome import Kernel, Run, Sandbox
from coursemill.pure.record import Record

RUNS = "runs"
Surroundings = Callable[[Kernel, tuple[str, ...]], kept.Environment]


@dataclass(frozen=True, slots=True)
class Request:
    """What to run, and how."""

    names: tuple[str, ...] = ()
    kernels: tuple[Accelerator, ...] = ("cpu",)
    jobs: int = 0
    """Lessons side by side; 0: as many as cores and memory allow."""
    fresh: bool = False
    parameters: tuple[tuple[str, str], ...] = ()
    required: tuple[Accelerator, ...] = ()
    sandbox: bool = False
    """As students' code is run: kept in, forked from a server that has the lesson's imports."""
    preload: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """A lesson on a kernel: decided already (`run.status`), or to be executed and kept under `key`."""

    run: Run
    key: str = ""
    notebook: str = ""
    files: tuple[tuple[str, Path], ...] = ()
    timeout: float = 0.0
    sandbox: Sandbox | None = None

    @property
    def due(self) -> bool:
        return bool(self.key)


def plans(config: Config, request: Request, probed: Sequence[Kernel]) -> list[Plan]:
    """One plan a lesson and kernel; a lesson of several worksheets is run once, unless their shared files differ.

    Raises CoursemillError for a lesson, and ConfigError for a parameter, that there is not.
    """
    deck = Deck(config, request.names)
    if request.parameters:
        parameters.refuse_unknown(request.parameters, {card.lesson: card.parameters for card in deck.cards})
    environment = cache(kept.Environment.of)
    return [_plan(deck, card, kernel, request, environment) for kernel in probed for card in deck.cards]


def _plan(deck: Deck, card: Card, kernel: Kernel, request: Request, environment: Surroundings) -> Plan:
    run = _blank(card, kernel)
    if kernel.name not in card.accelerators:
        return Plan(replace(run, status="not offered", reason=f"the note does not list {kernel.name}"))
    if not kernel.available:
        return Plan(replace(run, status="unavailable", reason=kernel.reason, fix=kernel.fix))
    if lacking := kernels.missing(card.requires):
        return Plan(replace(run, status="unavailable", reason=lacking[0], fix=lacking[1]))
    if card.mistakes:
        return Plan(replace(run, status="failed", reason="the note has mistakes", failures=card.mistakes))
    if not card.code:
        reason = "its code is only shown" if card.shown else "it has no code"
        return Plan(replace(run, status="empty", reason=reason))
    if lacking := _lacking(card, kernel):
        return Plan(replace(run, status="unavailable", reason=lacking[0], fix=lacking[1]))
    config = deck.config
    values = parameters.chosen(card.parameters, kernel.name, request.parameters)
    output = f"{config.build}/{RUNS}/{kernel.name}/{card.worksheet}/{card.lesson}.ipynb"
    run = replace(run, parameters=values, notebook=output, record=Record(machine=kernel.devices))
    inside = Sandbox(card.preload, card.limits, request.preload) if request.sandbox else None
    key = kept.key(environment(kernel, card.requires), card.notebook, card.digest, values, card.timeout, inside)
    if not request.fresh and (found := kept.find(config.root, output, key)):
        return Plan(replace(run, **_result(found), cached=True))
    files = tuple((name, config.path(path)) for name, path in card.files)
    return Plan(run, key, deck.notebook(card), files, card.timeout, inside)


def _lacking(card: Card, kernel: Kernel) -> tuple[str, str] | None:
    """Why what the lesson computes with does not reach the kernel's devices, and what to do about it."""
    backend = os.environ.get(frameworks.BACKEND, "").strip()
    if "keras" in card.frameworks and backend in frameworks.BACKENDS and not asked.is_installed(backend):
        return f"Keras is to compute with {backend}, which is not installed", f"pip install {backend}"
    if blind := kernel.blind(frameworks.needed(card.frameworks, backend)):
        return f"{blind.label} does not compute on the {kernel.name}: {blind.reason}", blind.fix
    return None


def _blank(card: Card, kernel: Kernel) -> Run:
    """What is known of a run before it starts."""
    return Run(
        lesson=card.lesson,
        note=card.note,
        worksheet=card.worksheet,
        kernel=kernel.name,
        status="cancelled",
        exercises=card.exercises,
        points=card.points,
        shown=card.shown,
    )


def _result(found: Run) -> dict[str, Any]:
    """What a kept run says that is not known before it starts."""
    names = ("status", "reason", "seconds", "code", "cells", "statements", "imports", "record")
    return {name: getattr(found, name) for name in names}
