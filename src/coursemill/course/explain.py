"""What a code of `check` means: why it matters, a wrong example and the mended one. Each example is tested."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources

from coursemill.errors import UsageError
from coursemill.pure import codes, near
from coursemill.pure.codes import Code

PAGE = "docs/reference/codes.md"
GROUPS = {
    "CM1": "The file and its front matter",
    "CM2": "Fences, and what a notebook cannot show",
    "CM3": "Exercises, questions and quizzes",
    "CM4": "Links and files",
    "CM5": "Building",
    "CM6": "Code that was probably damaged",
    "CM7": "Code and prose that are out of date",
}
FRONT = "---\nworksheet: WS_1\n---\n"
_HEAD = f"""\
<!-- Generated: coursemill check --explain all > {PAGE} -->

# The codes of `coursemill check`

A finding is one line: `path:line:col: CODE what is wrong (what to do)`. A code's meaning never changes, and no code is
used again for something else, so they can be named in `--select`, `--ignore` and in issues. Errors make `check` exit
with 1; warnings do so with `--strict`. `coursemill check --explain CM301` shows one entry of this page.

Those that begin with CM5 come from `coursemill build`, which also checks.

The examples are whole notes, less their front matter where it says nothing but `worksheet: WS_1`. A test keeps them
true: each wrong one gives exactly its code, each right one gives none.
"""
_FENCE = re.compile(r"^(````+)(\w+)(?: ([^\n]*))?\n(.*?)\n\1$", re.MULTILINE | re.DOTALL)
_PATH = re.compile(r'path="([^"]+)"')


@dataclass(frozen=True, slots=True)
class File:
    """A file of an example: where it stands in the course, and its bytes; or what it is a link to."""

    path: str
    data: bytes
    link: str = ""


@dataclass(frozen=True, slots=True)
class Explained:
    """A code with what the docs say of it; `text` is Markdown."""

    code: Code
    text: str
    wrong: tuple[File, ...]
    right: tuple[File, ...]


def explain(name: str) -> Explained:
    """Return what there is to say of a code; raises CoursemillError when there is no such code."""
    code = codes.REGISTRY.get(name.upper())
    if code is None:
        fix = near.advice(name, codes.REGISTRY) or "`coursemill check --codes` lists them"
        raise UsageError(f"there is no code `{name}`", fix=fix)
    file = resources.files("coursemill") / "explained" / f"{code.code}.md"
    text = file.read_text(encoding="utf-8")
    _, wrong, right = (*re.split(r"^## (?:Wrong|Right)$", text, flags=re.MULTILINE), "", "")[:3]
    return Explained(code, text, _files(wrong), _files(right))


def entry(explained: Explained, level: int = 1) -> str:
    """Return the entry as Markdown, below a heading of that level."""
    code = explained.code
    marks = "#" * level
    what = code.meaning[0].upper() + code.meaning[1:]
    head = f"{marks} {code.code} {code.name}\n\n*{code.severity.capitalize()}.* **{what}**: {code.fix}.\n\n"
    body = re.sub(r"^## (Wrong|Right)$", r"**\1**", explained.text, flags=re.MULTILINE)
    return head + _FENCE.sub(_shown, body)


def page() -> str:
    """Return the docs' page of all codes."""
    parts = [_HEAD]
    for prefix, title in GROUPS.items():
        group = [explain(name) for name in sorted(codes.REGISTRY) if name.startswith(prefix)]
        rows = [f"| [{e.code.code}](#{_anchor(e.code)}) | {e.code.severity} | {e.code.meaning} |" for e in group]
        parts.append("\n".join([f"## {title}\n", "| code | | meaning |", "|---|---|---|", *rows, ""]))
        parts += [entry(one, 3) for one in group]
    return "\n".join(parts)


def _files(section: str) -> tuple[File, ...]:
    return tuple(_file(found[3] or "", found[4] + "\n") for found in _FENCE.finditer(section))


def _file(attributes: str, text: str) -> File:
    """The file of an example's fence.

    `whole`: its front matter is given; `bytes`: escapes such as `\\xff` are bytes; `times=N`: it is that much longer;
    `link`: it is a symbolic link to the text.
    """
    words = _PATH.sub("", attributes).split()
    named = _PATH.search(attributes)
    path = named[1] if named else "notes/Lesson.md"
    if "link" in words:
        return File(path, b"", text.strip())
    if "bytes" in words:
        text = text.rstrip("\n").encode("latin-1").decode("unicode_escape")
        return File(path, text.encode("latin-1"))
    if path.endswith(".md") and "whole" not in words:
        text = FRONT + text
    times = next((int(word.removeprefix("times=")) for word in words if word.startswith("times=")), 1)
    return File(path, text.encode() * times)


def _shown(fence: re.Match[str]) -> str:
    """The fence for readers: what is special about the file stands above it, in words."""
    ticks, language, attributes, text = fence[1], fence[2], fence[3] or "", fence[4]
    words = _PATH.sub("", attributes).split()
    said = [f"`{named[1]}`"] if (named := _PATH.search(attributes)) else []
    said += ["is a symbolic link to"] if "link" in words else []
    said += ["as bytes"] if "bytes" in words else []
    said += [f"{word.removeprefix('times=')} times this" for word in words if word.startswith("times=")]
    above = f"{' '.join(said)}:\n\n" if said else ""
    return f"{above}{ticks}{language}\n{text}\n{ticks}"


def _anchor(code: Code) -> str:
    return f"{code.code}-{code.name}".lower()
