"""Inline marks of Obsidian as Jupyter's Markdown has them: wikilinks, embeds, highlights, comments."""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from markdown_it import MarkdownIt

from coursemill.model import Heading, Lesson
from coursemill.pure import attached, comments, maths
from coursemill.pure.references import VERBATIM, masked
from coursemill.pure.vault import WIKILINK, VaultMap, folded

PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".bmp", ".avif")
SOUNDS = (".mp3", ".wav", ".m4a", ".ogg", ".flac", ".3gp")
FILMS = (".mp4", ".webm", ".ogv", ".mov", ".mkv")
STATUSES = {"/": "◐", "-": "☒", ">": "▷", "<": "◁"}
"""Obsidian's tasks that are neither open nor done: in progress, cancelled, moved, scheduled."""
FRAME = re.compile(
    r"""(?i:<iframe\b(?:[^<>]*?\s)?src=(?:"(?P<framed>[^"<>]+)"|'(?P<within>[^'<>]+)')[^<>]*>(?:[^<]{0,99}</iframe>)?)"""
)
"""A page in the page, which JupyterLab leaves out."""
FILE_TITLE = re.compile(r"<%[-_]?\s*tp\.file\.title\s*[-_]?%>")
"""What Templater replaces by the note's name, and so does a notebook."""
_INLINE = MarkdownIt("commonmark").enable("strikethrough")
_TITLE = r"(?:[ \t]+(?:\"[^\"\n]*\"|'[^'\n]*'))?"
_ADDRESS = r"(?:[^()\s]|\([^()\s]*\))*"
_NAME = r"[A-Za-z][\w-]*(?:[ ][\w-]+){0,4}"
_VALUE = r"(?:[^\[\]\n]|\[\[[^\[\]\n]*\]\]){0,300}?"
_MARKS = re.compile(
    rf"""{FRAME.pattern} | {VERBATIM}
  | (?P<template><%(?:(?!<%)[\s\S]){{1,999}}?%>)
  | (?P<wikilink>{WIKILINK.pattern})
  | !\[(?P<alt>[^\[\]\n|]*)\|(?P<width>\d+)(?:x(?P<height>\d+))?\]
    \((?:<(?P<wide>[^<>\n]+)>|(?P<source>[^()\s]+)){_TITLE}\)
  | !\[(?P<film>[^\[\]\n]*)\]\((?P<watch>https?://(?:www\.|m\.)?(?:youtube\.com|youtu\.be|vimeo\.com|twitter\.com|x\.com)/[^()\s]+)\)
  | \]\((?!\w+:)(?P<note>[^()<>\s#]+\.md)(?:[#](?P<part>{_ADDRESS}))?{_TITLE}\)
  | \]\(<(?!\w+:)(?P<path>[^<>\n#]+\.md)(?:[#](?P<below>[^<>\n]*))?>{_TITLE}\)
  | \]\((?P<file>(?!\w+:|[/\#])(?:[^()<>\s]|\([^()<>\s]*\))+)(?P<about_it>{_TITLE})\) # a file's
  | \]\(<(?P<spaced>(?!\w+:|[/\#])[^<>\n]+)>(?P<about_that>{_TITLE})\)
  | (?:\]\([^()\n]*\) | https?://[^\s<>]+)             # any other link's address
  | ^(?P<quotes>[ \t>]*)\[\^(?P<defined>[^\[\]\s]{{1,99}})\]:[ \t]* # a footnote
  | (?<!!)\[\^(?P<footnote>[^\[\]\s]{{1,99}})\]
  | \^\[(?P<aside>(?:[^\[\]\n]|\[\[[^\[\]\n]*\]\]|\[[^\[\]\n]*\]){{1,999}})\]
  | ^(?P<item>[ \t>]*(?:[-*+]|\d+[.)])[ \t]+)\[(?P<status>[^\sxX\[\]])\](?=[ \t])
  | \[(?P<key>{_NAME})::[ \t]+(?P<value>{_VALUE})\](?!\()
  | \((?P<about>{_NAME})::[ \t]+(?P<said>[^()\n]{{1,300}})\)
  | ^(?P<lead>[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+(?:\[[ xX]\][ \t]+)?)?)
    (?:\*\*|__)?(?P<field>{_NAME})(?:\*\*|__)?::(?=[ \t])
  | (?P<block>(?:(?<=\S)[ \t]+|^)\^[a-zA-Z0-9-]+[ \t]*$) # what a link may name: [[Note#^block]]
  | (?<![\w=])==(?=[^\s=])(?P<marked>(?:[^\n]|\n(?![ \t]*(?:\n|[-*+>\#|]|\d+[.)]))){{0,999}}?[^\s=])==(?![\w=])
    """,
    re.VERBOSE | re.MULTILINE,
)


