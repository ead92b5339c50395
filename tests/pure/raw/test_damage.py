"""What looks damaged and what does not, as pairs in `fixtures/damage.md`; and that nothing makes a detector raise."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.model import Finding
from coursemill.pure import codes, parse
from coursemill.pure.raw import damage

FIXTURE = Path(__file__).parent / "fixtures" / "damage.md"
CASE = re.compile(
    r"^(?P<ticks>```+)(?P<info>[^\n]*)\n(?P<text>.*?)\n(?P=ticks)\n(?P<found>(?:CM\d+:\d+ ?)*)",
    re.MULTILINE | re.DOTALL,
)


def cases() -> Iterator[object]:
    text = FIXTURE.read_text(encoding="utf-8")
    for case in CASE.finditer(text):
        line = text.count("\n", 0, case.start()) + 1
        whole = case["info"] == "markdown"
        note = case["text"] if whole else f"```{case['info']}\n{case['text']}\n```"
        yield pytest.param(note, 0 if whole else 1, case["found"].split(), id=f"line {line}")


def find(note: str) -> list[Finding]:
    return damage.find(parse.lesson("notes/Note.md", note))


@pytest.mark.parametrize(("note", "above", "wanted"), list(cases()))
def test_what_is_damaged(note: str, above: int, wanted: list[str]) -> None:
    found = find(note)
    assert [f"{f.code}:{f.line - above}" for f in found] == wanted, "\n".join(map(str, found))


WANTED = {
    "CM601": [47, 48, 49],
    "CM602": [1173],
    "CM603": [1110, 1179, 2256],
    "CM604": [175],
    "CM605": [103, 112, 125, 446, 451, 451, 452, 453, 466, 469, 471],
    "CM606": [446, 1142, 1982, 2110],
    "CM607": [1352],
    "CM608": [980],
    "CM609": [2272],
    "CM612": [1058],
}
"""Code → the lines of the transcript, each of them looked at: nothing else in it is damaged in these ways."""


def test_what_is_damaged_in_a_real_transcript(transcript: Path) -> None:
    found: dict[str, list[int]] = {}
    for first, text in notes(transcript.read_text(encoding="utf-8").split("\n")):
        for finding in find(text):
            found.setdefault(finding.code, []).append(first + finding.line)
    assert found == WANTED


def notes(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Each note with the line above its first."""
    starts = [n for n, line in enumerate(lines) if line.startswith("Filename:")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        fences = [n for n in range(start, end) if re.match(r"`{4,}", lines[n])]
        yield fences[0] + 1, "\n".join(lines[fences[0] + 1 : fences[1]])


def test_a_finding_stands_where_the_note_has_it() -> None:
    note = "- item\n\n    ```python\n    import numpy as np\n    # é = 'ö', np.array()\n    ```\n"
    (finding,) = find(note)
    assert (finding.line, finding.col) == (5, 16)
    assert note.split("\n")[finding.line - 1][finding.col - 1 :] == "np.array()"


def test_files_by_their_first_line() -> None:
    note = "```python\n# shop/spider.py\nclass Shop(scrapy.Spider):\n    pass\n```\n"
    (finding,) = find(note)
    assert str(finding).startswith(
        "notes/Note.md:3:12: CM606 `scrapy` is used, and nothing in shop/spider.py imports it"
    )


def test_every_code_of_damage_has_a_pair() -> None:
    told = set(re.findall(r"CM6\d\d", FIXTURE.read_text(encoding="utf-8")))
    assert told == {code for code in codes.REGISTRY if code.startswith("CM6")}


HARD = st.sampled_from(
    [
        "np.array()", "x = ", "for x in :", "x.split(',').strip()", "print(f'{}')", "sys.argv", "try:", "    pass",
        "# try:", "#     # f(x)", "# except:", "except Exception as e:", "    print(e)", "import np", "global x", "x[]",
        "print('first sample', rows)", "# first row", "range(x.shape)", "from . import a", "%run x", "!ls", "\x00",
        "const file = e.target.files;", "f(a,)", "<script>", "</script>", "<!--", "-->", "`${", "\ud800", "é.shape / 2",
        "10" * 3000, "(" * 300, "x" + ".y" * 800, "1" + "+1" * 3000, "'''", '"', "\\", "\t", "def f(", "):", "match x:",
        "await f()", "(x := 1)", "lambda: x", "print(*a, **b)", "x.y.reshape()", "b'x'.split().strip()", "",
    ]
)  # fmt: skip


@given(
    st.lists(HARD | st.text(max_size=20), max_size=12), st.sampled_from(["python", "html", "js", "python role=file"])
)
def test_nothing_makes_it_raise(lines: list[str], info: str) -> None:
    text = "\n".join(line.replace("`", "'") for line in lines)
    note = f"```{info}\n{text}\n```\n\n```python\n{text}\n```\n"
    for finding in find(note):
        assert 1 <= finding.line <= note.count("\n") + 1
        assert finding.col >= 1
        assert finding.code in codes.REGISTRY
    assert find(note) == find(note)


def test_long_blocks_take_no_time() -> None:
    lines = [f"price_{n} = parse(texts[{n}], currency='EUR').strip()  # item {n}" for n in range(2000)]
    note = "\n".join(["```python", *lines, "```", "```js", *("f(g(x, h(y)), 'z', `w`);" for _ in range(5000)), "```"])
    assert [f.code for f in find(note)] == ["CM605", "CM605"]
