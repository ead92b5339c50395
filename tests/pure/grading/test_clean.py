"""What students made is harmless on a page, and what is harmless stays."""

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure.grading import clean, showing

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
HOSTILE = re.compile(
    r"<\s*(?:script|iframe|object|embed|form|input|button|link|meta|base|style|svg|math|video|audio|template|frame)\b"
    r"|<[^>]*\son\w+\s*=|<[^>]*\b(?:href|src)\s*=\s*[\"']?\s*(?!https?:|mailto:|data:image/)[^\"' >]"
    r"|<img[^>]*\bsrc\s*=\s*[\"']?\s*(?!data:image/)[^\"' >]|url\(|expression\(|@import|srcset|position\s*:",
    re.I,
)


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("<b>bold</b> &amp; <i>more</i>", "<b>bold</b> &amp; <i>more</i>"),
        ("<script>alert(1)</script>text", "text"),
        ("<style>body{display:none}</style>text", "text"),
        ('<p onclick="x()">text</p>', "<p>text</p>"),
        ('<img src="http://example.com/track.png">', "<img>"),
        ('<img src="//example.com/track.png">', "<img>"),
        ('<img src="file.png">', "<img>"),
        ('<img src="data:text/html;base64,PHNjcmlwdD4=">', "<img>"),
        (f'<img src="data:image/png;base64,{PNG}">', f'<img src="data:image/png;base64,{PNG}">'),
        ('<img src="data:image/png;base64,bm90IGEgcGljdHVyZQ==">', "<img>"),
        ('<a href="javascript:alert(1)">x</a>', '<a rel="noopener noreferrer nofollow">x</a>'),
        ('<a href="  java\nscript:alert(1)">x</a>', '<a rel="noopener noreferrer nofollow">x</a>'),
        ('<a href="data:text/html,<script>1</script>">x</a>', '<a rel="noopener noreferrer nofollow">x</a>'),
        ('<div style="position:fixed;top:0;color:red">x</div>', '<div style="color:red">x</div>'),
        ('<div style="background-color:url(//e.com)">x</div>', "<div>x</div>"),
        ('<div style="color:var(--x)">x</div>', "<div>x</div>"),
        ('<div id="main" class="passed">x</div>', "<div>x</div>"),
        ("<form action=/x><input name=a><button>b</button></form>", "b"),
        ("<svg><script>alert(1)</script></svg>x", "x"),
        ("<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>x", ""),
        ('<iframe srcdoc="<script>1</script>"></iframe>x', "x"),
        ("<meta http-equiv=refresh content='0;url=http://e.com'>x", "x"),
        ("<base href=http://e.com>x", "x"),
        ("</div></body></html>x", "x"),
        ("<!-- comment -->x", "x"),
    ],
)
def test_html_keeps_only_what_does_nothing(given: str, made: str) -> None:
    assert clean.fragment(given) == made


def test_a_styled_data_frame_stays_a_table() -> None:
    frame = (
        '<style type="text/css">#T_1 td {color: red}</style><table border="1" class="dataframe" id="T_1"><thead>'
        '<tr style="text-align: right;"><th></th><th>price</th></tr></thead><tbody><tr><th>0</th>'
        '<td style="background-color: #fff7fb; color: #000000">1.5</td></tr></tbody></table>'
    )
    made = clean.fragment(frame)
    assert made.startswith('<table><thead><tr style="text-align:right">')
    assert '<td style="background-color:#fff7fb;color:#000000">1.5</td>' in made
    assert "red" not in made


def test_very_much_html_is_left_out() -> None:
    assert "left out" in clean.fragment("<b>x</b>" * 100_000)


@given(st.text(alphabet=st.sampled_from("<>/\"'= \n!-&;:()abcimgscriptonerrorhrefsvgstyle\x00\u2028"), max_size=120))
def test_no_text_gets_anything_hostile_through(text: str) -> None:
    for made in (clean.fragment(text), showing.prose(text), showing.printed(text)):
        assert not HOSTILE.search(made), made


@given(st.text(max_size=300))
def test_printed_text_has_no_tags_of_its_own(text: str) -> None:
    made = clean.coloured(text)
    assert set(re.findall(r"<[^>]*>", made)) <= {"</span>", *re.findall(r'<span class="[a-z -]+">', made)}
    assert made.count("<span") == made.count("</span>")


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("\x1b[31mred\x1b[0m", '<span class="ansi-red">red</span>'),
        (
            "\x1b[1;32mok\x1b[22m ok\x1b[39m.",
            '<span class="ansi-bold ansi-green">ok</span><span class="ansi-green"> ok</span>.',
        ),
        ("\x1b[38;5;196mx\x1b[48;2;1;2;31my\x1b[m", "xy"),
        ("\x1b[0;31m---\x1b[0m", '<span class="ansi-red">---</span>'),
        ("\x1b]8;;http://e.com\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b[2J\x1b[Hclear", "clear"),
        ("\x1b", ""),
        ("\x1b[31", "31"),
        ("a\rb\r\nc", "b\nc"),
        ("1/10\x08\x08\x08\x0810/10", "1/1010/10"),
        ("a\x00b\x07", "a�b�"),
        ("<script>", "&lt;script&gt;"),
        ("if a\u202e\u2066: x", "if a⟨U+202E⟩⟨U+2066⟩: x"),
        ("שלום\u200f!", "שלום\u200f!"),
    ],
)
def test_printed_text_shows_what_a_terminal_does(given: str, made: str) -> None:
    assert clean.coloured(given) == made


