"""The curriculum: every lesson has what a lesson needs, runs, and all its exercises are sound."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from coursemill import config
from coursemill.course.load import load
from coursemill.model import Exercise, Lesson, Question, Quiz

ROOT = Path(__file__).parents[2]
LESSONS = load(config.load(ROOT)).lessons
each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)


def coursemill(*arguments: str) -> tuple[int, Any]:
    """Call the command line with --json; its exit code and what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "coursemill", "--root", str(ROOT), *arguments, "--json"],
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@each_lesson
def test_a_lesson_says_what_it_teaches_and_needs(lesson: Lesson) -> None:
    assert lesson.front.objectives
    assert lesson.front.prerequisites
    assert lesson.front.timeout


@each_lesson
def test_a_lesson_asks_in_several_ways(lesson: Lesson) -> None:
    kinds = [type(task) for task in lesson.tasks]
    assert kinds.count(Exercise) >= 5
    assert kinds.count(Quiz) >= 1
    assert kinds.count(Question) >= 1


@each_lesson
def test_exercises_help_and_look_closely(lesson: Lesson) -> None:
    for task in lesson.tasks:
        if isinstance(task, Exercise):
            assert task.hints, f"{task.span}: no hint"
            assert any(test.hidden for test in task.tests), f"{task.span}: no hidden test"
            assert len(task.wrongs) >= 2, f"{task.span}: fewer than two wrong answers"


@each_lesson
def test_what_a_lesson_prints_is_claimed(lesson: Lesson) -> None:
    assert sum(code.claim is not None for code in lesson.codes()) >= 5


@pytest.mark.lesson
@each_lesson
def test_a_lesson_runs(lesson: Lesson) -> None:
    code, found = coursemill("run", lesson.path, "--kernel", "cpu")
    runs = found["runs"]
    if all(run["status"] == "unavailable" for run in runs):
        pytest.skip(reason="; ".join(run["reason"] for run in runs))
    assert [run["status"] for run in runs] == ["passed"] * len(runs), json.dumps(runs, indent=1)
    assert code == 0


@pytest.mark.lesson
@each_lesson
def test_a_lessons_exercises_are_sound(lesson: Lesson) -> None:
    code, found = coursemill("prove", lesson.path)
    (proven,) = found["lessons"]
    if proven["status"] == "unavailable":
        pytest.skip(reason=proven["reason"])
    assert proven["status"] == "sound", json.dumps(proven, indent=1)
    assert code == 0
