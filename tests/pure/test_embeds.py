"""What embeds show: parts of notes, bounded, and nothing of a task."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure import editions, embeds, parse
from coursemill.pure.asked import Asked, answers
from coursemill.pure.prose import Page, render
from coursemill.pure.vault import VaultMap

FRONT = "---\nworksheet: WS\n---\n"
SHOP = """# The shop

Open. ^open

Prices
------

- tea ^tea
  - green
- milk

| a |
|---|
| 1 |

^table

> Salt is
> white. ^salt

```python
secret = "no ^tea"
```

```text role="output"
said
```

^code

### Deeper

> [!exercise|id=shop-1] Asked
> Prompt.

Between.

```python role="solution"
answer = 1
```

```python role="test" points=1
assert answer
```

## Next

Last.
"""
LESSON = parse.lesson("notes/Shop.md", FRONT + SHOP)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("open", "Open. ^open"),
        ("tea", "- tea ^tea\n  - green"),
        ("table", "| a |\n|---|\n| 1 |"),
        ("salt", "> Salt is\n> white. ^salt"),
        ("code", "```text\nsaid\n```"),
        ("none", None),
        ("te", None),
    ],
)
def test_blocks(name: str, shown: str | None) -> None:
    assert embeds.block(LESSON, name) == shown


def test_ids_of_blocks() -> None:
    assert dict(embeds.ids(LESSON)) == {"open": 6, "tea": 11, "table": 19, "salt": 22, "code": 32}
    assert embeds.ids(parse.lesson("notes/x.md", "none")) == {}


def test_what_stands_below_a_heading() -> None:
    vault = VaultMap.of([LESSON])
    whole = vault.excerpt(LESSON.path, "")
    prices = vault.excerpt(LESSON.path, "prices")
    assert whole
    assert prices
    assert whole.startswith("Open.")
    assert whole.endswith("<b>Next</b>\n\nLast.")
    assert prices.startswith("- tea")
    assert "```python\nsecret" in prices
    assert "<b>Deeper</b>" in prices
    assert vault.excerpt(LESSON.path, "Next") == "Last."
    for text in (whole, prices):
        assert not any(word in text for word in ("Asked", "Prompt", "answer", "assert", "Between", "role="))
    assert vault.excerpt(LESSON.path, "None") is vault.excerpt("notes/None.md", "") is None


def test_embeds_in_embeds_end() -> None:
    notes = [parse.lesson(f"notes/{n}.md", f"{n} text\n\n![[{n + 1}]]\n\n![[{n + 1}]]\n") for n in range(9)]
    circle = [parse.lesson("notes/a.md", "A\n\n![[b]]\n"), parse.lesson("notes/b.md", "B\n\n![[a]]\n")]
    page = Page("notes/Lesson.md", "WS", VaultMap.of([*notes, *circle]))
    shown = render("![[0]]", page)
    assert shown.count("0 text") == 1
    assert shown.count("2 text") == 4
    assert "3 text" not in shown
    assert "*3*" in shown
    assert render("![[a]]", page).count("<div ") == 2


def test_tabs_of_an_embedded_note_are_bold_as_its_headings_are() -> None:
    text = "# Title\n\n## Ways\n\n[list2tab|#Two]\n- One\n\n    First.\n\n- Other\n\n    ```python\n    # x\n    ```\n"
    shown = render("![[Tabs]]", Page("notes/Lesson.md", "WS", VaultMap.of([parse.lesson("notes/Tabs.md", text)])))
    assert [line for line in shown.split("\n") if line.startswith(("#", "<b>"))] == [
        "<b>📄 *Title*</b>",
        "<b>Ways</b>",
        "<b>Two</b>",
        "<b>One</b>",
        "<b>Other</b>",
        "# x",
    ]


def test_a_long_note_is_a_link() -> None:
    note = parse.lesson("notes/Long.md", FRONT + "word " * embeds.LONGEST)
    assert render("![[Long]]", Page("notes/Lesson.md", "WS", VaultMap.of([note]))) == "[Long](Long.ipynb)"


def test_markers_of_nbgrader_are_not_shown() -> None:
    note = parse.lesson(
        "notes/Raw.md", "```python\n### BEGIN SOLUTION\nanswer = 1\n### END SOLUTION\n```\n\nText. ^a\n"
    )
    vault = VaultMap.of([note])
    assert vault.excerpt(note.path, "") == ""
    assert vault.excerpt(note.path, "^a") == "Text. ^a"
    assert render("![[Raw]]", Page("notes/Lesson.md", "WS", vault)) == "*Raw*"


def test_what_an_embedded_note_names_is_found_from_the_notebook() -> None:
    front = "---\nworksheet: WS_2\n---\n"
    text = "![a](b.files/p%201.png 'P') ![a|9](b.files/p%201.png) [c](b.files/none.csv) [[#H]]\n# H\n"
    vault = VaultMap.of([LESSON, parse.lesson("notes/b.md", front + text)], ["notes/b.files/p 1.png"])
    shown = render("![[b]]", Page(LESSON.path, "WS", vault))
    assert "![a](../WS_2/b.files/p%201.png 'P')" in shown
    assert 'src="../WS_2/b.files/p%201.png"' in shown
    assert "[c](b.files/none.csv)" in shown
    assert "[H](../WS_2/b.ipynb#H)" in shown


def test_a_notebook_is_made_again_when_what_it_embeds_changes() -> None:
    lesson = parse.lesson("notes/Lesson.md", FRONT + "# Lesson\n\n![[Shop#Next]] [[Shop#^tea|tea]]\n\n![[Shop#Next]]\n")
    asked = Asked(VaultMap.of([lesson, LESSON]))
    editions.worked(lesson, editions.Context(asked, "WS"))
    before = answers(VaultMap.of([lesson, LESSON]), asked.questions)

    def after(old: str, new: str) -> bool:
        shop = parse.lesson(LESSON.path, FRONT + SHOP.replace(old, new))
        return answers(VaultMap.of([lesson, shop]), asked.questions) != before

    assert after("Last.", "At last.")
    assert not after("Between.", "Among.")
    assert after("Open. ^open", "Open.\n\nMore.")  # the lines of blocks


@given(st.text(alphabet="ab ^-#>\n|`$", max_size=60))
def test_any_note_can_be_embedded(text: str) -> None:
    note = parse.lesson("notes/Note.md", text)
    vault = VaultMap.of([note])
    for name in ("a", "b", *embeds.ids(note)):
        embeds.block(note, name)
    page = Page("notes/Lesson.md", "WS", vault)
    render(f"![[Note]]\n\n- ![[Note#^a]]\n> ![[Note#{text.split()[0] if text.split() else 'a'}]]", page)
