"""From a note's text to a Lesson. What cannot be understood becomes a finding, and the rest is kept."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from coursemill.model import (
    Block,
    Claim,
    Code,
    ExercisePart,
    Finding,
    Heading,
    Hint,
    Lesson,
    Part,
    Prose,
    Solution,
    Span,
    Test,
    Wrong,
)
from coursemill.pure import codes, exercises, frontmatter, markdown, references, roles
from coursemill.pure.attributes import of_fence
from coursemill.pure.exercises import Task
from coursemill.pure.fences import Notes
from coursemill.pure.links import FILE_TITLE, escaped, plain
from coursemill.pure.markdown import Callout, Fence
from coursemill.pure.pieces import piece, trimmed

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_MOST_CONTROLS = 20
_SLUG_LENGTH = 40
_LONGEST_HEADING = 500
_PARTS = frozenset({"hint", "solution", "rubric"})


def lesson(path: str, text: str) -> Lesson:
    """Understand the note at `path` (root-relative, POSIX), whose text is `text`; never raises."""
    lines, findings = _lines(path, text)
    front, wrong = frontmatter.read(path, lines)
    body = [""] * min(front.end_line, len(lines)) + lines[front.end_line :]
    outline = markdown.outline(body)
    assembly = _Assembly(path, outline)
    assembly.run(outline.blocks)
    assembly.finish()
    links, files = references.find(_masked(body, outline.notes), outline.inline, outline.html)
    links += references.in_properties(lines[: front.end_line])
    findings += [*wrong, *assembly.findings, *_findings(path, outline.notes)]
    if not any(line.strip(" \t") for line in body) and (front.worksheets or not front.end_line):
        findings.append(codes.EMPTY_NOTE.at(path, 1))
    name = PurePosixPath(path).stem
    return Lesson(
        path=path,
        name=name,
        title=next((h.text for h in assembly.headings if h.level == 1 and h.text), name),
        front=front,
        parts=tuple(assembly.parts),
        headings=tuple(assembly.headings),
        links=tuple(sorted(links, key=lambda link: (link.line, link.col))),
        findings=tuple(sorted(set(findings))),
        files=tuple(files),
        blocks=tuple(_fences(path, outline.blocks, outline.lines, assembly.headings)),
        loose=tuple(assembly.loose),
        text="\n".join(lines),
    )


def _lines(path: str, text: str) -> tuple[list[str], list[Finding]]:
    """The note's lines, which end with a newline, a carriage return or both and with nothing else."""
    findings: list[Finding] = []
    if text.startswith("\ufeff"):
        text = text[1:]
        findings.append(codes.BYTE_ORDER_MARK.at(path, 1))
    if "\r" in text:
        findings.append(codes.CRLF.at(path, text.count("\n", 0, text.index("\r")) + 1))
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    if _CONTROL.search(text):
        seen = ((n, _CONTROL.search(line)) for n, line in enumerate(lines, 1))
        found = [(n, match) for n, match in seen if match][:_MOST_CONTROLS]
        for n, match in found:
            message = f"the control character U+{ord(match[0]):04X} stands in the note"
            findings.append(codes.CONTROL_CHARACTER.at(path, n, message, col=match.start() + 1))
    return lines, findings


def _masked(lines: list[str], notes: Notes) -> list[str]:
    """`lines` with blanks where ticks close a fence before other text: columns stay, and no code span starts."""
    masked = list(lines)
    for n, (_, ticks) in notes.cuts.items():
        masked[n] = " " * ticks + lines[n][ticks:]
    return masked


def _findings(path: str, notes: Notes) -> Iterable[Finding]:
    """What the outline's rules recovered from."""
    for line, column, end, trouble in notes.troubles:
        code, message, fix = codes.FENCE_OPEN, "", ""
        if trouble == "text-after":
            code = codes.TEXT_AFTER_FENCE
        elif trouble == "html-open":
            code = codes.HTML_OPEN
        elif trouble == "comment-open":
            code = codes.HTML_OPEN
            message, fix = "a comment hides the rest of the note in Obsidian", "close it with `%%`"
        elif trouble == "dedented":
            message, fix = "the list item ends before its fence is closed", "indent the code as far as its fence"
        elif trouble == "misplaced":
            message, fix = "the closing ticks are not where the fence can be closed", "indent them as the opening ones"
        else:
            message = f"the fence is never closed; it was taken to end with line {end}"
            fix = "close it with as many ticks as opened it; open it with more when it holds fences"
        yield code.at(path, line + 1, message, col=column + 1, fix=fix)


