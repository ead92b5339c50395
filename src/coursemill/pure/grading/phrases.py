"""What a student reads of a test that gave no points: in words, where Python has but the name of an error."""

from __future__ import annotations

from collections.abc import Collection

from coursemill.pure.grading import autograded, choices
from coursemill.pure.grading.exercises import Exercise
from coursemill.pure.grading.verdict import Outcome

NO_MESSAGE = "AssertionError"
"""What is said of an assert without a message."""
NOTHING_YET = "NotImplementedError"
"""What the stub of an answer raises."""
NO_ANSWER = "There is no answer."
WRONG_CHOICE = "This is not the right choice."


def said(outcome: Outcome, exercise: Exercise, unanswered: Collection[str]) -> str:
    """Return a test's message; `unanswered` are the ids of answers that nobody touched."""
    if outcome.status == "passed":
        return autograded.FAKED if outcome.twin == "passed" else outcome.message
    if outcome.message == NOTHING_YET and _is_open(exercise, unanswered):
        return NO_ANSWER
    if outcome.message not in ("", NO_MESSAGE):
        return outcome.message
    is_choice = outcome.status == "failed" and choices.read(exercise) is not None
    return WRONG_CHOICE if is_choice else autograded.REASONS[outcome.status]


def _is_open(exercise: Exercise, unanswered: Collection[str]) -> bool:
    return bool(exercise.answers) and all(answer.id in unanswered for answer in exercise.answers)
