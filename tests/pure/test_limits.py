from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.effects.sandbox.limits import Limits
from coursemill.pure import codes, frontmatter, limits

GB = 1 << 30


def read(*properties: str) -> tuple[dict[str, int], list[tuple[int, str, str]]]:
    front, findings = frontmatter.read("a.md", ["---", *properties, "---"])
    assert all(f.code == codes.FRONT_MATTER_VALUE.code for f in findings)
    return dict(front.limits), [(f.line, f.message, f.fix) for f in findings]


def test_the_names_are_the_sandboxes() -> None:
    assert set(limits.KINDS) == {f.name for f in fields(Limits)}
    assert Limits(**read("limits: [memory=6 GB]")[0]).memory == 6 * GB


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("limits: [memory=6GB, disk=2 gb]", {"memory": 6 * GB, "disk": 2 * GB}),
        ("limits: memory=1.5GiB, processes=2000", {"memory": 3 * GB // 2, "processes": 2000}),
        ("limits: ['shared: 512 MB', cpu = 30 min]", {"shared": GB // 2, "cpu": 1800}),
        ("limits: [cpu=90, descriptors=8192, output=1TB]", {"cpu": 90, "descriptors": 8192, "output": 1024 * GB}),
        ("limits: [CPU=1h, File=100 kB]", {"cpu": 3600, "file": 102400}),
        ("limits:", {}),
        ("limits: []", {}),
    ],
)
def test_limits_are_bytes_seconds_and_numbers(written: str, expected: dict[str, int]) -> None:
    assert read(written) == (expected, [])


@pytest.mark.parametrize(
    ("written", "message", "fix"),
    [
        ("memry=6GB", "there is no limit `memry`", "did you mean `memory`?"),
        ("colour=6", "there is no limit `colour`", "there are memory, processes, cpu,"),
        ("memory=6", "the limit `memory` is `6`", "give a size with its unit"),
        ("memory=0 GB", "the limit `memory` is `0 GB`", "give a size with its unit"),
        ("memory=-1 GB", "the limit `memory` is `-1 GB`", "give a size"),
        ("processes=1.5", "the limit `processes` is `1.5`", "give a whole number"),
        ("cpu=ten", "the limit `cpu` is `ten`", "give a time"),
        ("memory=99999999999 TB", "the limit `memory` is `99999999999 TB`", "give a size"),
        ("lots", "`lots` sets no limit", "write `memory=6 GB`"),
    ],
)
def test_what_is_no_limit_is_said_and_left_out(written: str, message: str, fix: str) -> None:
    found, ((line, said, how),) = read("title: x", "limits:", "  - disk=1 GB", f"  - {written}")
    assert (found, line, said) == ({"disk": GB}, 5, message)
    assert how.startswith(fix)


def test_a_limit_is_set_once_and_properties_hold_no_mapping() -> None:
    assert read("limits: [disk=1 GB, disk=2 GB]") == (
        {"disk": GB},
        [(2, "the limit `disk` is set twice", "keep one of them")],
    )
    assert read("limits: {disk: 1 GB}")[1][0][1] == "`limits` is a list of texts"
    assert read("limits:", "  - disk: 1 GB")[1][0][1] == "`limits` is a list of texts"
    assert read("limit: [disk=1 GB]")[1][0][2] == "did you mean `limits`?"


@given(st.sampled_from(sorted(limits.KINDS)), st.text(max_size=20))
def test_any_value_is_a_positive_number_or_nothing(name: str, value: str) -> None:
    found = limits.amount(name, value)
    assert found is None or 0 < found < 1 << 63


@given(st.text(max_size=60))
def test_any_text_is_read(text: str) -> None:
    frontmatter.read("a.md", ["---", f"limits: [{text}]", "---"])
