"""Mathematics and dollars: Jupyter takes any two dollars of a paragraph for mathematics, Obsidian only some.

JupyterLab cuts formulas out of the source before it reads Markdown, and MathJax looks for dollars again in what was
rendered, so that `\\$` is no escape there; an entity in a tag of its own is one (seen in 4.6).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from coursemill.pure.references import masked

DOLLAR = "<span>&#36;</span>"
"""A dollar that begins no formula, in any Jupyter."""
_DOLLARS = re.compile(
    r"""
    (?P<escaped>\\\$) | \\[^\w\s$]
  | (?P<formula>\$\$(?:(?!\n[ \t]*\n)[\s\S])+?\$\$ | \$(?![\s$])(?:\\.|[^$\n\\])*?(?<!\s)\$(?!\d)
      | \$(?![\s$\d])(?=[^$]*[\\^_{=+])(?:\\.|[^$\n\\])*\n(?![ \t]*\n)(?:\\.|[^$\n\\])*(?<!\s)\$(?!\d))
  | <[a-zA-Z/!][^<>\n]*>
  | (?P<address>\]\([^()\n]*\) | https?://[^\s<>]+)
  | (?P<lone>\$)
    """,
    re.VERBOSE,
)
_ROW = re.compile(r"[ \t>]*\|")
_QUOTED = re.compile(r"\n[ \t]*>[ \t>]*")


def shown(text: str) -> str:
    """Markdown in which Jupyter takes for formulas what Obsidian takes for them, and nothing else."""
    if "$" not in text:
        return text
    return "".join(_paragraph(part) for part in re.split(r"(\n[ \t]*\n)", text))


def block(lines: Sequence[str]) -> str:
    """A formula between lines of `$$`: for Jupyter it ends at a blank line, and a quote's marks are a part of it."""
    quoted = lines[0].lstrip(" \t").startswith(">")
    kept = "\n".join(line for line in lines if line.strip(" \t>" if quoted else " \t"))
    return _joined(kept) if quoted else kept


def _paragraph(text: str) -> str:
    if "$" not in text:
        return text
    seen = list(_DOLLARS.finditer(masked(text)))
    dollars = sum(bool(m["escaped"] or m["lone"] or m["formula"]) + ("$" in (m["address"] or "")) for m in seen)
    pieces = []
    done = 0
    for match in seen:
        piece = text[slice(*match.span())]
        if match["formula"]:
            piece = _formula(piece, text[text.rfind("\n", 0, match.start()) + 1 : match.start()])
        elif dollars > 1 and (match["escaped"] or match["lone"]):
            piece = DOLLAR
        elif dollars > 1 and match["address"]:
            piece = piece.replace("$", "%24")
        pieces += [text[done : match.start()], piece]
        done = match.end()
    return "".join([*pieces, text[done:]])


def _formula(formula: str, before: str) -> str:
    """A formula; `before` is what stands on its first line above it: a table's or a quote's mark."""
    if _ROW.match(before):
        return formula.replace(r"\|", r"\vert{}")
    return _joined(formula) if before.lstrip(" \t").startswith(">") else formula


def _joined(text: str) -> str:
    """A quote's lines as one, unless TeX's comments end with them."""
    if re.search(r"(?<!\\)%", text):
        return text
    return _QUOTED.sub(" ", text)
