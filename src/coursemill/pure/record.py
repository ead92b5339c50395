"""The record of a run: what it ran on, with which libraries, and where its models were."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

LONGEST, MOST = 200, 200
"""Characters of a text, and entries of a list, that are kept: what a kernel says of itself may be anything."""


@dataclass(frozen=True, slots=True)
class Model:
    """A Keras model, by its name in the notebook, and how many of its variables are on which device."""

    name: str
    kind: str
    """Its class."""
    devices: Mapping[str, int] = field(default_factory=dict)
    """Empty when it has no variables yet."""


@dataclass(frozen=True, slots=True)
class Record:
    """What a kernel said when its lesson had ended; empty when it did not live so long."""

    machine: tuple[str, ...] = ()
    """The devices of the kernel, as the machine names them."""
    devices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Framework → the devices that it had when it was used."""
    backend: str = ""
    """What Keras computes with."""
    libraries: Mapping[str, str] = field(default_factory=dict)
    """Module that the lesson imports → version; and `python`."""
    models: tuple[Model, ...] = ()
    missing: str = ""
    """Why something is missing."""


UNKNOWN = Record()


def read(data: Any) -> Record:
    """Make a record of plain data, whatever they are: what has not the right form is left out."""
    found = data if isinstance(data, dict) else {}
    models = (one for one in _list(found.get("models")) if isinstance(one, dict))
    return Record(
        machine=_texts(found.get("machine")),
        devices={name: _texts(devices) for name, devices in _items(found.get("devices"))},
        backend=_text(found.get("backend")),
        libraries={name: _text(version) for name, version in _items(found.get("libraries")) if _text(version)},
        models=tuple(_model(one) for one in models),
        missing=_text(found.get("missing")),
    )


def placed(model: Model) -> str:
    """Where a model is, in words."""
    places = ", ".join(sorted(model.devices)) or "no variables yet"
    return f"{model.name} ({model.kind}): {places}"


def _model(data: Mapping[str, Any]) -> Model:
    counts = {device: count for device, count in _items(data.get("devices")) if type(count) is int}
    return Model(_text(data.get("name")), _text(data.get("kind")), counts)


def _items(data: Any) -> list[tuple[str, Any]]:
    found = data.items() if isinstance(data, dict) else ()
    return [(_text(key), value) for key, value in islice(found, MOST) if isinstance(key, str)]


def _list(data: Any) -> Iterable[Any]:
    return islice(data, MOST) if isinstance(data, list | tuple) else ()


def _texts(data: Any) -> tuple[str, ...]:
    return tuple(_text(one) for one in _list(data) if isinstance(one, str))


def _text(data: Any) -> str:
    if not isinstance(data, str):
        return ""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in data[:LONGEST])
