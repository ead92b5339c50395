"""What a note's code blocks are: code that runs, code that was commented out, placeholders, files, shell, drawings …"""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from coursemill.model import Block
from coursemill.pure import statements as counting
from coursemill.pure.attributes import is_inside
from coursemill.pure.fences import PYTHON
from coursemill.pure.raw import placeholders, sniff, uncomment

Kind = Literal[
    "live", "imports", "commented", "placeholder", "damaged", "file", "shell", "session", "tree", "output", "markup",
    "data", "diagram", "code", "empty",
]  # fmt: skip

_SHELL = frozenset({
    "bash", "sh", "shell", "zsh", "fish", "console", "terminal", "shell-session", "shellsession", "sh-session",
    "powershell", "ps1", "pwsh", "cmd", "bat", "batch", "dos", "command", "commandline",
})  # fmt: skip
_OUTPUT = frozenset({
    "output", "stdout", "stderr", "out", "log", "logs", "traceback", "pytb", "py3tb", "result", "results",
})  # fmt: skip
_MARKUP = frozenset({
    "html", "xhtml", "xml", "svg", "css", "scss", "sass", "less", "markdown", "md", "rst", "latex", "tex", "jinja",
    "jinja2", "django", "html+jinja", "katex", "math",
})  # fmt: skip
_DATA = frozenset({
    "json", "jsonc", "json5", "jsonl", "ndjson", "yaml", "yml", "toml", "ini", "cfg", "conf", "config",
    "properties", "env", "dotenv", "csv", "tsv", "diff", "patch", "editorconfig", "gitignore",
})  # fmt: skip
_DIAGRAM = frozenset({
    "d2", "mermaid", "plantuml", "puml", "uml", "dot", "graphviz", "ditaa", "blockdiag", "seqdiag", "nomnoml",
    "wavedrom", "svgbob", "vega", "vega-lite", "excalidraw", "tikz", "pikchr", "structurizr", "bytefield",
})  # fmt: skip
_TREE = frozenset({"tree", "filetree", "treeview", "dirtree"})
_PLAIN = frozenset({"", "text", "txt", "plain", "plaintext", "none", "raw", "ascii"})
_SESSION = frozenset({"pycon", "python-console", "python-repl", "doctest", "ipython-console"})
_SUFFIXES: Mapping[str, frozenset[str]] = {
    "python": frozenset({"py", "pyi", "pyw"}),
    "shell": frozenset({"sh", "bash", "zsh", "fish", "ps1", "bat", "cmd", "env"}),
    "javascript": frozenset({"js", "mjs", "cjs", "jsx", "ts", "tsx", "vue", "svelte"}),
    "html": frozenset({"html", "htm", "xhtml", "xml", "svg", "j2", "jinja", "vue", "svelte"}),
    "java": frozenset({"java", "kt", "scala", "groovy", "gradle"}),
    "c": frozenset({"c", "h", "cc", "cpp", "hpp", "cu"}),
}
_ALIASES = {"js": "javascript", "node": "javascript", "jsx": "javascript", "typescript": "javascript",
            "ts": "javascript", "tsx": "javascript", "xml": "html", "svg": "html", "jinja": "html", "jinja2": "html",
            "cpp": "c", "c++": "c", "kotlin": "java", "scala": "java"}  # fmt: skip
_KNOWN = frozenset({
    "cfg", "conf", "css", "csv", "dockerfile", "env", "go", "gql", "graphql", "ini", "ipynb", "json", "jsonl",
    "less", "lock", "lua", "md", "mk", "php", "pl", "plist", "proto", "ps1", "r", "rb", "rs", "rst", "sass", "scss",
    "service", "sql", "swift", "tcl", "tf", "tmpl", "toml", "tpl", "tsv", "txt", "yaml", "yml",
}).union(*_SUFFIXES.values())  # fmt: skip
_NAMED = frozenset({"dockerfile", "makefile", "procfile", "jenkinsfile", "vagrantfile", "gemfile", ".env", ".gitignore",
                    ".dockerignore", ".htaccess", "cmakelists.txt", "justfile", "caddyfile"})  # fmt: skip
