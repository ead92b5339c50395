"""Which frameworks for computing a lesson needs: it runs on a kernel only where each of them sees a device."""

from __future__ import annotations

from collections.abc import Iterable

BACKEND = "KERAS_BACKEND"
"""The environment variable that says what Keras computes with."""
USUAL = "tensorflow"
"""What it computes with when nothing is said."""
BACKENDS = ("tensorflow", "jax", "torch")
MODULES = {
    "tensorflow": "tensorflow",
    "tf_keras": "tensorflow",
    "jax": "jax",
    "jaxlib": "jax",
    "flax": "jax",
    "torch": "torch",
    "torchvision": "torch",
    "keras": "keras",
}
"""Module → the framework that it stands for; what Keras stands for, its backend decides."""


def of(modules: Iterable[str]) -> tuple[str, ...]:
    """The frameworks that imports of these modules need, `keras` among them."""
    found = {MODULES.get(module.partition(".")[0], "") for module in modules} - {""}
    return tuple(sorted(found))


def needed(frameworks: Iterable[str], backend: str) -> frozenset[str]:
    """The frameworks that compute, with Keras' `backend` (empty: the usual one) in its place."""
    return frozenset((backend or USUAL) if name == "keras" else name for name in frameworks)
