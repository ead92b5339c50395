"""A build writes what the notes ask for, nothing else, and the same bytes everywhere."""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from coursemill.course.build import Built
from coursemill.errors import CoursemillError
from coursemill.model import Span
from coursemill.pure.diagrams import Diagram


def names(built: Built) -> list[str]:
    return [Path(path).stem for path in built.built]


@pytest.fixture
def root(vault: Any) -> Path:
    vault.put(
        {
            "A/One.md": vault.note("one", text="[[Two]] ![p](One.files/p.png)\n\n```python\nimport numpy, helper\n```"),
            "A/One.files/p.png": b"\x89PNG",
            "A/One.files/data/d.csv": "a\n",
            "Two.md": vault.note("two", worksheet="[WS, WS_2]"),
            "Idea.md": "# Only linked to\n",
            "_worksheets/WS/helper.py": "import yaml\n",
            "_worksheets/WS_2/.keep": "",
        },
    )
    root: Path = vault.root
    return root


def test_what_stands_in_the_three_folders(vault: Any, root: Path) -> None:
    built = vault.build()
    assert built.ok
    assert (names(built), built.unchanged, built.kept, built.removed) == (["One", "Two"], 0, (), ())
    both = [
        "WS/One.files/data/d.csv",
        "WS/One.files/p.png",
        "WS/One.ipynb",
        "WS/Two.ipynb",
        "WS/helper.py",
        "WS_2/Two.ipynb",
    ]
    graded = sorted([*both, "WS/requirements.txt", "WS_2/requirements.txt"])
    found = vault.tree()
    assert sorted(found) == [
        *(f"notebooks/{p}" for p in both),
        *(f"release/{p}" for p in graded),
        *(f"source/{p}" for p in graded),
    ]
    assert sorted(built.written) == sorted(found)
    for path in graded:
        if not path.endswith(".ipynb"):
            assert found[f"release/{path}"] == found[f"source/{path}"]
    lines = found["release/WS/requirements.txt"].decode().splitlines()
    assert [line.partition("==")[0] for line in lines] == [lines[0], "numpy", "pyyaml"]
    student = found["release/WS/One.ipynb"].decode()
    assert "raise NotImplementedError()" in student
    assert "also below zero" not in student
    assert "return x + 1" not in student
    assert not list(root.rglob("gradebook.db"))


def test_what_has_not_changed_is_not_touched(vault: Any, root: Path) -> None:
    vault.build()
    before = {path: (root / path).stat().st_mtime_ns for path in vault.tree()}
    again = vault.build()
    assert (again.built, again.unchanged, again.written) == ((), 2, ())
    (root / "build/manifest.json").unlink()
    without_memory = vault.build()
    assert (without_memory.built, without_memory.unchanged) == ((), 2)
    assert {path: (root / path).stat().st_mtime_ns for path in vault.tree()} == before


def test_only_what_depends_on_a_change_is_built(vault: Any, root: Path) -> None:
    vault.build()
    vault.put({"Two.md": vault.note("two", worksheet="[WS, WS_2]", text="Other prose.")})
    changed = vault.build()
    assert names(changed) == ["Two"]
    assert len(changed.written) == 6
    vault.put({"Two.md": vault.note("two", worksheet="[WS, WS_2]", text="## A new heading")})
    assert names(vault.build()) == ["Two"]
    vault.put({"Two.md": vault.note("two", worksheet="[WS, WS_2]").replace("# Note two", "# A new title")})
    assert names(vault.build()) == ["One", "Two"], "One shows the title of what it links to"
    vault.put({"Idea.md": "# Other words\n"})
    assert vault.build().built == ()
    vault.put({"A/One.files/data/d.csv": "b\n"})
    assert sorted(vault.build().written) == [
        f"{step}/WS/One.files/data/d.csv" for step in ("notebooks", "release", "source")
    ]


