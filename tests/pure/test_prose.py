import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.model import FrontMatter, Heading, Lesson
from coursemill.pure import callouts
from coursemill.pure.prose import Page, render
from coursemill.pure.vault import VaultMap

CASES = re.compile(r"^## (.+)\n\n`````note\n([\s\S]*?)\n`````\n\n`````jupyter\n([\s\S]*?)\n`````$", re.MULTILINE)
PAIRS = CASES.findall((Path(__file__).parent / "fixtures" / "prose.md").read_text(encoding="utf-8"))
COLOURS = {
    getattr(callouts, name): name.lower() for name in ("BLUE", "CYAN", "GREEN", "ORANGE", "RED", "PURPLE", "GREY")
}
STYLE = re.compile(r'style="border-left: 4px solid rgb\(([^)]*)\);[^"]*"')


def lesson(path: str, title: str, worksheet: str, *headings: str, aliases: tuple[str, ...] = ()) -> Lesson:
    front = FrontMatter(worksheets=(worksheet,) if worksheet else (), aliases=aliases)
    found = tuple(Heading(min(n, 2), text, n) for n, text in enumerate((title, *headings), 1))
    return Lesson(path, Path(path).stem, title, front, (), headings=found)


VAULT = VaultMap.of(
    [
        lesson("notes/a/This note.md", "This note", "WS_One", "Here it is"),
        lesson("notes/a/Neighbour.md", "Next door: a _start_", "WS_One"),
        lesson("notes/a/sub/Shop.md", "The shop", "WS_Two", "Prices (in dollars)", aliases=("The corner shop",)),
        lesson("notes/b/Odd.md", "a [b] *c*", "WS_One"),
        lesson("notes/b/Draft.md", "A draft", ""),
    ],
    [
        "notes/a/This note.files/chart.png",
        "notes/a/This note.files/data.csv",
        "notes/a/sub/Shop.files/far.png",
        "notes/a/sub/Shop.files/far.zip",
        "notes/_worksheets/WS_One/img/shared.png",
    ],
)
PAGE = Page("notes/a/This note.md", "WS_One", VAULT, {"a -> b": "<svg/>"})


@pytest.mark.parametrize(("note", "jupyter"), [pair[1:] for pair in PAIRS], ids=[pair[0] for pair in PAIRS])
def test_pairs(note: str, jupyter: str) -> None:
    rendered = render(note, PAGE, 2)
    assert STYLE.sub(lambda m: COLOURS[m[1]], rendered) == jupyter


def test_every_pair_is_read() -> None:
    text = (Path(__file__).parent / "fixtures" / "prose.md").read_text(encoding="utf-8")
    assert len(PAIRS) == text.count("\n`````note\n") > 20


LINES = st.sampled_from(
    [
        "", "text ==m== [[Shop]] %%c%%", "> [!note]- Title", "> text", "> > [!tip]", "- item", "  more", "    deep",
        "[list2tab|#T]", "```python role=\"x\"", "```", "~~~", "$$", "%%", "==", "[[", "]]", "`", "``", "# Heading",
        "<div>", "</div>", "![[a.png|3]]", "1. one", "\t", "> ```", "- > [!bug]", "\\", "$x$", "```d2", "a -> b",
    ]
)  # fmt: skip


@given(st.lists(LINES | st.text(max_size=6), max_size=25).map("\n".join))
def test_anything_is_rendered(text: str) -> None:
    assert render(text, PAGE) == render(text, PAGE)


@given(st.text(alphabet=st.characters(exclude_characters="[]=%`~(:$^\r"), max_size=200))
def test_text_without_marks_is_untouched(text: str) -> None:
    assert render(text, PAGE) == text


@given(st.lists(LINES.filter(lambda line: "```" not in line), max_size=12))
def test_fences_are_untouched(lines: list[str]) -> None:
    code = "\n".join(lines)
    rendered = render(f"before ==x==\n\n```text\n{code}\n```\n\nafter", PAGE)
    assert f"\n\n```text\n{code}\n```\n\n" in rendered


HOSTILE = (
    "[[", "[[a|", "`", "` ", "`a``b", "$a", "$$a", "==a", "==`a", "%%a", "<a ", "](a", "![a|3", "https://", "\n> ",
    "\\", "<%", "<% %", "^[", "^[a", "[a:: ", "(a:: ", "a:: ", "- [/] ", "<iframe ", "<iframe src=", "$", "$$\n",
    "<%\n", "![a](https://youtu.be/", "![[This note]]\n", "![[#Here it is]]\n", "```dataview\nLIST\n```\n",
    "    a\n\n", "[^a]: ", "- [ ] a:: ", "a a a a ", "* ", "> ",
)  # fmt: skip


@pytest.mark.parametrize("start", HOSTILE)
def test_time_grows_with_length_alone(start: str) -> None:
    text = start * (80_000 // len(start))
    began = time.perf_counter()
    render(f"{text} [[x]]", PAGE)
    render(f"> [!note]- {text}\n> {text}", PAGE)
    assert time.perf_counter() - began < 10, "a pattern backtracks"  # linear: 0.3 s


def test_deep_nesting_stays_as_written() -> None:
    rendered = render("\n".join(">" * n + " [!note] deep" for n in range(1, 100)), PAGE)
    assert rendered.count("<div ") == rendered.count("</div>") == 13
    assert "> [!note] deep" in rendered
