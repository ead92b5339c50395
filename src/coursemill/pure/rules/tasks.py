"""Rules for exercises, questions and quizzes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from coursemill.model import LETTERS, Exercise, Finding, Lesson, Question, Quiz, Span
from coursemill.pure import codes
from coursemill.pure.rules.rule import Known, rule

POINTS = re.compile(r"(?<![\w.,-])(\d+(?:[.,]\d+)?)\s*(?:pts?|points?|p\.|pkt\.?)(?!\w)", re.IGNORECASE)
DERIVED = re.compile(r"(.+?)-(?:prompt|test-.+|hint-\d+|part-\d+)")


@rule()
def id_twice(lesson: Lesson, known: Known) -> Iterator[Finding]:
    """An id belongs to one task of the course, and so do the ids of the cells that are made from it."""
    for task in lesson.tasks:
        first = known.ids.get(task.id, task.span)
        if task.id and first != task.span:
            yield codes.ID_TWICE.at(lesson.path, task.span.start, f"the id `{task.id}` stands at {first} already")
        yield from _derived(task.id, task.span, known)


@rule()
def question_named_twice(lesson: Lesson, known: Known) -> Iterator[Finding]:
    """The id that an author gives a `[!question]` is that of its answer's cell, and no other's."""
    for ask, span in lesson.asks():
        if ask.own:
            first = known.ids.get(ask.id, span)
            if first != span:
                yield codes.ID_TWICE.at(lesson.path, span.start, f"the id `{ask.id}` stands at {first} already")
            yield from _derived(ask.id, span, known)


@rule()
def test_named_twice(lesson: Lesson, known: Known) -> Iterator[Finding]:
    """The tests of an exercise are told apart by their names."""
    for exercise in _exercises(lesson):
        seen: set[str] = set()
        for test in exercise.tests:
            if test.name and test.name in seen:
                message = f"two tests of `{exercise.id}` are named `{test.name}`"
                yield codes.ID_TWICE.at(lesson.path, test.span.start, message, fix="rename one")
            seen.add(test.name)


@rule()
def code_named_twice(lesson: Lesson, known: Known) -> Iterator[Finding]:
    """The id of a fence is that of its cell, and no other's in the note."""
    seen = {task.id: task.span.start for task in lesson.tasks} | {ask.id: span.start for ask, span in lesson.asks()}
    for code in lesson.codes():
        if code.id in seen:
            message = f"the id `{code.id}` stands on line {seen[code.id]} already"
            yield codes.ID_TWICE.at(lesson.path, code.span.start, message, fix="rename one")
        elif code.id:
            seen[code.id] = code.span.start
            yield from _derived(code.id, code.span, known)


@rule()
def points(lesson: Lesson, known: Known) -> Iterator[Finding]:
    """What is graded is worth something; points that could not be read are the parser's finding."""
    unread = _unread(lesson)
    for task in lesson.tasks:
        for graded in task.tests if isinstance(task, Exercise) else (task,):
            line = graded.span.start
            if not graded.points and line not in unread:
                what = "test" if isinstance(task, Exercise) else "quiz" if isinstance(task, Quiz) else "question"
                yield codes.NO_POINTS.at(lesson.path, line, f"the {what} has no points")


@rule()
def one_answer(lesson: Lesson, known: Known) -> Iterator[Finding]:
    """An exercise has something to solve."""
    for exercise in _exercises(lesson):
        if not exercise.solutions:
            yield codes.NO_SOLUTION.at(lesson.path, exercise.span.start)


@rule()
def tests(lesson: Lesson, known: Known) -> Iterator[Finding]:
    """An exercise has tests, the untouched starter fails some, and students see some."""
    unread = _unread(lesson)
    for exercise in _exercises(lesson):
        line, graded = exercise.span.start, exercise.tests
        if not graded:
            yield codes.NO_TESTS.at(lesson.path, line)
        elif all(test.given for test in graded):
            message = f"every test of `{exercise.id}` is given: the untouched starter gets full marks"
            yield codes.NO_TESTS.at(lesson.path, line, message, fix="add a test that the starter fails")
        elif all(test.hidden and test.span.start not in unread for test in graded):
            yield codes.HIDDEN_ALONE.at(lesson.path, line)