def test_what_a_query_finds_and_an_embed_says_is_followed(vault: Any, root: Path) -> None:
    query = '```dataview\nLIST FROM "A" OR #drink WHERE file.name != "One"\n```'
    vault.put({"_Map.md": f"---\nworksheet: WS\n---\n# Map\n\n{query}\n\n![[Idea#^one]]\n", "Idea.md": "Tea. ^one\n"})
    vault.build()

    def shown() -> str:
        return (root / "release/WS/_Map.ipynb").read_text(encoding="utf-8")

    assert "Tea." in shown()
    assert "New" not in shown()
    assert vault.build().built == ()
    vault.put({"A/New.md": "# New\n"})
    assert names(vault.build()) == ["_Map"]
    assert "*New*" in shown()
    vault.put({"Other.md": "# Other\n", "Idea.md": "Milk. ^one\n"})
    assert names(vault.build()) == ["_Map"]
    assert "Milk." in shown()
    vault.put({"Other.md": "# Other\n\nA #drink\n"})
    assert names(vault.build()) == ["_Map"]
    vault.put({"Idea.md": "Milk.\n"})
    assert [f.code for f in vault.build().findings if f.path == "notes/_Map.md"] == ["CM402"]


def test_a_time_that_changed_alone_changes_nothing(vault: Any, root: Path) -> None:
    vault.build()
    for path in [*root.rglob("*.md"), *root.rglob("*.ipynb"), *root.rglob("*.png")]:
        os.utime(path, (1, 1))
    assert vault.build().written == ()


@pytest.mark.parametrize("folder", ["notebooks", "source", "release"])
@pytest.mark.parametrize("harm", ["edited", "deleted", "a folder"])
def test_an_output_that_was_touched_is_made_again(vault: Any, root: Path, folder: str, harm: str) -> None:
    vault.build()
    before = vault.tree()
    path = root / folder / "WS/One.ipynb"
    if harm == "edited":
        data = path.read_bytes()
        path.write_bytes(data.replace(b"Add one", b"Add ONE"))
    else:
        path.unlink()
    if harm == "a folder":
        (path / "inside").mkdir(parents=True)
        with pytest.raises(CoursemillError, match=rf"{folder}/WS/One.ipynb: .*a folder stands where the file belongs"):
            vault.build()
        return
    assert vault.build(check=True).stale
    assert vault.build().written == (f"{folder}/WS/One.ipynb",)
    assert vault.tree() == before


def test_a_renamed_or_removed_note_leaves_nothing(vault: Any, root: Path) -> None:
    vault.build()
    (root / "notes/A/One.md").rename(root / "notes/A/Uno.md")
    (root / "notes/A/One.files").rename(root / "notes/A/Uno.files")
    (root / "notes/Two.md").unlink()
    vault.put({"A/Uno.md": (root / "notes/A/Uno.md").read_text().replace("One.files", "Uno.files")})
    built = vault.build()
    assert names(built) == ["Uno"]
    assert not [p for p in vault.tree() if "One" in p or "Two" in p or "WS_2" in p]
    assert not (root / "release/WS_2").exists()
    assert vault.build(check=True).ok


def test_pictures_from_anywhere_come_along(vault: Any, root: Path) -> None:
    vault.build()
    vault.put({"attachments/leaf.png": b"\x89PNG", "Two.md": vault.note("two", text="![[leaf.png]]")})
    assert vault.build().ok
    brought = [f"{folder}/WS/Two.files/attachments/leaf.png" for folder in ("notebooks", "release", "source")]
    assert sorted(path for path in vault.tree() if path.endswith("leaf.png")) == brought
    assert "Two.files/attachments/leaf.png" in (root / "release/WS/Two.ipynb").read_text()
    vault.put({"attachments/leaf.png": b"\x89PNG, greener"})
    assert sorted(vault.build().written) == brought
    assert vault.build(check=True).ok
    (root / "notes/attachments/leaf.png").unlink()
    built = vault.build()
    assert [finding.code for finding in built.findings] == ["CM404"]
    assert not [path for path in vault.tree() if path.endswith("leaf.png")]
    assert vault.build(check=True).ok


