"""What a text is that no language is given for, told by its looks."""

from __future__ import annotations

import ast
import json
import re

from coursemill.pure.raw import uncomment

_DRAWN = re.compile(r"[├└│╰╭]|^[ \t|]*(?:\|--|\+--|`--|\\--|\|__)[ \t]?\S")
_NAME = re.compile(
    r"[ \t]*(?:[-*+][ \t]+)?\.{0,2}/?[\w.@~{}<>*+-]+(?:/[\w.@~{}<>*+-]+)*/?[ \t]*(?:(?:#|<--?|←|//|--|→|\().*)?"
)
_COMMANDS = (
    "apt|apt-get|awk|bash|brew|bundle|cargo|cat|cd|chmod|chown|conda|cp|curl|deno|docker|docker-compose|du|echo|export|"
    "find|flask|gcloud|git|go|grep|gunicorn|hdfs|helm|java|javac|jupyter|kubectl|ls|make|mamba|mkdir|mv|mvn|nano|nbgrader|"
    "node|npm|npx|pip|pip3|pipx|pnpm|poetry|psql|pyspark|pytest|python|python3|rm|rsync|ruff|rustup|scp|scrapy|sed|source|"
    "spark-submit|ssh|streamlit|sudo|systemctl|tail|tar|tensorboard|tensorflow_model_server|tensorflowjs_converter|touch|"
    "tox|uv|uvicorn|uvx|vim|virtualenv|wget|which|yarn|zip"
)
_COMMAND = re.compile(rf"[ \t]*(?:\w+=\S*[ ]+)*(?:(?:{_COMMANDS})(?:[ \t]+(?![=(+*/%|&<>-][ ])[^=\s]|[ \t]*$)|\./\S+)")
_PROMPT = re.compile(r"[ \t]*(?:\([\w.-]+\)[ ])?(?:[\w.-]+@[\w.-]+[^$#\n]*)?(?:\$|PS[ ][^>\n]*>|C:\\[^>\n]*>)[ ]\S")
_SESSION = re.compile(r"[ \t]*(?:>>>(?:[ ]|$)|In[ ]?\[\d*\]:)")
_SHEBANG = re.compile(r"#![^\n]*\b(python|bash|sh|zsh|node|perl|ruby)")
_TRACE = re.compile(r"Traceback \(most recent call last\)|^\w*(?:Error|Exception): ", re.MULTILINE)
_TAG = re.compile(r"\s*<(?:!DOCTYPE\b|!--|\?xml\b|/?[a-zA-Z][\w:-]*(?:\s[^<>]*)?/?>)")
_DIAGRAM = re.compile(
    r"\s*(?:(?P<plantuml>@start\w+)|(?P<graphviz>(?:strict[ ]+)?(?:di)?graph\b[^{\n]*\{)"
    r"|(?P<mermaid>(?:graph|flowchart)[ ]+(?:TB|TD|BT|RL|LR)\b|sequenceDiagram|classDiagram|stateDiagram|erDiagram"
    r"|gantt|pie[ ]+title|mindmap|gitGraph|journey))"
)
_FRONT = re.compile(r"(?:---\n)?(?:[\w.-]+:(?:[ ].*)?\n(?:[ ]+.*\n|-[ ].*\n)*){2,}")
_INI = re.compile(r"(?:[#;].*\n|\n)*\[[\w. :-]+\]\n(?:[#;].*\n|[\w.-]+[ ]*[=:].*\n|\n)*\Z")
_LANGUAGES = {
    "sql": r"(?i)\s*(?:select\b[\s\S]+\bfrom\b|insert\s+into\b|create\s+(?:table|view|index|database)\b"
    r"|update\s+\w+\s+set\b|delete\s+from\b|with\s+\w+\s+as\s*\()",
    "java": r"(?m)^\s*(?:public|private|protected)\s+(?:static\s+|final\s+)*(?:class|interface|enum|void|\w+\s+\w+\()",
    "javascript": r"(?m)^\s*(?:const|let|var)\s+[\w{\[].*[=;]|^\s*(?:async\s+)?function\s*\w*\(|=>\s*[{(]"
    r"|console\.log\(|\brequire\(['\"]",
    "rust": r"(?m)^\s*(?:pub\s+)?fn\s+\w+.*\{\s*$|^\s*let\s+mut\s|println!\(",
    "go": r"(?m)^package\s+\w+\s*$|^func\s+(?:\(\w+\s+\*?\w+\)\s*)?\w+\(",
    "c": r"(?m)^\s*#include\s*[<\"]|^(?:int|void)\s+main\s*\(",
    "r": r"(?m)^\s*[\w.]+\s*<-\s|^\s*library\(\w+\)|%>%",
    "scala": r"(?m)^\s*(?:val|object|case\s+class|def)\s+\w+.*[={]\s*$",
    "css": r"(?m)^[.#@]?[\w-]+(?:[ ,>.:#][\w-]+)*\s*\{\s*(?:\n\s*[\w-]+\s*:[^;\n]+;)+",
}


