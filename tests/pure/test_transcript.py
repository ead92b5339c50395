"""Transcripts: every line is accounted for, notes are what stands inside, whatever people paste."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursemill.pure import transcript
from coursemill.pure.transcript import Unpacked

FIXTURES = Path(__file__).parent / "fixtures" / "transcripts"
NOTES = [
    "# Title\n\nplain\n",
    "---\ntags: [a]\n---\n# T\n\n- item\n\n    ```python\n    x = 1\n    ```\n\nend\n",
    "# A tree\n\n```\nshop/\n  items.py\n```\n\nmore\n",
    "# Names\n\nFilename: inside.md\n\n```text\nFilename: b.md\n```\n\nPath: x/y.md\n",
    "---\na: b\n---\n\nlist:\n```\nq\n```\n\n```bash\nls\n```- text after the ticks\n\n> [!question] Why?\n",
    '# T\n\n```python title="app.py"\nprint()\n```\n\nFilename: app.py\n```python\nx\n```\n',
    "---\nk: v\n---\n# End\n\n# ```python\n# commented = 1\n# ```\n\n---\n",
    "no title, no line break at the end, é\n",
    "---\nk: v\n---\n# Carriage\r\n\r\n```js\r\n1\r\n```\r\n",
]
SPELLED = [
    "Filename: {}",
    "filename: {}",
    "FILENAME: {}",
    "**Filename:** {}",
    "**Filename: {}**",
    "`Filename: {}`",
    "Filename: `{}`",
    'Filename: "{}"',
    "Filename: “{}”",
    "Filename = {}",
    "__Filename:__ {}",
    "File: {}",
    "**File:** `{}`",
    "File name: {}",
    "File Path: '{}'",
    "Path: {}",
    "File 2 of 5: {}",
    "- Filename: {}",
    "1. Filename: {}",
    "### Filename: {}",
    "### `{}`",
    "**{}**",
    "<!-- Filename: {} -->",
    "%% Filename: {} %%",
    "# File: {}",
    "📄 **File:** {}",
    "Filename: [[{}]]",
    "Filename: {} (new)",
    "Filename - {}",
    "Filename → `{}`",
    "Filename (new): {}",
    "Filename:: {}",
    "Filename: ({})",
    "Folder/Filename: {}",
    "**Note 1: `{}`**",
    "Note 7 — `{}`",
    "## 1. `{}`",
    "a. {}",
    "[{}]",
    "__{}__",
    "=== {} ===",
    "--- {} ---",
    "<b>Filename:</b> {}",
    "Saved in: {}",
]
CHAT = [
    "Okay, here is the next note.",
    "Now I'll write more.\n\n- a\n- b\n\n---\n\n### Going on",
    "Run this:\n\n```bash\nls -la\n```\n",
    "Some prose about `x.md`, and a Filename: in a sentence.",
    "",
]
LINES = [
    *("`" * n + info for n in (3, 4, 5) for info in ("", "markdown", "python")),
    "~~~~",
    "~~~~md",
    "    ```",
    "```- text",
    "---",
    "tags: [a]",
    "",
    "# Title",
    "prose",
    "Okay, next.",
    "> quoted",
    "> ````markdown",
    "> Filename: q.md",
    "Filename: a/b.md",
    "Filename: A/b.md",
    "Filename: ../x.md",
    "File: `c.md`",
    "**d.md**",
    "\ufeff",
    "\r",
    "\x00",
]


def paths(found: Unpacked) -> list[str]:
    return [note.path for note in found.notes]


def accounted(data: bytes, found: Unpacked) -> None:
    """Each line once, in order; a note's bytes are its lines."""
    text = data if b"\n" in data else data.replace(b"\r", b"\n")
    lines = text.split(b"\n")
    given_lines = [line + b"\n" for line in lines[:-1]] + [lines[-1]] * bool(lines[-1])
    assert found.lines == len(given_lines)
    at = 1
    for one in found.ranges:
        assert one.start == at
        assert one.end >= one.start
        at = one.end + 1
    assert at == found.lines + 1
    assert sum(found.totals().values()) == found.lines
    for note in found.notes:
        exact = b"".join(given_lines[note.start - 1 : note.end])
        if not note.shifted:
            assert note.data in data
            assert (note.data if b"\n" in data else note.data.replace(b"\r", b"\n")) == exact
        else:
            assert len(note.data) <= len(exact)
    for line in (r.line for r in found.remarks):
        assert 1 <= line <= max(1, found.lines)