@pytest.mark.parametrize("lost", [False, True])
def test_what_the_build_did_not_write_stays(vault: Any, root: Path, lost: bool) -> None:
    vault.build()
    theirs = {
        "source/WS/Handmade.ipynb": json.dumps(nbformat.v4.new_notebook()),
        "release/WS/notes by the teacher.txt": "keep",
        "notebooks/WS/One.files/mine.txt": "keep",
        "release/Other/x.ipynb": "no notebook at all",
        "source/Other/requirements.txt": "flask\n",
    }
    for name, text in theirs.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    if lost:
        (root / "build/manifest.json").unlink()
    for path in ("A/One.md", "A/One.files/p.png", "A/One.files/data/d.csv", "Two.md"):
        (root / "notes" / path).unlink()
    vault.build()
    vault.build()
    found = {
        p.relative_to(root).as_posix()
        for f in ("notebooks", "source", "release")
        for p in (root / f).rglob("*")
        if p.is_file()
    }
    assert found == theirs.keys()
    assert vault.build(check=True).ok


def test_check_names_what_is_stale_and_changes_nothing(vault: Any, root: Path) -> None:
    vault.build()
    (root / "notes/A/One.md").rename(root / "notes/A/Uno.md")
    vault.put({"A/Uno.md": (root / "notes/A/Uno.md").read_text().replace("![p](One.files/p.png)", "")})
    (root / "release/WS/Two.ipynb").write_text("{}")
    vault.put({"_worksheets/WS/helper.py": "import yaml # new\n"})
    everything = {p: p.read_bytes() for p in root.rglob("*") if p.is_file()}
    checked = vault.build(check=True)
    assert not checked.ok
    found = {one.path: (one.state, one.note) for one in checked.stale}
    assert found["release/WS/Two.ipynb"] == ("stale", "notes/Two.md")
    assert found["notebooks/WS/helper.py"] == ("stale", "notes/_worksheets/WS/helper.py")
    assert found["source/WS/Uno.ipynb"] == ("missing", "notes/A/Uno.md")
    assert found["release/WS/One.ipynb"] == ("orphaned", "notes/A/One.md")
    assert found["notebooks/WS/One.files/p.png"] == ("orphaned", "notes/A/One.md")
    assert {p: p.read_bytes() for p in root.rglob("*") if p.is_file()} == everything


def test_check_is_not_fooled_by_what_the_build_remembers(vault: Any, root: Path) -> None:
    vault.build()
    file = root / "source/WS/One.ipynb"
    status = file.stat()
    data = file.read_bytes()
    file.write_bytes(data.replace(b"Add one", b"Add ONE"))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert vault.build().ok
    assert [one.path for one in vault.build(check=True).stale] == ["source/WS/One.ipynb"]


def test_one_note_with_errors_does_not_stop_the_others(vault: Any, root: Path) -> None:
    vault.build()
    before = vault.tree()
    text = (root / "notes/A/One.md").read_text()
    vault.put({"A/One.md": text.replace("### END SOLUTION", ""), "New.md": vault.note("new")})
    vault.put({"A/One.files/more.txt": "its files are copied all the same"})
    built = vault.build()
    assert not built.ok
    assert (names(built), built.kept) == (["New"], ("notes/A/One.md",))
    assert [(f.path, f.code) for f in built.findings if f.severity == "error"] == [("notes/A/One.md", "CM307")]
    found = vault.tree()
    ours = [p for p in before if "One" in p]
    assert len(ours) == 9
    assert all(found[p] == before[p] for p in ours)
    again = vault.build()
    assert (again.ok, again.kept, again.written) == (False, ("notes/A/One.md",), ())
    vault.put({"A/One.md": vault.note("one")})
    assert vault.build().ok


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize(
    "data", [b"\xff\xfe", b"---\nworksheet: WS\n# never closed\n", b"---\nworksheet: !!python/x y\n---\n"]
)
def test_a_note_that_cannot_be_read_keeps_its_notebooks(vault: Any, root: Path, data: bytes, lost: bool) -> None:
    vault.build()
    before = vault.tree()
    vault.put({"A/One.md": data})
    if lost:
        (root / "build/manifest.json").unlink()
    built = vault.build()
    assert not built.ok
    assert {f.path for f in built.findings if f.severity == "error"} == {"notes/A/One.md"}
    assert lost or built.kept == ("notes/A/One.md",)
    found = vault.tree()
    assert all(found[p] == before[p] for p in before if "One" in p)
    assert not vault.build().ok