@rule()
def wrong_answers(lesson: Lesson, known: Known) -> Iterator[Finding]:
    """A wrong answer stands for one of the solutions, and gets less than everything."""
    for exercise in _exercises(lesson):
        for wrong in exercise.wrongs:
            if wrong.path and wrong.path not in {solution.path for solution in exercise.solutions}:
                message = f"no solution of `{exercise.id}` is the file `{wrong.path}`"
                yield codes.ATTRIBUTE_VALUE.at(lesson.path, wrong.span.start, message, fix="give the solution's path")
            if exercise.points and not 0 <= wrong.score < exercise.points:
                message = f"score={wrong.score:g}, but `{exercise.id}` awards {exercise.points:g} in all"
                fix = "give what the tests award it: at least 0, and less than all"
                yield codes.SCORE.at(lesson.path, wrong.span.start, message, fix=fix)


@rule()
def options(lesson: Lesson, known: Known) -> Iterator[Finding]:
    """A quiz offers something to choose, and something right."""
    for quiz in lesson.tasks:
        if isinstance(quiz, Quiz) and (problem := _options_problem(quiz)):
            fix = "" if problem.endswith("is right") else "give each option a line: `- [ ] text`, all different"
            yield codes.QUIZ_OPTIONS.at(lesson.path, quiz.span.start, problem, fix=fix)


@rule()
def model_answer(lesson: Lesson, known: Known) -> Iterator[Finding]:
    """Who grades by hand needs something to compare with."""
    for question in _questions(lesson):
        if not question.model_answer.strip():
            yield codes.NO_MODEL_ANSWER.at(lesson.path, question.span.start)
        if not question.rubric.strip():
            yield codes.NO_RUBRIC.at(lesson.path, question.span.start)


@rule()
def rubric_sum(lesson: Lesson, known: Known) -> Iterator[Finding]:
    """The lines of a rubric say which points they give, and give what the question says."""
    for question in _questions(lesson):
        if not question.rubric.strip() or question.points <= 0:
            continue
        items = [
            float(found[1].replace(",", ".")) for found in map(POINTS.search, question.rubric.splitlines()) if found
        ]
        if abs(sum(items) - question.points) > 1e-6:
            message = f"the rubric gives {sum(items):g} points, the question {question.points:g}"
            if not items:
                message = "no line of the rubric says its points"
            fix = "begin each line with its points, as in `- 1 pt: …`; they add up to the question's"
            yield codes.RUBRIC_SUM.at(lesson.path, question.span.start, message, fix=fix)


def _unread(lesson: Lesson) -> set[int]:
    """Lines with attributes whose values could not be read, which the parser has reported."""
    return {finding.line for finding in lesson.findings if finding.code == codes.ATTRIBUTE_VALUE.code}


def _derived(name: str, span: Span, known: Known) -> Iterator[Finding]:
    """A cell's id that is made of another task's."""
    task = DERIVED.fullmatch(name)
    if task and task[1] in known.ids:
        message = f"the id `{name}` is that of a cell of `{task[1]}` ({known.ids[task[1]]})"
        yield codes.ID_TWICE.at(span.path, span.start, message)


def _exercises(lesson: Lesson) -> Iterator[Exercise]:
    return (task for task in lesson.tasks if isinstance(task, Exercise))


def _questions(lesson: Lesson) -> Iterator[Question]:
    return (task for task in lesson.tasks if isinstance(task, Question))


def _options_problem(quiz: Quiz) -> str:
    texts = Counter(option.text.strip() for option in quiz.options)
    twice = [text for text, count in texts.items() if text and count > 1]
    checks = (
        (len(quiz.options) < 2, "a quiz needs two options or more"),
        (len(quiz.options) > len(LETTERS), f"the quiz has more than {len(LETTERS)} options"),
        ("" in texts, "an option of the quiz is empty"),
        (bool(twice), f"two options of the quiz are the same: {twice[0] if twice else ''}"),
        (not any(option.right for option in quiz.options), "no option of the quiz is right"),
    )
    return next((message for wrong, message in checks if wrong), "")
