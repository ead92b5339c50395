"""Rules for code: it parses, as a cell or as a file, and so does what students start from. Nothing is executed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from coursemill.model import Code, Exercise, Finding, Lesson, Solution
from coursemill.pure import codes, python
from coursemill.pure.rules.rule import Known, rule

BEGIN, END = "BEGIN SOLUTION", "END SOLUTION"
"""nbgrader looks for these anywhere in a line."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Code of a fence: what it is for messages, where it starts, and whether it is a cell or a file."""

    what: str
    text: str
    first_line: int
    indent: int
    cell: bool = True


@rule()
def compiles(lesson: Lesson, known: Known) -> Iterator[Finding]:
    """Whatever Python the note holds can be compiled, and Python has nothing to say about it.

    What it would say goes to stderr, and nbgrader gives no points for a test that writes there.
    """
    for piece, *others in _pieces(lesson):
        seen = python.look(piece.text, cell=piece.cell)
        for warning in seen.warnings:
            yield _finding(codes.SYNTAX_WARNING, lesson.path, piece, warning)
        for other in others if not seen.problem else ():
            piece, seen = other, python.look(other.text, cell=other.cell)
        if seen.problem:
            yield _finding(codes.SYNTAX, lesson.path, piece, seen.problem)


def starter(solution: str) -> str:
    """What nbgrader leaves of a solution, line by line: the code between the markers gives way to a `raise`."""
    lines, inside = [], False
    for line in solution.split("\n"):
        begins = not inside and BEGIN in line
        indent = line[: len(line) - len(line.lstrip())]
        lines.append(f"{indent}raise NotImplementedError()" if begins else "" if inside else line)
        inside = begins or (inside and END not in line)
    return "\n".join(lines)


def _pieces(lesson: Lesson) -> Iterator[tuple[Piece, ...]]:
    """Every Python fence; with a solution comes its starter, looked at when the solution is sound."""
    for part in lesson.parts:
        if isinstance(part, Code):
            yield from _code(part)
        elif hasattr(part, "parts"):
            for inner in part.parts:
                if isinstance(inner, Code):
                    yield from _code(inner)
        if isinstance(part, Exercise):
            yield from _exercise(part)


def _code(code: Code) -> Iterator[tuple[Piece, ...]]:
    if code.role == "file":
        if _is_python(code.path):
            yield (Piece(f"the file {code.path}", code.text, code.first_line, code.indent, cell=False),)
    elif code.role != "shell":
        yield (Piece("the code", code.text, code.first_line, code.indent),)


def _exercise(exercise: Exercise) -> Iterator[tuple[Piece, ...]]:
    only = exercise.solutions[0].path if len(exercise.solutions) == 1 else ""
    for solution in exercise.solutions:
        if not solution.path or _is_python(solution.path):
            yield _solution(solution)
    for test in exercise.tests:
        yield (Piece("the test", test.text, test.first_line, test.indent),)
    for wrong in exercise.wrongs:
        file = wrong.path or only
        if not file or _is_python(file):
            yield (Piece("the wrong answer", wrong.text, wrong.first_line, wrong.indent, cell=not file),)


def _solution(solution: Solution) -> tuple[Piece, ...]:
    cell = not solution.path
    whole = Piece("the solution", solution.text, solution.first_line, solution.indent, cell)
    if BEGIN not in solution.text:
        return (whole,)
    stub = Piece("the starter that students get", starter(solution.text), solution.first_line, solution.indent, cell)
    return whole, stub


def _finding(code: codes.Code, path: str, piece: Piece, problem: python.Problem) -> Finding:
    verb = "does not parse" if code is codes.SYNTAX else "makes Python warn"
    message = f"{piece.what} {verb}: {problem.message}"
    return code.at(path, piece.first_line + problem.line - 1, message, col=piece.indent + problem.col)


def _is_python(path: str) -> bool:
    return PurePosixPath(path).suffix in {".py", ".pyi"}
