"""Names that a chat gives to the notes in it, however they are spelled, and whether a file can have them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from coursemill.pure import naming

NOTE = ".md"
LONGEST_PATH = 1024
"""Bytes of a path inside the vault."""
MARKDOWN = frozenset({"md", "markdown", "mdx", "gfm", "obsidian"})
PLAIN = frozenset({"", "text", "txt", "plain", "plaintext"})
KEY = (
    r"(?:(?:full|note|vault|target|relative|output|new|folder|path)[ _/-]?)?"
    r"(?:file[ _-]?name|file[ _-]?path|path[ _-]?name|file|path)"
    r"|saved?[ ](?:as|to|at|in|under)"
)
_NUMBER = r"(?:[ ]?\#?\d{1,4}(?:[ ]?(?:of|/)[ ]?\d{1,4})?)?"
_LINE = re.compile(
    rf"_{{0,2}}(?P<key>{KEY}){_NUMBER}(?:[ ]?\([^()]{{1,40}}\))?_{{0,2}}[ ]*"
    r"(?:[:=：]+|(?P<dash>[-–—]?[>→]|[-–—](?=[ ])))_{0,2}[ ]*(?P<value>\S.*)",
    re.IGNORECASE,
)
_LABEL = re.compile(
    rf"(?:[^\W\d_]+[ ]){{0,3}}[^\W\d_]+{_NUMBER}(?:[ ]?[:：]|[ ][-–—](?=[ ]))[ ]*(?P<value>\S.*)", re.IGNORECASE
)
_ANNOUNCED = re.compile(r"(?:[\w',]+[ ]){1,8}[`\"“](?P<path>[^`\"“”]+\.md)[`\"”][ ]?:")
"""A short line of words that ends with a quoted path and a colon."""
_COMMENT = re.compile(r"<!--(?P<html>.*?)-->|%%(?P<obsidian>.*?)%%|/\*(?P<c>.*?)\*/|//(?P<line>[^/].*)")
_BULLET = re.compile(r"(?:(?:#{1,6}|[-+*]|\d{1,4}[.)]|[a-z][.)])[ \t]+){1,2}")
_BOLD = re.compile(r"</?(?:b|strong|i|em|u|code|p|h[1-6]|summary)>|(?<!\S)(?:={2,}|-{2,})(?!\S)", re.IGNORECASE)
"""HTML around a name, and rules before and behind it."""
_SIGNS = re.compile(r"[^\w`\"'“‘«<(\[~./\\-]+")
_QUOTED = re.compile(r"`+(?P<a>[^`]+)`+|\"(?P<b>[^\"]+)\"|'(?P<c>[^']+)'|“(?P<d>[^”]+)”|‘(?P<e>[^’]+)’|«(?P<f>[^»]+)»")
_LINK = re.compile(r"\[\[(?P<wiki>[^\[\]|]+)(?:\|[^\[\]]*)?\]\]|\[(?P<words>[^\[\]]+)\]\([^()]*\)")
_REMARK = re.compile(r"(?P<path>.*?\.md)(?:[ \t]*\(.*\)|[ \t]+(?:[-–—#]|←|<--).*|[.,;:])?", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"(?:^|[\s{,])(?:title|file[_-]?name|file[_-]?path|file|path|name)[ ]?[=:][ ]?"
    r"(?:\"(?P<a>[^\"]+)\"|'(?P<b>[^']+)'|(?P<c>[^\s\"'},]+))",
    re.IGNORECASE,
)
_SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,7}")
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class Name:
    """A name as it was written, less its markup; `sure`: a word such as `Filename:` says that it is one."""

    written: str
    sure: bool


def of_line(line: str) -> Name | None:
    """Return the name that a line gives to what follows it, if it is such a line and nothing else."""
    text = line.replace("\u00a0", " ").strip().lstrip("\ufeff")
    if comment := _COMMENT.fullmatch(text):
        text = next(part for part in comment.groups() if part is not None).strip()
    bullet = _BULLET.match(text)
    text = text[bullet.end() :] if bullet else text
    signs = _SIGNS.match(text)
    text = (text[signs.end() :] if signs and not text.startswith("_") else text).replace("*", "")
    text = _BOLD.sub("", text).strip()
    text = text[2:-2] if text.startswith("__") and text.endswith("__") else text
    inner = _QUOTED.fullmatch(text)
    unquoted = (inner["a"] or "").strip() if inner else text
    if found := _LINE.fullmatch(unquoted):
        written = _value(found["value"])
        sure = "name" in found["key"].lower() or "path" in found["key"].lower()
        if found["dash"]:  # `File > Open` is a menu
            return Name(written, sure=True) if written.lower().endswith(NOTE) else None
        return Name(written, sure=True) if written and (sure or _is_path(written)) else None
    if announced := _ANNOUNCED.fullmatch(text):
        return Name(announced["path"].strip(), sure=False)
    label = _LABEL.fullmatch(text)
    written = _value(label["value"] if label else text.removesuffix(":"))
    decorated = inner is not None or bullet is not None or "*" in line or "`" in line
    if not written.lower().endswith(NOTE) or (" " in written and not decorated) or len(written) > naming.LONGEST:
        return None
    if any(mark in written for mark in '`"“”'):
        return None
    return Name(written, sure=False)


def of_info(info: str) -> Name | None:
    """Return the name in a fence's info string: `title="…"`, `filename=…`, `markdown:path`, or a path to a note."""
    if found := _ATTRIBUTE.search(info):
        return Name((found["a"] or found["b"] or found["c"]).strip(), sure=True)
    words = [part for word in info.split() for part in (word.partition(":")[2], word)]
    return next((Name(word, sure=True) for word in words if len(word) > len(NOTE) and word.endswith(NOTE)), None)