@dataclass(frozen=True)
class Place:
    """Where a text stands: which note, in which worksheet's notebook, in which vault."""

    path: str
    worksheet: str
    vault: VaultMap
    home: str = field(default="", kw_only=True)
    """The note whose notebook it is, when the text is another's that is embedded there."""

    @property
    def notebook(self) -> str:
        """The note whose notebook it is."""
        return self.home or self.path


def inline(text: str, place: Place) -> str:
    """Replace the marks in `text`, which holds no code blocks; code spans and mathematics are left alone."""
    pieces = []
    done = 0
    for match in _MARKS.finditer(masked(text)):
        part = {name: text[slice(*match.span(name))] if match[name] is not None else None for name in _PARTS}
        shown = "" if part["block"] else _replaced(part, place) or text[slice(*match.span())]
        pieces += [text[done : match.start()], shown]
        done = match.end()
    return maths.shown("".join([*pieces, text[done:]]))


def framed(html: str) -> str:
    """HTML with links in the place of other pages that it shows: JupyterLab leaves those out."""
    return FRAME.sub(lambda m: _page(m["framed"] or m["within"]), html) if "<" in html else html


def wikilink(target: str, heading: str | None, alias: str | None, place: Place, *, embed: bool = False) -> str:
    """`[[target#heading|alias]]` as a link to the notebook, or as words when there is no such lesson, if any."""
    target = unquote(target).strip()
    suffix = posixpath.splitext(target)[1].lower()
    if embed and suffix in PICTURES:
        return _embedded(target, alias or "", place)
    if embed and suffix in (*SOUNDS, *FILMS):
        return _played("audio" if suffix in SOUNDS else "video", target, alias or "", place)
    found = place.vault.resolve(target, place.path)
    if found and not found[0].endswith(".md"):
        return (
            f"[{_label((alias or '').strip() or escaped(posixpath.basename(target)))}]({quote(_beside(target, place))})"
        )
    lesson = place.vault.lesson(found[0]) if found else None
    wanted = (heading or "").rpartition("#")[2].strip()
    words = (alias or "").strip() or _words(target, wanted, lesson if target else None)
    if not words and lesson and wanted.startswith("^"):
        above = _meant(lesson, wanted, place)
        words = escaped(above.text if above else lesson.title)
    address = _notebook(target, wanted, place) if words else ""
    return f"[{_label(words)}]({address})" if address else f"*{words}*" if words else ""


def anchor(heading: str) -> str:
    """The fragment that JupyterLab gives to a heading of that text (without markup): dashes for spaces.

    JupyterLab compares it undecoded, so what a browser leaves alone in an address must not be encoded; headings
    with quotes or letters beyond ASCII cannot be reached there (seen in 4.6).
    """
    text = heading.replace(" ", "-")
    inside = re.sub(r"\([^()]*\)", "", text)
    return quote(text, safe="-_.~!*':@,;+&$/?=[]{}^" + ("" if "(" in inside or ")" in inside else "()"))


