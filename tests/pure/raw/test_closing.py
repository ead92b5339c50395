"""Ends of fences: a note, and the lines that its mended fences end with."""

import pytest

from coursemill.pure import parse
from coursemill.pure.raw import closing, edits

CASES = {
    "an item of the outer list": (
        "- a\n    -   b:\n        ```py\n        x\n        ```- next\n",
        "        ```\n- next",
    ),
    "an item of the inner list": (
        "- a\n    -   b:\n        ```py\n        x\n        ```-   next\n",
        "        ```\n    -   next",
    ),
    "an item that kept its blanks": (
        "- a\n    - b:\n      ```py\n      x\n      ```    - next\n",
        "      ```\n    - next",
    ),
    "a numbered item": ("1. a\n   ```py\n   x\n   ```2. b\n", "   ```\n2. b"),
    "prose in an item": ("1. a\n   ```py\n   x\n   ```   More of it.\n", "   ```\n   More of it."),
    "prose": ("```py\nx\n```And so on.\n", "```\nAnd so on."),
    "a heading": ("```py\nx\n``` ## Next\n", "```\n ## Next"),
    "a quote": ("> ```py\n> x\n> ```And so on.\n", "> ```\n> And so on."),
    "ticks too far left": ("- a\n  ```py\n  x\n```\n- b\n", "  ```"),
    "no ticks at the end of the file": ("```py\nx = 1", "```"),
    "no ticks above a heading": ("```py\nx = 1\n\n## Next\n", "```"),
    "no ticks in an item": ("- a\n  ```py\n  x = 1\n- b\n", "  ```"),
    "prose that was swallowed": ("```py\nx = 1\nAnd so on.\n", None),
    "a heading that may be a comment": ("```py\nx = 1\n\n# Next\n", None),
    "other languages": ("```bash\nls\n", None),
    "code that stands too far left": ("- a\n  ```py\nx = 1\n  ```\n- b\n", None),
    "nothing wrong": ("```py\nx = 1\n```\n", None),
}


@pytest.mark.parametrize("name", CASES)
def test_ends(name: str) -> None:
    note, ends = CASES[name]
    lesson = parse.lesson("Note.md", note)
    found = [edit for _, edit in closing.edits(lesson, [line for line, _ in edits.split(note)])]
    assert ["\n".join(edit.lines) for edit in found] == ([] if ends is None else [ends])
    after = parse.lesson("Note.md", edits.apply(note, found))
    assert [block.text for block in after.blocks] == [block.text for block in lesson.blocks]
    assert ends is None or not [finding for finding in after.findings if finding.code in ("CM201", "CM208")]


@pytest.mark.parametrize(
    ("line", "prefix", "ticks"),
    [("  - ```py", "    ", "```"), ("> 1. ~~~~", ">    ", "~~~~"), ("\t```", "\t", "```"), ("text", "", "")],
)
def test_prefix_and_ticks(line: str, prefix: str, ticks: str) -> None:
    assert (closing.prefix(line), closing.ticks(line)) == (prefix, ticks)


def test_closes() -> None:
    assert closing.closes("  ````  ", "```py")
    assert not any(closing.closes(line, "````py") for line in ("```", "~~~~", "````x", "- ````", "text"))
