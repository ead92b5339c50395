"""What is taken of what somebody handed in."""

from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure import naming
from coursemill.pure.grading.attempts import Composed, File, compose
from coursemill.pure.grading.sheets import Sheet

SHEET = Sheet("WS1", {"nb": frozenset({"a"}), "other": frozenset({"b"})})
CONTENT = {"renamed.ipynb": b'"grade_id": "b"', "saved": b'"grade_id": "a"'}


def file(path: str, **about: object) -> File:
    return File(tuple(path.split("/")), f"x.zip!{path}", 1, "", Path(path), **about)  # type: ignore[arg-type] # as a test writes them


def composed(*files: File, stamped: bool = False) -> Composed:
    return compose(files, SHEET, lambda one: CONTENT.get(one.inner[-1], b"{}"), stamped=stamped)


def taken(*files: File, stamped: bool = False) -> dict[str, str]:
    return {path: one.origin.partition("!")[2] for path, one in composed(*files, stamped=stamped).files().items()}


def test_notebooks_get_their_names_and_files_keep_theirs() -> None:
    assert taken(file("WS1/nb (2).ipynb"), file("WS1/renamed.ipynb"), file("WS1/data/x.csv"), file("readme")) == {
        "nb.ipynb": "WS1/nb (2).ipynb",
        "other.ipynb": "WS1/renamed.ipynb",
        "data/x.csv": "WS1/data/x.csv",
    }


def test_a_notebook_without_its_suffix_is_known_by_its_cells() -> None:
    assert taken(file("saved")) == {"nb.ipynb": "saved"}


def test_of_several_the_latest_counts() -> None:
    early, late = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC)
    assert taken(file("nb.ipynb", order=2), file("nb-1.ipynb", order=1)) == {"nb.ipynb": "nb.ipynb"}
    assert taken(file("nb.ipynb", when=early), file("nb (1).ipynb", when=late)) == {"nb.ipynb": "nb (1).ipynb"}
    assert taken(file("nb.ipynb"), file("nb (1).ipynb"), file("nb (10).ipynb")) == {"nb.ipynb": "nb (10).ipynb"}
    assert taken(file("old/nb.ipynb"), file("nb.ipynb")) == {"nb.ipynb": "nb.ipynb"}
    left = composed(file("old/nb.ipynb"), file("nb.ipynb")).left
    assert [one.file.inner for one in left] == [("old", "nb.ipynb")]
    assert left[0].harmless


def test_another_notebook_is_missed_only_where_one_is_missing() -> None:
    assert not composed(file("nb.ipynb"), file("mine.ipynb")).left[0].harmless
    assert composed(file("nb.ipynb"), file("other.ipynb"), file("mine.ipynb")).left[0].harmless


def test_students_do_not_write_timestamps() -> None:
    assert "timestamp.txt" not in taken(file("nb.ipynb"), file("timestamp.txt"))
    assert "timestamp.txt" in taken(file("nb.ipynb"), file("timestamp.txt"), stamped=True)


def test_names_that_are_one_on_other_systems_are_refused() -> None:
    found = composed(file("nb.ipynb"), file("a.txt"), file("A.TXT"), file("NB.ipynb/x"), file("a.txt/y"))
    assert sorted(found.others) == ["a.txt"]
    assert [one.file.inner[-1] for one in found.left] == ["A.TXT", "x", "y"]


NAMES = st.sampled_from(["nb.ipynb", "NB.ipynb", "nb (1).ipynb", "a", "A", "ä", "a\u0308", "other.ipynb", "x"])


@given(st.lists(st.lists(NAMES, min_size=1, max_size=3).map("/".join), max_size=8, unique=True))
def test_whatever_is_taken_is_unique_on_any_system(paths: list[str]) -> None:
    files = [naming.folded(path) for path in composed(*map(file, paths)).files()]
    assert len(set(files)) == len(files)
    folders = {path[:n] for path in files for n, c in enumerate(path) if c == "/"}
    assert not folders & set(files)
