"""What a comment such as `# Output: 42 (an int)` says that is printed: the value, without the author's remarks."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

ANYTHING = "..."
LONGEST = 2000
"""Characters of a value that are looked at for remarks."""
_WORD = (
    r"(?:(?:expected|printed|console|actual)[ ]+)?(?:outputs?|results?|prints?|out(?:\[\d+\])?"
    r"|ausgabe|ergebnis|salida|resultado|saída|sortie|résultat|uitvoer|risultato|wynik|вывод|результат)"
)
_MARK = re.compile(
    rf"(?:(?P<word>{_WORD})[ ]*(?P<which>\([^()]*\))?[ ]*(?::|=>|->|→)|(?P<arrow>→|-+>|=+>|⇒|➜|>>>|>(?=\s))"
    r"|(?P<verb>prints)(?=\s))"
    r"\s*(?P<rest>.*)",
    re.IGNORECASE,
)
_DESCRIPTION = re.compile(
    r"(?:an?|the|some|something|e\.?g\.?|eg|i\.?e\.?|for example|like|about|approx\w*|around|roughly|varies|depends|"
    r"vary|similar|random|will|would|should|may|might|could|is|are|shows?|displays?|list of|same|nothing|no|none of|"
    r"all|each|every|one|first|last|whatever|any|your|see|raises?|throws?|error|unordered|ordered|not|only)\s+\S"
    r"|[~≈?]|(?:An?|The)[ ](?:array|data ?frame|dict\w*|error|list|number|object|series|str\w*|table|tensor|tuple)\b"
    r"|(?i:depends|varies|something|nothing|random|whatever|raises|throws|shows|displays)\b"
    r"|.*\b(?:or similar|may vary|will vary|varies|could vary|depends on|or so)\b|\S+ or \S+$|<(?:your|some)\b"
)
_SHOWN = re.compile(r"<class '[\w.]+'>|\[[-+\d.e ]*\d[-+\d.e ]*\]|[A-Z]\w*\(.*\)|dict_(?:keys|values|items)\(.*\)")
"""What else is hardly anything but output: a class, NumPy's arrays, `Counter(…)`."""
_ERROR = re.compile(r"(?:[A-Z]\w*(?:Error|Exception)|Traceback|StopIteration)\b")
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{4,}\b")
_PARENTHESES = re.compile(r"(?P<value>.*\S)\s+(?P<remark>\([^()]*(?:\([^()]*\)[^()]*)*\)\.?)\s*$")
_ARROW = re.compile(r"(?P<value>.*\S)\s+(?P<remark>(?:<-+|←|<=+)\s.*)$")
_DASH = re.compile(r"(?P<value>.*?\S)\s*(?P<remark>(?:\s(?:-+|–|—|//)\s|;\s|,\s(?=[a-z]{2,} ))\s*\S.*)$")


@dataclass(frozen=True, slots=True)
class Mark:
    """The beginning of a comment that says what is printed."""

    rest: str
    """What follows on its line."""
    which: str = ""
    """What the author says of the output: `Output (without spaces):`."""
    sure: bool = True
    """It says that output follows; an arrow does not."""
    weak: bool = False
    """It may begin a sentence: `# prints …`."""


@dataclass(frozen=True, slots=True)
class Value:
    """What is printed, and the author's remark behind it; `open`: more may follow the value."""

    text: str
    remark: str = ""
    open: bool = False


def mark(comment: str) -> Mark | None:
    """The mark that a comment (with its `#`) begins with."""
    found = _MARK.match(body(comment))
    if found is None:
        return None
    word, verb = found["word"] is not None, found["verb"] is not None
    return Mark(found["rest"].strip(), found["which"] or "", sure=word, weak=verb)


def body(comment: str) -> str:
    """A comment without its marks; a comment in a comment has two."""
    return re.sub(r"^(?:#+[ \t]?)+", "", comment).rstrip()


def value(text: str) -> Value | None:
    """The value that `text` begins with; None when it describes one, or may."""
    if len(text) > LONGEST:
        return None
    text, remark = _without_comment(text.strip())
    is_open = False
    for pattern in (_ARROW, _PARENTHESES, _DASH):
        found = pattern.fullmatch(text)
        if found is None or (pattern is _DASH and not is_literal(found["value"])):
            continue
        if pattern is _PARENTHESES and is_literal(text):
            continue
        text, remark = found["value"].rstrip(), " ".join(filter(None, [found["remark"].strip(), remark]))
        is_open = is_open or not is_literal(text)
    if not text or (_DESCRIPTION.match(text) and not is_literal(text)) or _is_unordered(text):
        return None
    return Value(_ADDRESS.sub(ANYTHING, text), remark, is_open)


def line(text: str) -> Value:
    """One of several lines of output: as it stands, less a comment behind it, and a remark behind a literal."""
    shown, remark = _without_comment(text.rstrip())
    found = _PARENTHESES.fullmatch(shown[:LONGEST])
    if found and is_literal(found["value"].strip()) and not is_literal(shown.strip()):
        shown, remark = found["value"].rstrip(), " ".join(filter(None, [found["remark"], remark]))
    return Value(_ADDRESS.sub(ANYTHING, shown), remark)


def is_literal(text: str) -> bool:
    """Whether `text` is a value as Python writes it: a number, a text in quotes, a list, None …."""
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return False
    return True


def is_shown(text: str) -> bool:
    """Whether `text` looks like what Python prints, though it may be no literal."""
    return is_literal(text) or _SHOWN.fullmatch(text) is not None


def is_error(text: str) -> bool:
    """Whether `text` names an exception."""
    return _ERROR.match(text) is not None


def text_of(text: str) -> str:
    """What stands between the quotes of `text`, when it is nothing but a string; else empty."""
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return ""
    return found if isinstance(found, str) and "\n" not in found else ""


def is_prose(text: str) -> bool:
    """Whether a line reads as a sentence rather than as output."""
    words = text.split()
    plain = sum(word.strip(".,:;!?()'’").isalpha() for word in words)
    return len(words) >= 4 and plain >= 0.7 * len(words) and text[0].isupper() and not is_literal(text)


def _is_unordered(text: str) -> bool:
    """Whether a set's order would decide; that of texts is another one in each process."""
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return False
    return isinstance(found, set) and any(isinstance(one, str) for one in found) and len(found) > 1


def _without_comment(text: str) -> tuple[str, str]:
    """Cut a comment off behind the value, when its `#` stands in no quotes."""
    quote, at = "", 0
    while at < len(text):
        character = text[at]
        if quote:
            if character == "\\":
                at += 1
            elif character == quote:
                quote = ""
        elif character in "\"'" and (at == 0 or not text[at - 1].isalnum()):
            quote = character
        elif character == "#" and at and text[at - 1].isspace():
            return text[:at].rstrip(), text[at:].lstrip("# ")
        at += 1
    return text, ""
