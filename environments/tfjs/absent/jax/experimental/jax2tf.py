"""Stands in for JAX, see above."""


def __getattr__(name: str) -> object:
    raise ImportError(f"jax2tf.{name}: this environment has no JAX; `pip install tensorflowjs` brings it")