def plain(markdown: str) -> str:
    """The text of a heading without its markup."""
    text = comments.removed(markdown)
    text = WIKILINK.sub(lambda m: m["alias"] or m["heading"] or m["target"], text) if "[[" in text else text
    if any(mark in text for mark in "\\*_`[<&~"):
        tokens = _INLINE.parseInline(text)[0].children or []
        text = "".join(token.content for token in tokens if token.type in ("text", "code_inline"))
    return re.sub(r"==(?=\S)(.+?)(?<=\S)==", r"\1", text).strip()


def escaped(text: str) -> str:
    """`text` as Markdown that shows it as it is."""
    return re.sub(r"([\\`*<\[\]]|(?<![^\W_])_|_(?![^\W_]))", r"\\\1", text)


_PARTS = tuple(_MARKS.groupindex)


def _replaced(part: Mapping[str, str | None], place: Place) -> str:
    """What comes in the place of a mark; nothing: it stays."""
    if part["wikilink"]:
        embed = part["embed"] == "!"
        return wikilink(part["target"] or "", part["heading"], part["alias"], place, embed=embed)
    if part["template"]:
        return _expression(part["template"], place)
    if source := part["source"] or (part["wide"] or "").replace(" ", "%20"):
        return _image(_seen_from(source, place), part["alt"] or "", part["width"] or "", part["height"])
    if note := part["note"] or part["path"]:
        linked = _notebook(unquote(note), unquote(part["part"] or part["below"] or ""), place)
        return f"]({linked})" if linked else ""
    if part["defined"]:
        return f"{part['quotes']}- \\[{part['defined']}\\] "
    if part["footnote"]:
        return f"<sup>\\[{part['footnote']}\\]</sup>"
    if part["marked"]:
        return f"<mark>{inline(part['marked'], place)}</mark>"
    return _plugins(part, place)


def _plugins(part: Mapping[str, str | None], place: Place) -> str:
    """The same, of marks that are rarer: notes in the text, films, tasks, fields."""
    if part["aside"]:
        return f" <small>({inline(part['aside'], place)})</small>"
    if address := part["framed"] or part["within"]:
        return _page(address)
    if part["watch"]:
        return f"[{part['film'] or part['watch']}]({part['watch']})"
    if part["status"]:
        sign = STATUSES.get(part["status"])
        return f"{part['item']}{sign}" if sign else ""
    if part["key"]:
        return f"**{part['key']}:** {inline(part['value'] or '', place)}"
    if file := part["file"] or part["spaced"]:
        seen = _seen_from(file, place)
        return f"]({seen}{part['about_it'] or part['about_that'] or ''})" if seen != file else ""
    if part["field"]:
        return f"{part['lead']}**{part['field']}:**"
    return f"(**{part['about']}:** {inline(part['said'], place)})" if part["said"] else ""


def _expression(template: str, place: Place) -> str:
    """Templater's `<% … %>` as code; the note's own name where that is what it says."""
    if FILE_TITLE.fullmatch(template):
        return escaped(posixpath.basename(place.path).removesuffix(".md"))
    ticks = "`" * (max((len(run) for run in re.findall("`+", template)), default=0) + 1)
    line = re.sub(r"[ \t]*\n[ \t>]*", " ", template)
    return f"{ticks}{line}{ticks}"


def _page(address: str) -> str:
    """A link in the place of a page that is embedded."""
    return f'<a href="{address}">{address}</a>'


def _seen_from(address: str, place: Place) -> str:
    """The address of a file, seen from the notebook: the build may have put it elsewhere.

    The note that names it may be embedded in another's, too.
    """
    target = unquote(address)
    if re.match(r"\w+:|/|#", address):
        return address
    if place.home and place.vault.resolve(target, place.path):
        return quote(_beside(target, place))
    brought = attached.linked(target, place.path, place.worksheet, place.vault)
    return quote(attached.beside(brought, place.notebook)) if brought else address


