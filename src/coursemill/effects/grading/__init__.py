"""Grading at the edges: candidates and examiners, the journal, the gradebook."""
