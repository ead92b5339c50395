"""Which files of the vault come along with a lesson, and that its notebook names them where they are put."""

import re

import pytest

from coursemill.pure import attached, links, parse
from coursemill.pure.links import Place
from coursemill.pure.vault import VaultMap

HEAD = "---\nworksheet: {}\n---\n"
FILES = (
    "notes/Far/Far.files/far.svg",
    "notes/Shop/Lesson.files/own.svg",
    "notes/Shop/Tea.files/tea.svg",
    "notes/Shop/img/my leaf (2).png",
    "notes/_worksheets/WS_1/shared.svg",
    "notes/attachments/leaf.png",
    "notes/attachments/paper.pdf",
)
CASES = {
    "![[leaf.png|300]]": {"attachments/leaf.png"},
    "[[paper.pdf]]": {"attachments/paper.pdf"},
    "![a](../attachments/leaf.png) ![b|20](../attachments/leaf.png 'a leaf')": {"attachments/leaf.png"},
    "![a](<img/my leaf (2).png>) ![a](img/my%20leaf%20(2).png)": {"Shop/img/my leaf (2).png"},
    "![[tea.svg]] ![](Tea.files/tea.svg)": {"Shop/Tea.files/tea.svg"},
    "![](../Far/Far.files/far.svg)": {"Far/Far.files/far.svg"},
    "![[far.svg]] ![[own.svg]] ![](Lesson.files/own.svg) ![[shared.svg]] ![](shared.svg)": set(),
    "![[none.png]] ![](none.png) [[Tea]] ![x](https://example.org/leaf.png) `![[leaf.png]]`": set(),
    "![[Tea]]": {"attachments/leaf.png"},
    "[[Tea]]": set(),
}


def vault(text: str) -> VaultMap:
    notes = {
        "notes/Shop/Lesson.md": HEAD.format("WS_1") + text,
        "notes/Shop/Tea.md": "# Tea\n\n![[leaf.png]] ![[Tea]] ![[Lesson]]\n",
        "notes/Far/Far.md": HEAD.format("WS_2"),
    }
    return VaultMap.of((parse.lesson(path, note) for path, note in notes.items()), FILES)


@pytest.mark.parametrize("text", CASES)
def test_what_comes_along(text: str) -> None:
    known = vault(text)
    found = attached.of_lesson(known.lessons["notes/Shop/Lesson.md"], "WS_1", known)
    assert found == {f"Lesson.files/{path}": f"notes/{path}" for path in CASES[text]}


@pytest.mark.parametrize("text", [text for text in CASES if "[[Tea]]" not in text])
def test_the_notebook_names_it_where_it_is_put(text: str) -> None:
    known = vault(text)
    place = Place("notes/Shop/Lesson.md", "WS_1", known)
    shown = links.inline(text, place)
    named = re.findall(r"\]\(<?(Lesson\.files/\w+/[^\s>]*?)>?\)(?:\s|$)|src=\"(Lesson\.files/\w+/[^\"]*)\"", shown)
    wanted = attached.of_lesson(known.lessons[place.path], "WS_1", known)
    assert {one.replace("%20", " ").replace("%28", "(").replace("%29", ")") for two in named for one in two if one} == {
        *wanted
    }, shown
