"""Plans of examinations, kept in the course's build folder: a solution is run once, not for each class."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from coursemill.effects import store
from coursemill.effects.grading import keys
from coursemill.pure.grading import patience
from coursemill.pure.grading.job import Options, Package
from coursemill.pure.grading.plan import Given, Look, Plan

FOLDER = "plans"
OURS = ("course/calibrate.py", "effects/grading")
"""Of our code, what makes plans beside what results depend on."""


def key(package: Package, options: Options) -> str:
    """Everything that a plan depends on, as a digest: not where a cell stands, nor what it is worth."""
    items = [
        [item.id, item.role, item.type, item.source, item.released, sorted(item.hidden)]
        for item in package.assignment.items
    ]
    files = {name: hashlib.sha256(data).hexdigest() for name, data in package.files.items()}
    ours = [store.digest(file) for name in OURS for file in _modules(keys.PACKAGE / name)]
    patient = asdict(patience.with_solution(options))  # less patience with students asks for no other plan
    about = [items, files, sorted(package.editable), dict(package.limits), patient, keys.environment(), ours]
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()


def find(build: Path, key: str) -> Plan | None:
    """Return the plan that is kept in the folder `build` under this key."""
    try:
        return from_data(store.recall(build / FOLDER / f"{key}.json"))
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def keep(build: Path, key: str, plan: Plan) -> None:
    """Keep a plan; raises CoursemillError when it cannot be written."""
    store.remember(build, f"{FOLDER}/{key}.json", to_data(plan))


def to_data(plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON's values."""
    looks = {test: {**asdict(look), **_sorted(look)} for test, look in plan.looks.items()}
    given = {cell: {"define": g.define, "values": _encoded(g.values)} for cell, g in plan.given.items()}
    return {**asdict(plan), "looks": looks, "given": given, "seconds": dict(plan.seconds)}


def from_data(data: Mapping[str, Any]) -> Plan:
    """Read back `to_data`; raises AttributeError, KeyError, TypeError or ValueError for anything else."""
    looks = {test: _look(look) for test, look in data["looks"].items()}
    given = {cell: Given(g["define"], _decoded(g["values"])) for cell, g in data["given"].items()}
    return Plan(looks, given, tuple(data["modules"]), tuple(data["imports"]), dict(data["seconds"]))


def _sorted(look: Look) -> dict[str, Any]:
    liberties = None if look.liberties is None else sorted(look.liberties)
    return {"imported": sorted(look.imported), "liberties": liberties}


def _look(data: Mapping[str, Any]) -> Look:
    lists = {"names": tuple(data["names"]), "imported": frozenset(data["imported"]), "twins": tuple(data["twins"])}
    liberties = None if data["liberties"] is None else frozenset(data["liberties"])
    return Look(**{**data, **lists, "liberties": liberties})


def _encoded(values: Mapping[str, bytes]) -> dict[str, str]:
    return {name: base64.b64encode(data).decode() for name, data in values.items()}


def _decoded(values: Mapping[str, str]) -> dict[str, bytes]:
    return {name: base64.b64decode(text, validate=True) for name, text in values.items()}


def _modules(path: Path) -> list[Path]:
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]