@pytest.mark.parametrize("folder", ["A", "A/One.files", "_worksheets/WS", "_worksheets"])
def test_a_folder_that_cannot_be_read_keeps_what_was_built_of_it(
    vault: Any, root: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    vault.put({"A/Three.md": vault.note("three", worksheet="WS_2")})
    vault.build()
    before = vault.tree()
    scandir = os.scandir

    def denied(path: Path) -> Any:
        if path == root / "notes" / folder:
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", denied)
    built = vault.build()
    assert not built.ok
    assert [f.code for f in built.findings if f.severity == "error" and folder in f.path] == ["CM107"]
    assert vault.tree().keys() == before.keys()
    assert vault.build().written == ()
    monkeypatch.undo()
    assert vault.build().ok
    assert vault.tree() == before


def test_a_misspelt_worksheet_gets_no_folder(vault: Any, root: Path) -> None:
    vault.build()
    vault.put({"A/One.md": vault.note("one", worksheet="WS_O"), "A/New.md": vault.note("new", worksheet="WS_O")})
    built = vault.build()
    assert built.kept == ("notes/A/New.md", "notes/A/One.md")
    assert sorted(p.name for p in (root / "release").iterdir()) == ["WS", "WS_2"]


def test_an_error_elsewhere_blocks_and_frees_a_note_that_did_not_change(vault: Any, root: Path) -> None:
    vault.build()
    vault.put({"A/Copy.md": vault.note("two")})
    built = vault.build()
    assert built.kept == ("notes/Two.md",), "the second of two notes with one id"
    (root / "notes/A/Copy.md").unlink()
    assert vault.build().ok


def test_tests_keep_their_numbers_through_edits_and_renames(vault: Any, root: Path) -> None:
    vault.build()

    def ids() -> dict[str, str]:
        cells = json.loads((root / "source/WS" / f"{name}.ipynb").read_text())["cells"]
        graded = [c for c in cells if c["metadata"].get("nbgrader", {}).get("grade")]
        return {c["metadata"]["nbgrader"]["grade_id"]: "".join(c["source"]) for c in graded}

    name = "Two"
    before = ids()
    first = '```python role="test" points=1\nassert add(5) == 6\n```\n\n```python role="test" points=1\nassert add(1)'
    text = vault.note("two", worksheet="[WS, WS_2]").replace('```python role="test" points=1\nassert add(1)', first)
    vault.put({"Two.md": text})
    vault.build()
    after = ids()
    assert {k: after[k] for k in before} == before
    assert "add(5)" in after["two-test-3"]
    (root / "notes/Two.md").rename(root / "notes/Zwei.md")
    vault.build()
    name = "Zwei"
    assert ids() == after
    assert vault.build(check=True).ok


def test_chosen_lessons_only(vault: Any, root: Path) -> None:
    built = vault.build("Two")
    assert names(built) == ["Two"]
    assert not [p for p in vault.tree() if "One.ipynb" in p]
    assert names(vault.build()) == ["One"]
    vault.put(
        {"A/One.md": vault.note("one", text="New."), "Two.md": vault.note("two", worksheet="[WS, WS_2]", text="New.")}
    )
    assert names(vault.build("WS_2")) == ["Two"]
    assert names(vault.build()) == ["One"]
    assert vault.build().written == ()
    with pytest.raises(CoursemillError, match="Tow"):
        vault.build("Tow")


def test_the_same_bytes_on_any_machine(vault: Any, root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Another path, locale, time zone, hash seed, umask, order of building, and another process."""
    vault.build()
    other = tmp_path_factory.mktemp("ander's wö") / "course"
    type(vault)(other).put(
        {p.relative_to(root / "notes").as_posix(): p.read_bytes() for p in (root / "notes").rglob("*") if p.is_file()},
    )
    script = (
        "import os, sys; os.umask(0o077)\n"
        "from pathlib import Path\n"
        "from coursemill.config import Config\n"
        "from coursemill.course.build import build\n"
        "for name in ('Two', 'One'): build(Config(Path(sys.argv[1])), [name])\n"
        "assert build(Config(Path(sys.argv[1]))).ok\n"
    )
    environment = {**os.environ, "LC_ALL": "C", "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "7", "PYTHONUTF8": "0"}
    subprocess.run([sys.executable, "-c", script, str(other)], env=environment, check=True, cwd="/")
    assert type(vault)(other).tree() == vault.tree()
    modes = {
        (p.stat().st_mode & 0o777)
        for f in ("notebooks", "source", "release")
        for p in (other / f).rglob("*.*")
        if p.is_file()
    }
    assert modes == {0o644}


@pytest.mark.parametrize("jobs", [1, 2, 4])
def test_many_notes_in_several_processes(vault: Any, jobs: int) -> None:
    vault.put({f"N{n}.md": vault.note(f"n{n}", worksheet=f"WS_{n % 3}", text=f"[[N{n + 1}]]") for n in range(60)})
    vault.put({"N7.md": vault.note("n7").replace("[!exercise|id=n7]", "[!exercise]")})
    seen: list[tuple[int, int]] = []
    built = vault.build(jobs=jobs, on_progress=lambda done, total, name: seen.append((done, total)))
    assert len(built.built) == 59
    assert built.kept == ("notes/N7.md",)
    assert seen == [(n, 60) for n in range(1, 61)]
    digest = hashlib.sha256(repr(sorted(vault.tree().items())).encode()).hexdigest()
    assert digest == MANY.setdefault("digest", digest)


MANY: dict[str, str] = {}


def test_pictures_of_diagrams_are_embedded_followed_and_pruned(vault: Any) -> None:
    picture = Diagram("d2", "a -> b", Span("notes/One.md", 1, 1)).name
    text = vault.note("one", text="```d2\na -> b\n```")
    vault.put({"One.md": text, f"_diagrams/{picture}": "<svg>1</svg>", "_diagrams/mine.svg": "<svg>mine</svg>"})
    vault.build()
    drawn = base64.b64encode(b"<svg>1</svg>")
    assert drawn in vault.tree()["release/WS/One.ipynb"]
    vault.put({f"_diagrams/{picture}": "<svg>2</svg>"})
    assert [one.state for one in vault.build(check=True).stale] == ["stale"] * 3
    assert names(vault.build()) == ["One"]
    vault.put({"One.md": vault.note("one")})
    assert [one.path for one in vault.build(check=True).stale if one.state == "orphaned"] == [
        f"notes/_diagrams/{picture}"
    ]
    assert vault.build().removed == (f"notes/_diagrams/{picture}",)
    assert [path.name for path in (vault.root / "notes/_diagrams").iterdir()] == ["mine.svg"]
    assert vault.build().written == ()


def test_requirements_are_what_is_imported_and_what_an_author_adds(vault: Any) -> None:
    vault.put({"One.md": vault.note("one", text="```python\nimport yaml, absent_thing\n```")})
    vault.put({"_worksheets/WS/requirements.txt": "lxml>=6"})
    built = vault.build()
    lines = vault.tree()["release/WS/requirements.txt"].decode().splitlines()
    assert [re.sub(r"==\S+", "==N", line) for line in lines[1:]] == [
        "lxml>=6",
        "absent-thing  # absent_thing",
        "pyyaml==N  # yaml",
    ]
    assert [(f.code, f.path, f.line, f.severity) for f in built.findings] == [("CM502", "notes/One.md", 7, "warning")]
    assert built.ok
    assert vault.build().findings == built.findings
    vault.put({"One.md": vault.note("one")})
    vault.build()
    assert vault.tree()["release/WS/requirements.txt"].decode().splitlines()[1:] == ["lxml>=6"]
