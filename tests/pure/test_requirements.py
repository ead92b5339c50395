"""requirements.txt asks for what lessons import, in the versions that were installed when they were built."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.model import Code, Exercise, FrontMatter, Lesson, Solution, Span, Test, Wrong
from coursemill.pure.requirements import Import, Installed, compose, local_modules, modules_of, of_code, of_lesson

SPAN = Span("notes/N.md", 1, 2)
INSTALLED = Installed(
    {
        "bs4": ("beautifulsoup4", "4.15.0"),
        "numpy": ("numpy", "2.4.6"),
        "google.protobuf": ("protobuf", "7.36.2"),
        "tensorflow": ("tensorflow_cpu", "2.21.0+cpu"),
        "pyspark": ("PySpark", "4.3.0"),
    },
    {"lxml": "6.1.3"},
)


def imported(text: str) -> list[tuple[str, int]]:
    return [(one.module, one.line) for one in of_code(text, "notes/N.md", 10)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import numpy as np, bs4\n", [("numpy", 10), ("bs4", 10)]),
        ("\nfrom a.b import c", [("a.b", 11)]),
        ("from . import x\nfrom .y import z", []),
        ("def f():\n    import late", [("late", 11)]),
        ("%matplotlib inline\n!pip list\nfiles = !ls\nhelp?\nimport a", [("a", 14)]),
        ("if x:\n    %time y\nimport a", [("a", 12)]),
        ("import ok\nthis is no Python\n  from b.c import d", [("ok", 10), ("b.c", 12)]),
        ("text = 'import nothing'", []),
        ("", []),
        ("x = 1\0", []),
        ("(" * 5000, []),
    ],
)
def test_imports_of_code(text: str, found: list[tuple[str, int]]) -> None:
    assert imported(text) == found


@pytest.mark.parametrize(
    ("handler", "optional"),
    [
        ("except ImportError", True),
        ("except (OSError, ImportError)", True),
        ("except", True),
        ("except OSError", False),
    ],
)
def test_an_import_whose_failure_is_caught_is_optional(handler: str, optional: bool) -> None:
    (one,) = of_code(f"try:\n    import maybe\n{handler}:\n    pass", "n")
    assert one.optional is optional


@given(st.text())
def test_any_text_can_be_looked_at(text: str) -> None:
    list(of_code(text, "n"))


def lesson(*parts: Code | Exercise) -> Lesson:
    return Lesson("notes/N.md", "N", "N", FrontMatter(worksheets=("WS",)), parts)


def test_imports_of_a_lesson() -> None:
    exercise = Exercise(
        "x",
        SPAN,
        "",
        "",
        (
            Code(SPAN, 30, "import inside"),
            Solution(SPAN, 40, "import answer", path="app/main.py"),
            Test(SPAN, 50, "import test", 1),
            Wrong(SPAN, 60, "import wrong"),
        ),
    )
    made = lesson(
        Code(SPAN, 10, "import plain"),
        Code(SPAN, 15, "import shell", role="shell"),
        Code(SPAN, 20, "import file", role="file", path="shop/spiders/one.py"),
        Code(SPAN, 25, "import css", role="file", path="style.css"),
        exercise,
    )
    found = {one.module: one.line for one in of_lesson(made)}
    assert found == {"plain": 10, "file": 20, "inside": 30, "answer": 40, "test": 50}
    assert local_modules(made) == {"shop", "spiders", "one", "app", "main"}


@pytest.mark.parametrize(
    ("path", "names"), [("a.py", {"a"}), ("a/b/c.py", {"a", "b", "c"}), ("data.csv", set()), ("d/x.csv", {"d"})]
)
def test_modules_of_a_path(path: str, names: set[str]) -> None:
    assert modules_of(path) == names


def composed(*modules: str, overrides: dict[str, str] | None = None, previous: str = "", **about: bool) -> str:
    imports = [Import(m, "notes/N.md", 1, **about) for m in modules]
    return compose(imports, {"helper"}, INSTALLED, overrides or {}, previous).text


def test_pinned_sorted_and_explained() -> None:
    assert composed("pyspark", "bs4", "os", "__future__", "helper.part", "google.protobuf", "bs4") == (
        "beautifulsoup4==4.15.0  # bs4\nprotobuf==7.36.2  # google\npyspark==4.3.0  # pyspark\n"
    )
    assert composed() == ""


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ({"tensorflow": "tensorflow"}, "tensorflow==2.21.0  # tensorflow\n"),
        ({}, "tensorflow-cpu==2.21.0  # tensorflow\n"),
        ({"tensorflow": ""}, ""),
        (
            {"tensorflow": "tensorflow[and-cuda], lxml"},
            "lxml==6.1.3  # tensorflow\ntensorflow[and-cuda]==2.21.0  # tensorflow\n",
        ),
    ],
)
def test_settings_say_what_to_ask_for(override: dict[str, str], text: str) -> None:
    assert composed("tensorflow", overrides=override) == text


def test_what_is_not_installed() -> None:
    first = Import("absent.part", "notes/N.md", 3)
    made = compose([replace(first, line=9), first], (), INSTALLED, {})
    assert (made.text, made.missing) == ("absent  # absent\n", (first,))
    assert composed("absent", optional=True) == ""
    assert composed("numpy", optional=True) == "numpy==2.4.6  # numpy\n"


def test_what_is_not_installed_keeps_its_pin() -> None:
    previous = "# by hand\nabsent-dist==1.0  # absent, other\nnumpy==1.0  # numpy\n"
    assert composed("absent", "numpy", previous=previous) == "absent-dist==1.0  # absent\nnumpy==2.4.6  # numpy\n"
