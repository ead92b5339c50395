"""Stands in for JAX, which the converter imports at its start and needs for JAX's models only.

Whoever else asks, such as Keras, is told that there is no JAX.
"""

import sys

if "tensorflowjs.converters.jax_conversion" not in sys.modules:
    raise ModuleNotFoundError("No module named 'jax'", name="jax")
