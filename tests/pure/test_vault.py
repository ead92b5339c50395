import pytest

from coursemill.model import FrontMatter, Lesson, Link
from coursemill.pure.vault import WIKILINK, VaultMap, target

HERE = "notes/a/Here.md"


def note(path: str, *links: str, aliases: tuple[str, ...] = ()) -> Lesson:
    found = tuple(Link(target, 1, 1) for target in links)
    name = path.rpartition("/")[2].removesuffix(".md")
    return Lesson(path, name, name, FrontMatter(aliases=aliases), (), links=found)


VAULT = VaultMap.of(
    [
        note(HERE, "Twin", "b/Twin", "Here", "nobody"),
        note("notes/a/Twin.md", "Here"),
        note("notes/b/Twin.md", "here.md", aliases=("Zwilling", "Both")),
        note("notes/b/c/Deep.md", "Here", "Here", aliases=("both",)),
        note("notes/Twin.md"),
    ],
    [
        "notes/b/Other Note.md",
        "notes/a/Here.files/Picture.PNG",
        "notes/a/Deep.files/picture.png",
        "notes/a/Deep.files/far.png",
        "notes/b/Twin.files/far.png",
        "notes/b/Node.js.md",
        HERE,
    ],
)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("Deep", ["notes/b/c/Deep.md"]),
        ("deep.MD", ["notes/b/c/Deep.md"]),
        (" Deep ", ["notes/b/c/Deep.md"]),
        ("c/Deep", ["notes/b/c/Deep.md"]),
        ("notes/b/c/Deep.md", ["notes/b/c/Deep.md"]),
        ("/b/c/deep", ["notes/b/c/Deep.md"]),
        ("x/Deep", []),
        ("eep", []),
        ("Twin", ["notes/a/Twin.md", "notes/Twin.md", "notes/b/Twin.md"]),
        ("b/Twin", ["notes/b/Twin.md"]),
        ("a/Twin", ["notes/a/Twin.md"]),
        ("../b/Twin", ["notes/b/Twin.md"]),
        ("./Twin", ["notes/a/Twin.md"]),
        ("../Twin", ["notes/Twin.md"]),
        ("Other Note", ["notes/b/Other Note.md"]),
        ("Node.js", ["notes/b/Node.js.md"]),
        ("picture.png", ["notes/a/Here.files/Picture.PNG"]),
        ("Deep.files/picture.png", ["notes/a/Deep.files/picture.png"]),
        ("far.png", ["notes/a/Deep.files/far.png", "notes/b/Twin.files/far.png"]),
        ("zwilling", ["notes/b/Twin.md"]),
        ("BOTH", ["notes/b/Twin.md", "notes/b/c/Deep.md"]),
        ("", [HERE]),
        ("nobody", []),
        ("../../..", []),
    ],
)
def test_targets(wanted: str, found: list[str]) -> None:
    assert list(VAULT.resolve(wanted, HERE)) == found


def test_lessons_by_path() -> None:
    assert VAULT.lesson(HERE) is VAULT.lessons[HERE]
    assert VAULT.lesson("notes/b/Other Note.md") is None


def test_backlinks_are_unique_and_without_the_note_itself() -> None:
    assert VAULT.backlinks(HERE) == ("notes/a/Twin.md", "notes/b/Twin.md", "notes/b/c/Deep.md")
    assert VAULT.backlinks("notes/b/Twin.md") == (HERE,)
    assert VAULT.backlinks("notes/b/Other Note.md") == ()


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("[[a]]", ("", "a", None, None)),
        ("![[a.png|300]]", ("!", "a.png", None, "300")),
        ("[[a b#H (1)|x `y`]]", ("", "a b", "H (1)", "x `y`")),
        ("[[a\\|b]]", ("", "a", None, "b")),
        ("[[#h]]", ("", "", "h", None)),
        ("[[a#h\\|b]]", ("", "a", "h", "b")),
    ],
)
def test_wikilinks(text: str, groups: tuple[str, ...]) -> None:
    match = WIKILINK.fullmatch(text)
    assert match is not None
    assert match.group("embed", "target", "heading", "alias") == groups


def test_a_propertys_target() -> None:
    assert target("[[folder/Note#Part|words]] # more") == "folder/Note"
    assert target(" Note ") == "Note"
