"""Stands in for JAX, see above."""
