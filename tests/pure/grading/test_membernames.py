"""Names inside of archives: whatever they are, what comes out is a sane path, or nothing."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from coursemill.pure import naming
from coursemill.pure.grading import membernames

PATHS = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="./\\ ~:abCON\u202e\u200d\u0308ä\0\n", max_size=30),
    st.lists(st.sampled_from(["..", ".", "", "con", "a", "~", "C:", " ", "nb.ipynb", "x" * 300]), max_size=50).map(
        "/".join
    ),
)


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("a/b.ipynb", ("a", "b.ipynb")),
        ("a\\b.ipynb", ("a", "b.ipynb")),
        ("./a/./b", ("a", "b")),
        ("a//b", ("a", "b")),
        ("..a/b..c", ("..a", "b..c")),
        ("What is X?.ipynb", ("What is X_.ipynb",)),
        ("a/con.txt", ("a", "_con.txt")),
        ("~/x", ("_~", "x")),
        ("mu\u0308ller", ("müller",)),
        ("می\u200cخواهم.ipynb", ("میخواهم.ipynb",)),
        (" a /b ", ("a", "b")),
    ],
)
def test_a_path_is_made_sane(written: str, parts: tuple[str, ...]) -> None:
    assert membernames.parts(written) == parts


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("../x", "leaves the folder"),
        ("a/../../x", "leaves the folder"),
        ("..\\x", "leaves the folder"),
        ("a/..", "leaves the folder"),
        ("/etc/passwd", "absolute"),
        ("\\\\host\\share", "absolute"),
        ("C:\\x", "drive letter"),
        ("c:x", "drive letter"),
        ("a\0b", "NUL"),
        ("a\nb", "cannot be shown"),
        ("a\x1b[2Jb", "cannot be shown"),
        ("nb\u202eipynb.exe", "direction"),
        ("a\u2066b", "direction"),
        ("\udcff", "not UTF-8"),
        ("\ud800", "cannot be shown"),
        ("", "no name"),
        ("...", "no name"),
        (". .", "no name"),
        (".\u200d.", "no name"),
        ("x" * 256, "longer than 255"),
        ("/".join(["abcdefgh"] * 32 * 5), "folders deep"),
        ("/".join(["x" * 200] * 6), "longer than 1024"),
        ("x" * 5000, "longer than 1024"),
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(written: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        membernames.parts(written)


@given(PATHS)
@example("a/ .. /b")
@example("a/.\u200d./b")
def test_whatever_comes_out_lies_inside_and_can_be_shown(written: str) -> None:
    try:
        parts = membernames.parts(written)
    except ValueError:
        return
    assert parts
    for part in parts:
        assert part not in ("", ".", "..")
        assert part.isprintable()
        assert not set(part) & set('/\\\0<>:"|?*')
        assert part == unicodedata.normalize("NFC", part) == part.strip()
        assert not part.endswith(".")
        assert not naming.RESERVED.fullmatch(part)
        assert len(part.encode()) <= 255
    assert membernames.parts("/".join(parts)) == parts


@pytest.mark.parametrize(
    "path",
    ["__MACOSX/nb.ipynb", ".ipynb_checkpoints/nb.ipynb", "._nb.ipynb", "a/.git/config", "Thumbs.db", "~$x.docx"],
)
def test_what_programs_leave_is_junk(path: str) -> None:
    assert membernames.is_junk(tuple(path.split("/")))


@given(st.text(max_size=200))
def test_an_id_that_is_made_can_be_one(name: str) -> None:
    made = membernames.student_id(name)
    assert made == "" or membernames.cannot_be_id(made) == ""


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("Anna Müller", "anna-müller"),
        ("O'Brien, Pat", "o-brien-pat"),
        ("王小明", "王小明"),
        ("../x", "x"),
        ("con", "con-"),
    ],
)
def test_an_id_is_made_of_a_name(name: str, made: str) -> None:
    assert membernames.student_id(name) == made


@pytest.mark.parametrize("id", ["", ".", "..", "a/b", "-x", "~", ".a", "a.", "nul", "a*", "x" * 101, "a\u202eb", " a"])
def test_some_ids_cannot_be(id: str) -> None:
    assert membernames.cannot_be_id(id)


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("a.tar.gz", ".tar.gz"), ("a.b.ZIP", ".zip"), ("a", ""), ("nb.ipynb.gz", ".gz"), ("x.tar.", "")],
)
def test_suffixes(name: str, suffix: str) -> None:
    assert membernames.suffix(name) == suffix
    assert membernames.stem(name) + name[len(membernames.stem(name)) :] == name


@given(st.text(max_size=400))
def test_a_shown_name_is_one_short_line(name: str) -> None:
    shown = membernames.shown(name)
    assert shown.isprintable()
    assert len(shown) <= 200
