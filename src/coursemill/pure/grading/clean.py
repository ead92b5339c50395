"""What students wrote and their programs printed, made harmless: nothing in it runs, loads, or leaves its place."""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

_TEXTUAL = """a abbr b bdi bdo blockquote br caption code col colgroup dd del dfn div dl dt em figcaption figure
    h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strike strong sub sup table tbody td tfoot
    th thead time tr tt u ul var wbr"""
TAGS = frozenset(_TEXTUAL.split())
"""No forms, frames, media, SVG or MathML; `details` neither: what is folded away may be overlooked."""
_NO_TEXT = """script style title template noscript noembed noframes iframe xmp plaintext textarea select option svg math
    object embed applet audio video canvas head"""
_EMPTIED = frozenset(_NO_TEXT.split())
"""Their content goes with them."""
_ATTRIBUTES = {
    "*": {"dir", "lang", "title"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan", "align", "style"},
    "th": {"colspan", "rowspan", "align", "scope", "style"},
    "table": {"style"},
    "tr": {"align", "style"},
    "col": {"span"},
    "colgroup": {"span"},
    "ol": {"start"},
    "span": {"style"},
    "div": {"style"},
    "p": {"style"},
}
_STYLES = frozenset({"color", "background-color", "font-weight", "font-style", "text-align", "text-decoration"})
"""What a styled data frame needs; nothing that moves, covers or loads."""
_STYLE_VALUE = re.compile(r"[#\w\s%.,()-]*\Z")
_PLAIN_COLOUR = re.compile(r"(?:#[0-9a-f]{3,8}|[a-z]{3,20}|(?:rgb|hsl)a?\([\d\s.,%]+\))\Z", re.I)
_SPAN = re.compile(r"[1-9]\d{0,2}\Z")
_WIDTH = re.compile(r"\d{1,4}%?\Z")

PICTURES = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
}
"""Kinds of pictures that are shown, and what their files begin with."""
LARGEST_PICTURE = 3_000_000
"""Characters of Base64."""
LARGEST_HTML = 400_000
_DATA = re.compile(r"data:(image/(?:png|jpeg|gif|svg\+xml));base64,([A-Za-z0-9+/=\s]*)\Z")
_SVG = "image/svg+xml"

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_]|.)?", re.S)
"""ANSI's sequences, whole or cut off: https://ecma-international.org/publications-and-standards/standards/ecma-48/"""
_STEERING = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Marks that turn the direction of text round: code may then read otherwise than it runs (CVE-2021-42574)."""


def fragment(text: str) -> str:
    """HTML of somebody's making as HTML that can stand in any page."""
    import nh3

    if len(text) > LARGEST_HTML:
        return f"<p>[{len(text):,} characters of HTML are left out]</p>"
    made: str = nh3.clean(
        visible(text, code=False),
        tags=set(TAGS),
        clean_content_tags=set(_EMPTIED),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        attribute_filter=_attribute,
        filter_style_properties=set(_STYLES),
        url_schemes={"http", "https", "mailto", "data"},
        url_relative="deny",
        link_rel="noopener noreferrer nofollow",
    )
    return made


def visible(text: str, *, code: bool = True) -> str:
    """Text without characters that do something: of controls only line breaks and tabs stay.

    In code, marks that turn the direction of writing are shown as their numbers.
    """
    text = _STEERING.sub(lambda m: f"⟨U+{ord(m[0]):04X}⟩", text) if code else _STEERING.sub("", text)
    if text.isprintable():
        return text
    return "".join(c if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs", "Co", "Cn") else "�" for c in text)


def settled(text: str) -> str:
    """What a terminal would show in the end of lines that were written again and again: progress bars."""
    lines = text.replace("\b", "").replace("\r\n", "\n").split("\n") if "\r" in text or "\b" in text else [text]
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)


def plain(text: str) -> str:
    """What a program printed, without colours."""
    return visible(settled(_ESCAPES.sub("", text)))


def coloured(text: str) -> str:
    """What a program printed as HTML, its colours as classes: `<span class="ansi-red">`."""
    pieces, style, at = [], frozenset[str](), 0
    text = settled(text)
    for match in _ESCAPES.finditer(text):
        pieces.append(_styled(text[at : match.start()], style))
        style = _next_style(style, match[0])
        at = match.end()
    pieces.append(_styled(text[at:], style))
    return "".join(pieces)


def printable(text: str) -> str:
    """What a program printed, its colours left in it, other control characters made visible."""
    pieces = _COLOURS.split(settled(text))
    return "".join(part if place % 2 else visible(_ESCAPES.sub("", part)) for place, part in enumerate(pieces))


def picture(kind: str, data: object) -> str:
    """A data URI of a picture in Base64 that really is of this kind and not too large; "" for anything else.

    An SVG can neither run nor load anything in an `<img>`.
    """
    compact = "".join(text_of(data).split())
    if not compact or len(compact) > LARGEST_PICTURE or not _BASE64.fullmatch(compact):
        return ""
    try:
        start = base64.b64decode(compact[:2000] if len(compact) > 2000 else compact, validate=True)
    except (binascii.Error, ValueError):
        return ""
    fits = start.startswith(PICTURES[kind]) if kind in PICTURES else kind == _SVG and b"<svg" in start
    return f"data:{kind};base64,{compact}" if fits else ""


