"""A build writes what the notes ask for, nothing else, and the same bytes everywhere."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from coursemill.config import Config
from coursemill.course.build import Built, build
from coursemill.effects import store
from coursemill.errors import CoursemillError

EXERCISE = """
> [!exercise|id={id}] Add one
> Write `add(x)`.

```python role="solution"
def add(x):
    ### BEGIN SOLUTION
    return x + 1
    ### END SOLUTION
```

```python role="test" points=1
assert add(1) == 2, "one more"
```

```python role="test" points=2 hidden=true
assert add(-1) == 0, "also below zero"
```
"""


def note(id: str = "add", *, worksheet: str = "WS", text: str = "Some *prose*.") -> str:
    return f"---\nworksheet: {worksheet}\n---\n# Note {id}\n\n{text}\n{EXERCISE.format(id=id)}"


def put(root: Path, files: dict[str, str | bytes]) -> None:
    for name, data in files.items():
        path = root / "notes" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)


def tree(root: Path, *folders: str) -> dict[str, bytes]:
    """Every file in the three folders, by path; the notebooks among them are valid."""
    found = {}
    for folder in folders or ("notebooks", "source", "release"):
        for path in sorted((root / folder).rglob("*")):
            if path.is_file():
                found[path.relative_to(root).as_posix()] = path.read_bytes()
                if path.suffix == ".ipynb":
                    nbformat.validate(nbformat.reads(path.read_text(encoding="utf-8"), 4))
    return found


def names(built: Built) -> list[str]:
    return [Path(path).stem for path in built.built]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    put(
        tmp_path,
        {
            "A/One.md": note("one", text="[[Two]] ![p](One.files/p.png)\n\n```python\nimport numpy, helper\n```"),
            "A/One.files/p.png": b"\x89PNG",
            "A/One.files/data/d.csv": "a\n",
            "Two.md": note("two", worksheet="[WS, WS_2]"),
            "Idea.md": "# Only linked to\n",
            "_worksheets/WS/helper.py": "import yaml\n",
            "_worksheets/WS_2/.keep": "",
        },
    )
    return tmp_path


def run(root: Path, *names: str, **about: Any) -> Built:
    return build(Config(root), names, **about)


def test_what_stands_in_the_three_folders(root: Path) -> None:
    built = run(root)
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
    found = tree(root)
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


def test_what_has_not_changed_is_not_touched(root: Path) -> None:
    run(root)
    before = {path: (root / path).stat().st_mtime_ns for path in tree(root)}
    again = run(root)
    assert (again.built, again.unchanged, again.written) == ((), 2, ())
    (root / "build/manifest.json").unlink()
    without_memory = run(root)
    assert (without_memory.built, without_memory.unchanged) == ((), 2)
    assert {path: (root / path).stat().st_mtime_ns for path in tree(root)} == before


def test_only_what_depends_on_a_change_is_built(root: Path) -> None:
    run(root)
    put(root, {"Two.md": note("two", worksheet="[WS, WS_2]", text="Other prose.")})
    changed = run(root)
    assert names(changed) == ["Two"]
    assert len(changed.written) == 6
    put(root, {"Two.md": note("two", worksheet="[WS, WS_2]", text="## A new heading")})
    assert names(run(root)) == ["Two"]
    put(root, {"Two.md": note("two", worksheet="[WS, WS_2]").replace("# Note two", "# A new title")})
    assert names(run(root)) == ["One", "Two"], "One shows the title of what it links to"
    put(root, {"Idea.md": "# Other words\n"})
    assert run(root).built == ()
    put(root, {"A/One.files/data/d.csv": "b\n"})
    assert sorted(run(root).written) == [
        f"{step}/WS/One.files/data/d.csv" for step in ("notebooks", "release", "source")
    ]


def test_a_time_that_changed_alone_changes_nothing(root: Path) -> None:
    run(root)
    for path in [*root.rglob("*.md"), *root.rglob("*.ipynb"), *root.rglob("*.png")]:
        os.utime(path, (1, 1))
    assert run(root).written == ()


@pytest.mark.parametrize("folder", ["notebooks", "source", "release"])
@pytest.mark.parametrize("harm", ["edited", "deleted", "a folder"])
def test_an_output_that_was_touched_is_made_again(root: Path, folder: str, harm: str) -> None:
    run(root)
    before = tree(root)
    path = root / folder / "WS/One.ipynb"
    if harm == "edited":
        data = path.read_bytes()
        path.write_bytes(data.replace(b"Add one", b"Add ONE"))
    else:
        path.unlink()
    if harm == "a folder":
        (path / "inside").mkdir(parents=True)
        with pytest.raises(CoursemillError, match=rf"{folder}/WS/One.ipynb: .*a folder stands where the file belongs"):
            run(root)
        return
    assert run(root, check=True).stale
    assert run(root).written == (f"{folder}/WS/One.ipynb",)
    assert tree(root) == before


def test_a_renamed_or_removed_note_leaves_nothing(root: Path) -> None:
    run(root)
    (root / "notes/A/One.md").rename(root / "notes/A/Uno.md")
    (root / "notes/A/One.files").rename(root / "notes/A/Uno.files")
    (root / "notes/Two.md").unlink()
    put(root, {"A/Uno.md": (root / "notes/A/Uno.md").read_text().replace("One.files", "Uno.files")})
    built = run(root)
    assert names(built) == ["Uno"]
    assert not [p for p in tree(root) if "One" in p or "Two" in p or "WS_2" in p]
    assert not (root / "release/WS_2").exists()
    assert run(root, check=True).ok


@pytest.mark.parametrize("lost", [False, True])
def test_what_the_build_did_not_write_stays(root: Path, lost: bool) -> None:
    run(root)
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
    run(root)
    run(root)
    found = {
        p.relative_to(root).as_posix()
        for f in ("notebooks", "source", "release")
        for p in (root / f).rglob("*")
        if p.is_file()
    }
    assert found == theirs.keys()
    assert run(root, check=True).ok


def test_check_names_what_is_stale_and_changes_nothing(root: Path) -> None:
    run(root)
    (root / "notes/A/One.md").rename(root / "notes/A/Uno.md")
    (root / "release/WS/Two.ipynb").write_text("{}")
    put(root, {"_worksheets/WS/helper.py": "import yaml # new\n"})
    everything = {p: p.read_bytes() for p in root.rglob("*") if p.is_file()}
    checked = run(root, check=True)
    assert not checked.ok
    found = {one.path: (one.state, one.note) for one in checked.stale}
    assert found["release/WS/Two.ipynb"] == ("stale", "notes/Two.md")
    assert found["notebooks/WS/helper.py"] == ("stale", "notes/_worksheets/WS/helper.py")
    assert found["source/WS/Uno.ipynb"] == ("missing", "notes/A/Uno.md")
    assert found["release/WS/One.ipynb"] == ("orphaned", "notes/A/One.md")
    assert found["notebooks/WS/One.files/p.png"] == ("orphaned", "notes/A/One.md")
    assert {p: p.read_bytes() for p in root.rglob("*") if p.is_file()} == everything


def test_check_is_not_fooled_by_what_the_build_remembers(root: Path) -> None:
    run(root)
    file = root / "source/WS/One.ipynb"
    status = file.stat()
    data = file.read_bytes()
    file.write_bytes(data.replace(b"Add one", b"Add ONE"))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert run(root).ok
    assert [one.path for one in run(root, check=True).stale] == ["source/WS/One.ipynb"]


def test_one_note_with_errors_does_not_stop_the_others(root: Path) -> None:
    run(root)
    before = tree(root)
    text = (root / "notes/A/One.md").read_text()
    put(root, {"A/One.md": text.replace("### END SOLUTION", ""), "New.md": note("new")})
    built = run(root)
    assert not built.ok
    assert (names(built), built.kept) == (["New"], ("notes/A/One.md",))
    assert [(f.path, f.code) for f in built.findings if f.severity == "error"] == [("notes/A/One.md", "CM307")]
    found = tree(root)
    ours = [p for p in before if "One" in p]
    assert len(ours) == 9
    assert all(found[p] == before[p] for p in ours)
    again = run(root)
    assert (again.ok, again.kept, again.written) == (False, ("notes/A/One.md",), ())
    put(root, {"A/One.md": note("one")})
    assert run(root).ok


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize(
    "data", [b"\xff\xfe", b"---\nworksheet: WS\n# never closed\n", b"---\nworksheet: !!python/x y\n---\n"]
)
def test_a_note_that_cannot_be_read_keeps_its_notebooks(root: Path, data: bytes, lost: bool) -> None:
    run(root)
    before = tree(root)
    put(root, {"A/One.md": data})
    if lost:
        (root / "build/manifest.json").unlink()
    built = run(root)
    assert not built.ok
    assert {f.path for f in built.findings if f.severity == "error"} == {"notes/A/One.md"}
    found = tree(root)
    assert all(found[p] == before[p] for p in before if "One" in p)
    assert not run(root).ok


def test_an_error_elsewhere_blocks_and_frees_a_note_that_did_not_change(root: Path) -> None:
    run(root)
    put(root, {"A/Copy.md": note("two")})
    built = run(root)
    assert built.kept == ("notes/Two.md",), "the second of two notes with one id"
    (root / "notes/A/Copy.md").unlink()
    assert run(root).ok


def test_tests_keep_their_numbers_through_edits_and_renames(root: Path) -> None:
    run(root)

    def ids() -> dict[str, str]:
        cells = json.loads((root / "source/WS" / f"{name}.ipynb").read_text())["cells"]
        graded = [c for c in cells if c["metadata"].get("nbgrader", {}).get("grade")]
        return {c["metadata"]["nbgrader"]["grade_id"]: "".join(c["source"]) for c in graded}

    name = "Two"
    before = ids()
    first = '```python role="test" points=1\nassert add(5) == 6\n```\n\n```python role="test" points=1\nassert add(1)'
    text = note("two", worksheet="[WS, WS_2]").replace('```python role="test" points=1\nassert add(1)', first)
    put(root, {"Two.md": text})
    run(root)
    after = ids()
    assert {k: after[k] for k in before} == before
    assert "add(5)" in after["two-test-3"]
    (root / "notes/Two.md").rename(root / "notes/Zwei.md")
    run(root)
    name = "Zwei"
    assert ids() == after
    assert run(root, check=True).ok


def test_chosen_lessons_only(root: Path) -> None:
    built = run(root, "Two")
    assert names(built) == ["Two"]
    assert not [p for p in tree(root) if "One.ipynb" in p]
    assert names(run(root)) == ["One"]
    put(root, {"A/One.md": note("one", text="New."), "Two.md": note("two", worksheet="[WS, WS_2]", text="New.")})
    assert names(run(root, "WS_2")) == ["Two"]
    assert names(run(root)) == ["One"]
    assert run(root).written == ()
    with pytest.raises(CoursemillError, match="Tow"):
        run(root, "Tow")


def test_the_same_bytes_on_any_machine(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Another path, locale, time zone, hash seed, umask, order of building, and another process."""
    run(root)
    other = tmp_path_factory.mktemp("ander's wö") / "course"
    put(
        other,
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
    assert tree(other) == tree(root)
    modes = {
        (p.stat().st_mode & 0o777)
        for f in ("notebooks", "source", "release")
        for p in (other / f).rglob("*.*")
        if p.is_file()
    }
    assert modes == {0o644}


@pytest.mark.parametrize("jobs", [1, 3])
def test_many_notes_in_several_processes(tmp_path: Path, jobs: int) -> None:
    put(tmp_path, {f"N{n}.md": note(f"n{n}", worksheet=f"WS_{n % 3}", text=f"[[N{n + 1}]]") for n in range(60)})
    put(tmp_path, {"N7.md": note("n7").replace("[!exercise|id=n7]", "[!exercise]")})
    seen: list[tuple[int, int]] = []
    built = run(tmp_path, jobs=jobs, on_progress=lambda done, total, name: seen.append((done, total)))
    assert len(built.built) == 59
    assert built.kept == ("notes/N7.md",)
    assert seen == [(n, 60) for n in range(1, 61)]
    digest = store.hashlib.sha256(repr(sorted(tree(tmp_path).items())).encode()).hexdigest()
    assert digest == MANY.setdefault("digest", digest)


MANY: dict[str, str] = {}
