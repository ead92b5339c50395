"""Every code has an entry; its wrong example gives exactly that code, its right one none."""

from pathlib import Path

import pytest

from coursemill.config import Config
from coursemill.course import explain
from coursemill.course.build import build
from coursemill.course.check import check
from coursemill.course.explain import File
from coursemill.errors import CoursemillError
from coursemill.model import Finding
from coursemill.pure import codes

ROOT = Path(__file__).parents[2]
BUILT = {"CM501", "CM502"}  # found by building, which check does not do
CHECKED = sorted(set(codes.REGISTRY) - BUILT)


@pytest.mark.parametrize("code", CHECKED)
def test_the_wrong_example_gives_the_code(code: str, tmp_path: Path) -> None:
    explained = explain.explain(code)
    found = findings(tmp_path, explained.wrong)
    assert {finding.code for finding in found} == {code}, "\n".join(map(str, found))
    assert len(found) == 1, "\n".join(map(str, found))
    assert found[0].severity == explained.code.severity


@pytest.mark.parametrize("code", CHECKED)
def test_the_right_example_is_right(code: str, tmp_path: Path) -> None:
    found = findings(tmp_path, explain.explain(code).right)
    assert not found, "\n".join(map(str, found))


@pytest.mark.nbgrader
def test_a_module_that_is_not_there_is_found_by_building(tmp_path: Path) -> None:
    explained = explain.explain("CM502")
    for name, files in (("wrong", explained.wrong), ("right", explained.right)):
        root = tmp_path / name
        write(root, files)
        assert [f.code for f in build(Config(root)).findings] == (["CM502"] if name == "wrong" else [])


def test_the_docs_show_every_code_as_it_is() -> None:
    page = (ROOT / explain.PAGE).read_text(encoding="utf-8")
    assert page == explain.page(), f"write it again: coursemill check --explain all > {explain.PAGE}"


def test_groups_and_entries_are_all_there() -> None:
    page = explain.page()
    assert all(f"### {code.code} {code.name}" in page for code in codes.REGISTRY.values())


def test_an_unknown_code_is_answered_with_a_near_one() -> None:
    with pytest.raises(CoursemillError, match=r"no code `CM31`.*CM31\d"):
        explain.explain("CM31")


def findings(root: Path, files: tuple[File, ...]) -> tuple[Finding, ...]:
    write(root, files)
    return check(Config(root)).findings


def write(root: Path, files: tuple[File, ...]) -> None:
    (root / "notes").mkdir(parents=True)
    for file in files:
        path = root / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(file.link) if file.link else path.write_bytes(file.data)