def drawing(data: object) -> str:
    """A data URI of an SVG's source; "" for what is none."""
    encoded = text_of(data).encode("utf-8", "replace")
    return picture(_SVG, base64.b64encode(encoded).decode())


def harmless(markdown: str) -> str:
    """Markdown in which nothing is left that could do anything, whatever program renders it.

    A blank breaks HTML but for the plainest tags, links that run something, and what of TeX makes links; pictures
    from elsewhere become links.
    """
    text = _TAG.sub(lambda m: m[0] if _PLAIN_TAG.fullmatch(m[0]) else f"< {m[0][1:]}", visible(markdown, code=False))
    text = _TARGET.sub(lambda m: m[0] if _leads_well(m[3]) else f"] {m[1]}{m[2]}{m[3]}", text)
    return _FOREIGN.sub("", _MACRO.sub(r"\\ ", text))


def text_of(value: Any) -> str:
    """A multiline string of a notebook's; "" for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "".join(value)
    return ""


def bundle(data: Mapping[str, Any]) -> dict[str, str]:
    """An output's data, of which only what is harmless stays, whatever program shows it."""
    made: dict[str, str] = {}
    for kind in PICTURES:
        if picture(kind, data.get(kind)):
            made[kind] = "".join(text_of(data[kind]).split())
    if uri := drawing(data.get(_SVG)):
        made["text/html"] = f'<img alt="drawing" src="{uri}">'
    if text := text_of(data.get("text/html")):
        made["text/html"] = fragment(text)
    for kind in ("text/markdown", "text/latex"):
        if text := text_of(data.get(kind)):
            made[kind] = harmless(text[:LARGEST_HTML])
    if text := text_of(data.get("text/plain")):
        made["text/plain"] = visible(text)
    return made


_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_TAG = re.compile(r"<(?=[a-zA-Z/!?])[^<>]*>?")
_PLAIN_TAG = re.compile(r"</?(?:b|br|code|del|em|i|ins|kbd|mark|p|s|small|strong|sub|sup|u)\s*/?>", re.I)
_MACRO = re.compile(r"\\(?=(?:href|url|style|class|cssId|data|require|include\w*|input)\b)")
_TARGET = re.compile(r"\]([(:])([\s>]*<?\s*)(\S+)")
"""Where a link leads, behind its text or in a definition."""
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)
_GOOD = re.compile(r"(?:https?|mailto|attachment):|data:image/(?:png|jpeg|gif);base64,", re.I)
_FOREIGN = re.compile(r"!(?=\[)(?!\[[^\]]*\]\((?:attachment:|data:image/(?:png|jpeg|gif);base64,))")
_COLOURS = re.compile(r"(\x1b\[[\d;]{0,60}m)")
_BASIC = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")


def _leads_well(target: str) -> bool:
    """Whether an address as Markdown writes it is one to read."""
    read = "".join(c for c in html.unescape(target).replace("\\", "") if c.isprintable() and not c.isspace())
    return not _SCHEME.match(read) or bool(_GOOD.match(read))


def _attribute(tag: str, name: str, value: str) -> str | None:
    """What stays of an attribute; None: nothing."""
    if name == "src":
        match = _DATA.match(value)
        return picture(match[1], match[2]) or None if match else None
    if name == "href":
        return value if re.match(r"(?:https?|mailto):", value, re.I) else None
    if name in ("colspan", "rowspan", "span", "start"):
        return value if _SPAN.match(value) else None
    if name in ("width", "height"):
        return value if _WIDTH.match(value) else None
    if name == "style":
        return _style(value)
    return value[:1000]


def _style(value: str) -> str | None:
    """Declarations whose values are plain: neither functions nor escapes."""
    kept = []
    for declaration in value.split(";"):
        name, _, what = declaration.partition(":")
        name, what = name.strip().lower(), what.strip()
        colour = name in ("color", "background-color")
        if name in _STYLES and _STYLE_VALUE.match(what) and (_PLAIN_COLOUR.match(what) if colour else "(" not in what):
            kept.append(f"{name}:{what}")
    return ";".join(kept) or None


def _styled(text: str, style: frozenset[str]) -> str:
    """A piece of what was printed."""
    shown = html.escape(visible(text))
    return f'<span class="{" ".join(sorted(style))}">{shown}</span>' if style and text else shown


def _next_style(style: frozenset[str], sequence: str) -> frozenset[str]:
    """The style after an escape sequence; others than those for colours change nothing."""
    match = re.fullmatch(r"\x1b\[([\d;]{0,60})m", sequence)
    if match is None:
        return style
    numbers = [int(number[:4] or 0) for number in match[1].split(";")]
    while numbers:
        style = _after(style, numbers.pop(0), numbers)
    return style


def _after(style: frozenset[str], number: int, rest: list[int]) -> frozenset[str]:
    """The style after one parameter; `rest` loses what belongs to it."""
    colours = frozenset(name for name in style if name != "ansi-bold")
    if number == 0:
        return frozenset()
    if number == 1:
        return style | {"ansi-bold"}
    if number == 22:
        return colours
    if 30 <= number <= 37 or 90 <= number <= 97:
        return (style - colours) | {f"ansi-{_BASIC[number % 10]}"}
    if number == 39:
        return style - colours
    if number in (38, 48):  # one of 256 colours, or red, green and blue: there is no class for it
        del rest[: {5: 2, 2: 4}.get(rest[0] if rest else 0, 0)]
    return style
