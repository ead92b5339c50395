import pytest

from coursemill.pure.callouts import OPENING, as_html, box, callout, headed

KINDS = {
    "note": ("📝 Note", "8, 109, 221"),
    "abstract summary tldr": ("📋 Abstract", "0, 171, 168"),
    "info": ("ℹ️ Info", "8, 109, 221"),
    "todo": ("☑️ Todo", "8, 109, 221"),
    "tip hint important": ("💡 Tip", "0, 171, 168"),
    "success check done": ("✅ Success", "8, 165, 78"),
    "question help faq": ("❓ Question", "236, 117, 0"),
    "warning caution attention": ("⚠️ Warning", "236, 117, 0"),
    "failure fail missing": ("❌ Failure", "233, 49, 71"),
    "danger error": ("⚡ Danger", "233, 49, 71"),
    "bug": ("🐞 Bug", "233, 49, 71"),
    "example": ("🧪 Example", "120, 82, 238"),
    "quote cite": ("💬 Quote", "140, 140, 140"),
}


@pytest.mark.parametrize(("names", "looks"), KINDS.items(), ids=[names.split()[0] for names in KINDS])
def test_obsidians_kinds_and_their_aliases(names: str, looks: tuple[str, str]) -> None:
    name, *aliases = names.split()
    title, colour = looks
    assert f"<b>{title}</b>" in callout(name, "", "text")
    for alias in (*aliases, name.upper(), f" {name} "):
        sign = title.split()[0]
        assert callout(alias, "My title", "text") == headed(f"<b>{sign} My title</b>", "text", colour)


def test_an_alias_keeps_its_own_name() -> None:
    assert "<b>⚠️ Caution</b>" in callout("CAUTION", "", "")
    assert "<b>📋 Tldr</b>" in callout("tldr", "", "")


def test_style_is_what_the_sanitizer_lets_through() -> None:
    assert headed("", "text", "1, 2, 3") == (
        '<div style="border-left: 4px solid rgb(1, 2, 3); background-color: rgba(1, 2, 3, 0.1); '
        'padding: 8px 12px 1px 12px; margin-bottom: 12px">\n\ntext\n\n</div>'
    )


def test_folded_boxes_are_details() -> None:
    assert "<details style=" in box("Title", "text", "1, 2, 3", "-")
    assert " open>\n<summary><b>Title</b></summary>\n\ntext\n\n</details>" in box("Title", "text", "1, 2, 3", "+")


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("plain", "plain"),
        ("`a_b` and *c*", "<code>a_b</code> and <em>c</em>"),
        ("[x](y.ipynb)", '<a href="y.ipynb">x</a>'),
        ("$a_b$ and $c_d$", "$a_b$ and $c_d$"),
        ("`$a_b$`", "<code>$a_b$</code>"),
        ("a < b & c", "a &lt; b &amp; c"),
        ("<mark>m</mark>", "<mark>m</mark>"),
        ("*" * 600, "*" * 600),
    ],
)
def test_titles_as_html(markdown: str, html: str) -> None:
    assert as_html(markdown) == html


@pytest.mark.parametrize(
    "line", ["> [!note]", ">[!note]- T", "  > [!a b|id=x] T", "- > [!note]", "> > [!tip]+", "1. > [!x]"]
)
def test_openings(line: str) -> None:
    assert OPENING.match(line)


@pytest.mark.parametrize("line", ["[!note]", "> text [!note]", "> [note]", "> [!]", "text"])
def test_no_openings(line: str) -> None:
    assert OPENING.match(line) is None
