"""Whatever a vault holds, what can be built is built, and the rest is named with its line."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest


def errors(built: Any) -> set[tuple[str, int, str]]:
    return {(f.path.removeprefix("notes/"), f.line, f.code) for f in built.findings if f.severity == "error"}


HEAD = "---\nworksheet: WS\n---\n"


@pytest.mark.parametrize(
    ("name", "data", "found"),
    [
        ("X.md", b"# ok\n\xe4\n", ("X.md", 2, "CM101")),
        ("X.md", HEAD + "a\0b\n", ("X.md", 4, "CM104")),
        ("X.md", b"x" * 20_000_000, ("X.md", 1, "CM106")),
        ("X.md", HEAD + "```python\nx = 1\n", ("X.md", 4, "CM201")),
        ("X.md", "---\nworksheet: WS\n# no end\n", ("X.md", 1, "CM110")),
        ("X.md", "---\nworksheet: &a [*a, *a]\n---\n", ("X.md", 2, "CM114")),
        ("X.md", "---\nworksheet: !!python/object/apply:os.system ['touch pwned']\n---\n", ("X.md", 2, "CM114")),
        ("X.md", "---\nworksheet: WS\nworksheet: WS_2\n---\n", ("X.md", 3, "CM112")),
        ("X.md", "---\nworksheet: ../../etc\n---\n", ("X.md", 2, "CM113")),
        ("X.md", HEAD + '```python role="file" path="../../x.py"\n```\n', ("X.md", 4, "CM207")),
        ("X.md", HEAD + '```python role="file" path="/etc/x.py"\n```\n', ("X.md", 4, "CM207")),
        ("sub/Good.md", HEAD + "# The same name\n", ("sub/Good.md", 2, "CM109")),
        ("X\n.md", "x", ("X\\n.md", 1, "CM108")),
        ('say "hi".md', HEAD, ('say "hi".md', 1, "CM108")),
    ],
)
def test_the_bad_note_is_named_and_the_good_one_built(
    vault: Any, name: str, data: str | bytes, found: tuple[str, int, str]
) -> None:
    vault.put({"Good.md": vault.note("good"), name: data})
    for _ in range(2):
        built = vault.build()
        assert found in errors(built)
        assert len({path for path, _, _ in errors(built)}) == 1
    assert sorted(p for p in vault.tree() if p.endswith("ipynb")) == [
        f"{step}/WS/Good.ipynb" for step in ("notebooks", "release", "source")
    ]
    assert {p.name for p in vault.root.iterdir()} <= {"notes", "notebooks", "source", "release", "build"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xef\xbb\xbf" + HEAD.encode() + b"# BOM\n",
        HEAD.replace("\n", "\r\n") + "# Windows\r\n\r\n```python\r\nx = 1\r\n```\r\n",
        HEAD + "".join(f"## Heading {n}\n\nText.\n\n" for n in range(10_000)),
        HEAD + "> " * 500 + "deep\n",
        HEAD + "- " * 500 + "deep\n",
        HEAD + "[[" * 2_000 + "\n" + "*a" * 2_000 + "\n",
        HEAD + "<% tp.file.title %> <%* await tp.x() %>\n",
        "---\nworksheet: WS\ndate_created: <% tp.date.now() %>\n---\n# Templater\n",
        HEAD + "x" * 1_000_000 + "\n",
    ],
    ids=["empty", "BOM", "CRLF", "headings", "quotes", "lists", "brackets", "templater", "date", "line"],
)
def test_odd_notes_are_built(vault: Any, data: str | bytes) -> None:
    vault.put({"Good.md": vault.note("good"), "Odd.md": data})
    built = vault.build()
    assert errors(built) <= {("Odd.md", 4, "CM106")}
    assert ("notebooks/WS/Odd.ipynb" in vault.tree()) == bool(data)
    assert vault.build().written == ()


@pytest.mark.parametrize(
    "name",
    ["a b", "it's", "a+b", "50% off", "a..b", "Café", "Cafe\u0301", "日本", "-rf", "~", "$HOME", "x" * 240],
)
def test_odd_names_are_names(vault: Any, name: str) -> None:
    vault.put({f"{name}.md": vault.note("one"), "Two.md": vault.note("two", text=f"[[{name}]]")})
    built = vault.build()
    assert built.ok, built.findings
    assert sorted(p for p in vault.tree() if p.startswith("release")) == sorted(
        [f"release/WS/{name}.ipynb", "release/WS/Two.ipynb", "release/WS/requirements.txt"]
    )
    (vault.root / f"notes/{name}.md").unlink()
    vault.build()
    assert not [p for p in vault.tree() if name in p.split("/")[-1].removesuffix(".ipynb").split("Two")]


def test_nothing_blocks_and_nothing_outside_is_read(vault: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.md").write_text(HEAD + "# Secret\n")
    (outside / "secret.csv").write_text("secret")
    vault.put({"Good.md": vault.note("good"), "Good.files/ok.csv": "1", ".obsidian/x.md": "\0", ".trash/y.md": "\0"})
    notes = vault.root / "notes"
    (notes / "out.md").symlink_to(outside / "secret.md")
    (notes / "Good.files/secret.csv").symlink_to(outside / "secret.csv")
    (notes / "loop").symlink_to(notes)
    (notes / "Good.files/round").symlink_to(".")
    (notes / "X.md").mkdir()
    os.mkfifo(notes / "pipe.md")
    os.mkfifo(notes / "Good.files/pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.fspath(notes / "Good.files/s"))
    built = vault.build()
    assert {path: code for path, _, code in errors(built)} == dict.fromkeys(
        ["out.md", "loop", "pipe.md", "Good.files/secret.csv", "Good.files/round", "Good.files/pipe", "Good.files/s"],
        "CM107",
    )
    found = vault.tree()
    assert "release/WS/Good.files/ok.csv" in found
    assert b"ecret" not in b"".join(found.values())
    assert vault.build().written == ()


@pytest.mark.parametrize(("one", "two"), [("Note", "note"), ("Cafe\u0301", "Caf\u00e9")])
def test_names_that_only_some_systems_tell_apart(vault: Any, one: str, two: str) -> None:
    vault.put({f"a/{one}.md": vault.note("one"), f"b/{two}.md": vault.note("two")})
    assert vault.build().kept == (f"notes/b/{two}.md",)


def test_a_link_to_a_name_composed_otherwise(vault: Any) -> None:
    vault.put({"Cafe\u0301.md": vault.note("one"), "Two.md": vault.note("two", text="[[caf\u00e9]]")})
    assert vault.build().findings == ()
    assert b"(Cafe%CC%81.ipynb)" in vault.tree()["notebooks/WS/Two.ipynb"]


@pytest.mark.parametrize("place", ["notebooks", "source", "release"])
def test_what_stands_in_the_way_is_named(vault: Any, place: str) -> None:
    vault.put({"Good.md": vault.note("good")})
    (vault.root / place).write_text("a file")
    with pytest.raises(Exception, match=rf"{place}/WS/.*a file stands where a folder is needed"):
        vault.build()
    assert (vault.root / place).read_text() == "a file"


def test_an_empty_vault(vault: Any) -> None:
    (vault.root / "notes").mkdir()
    built = vault.build()
    assert (built.ok, built.built, built.unchanged) == (True, (), 0)
    assert vault.build(check=True).ok
    assert sorted(Path(p).name for p in vault.root.iterdir()) == ["build", "notes"]
