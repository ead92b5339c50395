"""Inline marks of Obsidian as Jupyter's Markdown has them: wikilinks, embeds, highlights, comments."""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote

from markdown_it import MarkdownIt

from coursemill.model import Lesson
from coursemill.pure import comments
from coursemill.pure.references import VERBATIM, masked
from coursemill.pure.vault import WIKILINK, VaultMap, folded

PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".bmp", ".avif")
_INLINE = MarkdownIt("commonmark").enable("strikethrough")
_TITLE = r"(?:[ \t]+(?:\"[^\"\n]*\"|'[^'\n]*'))?"
_ADDRESS = r"(?:[^()\s]|\([^()\s]*\))*"
_MARKS = re.compile(
    rf"""{VERBATIM}
  | (?P<wikilink>{WIKILINK.pattern})
  | !\[(?P<alt>[^\[\]\n|]*)\|(?P<width>\d+)(?:x(?P<height>\d+))?\]
    \((?:<(?P<wide>[^<>\n]+)>|(?P<source>[^()\s]+)){_TITLE}\)
  | \]\((?!\w+:)(?P<note>[^()<>\s#]+\.md)(?:[#](?P<part>{_ADDRESS}))?{_TITLE}\)
  | \]\(<(?!\w+:)(?P<path>[^<>\n#]+\.md)(?:[#](?P<below>[^<>\n]*))?>{_TITLE}\)
  | (?:\]\([^()\n]*\) | https?://[^\s<>]+)             # any other link's address
  | ^(?P<quotes>[ \t>]*)\[\^(?P<defined>[^\[\]\s]{{1,99}})\]:[ \t]* # a footnote
  | (?<!!)\[\^(?P<footnote>[^\[\]\s]{{1,99}})\]
  | (?P<block>(?:(?<=\S)[ \t]+|^)\^[a-zA-Z0-9-]+[ \t]*$) # what a link may name: [[Note#^block]]
  | (?<![\w=])==(?=[^\s=])(?P<marked>[^\n]{{0,999}}?[^\s=])==(?![\w=])
    """,
    re.VERBOSE | re.MULTILINE,
)


@dataclass(frozen=True)
class Place:
    """Where a text stands: which note, in which worksheet's notebook, in which vault."""

    path: str
    worksheet: str
    vault: VaultMap


def inline(text: str, place: Place) -> str:
    """Replace the marks in `text`, which holds no code blocks; code spans and mathematics are left alone."""
    pieces = []
    done = 0
    for match in _MARKS.finditer(masked(text)):
        part = {name: text[slice(*match.span(name))] if match[name] is not None else None for name in _PARTS}
        shown = "" if part["block"] else _replaced(part, place) or text[slice(*match.span())]
        pieces += [text[done : match.start()], shown]
        done = match.end()
    return "".join([*pieces, text[done:]])


def wikilink(target: str, heading: str | None, alias: str | None, place: Place, *, embed: bool = False) -> str:
    """`[[target#heading|alias]]` as a link to the notebook, or as words when there is no such lesson, if any."""
    target = unquote(target).strip()
    if embed and posixpath.splitext(target)[1].lower() in PICTURES:
        return _embedded(target, alias or "", place)
    found = place.vault.resolve(target, place.path)
    if found and not found[0].endswith(".md"):
        return (
            f"[{_label((alias or '').strip() or escaped(posixpath.basename(target)))}]({quote(_beside(target, place))})"
        )
    lesson = place.vault.lesson(found[0]) if found else None
    wanted = (heading or "").rpartition("#")[2].strip()
    words = (alias or "").strip() or _words(target, wanted, lesson if target else None)
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
    if source := part["source"] or (part["wide"] or "").replace(" ", "%20"):
        return _image(source, part["alt"] or "", part["width"] or "", part["height"])
    if note := part["note"] or part["path"]:
        linked = _notebook(unquote(note), unquote(part["part"] or part["below"] or ""), place)
        return f"]({linked})" if linked else ""
    if part["defined"]:
        return f"{part['quotes']}- \\[{part['defined']}\\] "
    if part["footnote"]:
        return f"<sup>\\[{part['footnote']}\\]</sup>"
    return f"<mark>{inline(part['marked'], place)}</mark>" if part["marked"] else ""


def _notebook(target: str, heading: str, place: Place) -> str:
    """Relative address of the notebook that `target` is built to; empty when it is built to none."""
    found = place.vault.resolve(target, place.path)
    lesson = place.vault.lesson(found[0]) if found else None
    if lesson is None or not lesson.front.worksheets:
        return ""
    meant = place.vault.heading(lesson.path, plain(heading)) if heading else None
    fragment = f"#{anchor(meant.text)}" if meant else ""
    if lesson.path == place.path and (fragment or not target):
        return fragment or f"#{anchor(lesson.title)}"
    worksheets = lesson.front.worksheets
    folder = "" if place.worksheet in worksheets else f"../{quote(worksheets[0])}/"
    return f"{folder}{quote(lesson.name)}.ipynb{fragment}"


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


def _image(address: str, alt: str, width: str, height: str | None) -> str:
    tall = f' height="{height}"' if height else ""
    return f'<img src="{html.escape(address)}" alt="{html.escape(alt)}" width="{width}"{tall}>'


def _beside(target: str, place: Place) -> str:
    """Where the build puts the file, seen from the notebook.

    The vault finds a file by its name alone. What lies in a lesson's `<Note>.files/` is copied beside that
    lesson's notebook, and a worksheet's shared files into the worksheet's folder.
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
            elsewhere = owner is not None and owner.front.worksheets and place.worksheet not in owner.front.worksheets
            return f"../{owner.front.worksheets[0]}/{inside}" if owner and elsewhere else inside
    return target if "/" in target else f"{own}/{target}"
