"""Exercises, questions and quizzes: from a callout and what follows it to the model's values."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Literal

from coursemill.model import Ask, Code, Exercise, ExercisePart, Finding, Hint, Option, Part, Prose, Question, Quiz, Span
from coursemill.pure import codes, comments, ids
from coursemill.pure.attributes import of_callout
from coursemill.pure.markdown import Callout, Fence, Outline
from coursemill.pure.pieces import defined, is_blank, unquoted
from coursemill.pure.references import VERBATIM, masked

_OPTION = re.compile(r" {0,3}(?:[-*+]|\d{1,9}[.)])[ \t]+\[([ xX])\](?:[ \t]+(.*))?")
_ITEM = re.compile(r" {0,3}(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)")
_NEARLY = re.compile(r" {0,3}(?:[-*+]|\d{1,9}[.)])?[ \t]*\[[ xX✓✔-]?\](?![(\[])")
_WHY = re.compile(
    r"(?:(?<![*\w])\*(?![*\s])((?:[^*]|\*\*[^*]+\*\*)+)(?<!\s)\*|(?<!\w)_(?![_\s])((?:[^_]|(?<=\w)_(?=\w))+)(?<!\s)_)$"
)
_PLAIN = re.compile(VERBATIM, re.VERBOSE)


@dataclass
class Task:
    """A task that is still being read. `invalid`: it has no usable id, so nothing of it can be graded."""

    kind: Literal["exercise", "question", "quiz", "invalid"]
    id: str
    span: Span
    title: str
    prompt: str = ""
    points: float = 0.0
    options: tuple[Option, ...] = ()
    parts: list[ExercisePart] = field(default_factory=list)
    model_answer: list[str] = field(default_factory=list)
    rubric: list[str] = field(default_factory=list)
    key: list[Span] = field(default_factory=list)

    def built(self) -> list[Part]:
        """The task as a part of the lesson; what an invalid one leaves behind is parts of their own."""
        plain = tuple(p for p in self.parts if isinstance(p, Prose | Code | Hint))
        if self.kind == "exercise":
            return [Exercise(self.id, self.span, self.title, self.prompt, tuple(self.parts))]
        if self.kind == "quiz":
            return [Quiz(self.id, self.span, self.title, self.prompt, self.points, self.options, plain)]
        if self.kind == "invalid":
            return [p for p in plain if not isinstance(p, Hint)]
        answer, rubric = "\n\n".join(self.model_answer), "\n\n".join(self.rubric)
        return [
            Question(self.id, self.span, self.title, self.prompt, self.points, answer, rubric, plain, tuple(self.key))
        ]


def opened(path: str, callout: Callout, end: int, outline: Outline) -> tuple[Task, list[Finding]]:
    """The task that `callout` begins; its own text ends above line `end`, where the first part in it may stand."""
    line, lines = callout.start + 1, outline.lines
    bar = lines[callout.start].find("|", lines[callout.start].find("[!"))
    attributes = of_callout(path, line, bar + 2, callout.attributes)
    manual = callout.kind == "exercise" and attributes.text("grade", "auto") == "manual"
    attributes.allow(
        {"id", "points", "grade"} if callout.kind == "exercise" else {"id", "points"}, f"`[!{callout.kind}]`"
    )
    if callout.kind == "exercise" and attributes.values.get("grade", "auto") not in {"manual", "auto", None}:
        message, fix = f"`grade` is `{attributes.values['grade']}`", "write `grade=manual`, or leave it out"
        attributes.report(codes.ATTRIBUTE_VALUE, "grade", message, fix)
    if callout.kind == "exercise" and not manual and "points" in attributes.values:
        message, fix = "an auto-graded exercise has the points of its tests", "give `points=…` to each test"
        attributes.report(codes.UNKNOWN_ATTRIBUTE, "points", message, fix)
    identifier = attributes.identifier() if attributes.values.get("id") else ""
    if not attributes.values.get("id"):
        fix = f"give it one: `[!{callout.kind}|id=…]`"
        attributes.findings.append(codes.ID_MISSING.at(path, line, f"the {callout.kind} has no id", fix=fix))
    if callout.nested:
        attributes.findings.append(codes.TASK_NESTED.at(path, line))
    kind: Literal["exercise", "question", "quiz", "invalid"] = "quiz" if callout.kind == "quiz" else "exercise"
    task = Task("question" if manual else kind, identifier, Span(path, line, end), callout.title)
    task.points = attributes.number("points")
    body = [unquoted(text, callout.quotes) for text in lines[callout.start + 1 : end]]
    if kind == "quiz":
        fenced = {
            n - callout.start - 1 for c in callout.children if isinstance(c, Fence) for n in range(c.start, c.end)
        }
        body, options, wrong, lazy = _options(body, fenced)
        task.options = tuple(replace(option, line=line + 1 + option.line) for option in options)
        message, fix = "the line is no option", "write `- [ ] text`, or `- [x] text` when it is right"
        attributes.findings += [codes.QUIZ_OPTIONS.at(path, line + 1 + n, message, fix=fix) for n in wrong]
        message, fix = "a line at the margin goes on the option above", "indent it, or put a blank line above it"
        attributes.findings += [
            codes.LAZY_LINE.at(path, line + 1 + n, message, fix=fix)
            for n in lazy
            if lines[line + n].lstrip().startswith(">")
        ]
    task.prompt = defined(_joined(body), outline)
    if not identifier:
        task.kind = "invalid"
    return task, attributes.findings


def asked(path: str, callout: Callout, outline: Outline, taken: Collection[str]) -> tuple[Ask, list[Finding]]:
    """The cell to answer a `[!question]` in; its id is the author's, or one that stays while the question does."""
    line = callout.start + 1
    bar = outline.lines[callout.start].find("|", outline.lines[callout.start].find("[!"))
    attributes = of_callout(path, line, bar + 2, callout.attributes)
    attributes.findings.clear()  # Obsidian's themes have words of their own there
    if attributes.values.get("id") and (own := attributes.identifier()):
        return Ask(own, own=True), attributes.findings
    name, body = PurePosixPath(path).stem, text(callout, outline)
    wanted = ids.derived("question", f"{name}\n{callout.title or body}")
    if wanted in taken:
        wanted = ids.derived("question", f"{name}\n{callout.title}\n{body}")
    return Ask(wanted), attributes.findings