def _notebook(target: str, heading: str, place: Place) -> str:
    """Relative address of the notebook that `target` is built to; empty when it is built to none."""
    found = place.vault.resolve(target, place.path)
    lesson = place.vault.lesson(found[0]) if found else None
    if lesson is None or not lesson.front.worksheets:
        return ""
    meant = _meant(lesson, heading, place)
    fragment = f"#{anchor(meant.text)}" if meant else ""
    if lesson.path == place.notebook and (fragment or not target):
        return fragment or f"#{anchor(lesson.title)}"
    worksheets = lesson.front.worksheets
    folder = "" if place.worksheet in worksheets else f"../{quote(worksheets[0])}/"
    return f"{folder}{quote(lesson.name)}.ipynb{fragment}"


def _meant(lesson: Lesson, heading: str, place: Place) -> Heading | None:
    """The heading that a link names, or the one above the block that it names."""
    if not heading.startswith("^"):
        return place.vault.heading(lesson.path, plain(heading)) if heading else None
    line = place.vault.block(lesson.path, heading[1:])
    return next((found for found in reversed(lesson.headings) if line and found.line <= line), None)


def _words(target: str, heading: str, lesson: Lesson | None) -> str:
    name = escaped(lesson.title) if lesson else posixpath.basename(target).removesuffix(".md").replace("_", " ").strip()
    is_title = lesson is not None and folded(lesson.title) == folded(plain(heading))
    return ": ".join(part for part in (name, "" if is_title or heading.startswith("^") else heading) if part)


def _label(words: str) -> str:
    """Square brackets and bars would end a link's words or a table's cell."""
    return re.sub(r"(?<!\\)([\[\]|])", r"\\\1", words)


def _embedded(target: str, options: str, place: Place) -> str:
    """`![[picture.png|alt|300x200]]`."""
    parts = [part.strip() for part in re.split(r"\\?\|", options) if part.strip()]
    size = re.fullmatch(r"(\d+)(?:x(\d+))?", parts[-1]) if parts else None
    name = posixpath.splitext(posixpath.basename(target))[0].replace("_", " ")
    alt = next((part for part in parts if not size or part != parts[-1]), name)
    address = quote(_beside(target, place))
    return _image(address, alt, size[1], size[2]) if size else f"![{_label(alt)}]({address})"


def _played(tag: str, target: str, options: str, place: Place) -> str:
    """Sound or film, which JupyterLab plays from its server."""
    size = re.fullmatch(r"(?:.*\|)?(\d+)(?:x\d+)?", options.replace("\\|", "|"))
    width = f' width="{size[1]}"' if size and tag == "video" else ""
    return f'<{tag} controls src="{html.escape(quote(_beside(target, place)))}"{width}></{tag}>'


def _image(address: str, alt: str, width: str, height: str | None) -> str:
    tall = f' height="{height}"' if height else ""
    return f'<img src="{html.escape(address)}" alt="{html.escape(alt)}" width="{width}"{tall}>'


def _beside(target: str, place: Place) -> str:
    """Where the build puts the file, seen from the notebook.

    The vault finds a file by its name alone. What lies in a lesson's `<Note>.files/` is copied beside that
    lesson's notebook, a worksheet's shared files into the worksheet's folder, and others to where they are named.
    """
    own = f"{posixpath.basename(place.path).removesuffix('.md')}.files"
    for path in place.vault.resolve(target, place.path):
        folders = path.split("/")
        if "_worksheets" in folders[:-2]:
            worksheet, _, inside = "/".join(folders[folders.index("_worksheets") + 1 :]).partition("/")
            return inside if worksheet == place.worksheet else f"../{worksheet}/{inside}"
        at = next((i for i, folder in enumerate(folders) if folder.endswith(".files")), None)
        if at is not None:
            inside = "/".join(folders[at:])
            owner = place.vault.lesson("/".join(folders[: at + 1]).removesuffix(".files") + ".md")
            worksheets = owner.front.worksheets if owner else ()
            if worksheets:
                return inside if place.worksheet in worksheets else f"../{worksheets[0]}/{inside}"
        return attached.beside(path, place.notebook)
    return target if "/" in target else f"{own}/{target}"
