"""The docs' table of what becomes of Obsidian's Markdown: every row is rendered and checked."""

import re
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursemill.pure import comments, editions, parse, rules
from coursemill.pure.vault import VaultMap

PAGE = Path(__file__).parents[2] / "docs" / "obsidian.md"
HEADER = "| what | in the note | in the notebook | named by `check` |"
SPAN = re.compile(r"(?P<ticks>`+)(?P<text>.+?)(?<!`)(?P=ticks)(?!`)")
FRONT = "---\nworksheet: WS_1\n---\n"
OTHERS = {
    "notes/shop/Prices.md": "---\nworksheet: WS_1\ntags: [shop]\nstock: 3\n---\n# Prices\n\nThey are text. ^text\n\n"
    "## In euros\n\nWith a comma.\n",
    "notes/shop/Names.md": f"{FRONT}# Names\n\n```python\nname = 'Tea'\n```\n",
    "notes/Old.md": "# An old note\n",
}
FILES = [f"notes/Lesson.files/{name}" for name in ("chart.png", "talk.mp3", "film.mp4", "paper.pdf")]


def rows() -> list[str]:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.startswith("| ") and line != HEADER]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.split(" | ")[0].removeprefix("| "))
def test_a_row_says_what_is_so(row: str) -> None:
    match = re.fullmatch(r"\| (.+?) \| (`.+`) \| (`.+`) \| ([A-Z0-9, –]+) \|", row)
    assert match, "a row has four cells: words, code, code, codes"
    spans = list(SPAN.finditer(row[match.start(2) : match.end(3)]))
    assert len(spans) == 2
    note, notebook = map(text, spans)
    shown, codes = rendered(note)
    assert shown == notebook
    assert (", ".join(codes) or "–") == match[4]


def test_there_are_rows_under_every_heading() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert len(rows()) > 50
    assert page.count("\n" + HEADER + "\n") >= 10


def text(span: re.Match[str]) -> str:
    """What a code span in a table shows."""
    inner = span["text"].replace("\\|", "|").replace("↵", "\n")
    return inner[1:-1] if inner[0] == inner[-1] == " " and inner.strip() else inner


def rendered(note: str) -> tuple[str, list[str]]:
    """The cells of the note's notebook below its title, and the codes of what is found in it."""
    lesson = parse.lesson("notes/Lesson.md", note if note.startswith("---\n") else FRONT + note)
    vault = VaultMap.of([lesson, *(parse.lesson(path, other) for path, other in OTHERS.items())], FILES)
    found = sorted({finding.code for finding in rules.check(lesson, rules.Known.of(vault, files=FILES))})
    cells = editions.worked(lesson, editions.Context(vault, "WS_1"))["cells"]
    sources = [cell["source"] for cell in cells if not cell["source"].startswith("## See also")]
    shown = "\n\n".join(sources).removeprefix("# Lesson").strip("\n")
    return re.sub(r'style="[^"]*"', 'style="…"', shown), found


LINES = (
    "{}", "", "> {}", "- {}", "    {}", "# {}", "- [ ] {} 📅 2026-01-01", "- [/] {}", "1. [-] {}",
    "{} ==**{}** `{}`== {}", "$$", "$$ {}", "$$ {} $$", "+ {}", "=", "a ${}$ b", "cost $5 or $6 {}", r"\$ {} \$",
    "| {} | $\\|{}\\|$ |", "|---|---|", "<% {} %>", "<%* {}", "%>", "{}^[{} [[Old|{}]]] {}", "{}[^1]", "[^1]: {}",
    "[^2]: {}", "[due:: {}]", "({} kind:: {})", "kind:: {}", "**kind**:: {}", "![[Prices|{}]]", "see ![[Prices|{}]]",
    "![[Prices#In euros|{}]]", "![[#^id|{}]]", "{} ^id", "^id", "> [!note]- {}", "> [!warning|x] {}", "> > [!tip] {}",
    "- > [!bug] {}", "> ![[Old|{}]]", "- ![[Old|{}]] ^a", "```dataview", "LIST FROM {}", "```", "```plantuml", "~~~",
    "`= this.{}`", "<kbd>{}</kbd>", "<iframe src='{}'></iframe>", "[[#^id|{}]]", "[[Prices#^text|{}]]",
    "![[none.pdf|{}]]", "![{}](https://youtu.be/{})", "#tag/{} {}", "---", "{}\\", "{}  ", "[{}]: {}.md", "[a][{}]",
    "%% {}", "<div>{}", "</div>", "x[{}::2] {}", "std::{}", "* {}", "\t- {}",
)  # fmt: skip


PREFIXES = st.sampled_from(["> ", ">", "- ", "  ", "    ", "\t", "> > ", "1. ", "> - ", "- > ", "* - "])


@settings(max_examples=300)
@given(st.lists(st.sampled_from(LINES) | st.builds(str.__add__, PREFIXES, st.sampled_from(LINES)), max_size=20))
def test_no_word_is_lost(lines: list[str]) -> None:
    number = count()
    note = FRONT + "\n".join(re.sub(r"\{\}", lambda _: f"Zq{next(number)}x", line) for line in lines) + "\n"
    lesson = parse.lesson("notes/Lesson.md", note)
    vault = VaultMap.of([lesson, *(parse.lesson(path, other) for path, other in OTHERS.items())], FILES)
    found = rules.check(lesson, rules.Known.of(vault, files=FILES))
    last = note.count("\n")
    assert all(1 <= finding.line <= last + 1 and finding.col >= 1 for finding in found)
    cells = editions.worked(lesson, editions.Context(vault, "WS_1"))["cells"]
    shown = "\n".join(cell["source"] for cell in cells)
    for word in re.findall(r"Zq\d+x", comments.removed(note)):
        assert word in shown
