"""What is out of date, as pairs of notes and findings in `fixtures/outdated.md`; and on the transcript and any text."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.model import Finding, Lesson
from coursemill.pure import parse
from coursemill.pure import transcript as unpacking
from coursemill.pure.raw import outdated

FIXTURE = Path(__file__).parent / "fixtures" / "outdated.md"
CASE = re.compile(r"^## ([^\n]*)\n+````markdown\n(.*?)^````$\n+^```findings\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOTES = Path(__file__).parents[3] / "notes"
VERSIONS = {
    "numpy": "2.4.6",
    "pandas": "2.3.3",
    "tensorflow-cpu": "2.21.0",
    "keras": "3.15.1",
    "pyspark": "4.3.0",
    "scrapy": "2.19.0",
    "beautifulsoup4": "4.15.0",
}


def cases() -> Iterator[tuple[str, str, str]]:
    for case in CASE.finditer(FIXTURE.read_text(encoding="utf-8")):
        yield case[1], case[2], case[3]


def find(text: str, **versions: str) -> list[Finding]:
    return outdated.find(parse.lesson("notes/Lesson.md", text), {**VERSIONS, **versions})


def said(finding: Finding) -> str:
    rule = re.findall(r"\[([^\[\]]+)\]$", finding.message)
    return f"{finding.line} {finding.code} {rule[0] if rule else finding.message}"


@pytest.mark.parametrize(("text", "wanted"), [pytest.param(t, w, id=name) for name, t, w in cases()])
def test_what_is_found(text: str, wanted: str) -> None:
    assert [said(finding) for finding in find(text)] == wanted.splitlines()


def test_every_case_of_the_fixture_is_read() -> None:
    assert len(list(cases())) == FIXTURE.read_text(encoding="utf-8").count("\n```findings\n") == 17


@pytest.mark.parametrize(
    ("versions", "wanted"),
    [
        ({"numpy": "1.23.5"}, []),
        ({"numpy": "1.25.2"}, ["CM702"]),
        ({"numpy": "2.0.0"}, ["CM701"]),
        ({"numpy": "2.5.0.dev0"}, ["CM701"]),
        ({"numpy": "none of it"}, []),
    ],
)
def test_the_same_note_has_other_findings_with_another_version(versions: dict[str, str], wanted: list[str]) -> None:
    assert [f.code for f in find("```python\nimport numpy as np\nnp.product([1])\n```\n", **versions)] == wanted


def test_a_library_that_is_not_installed_is_taken_to_be_the_newest() -> None:
    lesson = parse.lesson("notes/N.md", "```python\nimport numpy as np\nnp.product([1])\n```\n")
    (finding,) = outdated.find(lesson, {})
    assert str(finding) == (
        "notes/N.md:3:1: CM701 `np.product` is gone since NumPy 2.0 (not installed here) [numpy.product]"
        " (write `numpy.prod`)"
    )


def test_a_message_says_what_since_when_and_what_is_installed() -> None:
    (finding,) = find("- item\n  ```python\n  import keras\n  # keras.optimizers.Adam(lr=1)\n  ```\n")
    assert str(finding) == (
        "notes/Lesson.md:4:5: CM701 `lr=` of `keras.optimizers.Adam` is gone since Keras 3.0 (3.15.1 is installed)"
        " [keras-optimizer-lr] (write `learning_rate=`)"
    )


def test_keras_2_beside_tensorflow_is_left_alone() -> None:
    code = (
        'import os\nos.environ["TF_USE_LEGACY_KERAS"] = "1"\nfrom tensorflow import keras\nkeras.Sequential().save("m")'
    )
    assert not find(f"```python\n{code}\n```\n")


def test_wrong_answers_may_use_what_they_like() -> None:
    assert not find('```python role="wrong"\nimport numpy as np\nnp.product([1])\n```\n')


# Line of the transcript → the rule; these are all that there are.
OUTDATED = """
217 keras-savedmodel-default
220 keras-save-folder
220 keras-format-is-savedmodel
226 keras-savedmodel-default
237 keras-input-shape
249 keras-save-folder
270 keras-load-folder
291 keras-save-weights-path
292 keras-checkpoint-default
292 keras-save-weights-format
295 keras-load-weights-path
306 keras-input-shape
313 keras-save-weights-path
318 keras-load-weights-path
329 keras.Model.to_yaml
329 keras.models.model_from_yaml
338 keras-format-is-savedmodel
570 spark-dstreams
576 spark-flume
596 spark-mesos
714 keras-input-shape
742 tensorflow.distribute.experimental.TPUStrategy
746 tensorflow.distribute.experimental.ParameterServerStrategy
750 tensorflow.distribute.CentralStorageStrategy
765 keras-savedmodel-default
896 keras-input-shape
909 keras-save-folder
952 tensorflow.lite.Interpreter
1137 keras-input-shape
1147 keras-save-folder
1307 keras-save-folder
1915 scrapy-robotstxt-default
1926 scrapy-requests-per-ip
2021 scrapy-spider-argument
2029 scrapy-spider-argument
2036 scrapy-spider-argument
2063 scrapy-spider-argument
2086 scrapy-spider-argument
2090 scrapy-spider-argument
2094 scrapy-spider-argument
2097 scrapy-process-start-requests
2108 scrapy-spider-argument
2284 scrapy-spider-argument
2296 scrapy-spider-argument
2299 scrapy-spider-argument
2302 scrapy-spider-argument
2344 scrapy-fingerprinter-implementation
"""


def test_the_transcript(transcript: Path) -> None:
    found = []
    for note in unpacking.unpack(transcript.read_bytes()).notes:
        for finding in outdated.find(parse.lesson(note.path, note.data.decode()), VERSIONS):
            found.append(f"{finding.line + note.start - 1} {said(finding).split()[2]}")
    assert sorted(found) == sorted(OUTDATED.split("\n")[1:-1])


def test_the_curriculum_is_up_to_date() -> None:
    for file in sorted(NOTES.rglob("*.md")):
        assert not find(file.read_text(encoding="utf-8")), file


PIECES = st.sampled_from(
    [
        "```python", "```", "import numpy as np", "np.product([1])", "# np.product", "from keras import *",
        "class A(B):", "    def start_requests(self, spider):", "- `np.product`", "  - text", "> [!note] T",
        "> `scrapy.log` and", "| a | `np.NaN` |", "|---|", "# Removed", "Mesos, YARN", "`", "`` ` ``", "%%", "<!--",
        "x = (1", ">>> np.Inf", "\tdf['a'][0] = [", "(lambda x: x.y)(1).z", "a = b = a.c",
        "async def f(): await g()", "\x00", "\ud800", "[[Mesos|M]]", "try:", "except* E:", "  pass", "match x:",
        "f'{np.Inf!r:{np.NaN}}'", "del np.x", "*a, b = df, df", "x: np.float_ = 1",
    ]
)  # fmt: skip


@given(st.lists(PIECES, max_size=30))
def test_no_note_makes_it_raise_and_positions_are_in_the_note(lines: list[str]) -> None:
    text = "numpy pandas keras scrapy spark bs4\n" + "\n".join(lines)
    for finding in find(text):
        assert 1 <= finding.line <= len(lines) + 1
        assert 1 <= finding.col <= len(text.split("\n")[finding.line - 1]) + 1
        assert finding.message
        assert finding.fix


@given(st.text(max_size=300))
def test_any_text_will_do(text: str) -> None:
    find(f"numpy keras\n\n```python\nimport numpy as np\n{text}\n```\n\n{text}\n")


@pytest.mark.parametrize(
    "code",
    [
        "x = np.product([1])",
        "for n in range(3):\n    x = np.product([n])",
        "with open(p) as f:\n    np.product(f)",
        "if np.product([1]):\n    y = 1",
        "from numpy import product",
        "class A:\n    pass\n\n@np.product\ndef f():\n    return 1",
        "# import pandas as pd\n# x = np.product([1])",
        "x = (np\n     .product([1]))",
    ],
)
def test_code_that_fails_for_sure_since_something_is_gone(code: str) -> None:
    failing = outdated.gone(lesson_of(code), VERSIONS)
    assert [(line >= 4, why.removeprefix("`np").removeprefix("`numpy")) for line, why in failing.items()] == [
        (True, ".product` is gone since NumPy 2.0")
    ]


@pytest.mark.parametrize(
    "code",
    [
        "def f():\n    return np.product([1])",
        "f = lambda: np.product([1])",
        "class A:\n    x = np.product([1])",
        "if old:\n    np.product([1])",
        "y = np.product([1]) if old else 1",
        "y = old and np.product([1])",
        "try:\n    np.product([1])\nexcept Exception:\n    pass",
        "with contextlib.suppress(Exception):\n    np.product([1])",
        "for n in numbers:\n    np.product([n])",
        "for n in [1, 2]:\n    if n:\n        break\n    np.product([n])",
        "y = [np.product([n]) for n in numbers]",
        "np.product = np.prod",
        "x = np.product([1])  # gone since NumPy 2.0",
        "x = np.in1d([1], [1])",
    ],
)
def test_code_that_may_run(code: str) -> None:
    assert outdated.gone(lesson_of(code), {**VERSIONS, "numpy": "2.3.0"}) == {}


def test_settings_and_methods_fail_later_and_what_is_not_installed_fails_otherwise() -> None:
    assert outdated.gone(lesson_of("import scrapy\nCONCURRENT_REQUESTS_PER_IP = 1"), VERSIONS) == {}
    assert outdated.gone(lesson_of("x = np.product([1])"), {}) == {}
    written = lesson_of("").text.replace(
        "import numpy as np", "%%writefile old.py\nimport numpy as np\nnp.product([1])"
    )
    assert outdated.gone(parse.lesson("notes/Lesson.md", written), VERSIONS) == {}
    assert outdated.gone(lesson_of("`np.product` is a function."), VERSIONS) == {}


def lesson_of(code: str) -> Lesson:
    return parse.lesson("notes/Lesson.md", f"About NumPy.\n\n```python\nimport numpy as np\n{code}\n```\n")