@settings(max_examples=200)
@given(st.one_of(st.binary(max_size=300), st.lists(st.sampled_from(LINES), max_size=40).map("\n".join).map(str.encode)))
def test_any_bytes_are_accounted_for(data: bytes) -> None:
    accounted(data, transcript.unpack(data))


@st.composite
def transcripts(draw: st.DrawFn, most: int = 4) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Notes packed as people pack them, and what should come out again."""
    out, truth = "", []
    for number in range(draw(st.integers(1, most))):
        path = f"folder_{number}/Note_{number}.md"
        name = draw(st.sampled_from(SPELLED)).format(path)
        note = draw(st.sampled_from(NOTES))
        tick = draw(st.sampled_from("``~"))
        opened, closed = tick * draw(st.integers(4, 9)), tick * draw(st.integers(4, 9))
        info, blank = draw(st.sampled_from(["markdown", "md", "markdown"])), draw(st.sampled_from(["", "\n"]))
        out += draw(st.sampled_from(CHAT)) + "\n\n"
        out += {
            "between": f"{opened}{tick}{info}\n\n{name}\n{blank}{opened}{info}\n{note}{closed}\n",
            "above": f"{name}\n{blank}{opened}{info}\n{note}{closed}\n",
            "within": f"{opened}{info}\n{name}\n{blank}{note}{closed}\n",
            "info": f'{opened}{info} title="{path}"\n{note}{closed}\n',
            "closed twice": f"{opened}{tick}{info}\n{name}\n{opened}{info}\n{note}{opened}\n{opened}{tick}\n",
        }[draw(st.sampled_from(["between", "above", "within", "info", "closed twice"]))]
        truth.append((path, note.encode()))
    return out.encode(), truth


@settings(max_examples=300)
@given(transcripts())
def test_what_is_packed_comes_out_again(packed: tuple[bytes, list[tuple[str, bytes]]]) -> None:
    data, truth = packed
    found = transcript.unpack(data)
    accounted(data, found)
    assert [(note.path, note.data) for note in found.notes] == truth


@settings(max_examples=150)
@given(transcripts(), st.randoms(use_true_random=False))
def test_mangled_transcripts_are_accounted_for(
    packed: tuple[bytes, list[tuple[str, bytes]]], chance: random.Random
) -> None:
    data = mangled(packed[0], chance)
    accounted(data, transcript.unpack(data))


def mangled(data: bytes, chance: random.Random) -> bytes:
    lines = data.split(b"\n")
    for _ in range(chance.randint(1, 6)):
        n, m = chance.randrange(len(lines)), chance.randrange(len(lines))
        match chance.randrange(5):
            case 0:
                del lines[n]
            case 1:
                lines.insert(m, lines[n])
            case 2:
                lines[n], lines[m] = lines[m], lines[n]
            case 3:
                lines[n] = lines[n][: chance.randrange(len(lines[n]) + 1)]
            case _:
                lines[n] = b"  " + lines[n]
        lines = lines or [b""]
    return b"\n".join(lines)


@pytest.mark.parametrize("spelled", SPELLED)
@pytest.mark.parametrize("where", ["above", "between", "within"])
def test_spellings_of_a_name(spelled: str, where: str) -> None:
    name, note = spelled.format("a folder/My_Note.md" if "`" in spelled else "a/My_Note.md"), "---\nk: v\n---\n# T\n"
    text = {
        "above": f"chat\n\n{name}\n\n````markdown\n{note}````\n\nchat\n",
        "between": f"chat\n\n`````markdown\n\n{name}\n````markdown\n{note}`````\n\nchat\n",
        "within": f"chat\n\n````markdown\n{name}\n{note}`````\n\nchat\n",
    }[where]
    (found,) = transcript.unpack(text.encode()).notes
    assert (found.path.removeprefix("a folder/").removeprefix("a/"), found.data) == ("My_Note.md", note.encode())


@pytest.mark.parametrize(
    ("info", "path"),
    [
        ('markdown title="a/b c.md"', "a/b c.md"),
        ("markdown filename=a/b.md", "a/b.md"),
        ("md file='b.md'", "b.md"),
        ("markdown:a/b.md", "a/b.md"),
        ("a/b.md", "a/b.md"),
        ('{.markdown filename="b.md"}', "b.md"),
    ],
)
def test_a_name_in_the_info_string(info: str, path: str) -> None:
    (note,) = transcript.unpack(f"chat\n````{info}\n# T\n```\n".encode() + b"x\n```\n````\n").notes
    assert (note.path, note.data) == (path, b"# T\n```\nx\n```\n")


@pytest.mark.parametrize(
    ("text", "path", "data"),
    [
        ("1. ````markdown\n   Filename: a.md\n   # T\n   ````\n", "a.md", "# T\n"),
        ("Filename:\u00a0a.md\n````markdown\n# T\n````\n", "a.md", "# T\n"),
        ("Filename: a.md — the first note\n````markdown\n# T\n````\n", "a.md", "# T\n"),
        ("Here is `a/b.md`:\n\n````markdown\n# T\n````\n", "a/b.md", "# T\n"),
        ("Filename:\n`a/b.md`\n````markdown\n# T\n````\n", "a/b.md", "# T\n"),
        ("### a.md\n\nFilename: a.md\n\n````markdown\nFilename: a.md\n# T\n````\n", "a.md", "# T\n"),
        ("Filename: a.md\n```\n# T\n\n```python\nx\n```\n\nend\n```\n", "a.md", "# T\n\n```python\nx\n```\n\nend\n"),
        ("Filename: a.md\n~~~~markdown\n# T\n````\n\nchat\n", "a.md", "# T\n"),
        ("Filename: a.md\n````markdown\n# T\n```` That was it.\n", "a.md", "# T\n"),
        ("Filename: a.md\n`````markdown\n# T\n```\n\nThat was it.\n", "a.md", "# T\n"),
        ("`````markdown\nFilename: a.md\n````markdown\n````\n`````\n", "a.md", ""),
        ("Filename: a.md\n````markdown\n# T\nlast", "a.md", "# T\nlast"),
        ("Assistant:\n\nFilename: a.md\n````markdown\n# T\n````\nUser: thanks\n", "a.md", "# T\n"),
        (
            "Filename: a.md\n````markdown\n# A\n\n---\nFilename: x.md\n---\n````\n",
            "a.md",
            "# A\n\n---\nFilename: x.md\n---\n",
        ),
    ],
)
def test_what_people_paste(text: str, path: str, data: str) -> None:
    (note,) = transcript.unpack(text.encode()).notes
    assert (note.path, note.data) == (path, data.encode())


@pytest.mark.parametrize("file", sorted(FIXTURES.glob("*.txt")), ids=lambda file: file.stem)
def test_fixtures(file: Path) -> None:
    """Beside a transcript lies what is in it: a line `path: first-last` for each note, `! path` for refused ones."""
    data = file.read_bytes()
    found = transcript.unpack(data)
    accounted(data, found)
    lines = [f"{'! ' * bool(note.problem)}{note.path}: {note.start}-{note.end}" for note in found.notes]
    lines += [f"unknown: {one.start}-{one.end}" for one in found.ranges if one.kind == "unknown"]
    assert lines == file.with_suffix(".expected").read_text().splitlines()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("../x.md", "leaves the vault with"),
        ("a/../../x.md", "leaves the vault with"),
        ("a\\..\\..\\x.md", "leaves the vault with"),
        ("/etc/x.md", "absolute"),
        ("~/x.md", "home"),
        ("~root/x.md", "home"),
        ("C:/x.md", "drive letter"),
        ("c:x.md", "drive letter"),
        ("\\\\server\\share\\x.md", "network"),
        ("//server/x.md", "network"),
        ("a\x07b.md", "cannot be shown"),
        ("a\u202eb.md", "cannot be shown"),
        ("a\x00b.md", "cannot be shown"),
        ("a//b.md", "empty part"),
        ("a/.md", "hidden"),
        (".git/hooks/x.md", "hidden"),
        ("a/./b.md", "hidden"),
        ("CON.md", "device"),
        ("aux/x.md", "device"),
        ("a./x.md", "ends with a dot"),
        ("what?.md", "Windows does not allow"),
        ("note:b.md", "Windows does not allow"),
        ("x" * 300 + ".md", "longer than"),
        ("d/" * 600 + "x.md", "longer than"),
    ],
)
def test_paths_that_are_refused_by_name(path: str, said: str) -> None:
    text = f"Filename: {path}\n````markdown\n# Bad\n````\n\nFilename: good.md\n````markdown\n# Good\n````\n"
    bad, good = transcript.unpack(text.encode()).notes
    assert said in bad.problem
    assert bad.named == 1
    assert (good.path, good.data, good.problem) == ("good.md", b"# Good\n", "")


def test_a_name_that_is_not_utf8_is_refused() -> None:
    (note,) = transcript.unpack(b"Filename: \xff\xe9.md\n````markdown\n# T \xff\n````\n").notes
    assert "cannot be shown" in note.problem
    assert note.data == b"# T \xff\n"


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("a\\b.md", "a/b.md"),
        ("./a.md", "a.md"),
        ("a/b", "a/b.md"),
        ("Node 1.5", "Node 1.5.md"),
        ("C# basics.md", "C# basics.md"),
    ],
)
def test_what_a_written_path_means(written: str, path: str) -> None:
    (note,) = transcript.unpack(f"Filename: {written}\n````markdown\n# T\n````\n".encode()).notes
    assert (note.path, note.problem) == (path, "")


def test_notes_in_each_others_way() -> None:
    names = ["a/x.md", "a/x.md", "a/X.md", "A/y.md", "a/x.md/z.md", "a"]
    texts = ["1", "1", "2", "3", "4", "5"]
    packed = "".join(f"Filename: {n}\n````markdown\n# {t}\n````\n" for n, t in zip(names, texts, strict=True))
    first, same, cased, folder, below, _ = transcript.unpack(packed.encode()).notes
    assert not first.problem
    assert same.twin == 1
    assert "upper and lower case" in cased.problem
    assert "upper and lower case" in folder.problem
    assert "is a note, and no folder" in below.problem
    again = packed + "Filename: a/x.md\n````markdown\n# other\n````\n"
    assert "line 1 names the same path" in transcript.unpack(again.encode()).notes[-1].problem


def test_bytes_are_kept() -> None:
    data = b"\xef\xbb\xbfFilename: a.md\r\n````markdown\r\n\xef\xbb\xbf# T\r\n\x00\xff\r\n````"
    (note,) = transcript.unpack(data).notes
    assert note.data == b"\xef\xbb\xbf# T\r\n\x00\xff\r\n"


def test_old_line_ends() -> None:
    (note,) = transcript.unpack(b"Filename: a.md\r````markdown\r# T\rx\r````\r").notes
    assert (note.data, note.start, note.end) == (b"# T\rx\r", 3, 4)


def test_a_real_transcript(transcript: Path) -> None:
    from coursemill.pure import transcript as module

    data = transcript.read_bytes()
    found = module.unpack(data)
    accounted(data, found)
    assert len(found.notes) == 14
    assert len(set(paths(found))) == 14
    assert found.totals()["unknown"] == 0
    for note in found.notes:
        assert not note.problem
        assert note.closed
        assert note.data.startswith(b"---\ntags: [")
        assert note.data.endswith(b"\n\n---\n")
        assert b"\nFilename: " not in note.data
        assert b"\n````" not in note.data


@settings(max_examples=30)
@given(chance=st.randoms(use_true_random=False))
def test_the_real_transcript_mangled(transcript: Path, chance: random.Random) -> None:
    from coursemill.pure import transcript as module

    data = mangled(transcript.read_bytes(), chance)
    accounted(data, module.unpack(data))


def test_markdown_of_the_chat_that_may_be_a_note_is_named() -> None:
    chat = "Filename: a.md\n````markdown\n# A\n````\n\nThe other note:\n\n```markdown\n{}\n```\n\nDone.\n"
    found = transcript.unpack(chat.format("# B\n\nText.").encode())
    assert [(r.line, r.message.partition(":")[0]) for r in found.remarks] == [
        (8, "Markdown without a name is left in the chat")
    ]
    assert not transcript.unpack(chat.format("> [!tip] An example").encode()).remarks


def test_a_menu_is_no_name() -> None:
    assert not transcript.unpack(b"File > Open/Save\n```markdown\nText\n```\n").notes
