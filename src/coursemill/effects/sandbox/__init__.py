"""Kernels for code that nobody trusts: what they see, what they may use, and how they start fast all the same."""
