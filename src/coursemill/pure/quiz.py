"""Choice questions: the prompt with lettered options, the answer's cell, and the test that grades it.

Right is a set of letters, however it is written: `"AC"`, `"c, a"`, `["A", "C"]`, `{"C", "A"}`. The test reads
the answer by `"".join(…)`, which takes nothing but text, so that an object that equals everything is no answer.
"""

from __future__ import annotations

import json
import re

from coursemill.model import LETTERS, Quiz

BEGIN_HIDDEN, END_HIDDEN = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"


def variable(quiz: Quiz) -> str:
    """The name that the student's answer has."""
    return "answer_" + re.sub(r"\W", "_", quiz.id, flags=re.ASCII)


def options(quiz: Quiz) -> str:
    """The options as a Markdown list with letters."""
    items = (f"- **{letter}.** {_indented(option.text)}" for letter, option in zip(LETTERS, quiz.options, strict=False))
    return "\n".join(items)


def instruction(quiz: Quiz) -> str:
    """How to answer, as a sentence of Markdown."""
    if quiz.multiple:
        return f'*Several are right: write their letters below, such as* `{variable(quiz)} = "AB"`.'
    return f'*One is right: write its letter below, such as* `{variable(quiz)} = "A"`.'


def solved(quiz: Quiz) -> str:
    """The answer's cell, answered."""
    return f"{variable(quiz)} = {json.dumps(quiz.answer)}"


def answer(quiz: Quiz) -> str:
    """The answer's cell with nbgrader's markers: students get an empty text, and an error while it is empty."""
    name = variable(quiz)
    return "\n".join(
        [
            f'{name} = ""  # {"letters" if quiz.multiple else "the letter"} between the quotes',
            f"if not {name}:",
            "    ### BEGIN SOLUTION",
            f"    {solved(quiz)}",
            "    ### END SOLUTION",
        ]
    )


def test(quiz: Quiz, *, marked: bool) -> str:
    """The test: students see that it asks for letters, and not (between markers if `marked`) for which."""
    name = variable(quiz)
    letters = LETTERS[: len(quiz.options)]
    form = "_chosen" if quiz.multiple else "len(_chosen) == 1"
    ask = f"one or more letters from A to {letters[-1:]}" if quiz.multiple else f"one letter from A to {letters[-1:]}"
    visible = [
        f"# Is it {ask}? Whether it is right shows after grading.",
        f'_chosen = {{letter for letter in "".join({name}).upper() if letter.isalpha()}}',
        f"assert {form} and _chosen <= set({json.dumps(letters)}), (",
        f"    {json.dumps(f'{name}: write {ask}, in quotes')}",
        ")",
    ]
    remarks = [f"    {json.dumps(letter)}: {_remark(quiz, index)}," for index, letter in enumerate(letters)]
    hidden = [
        "_remarks = {",
        *remarks,
        "}",
        f"_wrong = sorted(_chosen ^ set({json.dumps(quiz.answer)}))",
        'assert not _wrong, "; ".join(_remarks[letter] for letter in _wrong)',
    ]
    return "\n".join([*visible, BEGIN_HIDDEN, *hidden, END_HIDDEN] if marked else [*visible, *hidden])


def explanation(quiz: Quiz) -> str:
    """The answer and the author's remarks, as Markdown for the worked edition."""
    items = []
    for letter, option in zip(LETTERS, quiz.options, strict=False):
        why = f": {_indented(option.why)}" if option.why else ""
        items.append(f"- **{letter}** is {'right' if option.right else 'wrong'}{why}")
    return "\n".join(items)


def _remark(quiz: Quiz, index: int) -> str:
    option = quiz.options[index]
    verdict = f"{LETTERS[index]} is {'right' if option.right else 'wrong'}"
    return json.dumps(f"{verdict}: {option.why}" if option.why else verdict, ensure_ascii=False)


def _indented(text: str) -> str:
    """Further lines of a list item."""
    return text.strip().replace("\n", "\n  ")
