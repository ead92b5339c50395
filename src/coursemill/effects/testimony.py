"""What a kernel says of itself at the end of a lesson. Its source is sent there, and runs in the lesson's process.

It uses the standard library, and of frameworks only what the lesson has imported and started itself.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any

MOST_MODELS, MOST_ITEMS, MOST_VARIABLES = 50, 50, 5000
PLACE = re.compile(r"([A-Za-z]+)(?::(\d+))?$")


def libraries(imported: list[str]) -> str:
    """JSON: versions of the modules that the lesson imports, what Keras computes with, and frameworks' devices."""
    names = {*imported, *_modules(_space())}
    backend = ""
    if names & {"keras", "tensorflow", "tf_keras"} and "keras" in sys.modules:
        backend = _backend()
        names |= {"keras", backend}
    found = {name: version for name in sorted(names) if name in sys.modules and (version := _version(name))}
    devices = {name: seen for name, ask in USED.items() if name in sys.modules and (seen := _tried(ask))}
    said = {"libraries": {"python": platform.python_version(), **found}, "backend": backend, "devices": devices}
    return json.dumps(said)


def models() -> str:
    """JSON: the Keras models among the lesson's variables, also those in its lists and dictionaries."""
    kinds = tuple(
        kind
        for name in ("keras", "tf_keras")
        if isinstance(kind := getattr(sys.modules.get(name), "Model", None), type)
    )
    seen: dict[int, dict[str, Any]] = {}
    for name, value in _named(_space()):
        if len(seen) < MOST_MODELS and id(value) not in seen and issubclass(type(value), kinds):
            seen[id(value)] = {"name": name, "kind": type(value).__name__, "devices": _devices(value)}
    return json.dumps({"models": list(seen.values())})


def _space() -> list[tuple[str, Any]]:
    """The lesson's variables, without those of IPython."""
    own = vars(sys.modules["__main__"])
    return [(name, own[name]) for name in list(own) if type(name) is str and not name.startswith("_") and name in own]


def _modules(space: Iterable[tuple[str, Any]]) -> set[str]:
    """The top names of modules among the variables that are no part of Python."""
    found = {value.__name__.partition(".")[0] for _, value in space if type(value) is type(sys)}
    return found - set(sys.stdlib_module_names) - {"__main__"}


def _named(space: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    for name, value in space:
        yield name, value
        if type(value) is dict:
            keys = [key for key in list(value)[:MOST_ITEMS] if type(key) in (str, int)]
            yield from ((f"{name}[{key!r}]", value[key]) for key in keys)
        elif type(value) in (list, tuple):
            yield from ((f"{name}[{place}]", item) for place, item in enumerate(value[:MOST_ITEMS]))


def _devices(model: Any) -> dict[str, int]:
    """How many variables are on which device; of a mirrored variable each copy counts."""
    found: dict[str, int] = {}
    try:
        variables = list(model.weights)[:MOST_VARIABLES]
        for place in (place for variable in variables for place in _places(variable)):
            found[place] = found.get(place, 0) + 1
    except Exception:  # a model that is not built yet, or one that is broken
        return found
    return found


def _places(variable: Any) -> list[str]:
    value = getattr(variable, "value", variable)
    value = variable if callable(value) else value  # a method, in older Keras
    copies = getattr(value, "values", None)
    if type(copies) is tuple:  # a strategy keeps one on each device
        return [_short(copy.device) for copy in copies]
    if callable(spread := getattr(value, "devices", None)):  # JAX
        return sorted(f"{device.platform.upper()}:{device.id}" for device in spread())
    return [_short(value.device)]


def _short(device: Any) -> str:
    """`/job:localhost/…/device:GPU:0` and `cuda:0` are `GPU:0`."""
    found = PLACE.search(str(device))
    if not found:
        return str(device)
    kind = found[1].upper()
    return f"{'GPU' if kind == 'CUDA' else kind}:{found[2] or 0}"


def _version(name: str) -> str:
    version = getattr(sys.modules[name], "__version__", None)
    if type(version) is str:
        return version
    try:
        return importlib.metadata.version(name)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return ""


def _backend() -> str:
    config: Any = getattr(sys.modules["keras"], "config", None)
    name = config.backend() if hasattr(config, "backend") else ""
    return name if type(name) is str else ""


def _tried(ask: Any) -> list[str]:
    try:
        return [str(device) for device in ask()]
    except Exception:  # of another version than we know: nothing is said
        return []


def _tensorflow() -> Iterator[str]:
    context = sys.modules["tensorflow.python.eager.context"].context_safe()
    if not getattr(context, "_initialized", True):
        return  # never used, and starting it takes time
    config = sys.modules["tensorflow"].config
    if os.environ.get("COURSEMILL_ACCELERATOR") == "tpu":
        yield from (f"TPU:{place}" for place, _ in enumerate(config.list_logical_devices("TPU")))
    for device in config.list_physical_devices():
        details = config.experimental.get_device_details(device)
        yield f"{_short(device.name)} {details.get('device_name', '')}".rstrip()


def _jax() -> Iterator[str]:
    if sys.modules["jax._src.xla_bridge"].backends_are_initialized():
        for device in sys.modules["jax"].devices():
            kind = "" if device.device_kind == device.platform else f" {device.device_kind}"
            yield f"{device.platform.upper()}:{device.id}{kind}"


def _torch() -> Iterator[str]:
    yield "CPU:0"
    cuda = sys.modules["torch"].cuda
    if cuda.is_initialized():
        yield from (f"GPU:{place} {cuda.get_device_name(place)}" for place in range(cuda.device_count()))


USED = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
