"""What students handed in elsewhere, brought to its place."""

import io
import json
import os
import random
import shutil
import signal
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coursemill.config import Config
from coursemill.course import collect
from coursemill.course.collect import Request, Result
from coursemill.effects.grading import arrivals
from coursemill.errors import ConfigError, CoursemillError
from coursemill.pure.grading.quotas import MB, Quotas

WHEN = "2024-01-31 12:00:00.000000 UTC"
LATER = "2024-02-01 12:00:00.000000 UTC"


class Silent:
    """A watch that nobody looks at."""

    def begin(self, sources: int) -> None: ...

    def step(self, source: str, done: int, total: int) -> None: ...

    def end(self, source: str) -> None: ...


def notebook(*ids: str, source: str = "x = 1") -> bytes:
    """A notebook with answers of these ids."""
    cells = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": id,
            "metadata": {
                "nbgrader": {
                    "schema_version": 3,
                    "grade_id": id,
                    "grade": False,
                    "locked": False,
                    "solution": True,
                    "task": False,
                }
            },
            "outputs": [],
            "source": f"### BEGIN SOLUTION\n{source}\n### END SOLUTION",
        }
        for id in ids
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


ONE, TWO = notebook("a-1", "a-2"), notebook("b-1")


def zipped(path: Path, members: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def packed(members: Mapping[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return data.getvalue()


def tree(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


class Course:
    """A stock nbgrader course with one worksheet of two notebooks."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "source/WS1").mkdir(parents=True)
        (root / "source/WS1/intro.ipynb").write_bytes(ONE)
        (root / "source/WS1/more.ipynb").write_bytes(TWO)
        (root / "nbgrader_config.py").write_text("c = get_config()\n")

    def collect(self, *sources: Path, **about: Any) -> Result:
        return collect.collect(Config(self.root), Request("WS1", sources, **about), Silent())

    def submitted(self) -> dict[str, bytes]:
        return tree(self.root / "submitted") if (self.root / "submitted").is_dir() else {}


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return Course(tmp_path / "course")


def reasons(result: Result) -> dict[str, str]:
    return {one.where: one.reason for one in result.refused}


MOODLE = "{0}_{1}_assignsubmission_file_/{2}"
LAYOUTS: dict[str, tuple[Callable[[str, int, str], str], dict[str, bytes]]] = {
    "moodle": (lambda student, n, file: f"{student}_{n}_assignsubmission_file_/{file}", {}),
    "flat moodle": (lambda student, n, file: f"{student}_{n}_assignsubmission_file_{file}", {}),
    "canvas": (lambda student, n, file: f"{student}_{n}_{n + 1000}_{file}", {}),
    "gradescope": (
        lambda student, n, file: f"assignment_1_export/submission_{n}/{file}",
        {
            "assignment_1_export/submission_metadata.yml": b"".join(
                b"submission_%d:\n  :submitters:\n  - :name: X\n    :sid: %s\n  :created_at: 2024-01-31 12:00:00 Z\n"
                % (n, student.encode())
                for n, student in ((1, "jane"), (2, "bob"))
            )
        },
    ),
    "exchange": (lambda student, n, file: f"{student}+WS1+{WHEN}+abc/{file}", {}),
    "submitted": (lambda student, n, file: f"submitted/{student}/WS1/{file}", {}),
    "folders": (lambda student, n, file: f"export/{student}/{file}", {}),
    "files": (lambda student, n, file: f"{student}_{file}", {}),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("form", ["zip", "tar.gz", "folder"])
def test_every_layout_comes_out_byte_for_byte(course: Course, tmp_path: Path, layout: str, form: str) -> None:
    name, extra = LAYOUTS[layout]
    content = {
        (student, file): notebook(id, source=f"{student} {n}")
        for student in ("jane", "bob")
        for n, (file, id) in enumerate((("intro.ipynb", "a-1"), ("more.ipynb", "b-1")))
    }
    number = {"jane": 1, "bob": 2}
    members = {name(student, number[student], file): data for (student, file), data in content.items()} | extra
    export = tmp_path / f"export.{form}"
    if form == "zip":
        zipped(export, members)
    elif form == "tar.gz":
        with tarfile.open(export, "w:gz") as archive:
            for path, data in members.items():
                info = tarfile.TarInfo(path)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    else:
        for path, data in members.items():
            (export / path).parent.mkdir(parents=True, exist_ok=True)
            (export / path).write_bytes(data)
    result = course.collect(export)
    assert result.complete
    assert result.refused == ()
    found = {path: data for path, data in course.submitted().items() if not path.endswith("timestamp.txt")}
    assert found == {f"{student}/WS1/{file}": data for (student, file), data in content.items()}
    stamped = layout in ("gradescope", "exchange")
    assert ("jane/WS1/timestamp.txt" in course.submitted()) is stamped
    assert course.collect(export).complete
    assert {one.status for one in course.collect(export).taken} == {"unchanged"}


def test_archives_of_students_are_opened(course: Course, tmp_path: Path) -> None:
    inner = {"work/intro.ipynb": ONE, "work/more.ipynb": TWO, "work/data/x.csv": b"1", "__MACOSX/work/._x": b""}
    export = zipped(
        tmp_path / "moodle.zip",
        {
            "Jane Doe_1_assignsubmission_file_/work.zip": packed(inner),
            "Bob Roe_2_assignsubmission_file_/renamed.ipynb": packed({"intro.ipynb": ONE}),
            "Eve X_3_assignsubmission_file_/work.zip": packed(
                {"x.zip": packed({"intro.ipynb": ONE}), "more.ipynb": TWO}
            ),
        },
    )
    result = course.collect(export)
    assert sorted(course.submitted()) == [
        "bob-roe/WS1/intro.ipynb",
        "eve-x/WS1/more.ipynb",
        "jane-doe/WS1/data/x.csv",
        "jane-doe/WS1/intro.ipynb",
        "jane-doe/WS1/more.ipynb",
    ]
    assert "archive in an archive" in reasons(result)["moodle.zip!Eve X_3_assignsubmission_file_/work.zip!x.zip"]
    assert next(one for one in result.taken if one.student == "jane-doe").notebooks[0].origin == (
        "moodle.zip!Jane Doe_1_assignsubmission_file_/work.zip!work/intro.ipynb"
    )


def test_a_folder_of_archives(course: Course, tmp_path: Path) -> None:
    folder = tmp_path / "all"
    folder.mkdir()
    zipped(folder / "jane.zip", {"intro.ipynb": ONE, "Bob Roe_2_assignsubmission_file_/more.ipynb": TWO})
    zipped(folder / "bob_WS1.zip", {"more.ipynb": TWO})
    course.collect(folder)
    assert [path.partition("/")[0] for path in sorted(course.submitted())] == ["bob", "jane", "jane"]


def test_the_latest_attempt_is_taken(course: Course, tmp_path: Path) -> None:
    old, new = notebook("a-1", source="old"), notebook("a-1", source="new")
    inbound = tmp_path / "inbound"
    for moment, data in ((LATER, new), (WHEN, old)):
        (inbound / f"jane+WS1+{moment}").mkdir(parents=True)
        (inbound / f"jane+WS1+{moment}/intro.ipynb").write_bytes(data)
        (inbound / f"jane+WS1+{moment}/timestamp.txt").write_text(moment)
    result = course.collect(inbound)
    assert course.submitted() == {"jane/WS1/intro.ipynb": new, "jane/WS1/timestamp.txt": LATER.encode()}
    assert [one.reason for one in result.left] == ["a later attempt is taken"]
    assert result.complete


def test_what_stands_there_is_kept_unless_the_new_is_later(course: Course, tmp_path: Path) -> None:
    one, other = notebook("a-1", source="one"), notebook("a-1", source="other")

    def export(moment: str, data: bytes) -> Path:
        return zipped(tmp_path / "x.zip", {f"jane+WS1+{moment}/intro.ipynb": data})

    course.collect(export(LATER, one))
    result = course.collect(export(WHEN, other))
    assert [taken.status for taken in result.taken] == ["kept"]
    assert not result.complete
    assert course.submitted()["jane/WS1/intro.ipynb"] == one
    result = course.collect(export("2024-03-01 00:00:00 UTC", other))
    assert [taken.status for taken in result.taken] == ["replaced"]
    assert course.submitted()["jane/WS1/intro.ipynb"] == other
    result = course.collect(export(WHEN, one), force=True)
    assert course.submitted()["jane/WS1/intro.ipynb"] == one


def test_without_a_time_only_force_replaces(course: Course, tmp_path: Path) -> None:
    course.collect(zipped(tmp_path / "x.zip", {"jane/intro.ipynb": ONE, "jane/x.txt": b"1"}))
    result = course.collect(zipped(tmp_path / "x.zip", {"jane/intro.ipynb": TWO}))
    assert "--force" in result.taken[0].reason
    course.collect(tmp_path / "x.zip", force=True)
    assert course.submitted() == {"jane/WS1/intro.ipynb": TWO}


def test_a_dry_run_writes_nothing(course: Course, tmp_path: Path) -> None:
    before = tree(course.root)
    result = course.collect(zipped(tmp_path / "x.zip", {"jane/intro.ipynb": ONE}), dry_run=True)
    assert [one.status for one in result.taken] == ["taken"]
    assert tree(course.root) == before


def test_times_of_the_archive_count_only_when_asked_for(course: Course, tmp_path: Path) -> None:
    export = zipped(tmp_path / "x.zip", {"jane/intro.ipynb": ONE})
    course.collect(export)
    assert list(course.submitted()) == ["jane/WS1/intro.ipynb"]
    course.collect(export, force=True, mtime=True)
    shutil.rmtree(course.root / "submitted")
    course.collect(export, mtime=True)
    assert course.submitted()["jane/WS1/timestamp.txt"].endswith(b" UTC\n")


def test_students_do_not_say_when_they_handed_in(course: Course, tmp_path: Path) -> None:
    export = zipped(
        tmp_path / "x.zip",
        {MOODLE.format("Jane", 1, name): data for name, data in {"intro.ipynb": ONE, "timestamp.txt": b"1999"}.items()},
    )
    course.collect(export)
    assert list(course.submitted()) == ["jane/WS1/intro.ipynb"]


def test_a_timestamp_that_nbgrader_cannot_read_is_left_out(course: Course, tmp_path: Path) -> None:
    course.collect(zipped(tmp_path / "x.zip", {"a/jane/WS1/intro.ipynb": ONE, "a/jane/WS1/timestamp.txt": b"oops"}))
    assert list(course.submitted()) == ["jane/WS1/intro.ipynb"]


def test_a_class_list_names_students(course: Course, tmp_path: Path) -> None:
    (tmp_path / "grades.csv").write_text(
        'Identifier,"Full name","Email address"\n"Participant 1",Jane Doe,jane@x.org\n', encoding="utf-16"
    )
    export = zipped(
        tmp_path / "x.zip",
        {MOODLE.format("Jane Doe", 1, "intro.ipynb"): ONE, MOODLE.format("Bob Roe", 2, "intro.ipynb"): ONE},
    )
    result = course.collect(export, students=tmp_path / "grades.csv")
    assert {one.student: one.known for one in result.taken} == {"jane@x.org": True, "bob-roe": False}


@pytest.mark.nbgrader
def test_the_gradebook_names_students(course: Course, tmp_path: Path) -> None:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as gradebook:
        gradebook.add_student("jdoe", first_name="Jane", last_name="Doe", lms_user_id="55")
    export = zipped(tmp_path / "x.zip", {"doejane_55_1001_intro.ipynb": ONE, "roebob_56_1002_intro.ipynb": ONE})
    result = course.collect(export)
    assert {one.student: one.known for one in result.taken} == {"jdoe": True, "roebob": False}


def test_a_pattern_names_students(course: Course, tmp_path: Path) -> None:
    export = zipped(tmp_path / "x.zip", {"sub/WS1-42-intro.ipynb": ONE, "sub/readme.txt": b""})
    result = course.collect(export, pattern=r"WS1-(?P<student_id>\d+)-(?P<file_id>\w+)")
    assert list(course.submitted()) == ["42/WS1/intro.ipynb"]
    assert result.complete


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({"pattern": "("}, "no regular expression"),
        ({"pattern": r"(\w+)"}, "no group"),
        ({"students": Path("missing.csv")}, "cannot be read"),
    ],
)
def test_wrong_usage(course: Course, tmp_path: Path, about: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        course.collect(zipped(tmp_path / "x.zip", {"jane/intro.ipynb": ONE}), **about)


def test_the_course_itself_is_no_export(course: Course) -> None:
    with pytest.raises(ConfigError, match="stands in it"):
        course.collect(course.root)


def test_another_structure_of_folders(course: Course, tmp_path: Path) -> None:
    structure = 'c.CourseDirectory.directory_structure = "{assignment_id}/{nbgrader_step}/{student_id}"\n'
    (course.root / "nbgrader_config.py").write_text(f"c = get_config()\n{structure}")
    (course.root / "WS1/source").mkdir(parents=True)
    (course.root / "source/WS1").rename(course.root / "WS1/source/.")
    (course.root / "downloads").mkdir()
    zipped(course.root / "downloads/jane.zip", {"intro.ipynb": ONE})
    course.collect(course.root / "downloads")
    assert (course.root / "WS1/submitted/jane/intro.ipynb").read_bytes() == ONE


def test_an_unknown_worksheet(course: Course, tmp_path: Path) -> None:
    with pytest.raises(CoursemillError, match="no worksheet `WS9`"):
        collect.collect(Config(course.root), Request("WS9", (tmp_path,)), Silent())


def test_nothing_outside_is_touched_whatever_is_in_it(course: Course, tmp_path: Path) -> None:
    names = ["../../evil.ipynb", "/tmp/evil.ipynb", "x/../../../evil", "..\\evil", "C:evil", "a\0b", "\u202eevil"]
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        link = tarfile.TarInfo("jane/up")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path)
        archive.addfile(link)
        for name in [*(f"jane/{name}" for name in names), "jane/up/evil.ipynb", "jane/intro.ipynb"]:
            info = tarfile.TarInfo(name)
            info.size = len(ONE)
            archive.addfile(info, io.BytesIO(ONE))
    (tmp_path / "x.tar").write_bytes(data.getvalue())
    before = tree(tmp_path)
    result = course.collect(tmp_path / "x.tar")
    after = tree(tmp_path)
    new = {path for path in after if path not in before and not path.startswith("course/build/")}
    assert new == {"course/submitted/jane/WS1/intro.ipynb"}
    assert {path: after[path] for path in before} == before
    assert len(result.refused) + len(result.left) >= len(names)


def test_links_in_a_folder_are_not_followed(course: Course, tmp_path: Path) -> None:
    (tmp_path / "all/jane").mkdir(parents=True)
    (tmp_path / "all/jane/intro.ipynb").symlink_to(course.root / "source/WS1/intro.ipynb")
    (tmp_path / "all/jane/secret.txt").symlink_to("/etc/passwd")
    (tmp_path / "all/bob").symlink_to(course.root / "source/WS1")
    result = course.collect(tmp_path / "all")
    assert course.submitted() == {}
    assert set(reasons(result)) == {"all!jane/intro.ipynb", "all!jane/secret.txt", "all!bob"}


def test_a_link_in_the_place_of_a_submission_is_not_followed(course: Course, tmp_path: Path) -> None:
    (course.root / "submitted").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (course.root / "submitted/jane").symlink_to(tmp_path / "elsewhere")
    result = course.collect(zipped(tmp_path / "x.zip", {"jane/intro.ipynb": ONE, "bob/intro.ipynb": ONE}))
    assert tree(tmp_path / "elsewhere") == {}
    assert [one.student for one in result.taken] == ["bob"]
    assert "a link stands" in result.refused[0].reason


def test_one_students_bomb_takes_nothing_from_others(course: Course, tmp_path: Path) -> None:
    """As 42.zip, a level of it; and all that one student may have."""
    bomb = packed({f"{n}.zip": packed({"x": b"\0" * 60 * MB}) for n in range(3)})
    wide = packed({f"{n}.bin": random.Random(n).randbytes(MB) for n in range(12)} | {"intro.ipynb": ONE})
    export = zipped(
        tmp_path / "x.zip",
        {
            MOODLE.format("Eve", 1, "w.zip"): bomb,
            MOODLE.format("Wide", 2, "w.zip"): wide,
            MOODLE.format("Zero", 3, "w.zip"): packed({"intro.ipynb": b"\0" * 60 * MB}),
            MOODLE.format("Jane", 4, "intro.ipynb"): ONE,
        },
    )
    tracemalloc.start()
    result = course.collect(export, quotas=Quotas(student=20 * MB))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "jane/WS1/intro.ipynb" in course.submitted()
    assert not any(path.startswith(("eve", "zero")) for path in course.submitted())
    assert any("more than all of them may be" in one.reason for one in result.refused)
    assert peak < 40 * MB


def test_many_files_of_one_student_are_refused(course: Course, tmp_path: Path) -> None:
    export = zipped(tmp_path / "x.zip", {f"jane/{n}.txt": b"" for n in range(30)} | {"bob/intro.ipynb": ONE})
    result = course.collect(export, quotas=Quotas(student_files=10))
    assert list(course.submitted()) == ["bob/WS1/intro.ipynb"]
    assert any("more than 10 files" in one.reason for one in result.refused)


def test_two_people_of_one_name_are_two(course: Course, tmp_path: Path) -> None:
    export = zipped(tmp_path / "x.zip", {MOODLE.format("Jane Doe", n, "intro.ipynb"): ONE for n in (1, 2)})
    course.collect(export)
    assert sorted(course.submitted()) == ["jane-doe-1/WS1/intro.ipynb", "jane-doe-2/WS1/intro.ipynb"]


def test_groups_have_one_submission_each(course: Course, tmp_path: Path) -> None:
    about = b"submission_1:\n  :submitters:\n  - :name: A\n    :sid: a\n  - :name: B\n    :sid: b\n"
    export = zipped(tmp_path / "x.zip", {"submission_metadata.yml": about, "submission_1/intro.ipynb": ONE})
    course.collect(export)
    assert sorted(course.submitted()) == ["a/WS1/intro.ipynb", "b/WS1/intro.ipynb"]


def kill_at(course: Course, source: Path, monkeypatch: pytest.MonkeyPatch, step: int) -> bool:
    """Collect in a process that is killed before its n-th change to the disk; False: it was through before."""
    child = os.fork()
    if child == 0:
        left = step

        def counting(function: Callable[..., Any]) -> Callable[..., Any]:
            def call(*args: Any, **named: Any) -> Any:
                nonlocal left
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return function(*args, **named)

            return call

        for name in ("_flush", "_exchange"):
            monkeypatch.setattr(arrivals, name, counting(getattr(arrivals, name)))
        for name in ("rename", "mkdir", "chmod"):
            monkeypatch.setattr(Path, name, counting(getattr(Path, name)))
        try:
            course.collect(source, force=True)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


@pytest.mark.parametrize("exchanging", [True, False])
def test_killed_at_any_moment_every_submission_is_whole(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchanging: bool
) -> None:
    old = {"jane/WS1/intro.ipynb": notebook("a-1", source="old"), "jane/WS1/data/x.txt": b"old"}
    new = {"jane/WS1/intro.ipynb": ONE, "jane/WS1/data/y.txt": b"new", "jane/WS1/more.ipynb": TWO}
    first = zipped(tmp_path / "first.zip", {path.replace("WS1/", ""): data for path, data in old.items()})
    second = zipped(
        tmp_path / "second.zip",
        {path.replace("WS1/", ""): data for path, data in new.items()} | {"bob/intro.ipynb": ONE},
    )
    if not exchanging:
        monkeypatch.setattr(arrivals, "_exchange", lambda one, other: False)
    course.collect(first)
    assert course.submitted() == old
    for step in range(200):
        killed = kill_at(course, second, monkeypatch, step)
        course.collect(first)  # what a killed process left behind is mended by the next
        found = course.submitted()
        janes = {path: data for path, data in found.items() if path.startswith("jane/")}
        assert janes in (old, new)
        assert {path: data for path, data in found.items() if path not in janes} in ({}, {"bob/WS1/intro.ipynb": ONE})
        if not killed:
            break
        shutil.rmtree(course.root / "submitted/bob", ignore_errors=True)
        course.collect(first, force=True)
    assert step > 10
    assert janes == new


def test_a_full_disk_leaves_what_stands_there(course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    course.collect(zipped(tmp_path / "x.zip", {"jane/intro.ipynb": ONE}))
    before = course.submitted()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(CoursemillError, match="make room on the disk, then collect again"):
        course.collect(zipped(tmp_path / "y.zip", {"jane/intro.ipynb": TWO}), force=True)
    assert course.submitted() == before


NAMES = st.one_of(
    st.text(max_size=12).filter(lambda name: "\0" not in name),
    st.sampled_from(["..", "/", "intro.ipynb", "more (1).ipynb", "WS1", "jane", "J_1_assignsubmission_file_", "\\"]),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(NAMES, min_size=1, max_size=4).map("/".join), max_size=8, unique=True))
def test_any_names_lead_to_sane_submissions(course: Course, tmp_path: Path, names: list[str]) -> None:
    shutil.rmtree(course.root / "submitted", ignore_errors=True)
    try:
        export = zipped(tmp_path / "x.zip", dict.fromkeys((name for name in names if name), ONE))
    except (ValueError, UnicodeError):
        return  # zipfile cannot write it
    before = {path: data for path, data in tree(tmp_path).items() if not path.startswith("course/build/")}
    result = course.collect(export)
    after = {path: data for path, data in tree(tmp_path).items() if not path.startswith("course/build/")}
    assert {path: data for path, data in after.items() if not path.startswith("course/submitted/")} == before
    folders = {path.split("/")[2] for path in after if path.startswith("course/submitted/")}
    assert folders == {one.student for one in result.taken}
    for path, data in course.submitted().items():
        assert path.isprintable()
        assert path.split("/")[1] == "WS1"
        assert data == ONE