def text(callout: Callout, outline: Outline) -> str:
    """What stands in a callout below its header, without the quote marks."""
    lines = outline.lines[callout.start + 1 : callout.end]
    return defined(_joined([unquoted(line, callout.quotes) for line in lines]), outline)


def _joined(lines: list[str]) -> str:
    start, end = 0, len(lines)
    while start < end and not lines[start].strip(" \t"):
        start += 1
    while end > start and not lines[end - 1].strip(" \t"):
        end -= 1
    return "\n".join(lines[start:end])


def _options(lines: list[str], fenced: set[int]) -> tuple[list[str], tuple[Option, ...], list[int], list[int]]:
    """The lines that are prompt, the options (`- [x] text *remark*`), and lines nearly options and nearly prompt."""
    prompt: list[str] = []
    found: list[tuple[int, bool, list[str]]] = []
    wrong: list[int] = []
    lazy: list[int] = []
    going, margin = False, 0
    for n, line in enumerate(lines):
        option = None if n in fenced else _OPTION.fullmatch(line)
        below = going and len(line) - len(line.lstrip(" ")) >= margin  # a list in the option
        near = n not in fenced and (_NEARLY.match(line) or (going and not below and _ITEM.match(line)))
        if option:
            going, margin = True, option.start(1) - 1
            found.append((n, option[1] != " ", [option[2] or ""]))
        elif near:
            going = False
            prompt.append(line)
            wrong.append(n)
        elif going and (is_blank(line) or line[0] in " \t" or n in fenced or not is_blank(lines[n - 1])):
            lazy += [] if is_blank(line) or line[0] in " \t" or n in fenced else [n]
            found[-1][2].append(line)
        else:
            going = False
            prompt += ["", line] if found and prompt and not is_blank(prompt[-1]) else [line]
    return prompt, tuple(_option(*option) for option in found), wrong, lazy


def _option(n: int, right: bool, lines: list[str]) -> Option:
    margin = min((len(line) - len(line.lstrip(" \t")) for line in lines[1:] if line.strip(" \t")), default=0)
    text = comments.removed("\n".join([lines[0], *(line[margin:] for line in lines[1:])])).strip(" \t\n")
    plain = _PLAIN.sub(lambda m: "\0" * len(m[0]), masked(text))
    why = _WHY.search(plain)  # a remark may start and end with code, and stars in code end none
    if why is None or not text[: why.start()].strip():
        return Option(text, right, line=n)
    first, last = why.span(1) if why[1] is not None else why.span(2)
    return Option(text[: why.start()].rstrip(), right, text[first:last].strip(), n)
