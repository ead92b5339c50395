"""Grading, as far as it needs no process and no file: what is asked, what was handed in, what came of it."""