def language(text: str) -> str:
    """Return the likely language of a text: `python`, `bash`, `pycon`, `json`, `tree`, `output` …; never raises.

    `tree` is a drawing of directories, `pycon` a session at Python's prompt; `output` is what nothing else fits.
    """
    if is_tree(text):
        return "tree"
    rows = [row for row in text.split("\n") if row.strip()]
    if not rows:
        return "output"
    shebang = _SHEBANG.match(text)
    if shebang:
        return {"sh": "bash", "zsh": "bash", "node": "javascript"}.get(shebang[1], shebang[1])
    if _SESSION.match(rows[0]):
        return "pycon"
    if _PROMPT.match(rows[0]):
        return "console"
    diagram = _DIAGRAM.match(text)
    if diagram and diagram.lastgroup:
        return diagram.lastgroup
    if _TAG.match(text):
        return "html"
    if _TRACE.match(rows[0]):
        return "output"
    if _is_json(text):
        return "json"
    if is_shell(text):
        return "bash"
    if _is_python(text):
        return "python"
    found = next((name for name, looks in _LANGUAGES.items() if re.search(looks, text)), "")
    if found:
        return found
    if _INI.match(text + "\n"):
        return "ini"
    return "yaml" if _FRONT.fullmatch(text.rstrip() + "\n") else "output"


def is_tree(text: str) -> bool:
    """Whether a text draws directories, by lines or by indentation and slashes."""
    rows = [row for row in text.split("\n") if row.strip()]
    drawn = sum(_DRAWN.search(row) is not None for row in rows)
    if drawn >= 2 and drawn * 2 >= len(rows) - 1:
        return not any(re.match(r"\s*[┌╔╭]", row) for row in rows)
    if len(rows) < 2 or len(rows) > 2000 or not all(_NAME.fullmatch(row) for row in rows):
        return False
    folders = sum(re.match(r"\s*\S*/(?:\s|$)", row) is not None for row in rows)
    return folders > 0 and any(row[:1] in " \t" for row in rows)


def is_shell(text: str) -> bool:
    """Whether every line is a command of a shell, a comment, or goes on with the line above."""
    found = going_on = False
    for row in text.split("\n"):
        if going_on or not row.strip() or row.lstrip().startswith("#"):
            going_on = going_on and row.endswith("\\")
            continue
        if not _COMMAND.match(row) and not _PROMPT.match(row):
            return False
        found, going_on = True, row.endswith("\\")
    return found


def is_session(text: str) -> bool:
    """Whether a text was copied from Python's prompt."""
    return _SESSION.match(text.lstrip("\n")) is not None


def _is_json(text: str) -> bool:
    if text.lstrip()[:1] not in {"{", "["}:
        return False
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


def _is_python(text: str) -> bool:
    """Whether a text parses as Python and does more than name things."""
    found = uncomment.parsed(uncomment.live(text))
    if not found:
        return False
    weak = sum(isinstance(s, ast.Expr) and not isinstance(s.value, ast.Call | ast.Await) for s in found)
    typed = sum(isinstance(s, ast.AnnAssign) and s.value is None for s in found)
    return (weak + typed) * 2 < len(found)