def _fences(
    path: str, blocks: Iterable[markdown.Block], lines: Sequence[str], headings: Sequence[Heading]
) -> Iterator[Block]:
    """Every fence among `blocks`, and in the callouts among them."""
    for block in blocks:
        if isinstance(block, Callout):
            yield from _fences(path, block.children, lines, headings)
        elif isinstance(block, Fence):
            language, attributes = of_fence(path, block.start + 1, block.column + 1, block.info)
            above = bisect_left(headings, block.start + 1, key=lambda heading: heading.line)
            yield Block(
                span=Span(path, block.start + 1, block.end),
                first_line=block.start + 2,
                text=block.text.removesuffix("\n"),
                language=language.lower(),
                info=block.info,
                role=attributes.text("role"),
                indent=roles.margin(block, lines),
                slug=headings[above - 1].slug if above else "",
            )


@dataclass
class _Assembly:
    """The lesson's parts as they come: every line goes to one of them, and `at` is the first that has not."""

    path: str
    outline: markdown.Outline
    parts: list[Part] = field(default_factory=list)
    loose: list[Prose] = field(default_factory=list)
    headings: list[Heading] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    task: Task | None = None
    slug: str = ""
    slugs: dict[str, int] = field(default_factory=dict)
    """Slug → how often its heading has stood here."""
    questions: set[str] = field(default_factory=set)
    """Ids of the cells in which questions are answered."""
    at: int = 0

    def run(self, blocks: Iterable[markdown.Block]) -> None:
        for block in blocks:
            if isinstance(block, Fence):
                self.fence(block)
            elif isinstance(block, Callout):
                self.callout(block)
            else:
                self.heading(block)

    def finish(self) -> None:
        self.prose(len(self.outline.lines))
        self.close()

    def heading(self, block: markdown.Heading) -> None:
        self.prose(block.start)
        self.close()
        name = escaped(PurePosixPath(self.path).stem)
        text = plain(FILE_TITLE.sub(lambda _: name, block.text[:_LONGEST_HEADING]))
        self.slug = self.new_slug(text)
        self.headings.append(Heading(block.level, text, block.start + 1, self.slug))

    def new_slug(self, text: str) -> str:
        folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
        stem = re.sub(r"[^a-z0-9]+", "-", folded).strip("-")[:_SLUG_LENGTH].strip("-") or "section"
        count = self.slugs.get(stem, 1)
        slug = stem
        while slug in self.slugs:
            count += 1
            slug = f"{stem}-{count}"
        self.slugs[stem] = count
        self.slugs.setdefault(slug, 1)
        return slug

    def fence(self, block: Fence) -> None:
        cell = roles.read(self.path, block, self.outline.lines, self.slug)
        self.findings += cell.findings
        item = cell.item
        if isinstance(item, Code):
            self.put(block, item)
        elif isinstance(item, Claim):
            self.claim(block, item)
        elif isinstance(item, Solution | Test | Wrong):
            self.graded(block, item, cell.role)
        elif cell.kind == "loose":
            self.drop(block)

    def graded(self, block: Fence, item: Solution | Test | Wrong, role: str) -> None:
        """Put a part of an exercise into it."""
        if self.task and self.task.kind == "exercise":
            self.prose(block.start)
            self.task.parts.append(item)
            self.at = block.end
            return
        if self.task is None:
            message, fix = f'role="{role}" belongs in an exercise', ""
        elif self.task.kind == "invalid":
            message = fix = ""
        else:
            message = f'role="{role}" belongs in an auto-graded exercise, and this is a {self.task.kind}'
            fix = "put an `[!exercise|id=…]` callout above it"
        if message:
            self.findings.append(
                codes.ROLE_OUTSIDE.at(self.path, block.start + 1, message, col=block.column + 1, fix=fix)
            )
        self.drop(block)

    def claim(self, block: Fence, claim: Claim) -> None:
        """Attach a claim to the code right above it; a line between them may say `Output:`."""
        sink = self.sink()
        last = sink[-1] if sink else None
        start, end = trimmed(self.outline.lines, self.at, block.start)
        right_above = start == end or (end - start == 1 and roles.announces_output(self.outline.lines[start]))
        if right_above and isinstance(last, Code) and last.role != "file" and last.claim is None:
            sink[-1] = replace(last, claim=claim)
            self.prose(block.start)
            self.at = block.end
            return
        second = right_above and isinstance(last, Code) and last.claim is not None
        message, fix = ("the code above has a claim already", "put both into one fence") if second else ("", "")
        self.findings.append(codes.CLAIM_ALONE.at(self.path, block.start + 1, message, col=block.column + 1, fix=fix))
        self.drop(block)

    def callout(self, block: Callout) -> None:
        if block.kind == markdown.QUESTION:
            self.question(block)
            return
        if block.written != block.kind:
            message, fix = f"there is no task `{block.written}`", f"did you mean `{block.kind}`?"
            self.findings.append(codes.TASK_KIND.at(self.path, block.start + 1, message, fix=fix))
        if block.kind != "hint" or self.task:
            self.lazy(block)
        if block.kind not in _PARTS:
            self.open(block)
        elif self.task is None and block.kind == "hint":
            self.run(block.children)  # Obsidian's own kind of callout: prose
        elif block.kind == "hint":
            self.hint(block)
        else:
            self.key(block)

    def lazy(self, block: Callout) -> None:
        """Report the first line that has not the callout's quote marks and is a part of it all the same."""
        marks = re.compile(rf"[ \t]*(?:>[ \t]*){{{block.quotes}}}")
        for n in range(block.start + 1, block.end):
            if not marks.match(self.outline.lines[n]):
                self.findings.append(codes.LAZY_LINE.at(self.path, n + 1))
                return

    def open(self, block: Callout) -> None:
        """Begin a task. Parts that stand in its callout end the prompt."""
        self.prose(block.start)
        self.close()
        inner = tuple(child for child in block.children if _is_part(child))
        end = inner[0].start if inner else block.end
        task, findings = exercises.opened(self.path, block, end, self.outline)
        self.findings += findings
        if task.kind == "invalid" and block.kind == "quiz":
            self.drop(replace(block, end=end))
        elif task.kind != "invalid":
            self.at = end
        self.task = task
        self.run(inner)

    def question(self, block: Callout) -> None:
        """Let students answer below a question that stands in no task."""
        if self.task:
            self.run(block.children)
            return
        self.prose(block.start)
        self.run(block.children)
        if self.task is None:
            self.prose(block.end)
            asks, findings = exercises.asked(self.path, block, self.outline, self.questions)
            self.findings += findings
            self.questions.add(asks.id)
            last = self.parts[-1] if self.parts else None
            if isinstance(last, Prose | Code) and last.span.start > block.start:
                self.parts[-1] = replace(last, asks=asks)

    def hint(self, block: Callout) -> None:
        self.inside(block)
        assert self.task is not None  # the caller has looked
        if self.task.kind != "invalid":
            self.prose(block.start)
            text = exercises.text(block, self.outline)
            self.task.parts.append(Hint(self.span(block), block.title, text))
            self.at = block.end

    def key(self, block: Callout) -> None:
        """A model answer or a rubric."""
        self.inside(block)
        if self.task and self.task.kind == "question":
            self.prose(block.start)
            texts = self.task.model_answer if block.kind == "solution" else self.task.rubric
            texts.append(exercises.text(block, self.outline))
            self.task.key.append(self.span(block))
            self.at = block.end
            return
        if self.task is None or self.task.kind != "invalid":
            message = f"`[!{block.kind}]` belongs below a manually graded exercise"
            fix = "put an `[!exercise|id=… points=… grade=manual]` callout above it"
            self.findings.append(codes.ROLE_OUTSIDE.at(self.path, block.start + 1, message, fix=fix))
        self.drop(block)

    def inside(self, block: Callout) -> None:
        """Report what stands in a hint, a model answer or a rubric as if it were a part of its own."""
        for child in block.children:
            if isinstance(child, Fence | Callout) and _is_part(child):
                what = "a fence with a role" if isinstance(child, Fence) else f"a `[!{child.kind}]`"
                message = f"{what} is only text in a `[!{block.kind}]`"
                self.findings.append(codes.ROLE_OUTSIDE.at(self.path, child.start + 1, message, fix="move it below"))

    def put(self, block: Fence, item: Code) -> None:
        self.prose(block.start)
        self.sink().append(item)
        self.at = block.end

    def drop(self, block: Fence | Callout) -> None:
        """Keep the block's lines as they are, out of every edition."""
        self.prose(block.start)
        text = "\n".join(self.outline.lines[block.start : block.end])
        self.loose.append(Prose(self.span(block), text, self.slug))
        self.at = block.end

    def prose(self, end: int) -> None:
        """Make prose of the lines above `end` that belong to nothing yet."""
        start, last = trimmed(self.outline.lines, self.at, end)
        if start < last:
            span = Span(self.path, start + 1, last)
            self.sink().append(Prose(span, piece(self.outline, start, last), self.slug))
        self.at = max(self.at, end)

    def close(self) -> None:
        """End the task, if there is one."""
        if self.task:
            task, self.task = self.task, None
            self.parts += task.built()

    def sink(self) -> list[ExercisePart] | list[Part]:
        """Where prose and code go now."""
        return self.task.parts if self.task else self.parts

    def span(self, block: Fence | Callout) -> Span:
        return Span(self.path, block.start + 1, block.end)


def _is_part(block: markdown.Block) -> bool:
    """Whether a block in a callout is more than its text: one of our callouts, or a fence with a role of a task."""
    if isinstance(block, Fence):
        return re.search(r"(?:^|\s)role=(?![\"']?(?:show|output)\b)", block.info) is not None
    return isinstance(block, Callout)