_COMMENT = re.compile(
    r"(?:#|//|--|;|%|<!--|/\*+|\{#|\(\*|REM\b|')[ \t]*(?P<said>.*?)[ \t]*(?:-->|\*+/|#\}|\*\))?[ \t]*"
)
_LABELLED = re.compile(
    r"(?:(?:in[ ])?(?:file(?:[ ]?name|[ ]?path)?|path|datei|archivo|arquivo|fichier)[ ]*:?[ ]*)?"
    r"[`'\"*]*(?P<path>\.?[\w.@+-]+(?:/[\w.@+-]+)*)[`'\"*]*:?(?:[ ]+[(\[—–-].*)?",
    re.IGNORECASE,
)
_COMMENT_MARKS = re.compile(r"^[ \t]*#+ ?", re.MULTILINE)
_SLASHED = frozenset(
    {"css", "scss", "less", "rust", "go", "swift", "dart", "groovy", "csharp", "c#", "cs", "proto"}
).union(_ALIASES.values()) - {"html"}
"""Languages in which `#` is no comment."""
_SLASHES = r"//[^\n]*+|/\*(?:(?!\*/)[\s\S])*+\*/"
_MARKS = rf"{_SLASHES}|(?:#|--|;|%)[^\n]*+|<!--(?:(?!-->)[\s\S])*+-->"
_COMMENTED = {
    slashed: re.compile(rf"(?:\s*+(?:{marks}))++\s*+") for slashed, marks in ((True, _SLASHES), (False, _MARKS))
}
_CODELIKE = re.compile(
    r"[;{}][ \t]*$|\w\(|[\w\])]\s*=\s*\S|=>|</?\w+[^>\n]*>|^[^\w\n]*(?:docker|pip|npm|git|scrapy|curl|SELECT)\b",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Look:
    """What a block is, and how that shows, in a phrase."""

    kind: Kind
    reason: str


def kind(block: Block) -> Kind:
    """Return what a block is; see `look`."""
    return look(block).kind


def look(block: Block) -> Look:
    """Say what a block is, and why. What comes first counts:

    empty > output (`role="output"`) > tree > session > damaged > file > placeholder > commented > imports > live, for
    Python; > shell > diagram > data > markup > output > code for other languages. So a damaged file is damaged, a file
    with a placeholder is a file, and commented-out code with a placeholder in it is a placeholder, for it cannot run
    when it is uncommented, either. Blocks without a language, or with `text`, are told by their looks.
    """
    if not block.text.strip():
        return Look("empty", "it has no text")
    if block.role == "output":
        return Look("output", 'it has role="output"')
    language, told = _language(block)
    if language == "tree":
        return Look("tree", "it draws directories")
    if language in _SESSION:
        return Look("session", "it was copied from an interpreter's prompt")
    if language in PYTHON:
        return _python(block, told)
    path = file_path(block)
    if path:
        return Look("file", f"its first line names the file `{path}`")
    found = _other(language, told)
    if found.kind in {"output", "data", "diagram"}:
        return found
    placeholder = placeholders.in_text(block.text)
    if placeholder:
        return Look("placeholder", f"`{placeholder}` stands for something")
    if _all_comments(block.text, language):
        return Look("commented", "all of it is commented out")
    return found


def statements(block: Block) -> tuple[int, int]:
    """Count the top-level statements of a block that execute now, and those that do after uncommenting.

    What is not Python, or has a role that is not executed, has none; nor has what does not parse.
    """
    if block.language not in PYTHON or block.role in {"show", "output", "file"}:
        return 0, 0
    return _count(block.text), _count(uncomment.live(block.text))


def file_path(block: Block) -> str:
    """Return the path that a comment on the block's first line gives, such as `# shop/items.py`; or nothing.

    It has to stay inside of a directory, and to end as files in the block's language do.
    """
    first = next((line.strip() for line in block.text.split("\n")[:3] if line.strip() and line[:2] != "#!"), "")
    comment = _COMMENT.fullmatch(first)
    said = _LABELLED.fullmatch(comment["said"]) if comment else None
    if not said:
        return ""
    path = said["path"].removeprefix("./")
    name = path.rpartition("/")[2].lower()
    suffix = name.rpartition(".")[2]
    if not is_inside(path) or not _suits(name, suffix, _language(block)[0]):
        return ""
    return path


def _language(block: Block) -> tuple[str, bool]:
    """The block's language, and whether only its looks tell it."""
    language = block.language.strip("{}.").split(":")[0].split(",")[0]
    text = block.text
    if language in _PLAIN:
        return sniff.language(text), True
    if (language in PYTHON or language in _SHELL or language in _OUTPUT) and sniff.is_tree(text) and not _parses(text):
        return "tree", True
    if language in PYTHON and not _parses(text):
        if sniff.is_session(text):
            return "pycon", True
        if sniff.is_shell(text) and not _parses(uncomment.live(text)):
            return "bash", True
    return language, False


def _suits(name: str, suffix: str, language: str) -> bool:
    if name in _NAMED:
        return language not in PYTHON
    if "." not in name.lstrip(".") or suffix not in _KNOWN:
        return False
    group = "python" if language in PYTHON else "shell" if language in _SHELL else _ALIASES.get(language, language)
    return suffix in _SUFFIXES.get(group, _KNOWN)


def _python(block: Block, told: bool) -> Look:
    text = textwrap.dedent(block.text)
    after = uncomment.live(text)
    problem = uncomment.problem(after)
    if problem:
        return Look("damaged", f"line {problem.line} does not parse: {problem.message}")
    path = file_path(block)
    if path:
        return Look("file", f"its first line names the file `{path}`")
    tree = uncomment.parsed(after) or []
    placeholder = placeholders.in_python(after, tree)
    if placeholder:
        return Look("placeholder", f"`{placeholder}` stands for something")
    now = uncomment.parsed(text)
    note = ", by its looks" if told else ""
    commented = after != text
    if now is None:
        return Look("commented", "it parses only when its comments are code again")
    if not now and commented:
        return Look("commented", "all its code is commented out")
    if not now and sniff.is_session(_COMMENT_MARKS.sub("", text.strip())):
        return Look("session", "it was copied from an interpreter's prompt, and commented out")
    if not now:
        return Look("empty", "it holds comments alone")
    if all(isinstance(statement, ast.Import | ast.ImportFrom) for statement in now):
        return Look("imports", f"only imports run{', the rest is commented out' if commented else ''}{note}")
    return Look("live", f"its statements run{', some are commented out' if commented else ''}{note}")


def _other(language: str, told: bool) -> Look:
    note = "by its looks" if told else f"its language is `{language}`"
    groups: Sequence[tuple[Kind, frozenset[str]]] = (
        ("shell", _SHELL),
        ("diagram", _DIAGRAM),
        ("data", _DATA),
        ("markup", _MARKUP),
        ("tree", _TREE),
        ("output", _OUTPUT),
    )
    found = next((name for name, languages in groups if language in languages), None)
    if found:
        return Look(found, note)
    return Look("code", f"it is {language}, {note}" if told else note)


def _all_comments(text: str, language: str) -> bool:
    """Whether all of a text in another language is comments, and some of them were code."""
    slashed = _ALIASES.get(language, language) in _SLASHED
    return _COMMENTED[slashed].fullmatch(text) is not None and _CODELIKE.search(text) is not None


def _parses(text: str) -> bool:
    return uncomment.parsed(text) is not None


def _count(text: str) -> int:
    if uncomment.problem(text):
        return 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return counting.count(text)
