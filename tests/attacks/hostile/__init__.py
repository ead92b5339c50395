"""Hostile submissions: what each hands in, and what it deserves."""