@pytest.mark.parametrize(
    ("kind", "data", "good"),
    [
        ("image/png", PNG, True),
        ("image/png", [PNG[:20], "\n", PNG[20:]], True),
        ("image/jpeg", base64.b64encode(b"\xff\xd8\xff\xe0" + bytes(30)).decode(), True),
        ("image/gif", base64.b64encode(b"GIF89a" + bytes(30)).decode(), True),
        ("image/png", base64.b64encode(b"GIF89a" + bytes(30)).decode(), False),
        ("image/png", base64.b64encode(b"<html><script>").decode(), False),
        ("image/svg+xml", base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg'/>").decode(), True),
        ("image/svg+xml", base64.b64encode(b"<html>").decode(), False),
        ("image/webp", PNG, False),
        ("image/png", PNG + '"><script>', False),
        ("image/png", "A" * (clean.LARGEST_PICTURE + 4), False),
        ("image/png", 7, False),
        ("image/png", [1, 2], False),
        ("image/png", "", False),
    ],
)
def test_pictures_are_what_they_say(kind: str, data: object, good: bool) -> None:
    assert bool(clean.picture(kind, data)) is good


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("a **b** <b>c</b><br>", "a **b** <b>c</b><br>"),
        ("<script>alert(1)</script>", "< script>alert(1)< /script>"),
        ("<b onclick=x>", "< b onclick=x>"),
        ("<<script>", "<< script>"),
        ("<!-- x -->", "< !-- x -->"),
        ("a < b, a<3", "a < b, a<3"),
        ("![x](http://e.com/a.png)", "[x](http://e.com/a.png)"),
        ("![x][ref]", "[x][ref]"),
        ("![x](attachment:a.png)", "![x](attachment:a.png)"),
        ("[x](javascript:alert(1))", "[x] (javascript:alert(1))"),
        ("[x](\n<&#106;ava&Tab;script\\:alert(1)>)", "[x] (\n<&#106;ava&Tab;script\\:alert(1)>)"),
        ("[x]: data:text/html,1", "[x] : data:text/html,1"),
        ("> [x]:\n> vbscript:1", "> [x] :\n> vbscript:1"),
        ("[x](https://e.com) [y](#z) [a](b/c:d)", "[x](https://e.com) [y](#z) [a](b/c:d)"),
        ("x[1]: int = d[a](b)", "x[1]: int = d[a](b)"),
        (r"$\href{javascript:alert(1)}{x}$", r"$\ href{javascript:alert(1)}{x}$"),
        (r"$\frac{1}{2}$", r"$\frac{1}{2}$"),
    ],
)
def test_markdown_is_harmless_in_any_program(given: str, made: str) -> None:
    assert clean.harmless(given) == made


def test_prose_shows_attached_pictures_and_has_no_headings() -> None:
    made = showing.prose(
        "# Title\n\n![plan](attachment:p.png)\n\n![no](attachment:q.png)", {"p.png": {"image/png": PNG}}
    )
    assert '<div class="heading">Title</div>' in made
    assert f'<img src="data:image/png;base64,{PNG}" alt="plan">' in made
    assert made.count("src=") == 1


def test_tables_in_tables_do_not_break_the_page() -> None:
    made = showing.prose("<table><tr><td><table><tr><td>x</td></tr></table></td></tr></table> y")
    assert made.count("<div") == made.count("</div>") == 1
    assert made.index("</div>") > made.rindex("</table>")


def test_long_text_is_folded_and_very_long_text_is_cut() -> None:
    assert showing.printed("x\n" * 20).startswith("<pre")
    folded = showing.printed("x\n" * 400)
    assert folded.startswith("<details><summary>Output: 401 lines</summary>")
    assert len(showing.printed("x" * 10_000_000)) < 2 * showing.SHOWN


def test_a_page_has_room_for_some_pictures_only() -> None:
    album = showing.Album(room=3 * len(PNG))
    output = {"output_type": "display_data", "data": {"image/png": PNG}}
    shown = [showing.outputs([output], album) for _ in range(4)]
    assert "data:image/png" in shown[0]
    assert "left out" in shown[-1]


@pytest.mark.parametrize("language", ["python", "r", "julia", "no such language"])
def test_code_of_any_language_is_escaped(language: str) -> None:
    made = showing.code("x = '<script>'\n# \u202e", language)
    assert "<script" not in made
    assert "⟨U+202E⟩" in made
