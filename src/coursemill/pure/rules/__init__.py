"""Lint rules: small decorated functions, a concern to a module."""