def language(info: str) -> str:
    """Return the info string's first word, in lower case and without braces and dots."""
    words = re.split(r"[\s{}:,]+", info.strip().lstrip("{."), maxsplit=1)
    return words[0].lower().lstrip(".") if words[0] and "=" not in words[0] and not _is_path(words[0]) else ""


def is_note(name: Name, info: str) -> bool:
    """Whether a fence of that name holds a note and no other file: by the name, or by the language of the fence."""
    return (
        name.written.lower().endswith(NOTE)
        or language(info) in MARKDOWN
        or (language(info) in PLAIN and not suffix(name.written))
    )


def suffix(name: str) -> str:
    """Return the name's suffix with its dot, such as `.py`; empty when it has none."""
    last = re.split(r"[/\\]", name)[-1]
    found = _SUFFIX.fullmatch(last[last.rfind(".") :]) if last.rfind(".") > 0 else None
    return found[0] if found else ""


def path(written: str) -> str:
    """Return the path inside the vault that a written name means: `/` between its parts, and a note's suffix."""
    parts = written.replace("\\", "/")
    while parts.startswith("./"):
        parts = parts[2:]
    return parts if suffix(parts) or not parts or parts.endswith(("/", ".")) else parts + NOTE


def cannot_be(path: str) -> str:
    """Say why nothing is written at `path`, inside of any vault; empty when it can be."""
    if not path.isprintable():
        return "the name has characters that cannot be shown"
    problem = _leaves(path)
    if problem:
        return problem
    if len(path.encode("utf-8", "surrogateescape")) > LONGEST_PATH:
        return f"the path is longer than {LONGEST_PATH} bytes"
    return next((said for part in path.split("/") if (said := _part(part))), "")


def _leaves(path: str) -> str:
    if path.startswith("//"):
        return "a network path leaves the vault"
    if path.startswith("/"):
        return "an absolute path leaves the vault"
    if path.startswith("~"):
        return "a path to a home folder leaves the vault"
    if _DRIVE.match(path):
        return "a path with a drive letter leaves the vault"
    return "the path leaves the vault with `..`" if ".." in path.split("/") else ""


def _part(part: str) -> str:
    """Why a folder or a note cannot have the name `part`."""
    if not part:
        return "the path has an empty part"
    if part.startswith("."):
        return f"`{part}` is hidden: no note is looked for there"
    stem = part.removesuffix(NOTE)
    if problem := naming.cannot_be(stem):
        return problem
    if part.endswith("."):
        return f"`{part}` ends with a dot, which Windows takes away"
    if found := naming.NOT_ON_WINDOWS.search(part):
        return f"the name has a `{found[0]}`, which Windows does not allow"
    return f"`{part}` is the name of a device on Windows" if naming.RESERVED.fullmatch(part) else ""


def _value(text: str) -> str:
    """What is named: the quoted part, a link's text, or all up to a remark behind the path."""
    text = text.strip()
    if found := _QUOTED.match(text):
        return next(part for part in found.groups() if part is not None).strip()
    if link := _LINK.match(text):
        return (link["wiki"] or link["words"]).strip("`").strip()
    if text[:1] + text[-1:] in ("<>", "[]", "()"):
        text = text[1:-1].strip()
    remark = _REMARK.fullmatch(text)
    return (remark["path"] if remark else text).rstrip("`\"'_ ").strip()


def _is_path(text: str) -> bool:
    return text.lower().endswith(NOTE) or (" " not in text and ("/" in text or "\\" in text))
