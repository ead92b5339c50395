"""What scripts and pages lost: indexes, arguments, values; and comments that end where they should not."""

from __future__ import annotations

import re
from collections.abc import Iterator

from coursemill.model import Block, Finding
from coursemill.pure import codes
from coursemill.pure.raw.damage.rule import in_markup
from coursemill.pure.raw.damage.said import SAID
from coursemill.pure.raw.damage.script import HTML, LONGEST, TAGS, Script, pairs, script

OF_TEXT = "charAt|endsWith|padEnd|padStart|replace|replaceAll|split|startsWith|substring|toLowerCase|toUpperCase|trim"
OF_ELEMENT = (
    "addEventListener|appendChild|checked|classList|click|getAttribute|innerHTML|innerText|remove|setAttribute|"
    "src|style|textContent|value"
)
OF_FILE = "arrayBuffer|name|size|text|type|lastModified"
FILES = re.compile(r"(?:const|let|var)\s+(?P<name>\w+)\s*(?::[^=]+)?=\s*(?:[\w.?$]|\([^()]*\))+\.files\s*(?:;|$)")
ONE_FILE = re.compile(r"(?:file|image|img|photo|picture|document|upload|blob|pdf|csv)\d?", re.IGNORECASE)
READ = re.compile(
    r"(?:\b(?:readAs\w+|createObjectURL|createImageBitmap|\w*[a-z]File)\s*\(|\.append\(\s*(?:\"[^\"]*\"|'[^']*')\s*,)"
    r"\s*[\w.?$]+\.files\s*\)"
)
OF_FILES = re.compile(rf"\.files\.(?:{OF_FILE})\b")
SPLIT = re.compile(rf"\.split\(\s*(?:(\"[^\"]*\"|'[^']*')\s*)?\)\.(?P<method>{OF_TEXT})\b")
ELEMENTS = re.compile(rf"\.(?P<all>querySelectorAll|getElementsBy\w+)\([^()]*\)\.(?P<one>{OF_ELEMENT})\b")
VALUES = re.compile(
    r"(?:const|let|var)\s+(?P<name>\w+)\s*(?::[^=]+)?=\s*(?:\(?await\s+)?(?P<from>[^;=]+?)"
    r"\.(?P<method>dataSync|data)\(\)\)?\s*(?:;|$)"
)
SEVERAL = re.compile(
    r"(?:[^s]s|data|array|list|values?|buffer|flat|batch|tensor|vector|matrix|result|output|raw|arr)$", re.I
)
EMPTY_VALUE = re.compile(r"[\w$\])]\s*=\s*(?=[;,)])")
EMPTY_FIRST = re.compile(r"[\w$]\(\s*,")
EMPTY_LOOP = re.compile(r"\b(?:of|in)\s*\)")
LOG = re.compile(
    r"console\.log\((?P<quote>[\"'`])(?P<text>[^\"'`]*)(?P=quote)\s*,\s*(?P<value>[\w.$]+?)(?:\.(?:arraySync|dataSync|toArray)\(\))?\s*\)"
)
FURTHER = 100
"""Lines below in which an element may be taken."""
PLURAL = re.compile(r"(?:[^s]s|List|Array|data|batch)$")


@in_markup
def files(block: Block) -> Iterator[Finding]:
    """`const file = event.target.files`: a list of files, also when one was chosen."""
    code = script(block)
    for number, line in enumerate(code.lines):
        if ".files" not in line:
            continue
        taken = FILES.search(line)
        if taken and _is_one_file(taken["name"], code, number) and not _is_indexed(taken["name"], code, number):
            message = f"`.files` is a list of files, and `{taken['name']}` is used as one"
            yield code.on(codes.LOST_INDEX, number, taken.start(), message, "write `.files[0]`")
        for found in (*READ.finditer(line), *OF_FILES.finditer(line)):
            message = "`.files` is a list of files, and here one is needed"
            yield code.on(codes.LOST_INDEX, number, found.start(), message, "write `.files[0]`")


@in_markup
def lists(block: Block) -> Iterator[Finding]:
    """`line.split(",").trim()` and `querySelectorAll(".price").textContent`: only elements have these."""
    code = script(block)
    for number, line in enumerate(code.lines):
        for found in SPLIT.finditer(line):
            message = f"`split` gives an array, which has no `{found['method']}`"
            yield code.on(codes.LOST_INDEX, number, found.start(), message)
        for found in ELEMENTS.finditer(line):
            message = f"`{found['all']}` gives a list of elements, which has no `{found['one']}`"
            yield code.on(codes.LOST_INDEX, number, found.start(), message)


@in_markup
def numbers(block: Block) -> Iterator[Finding]:
    """`const predictedClass = scores.argMax(-1).dataSync()`: a tensor's data are an array, also of one number."""
    code = script(block)
    for number, line in enumerate(code.lines):
        found = VALUES.search(line) if ".data" in line else None
        if not found or SEVERAL.search(found["name"]) or _is_indexed(found["name"], code, number):
            continue
        if found["method"] == "dataSync" or re.search(r"\.(?:argMax|argMin|mean|sum)\(", found["from"]):
            message = f"`{found['method']}()` gives an array, and `{found['name']}` is used as one value"
            yield code.on(codes.LOST_INDEX, number, found.start(), message, f"write `{found['method']}()[0]`")


@in_markup
def arguments(block: Block) -> Iterator[Finding]:
    """`tf.tensor2d(values,)`: behind the comma an argument fell out."""
    code = script(block)
    for number, line in enumerate(code.lines):
        if "," not in line:
            continue
        for start, end in pairs(line):
            inside, before = line[start + 1 : end], line[:start].rstrip()
            if not inside.rstrip().endswith(",") or re.match(r"\s*(?:=>|\{|:)", line[end + 1 :]):
                continue
            if not re.search(r"\b(?:function|if|for|while|switch|catch)\s*\w*$", before):
                name = re.search(r"[\w.$]*$", before)
                message = f"behind the comma of `{name[0] if name else ''}(…,)` an argument is missing"
                yield code.on(codes.NO_ARGUMENT, number, start, message)


@in_markup
def gaps(block: Block) -> Iterator[Finding]:
    """`const labels = ;`: what stood in brackets fell out."""
    code = script(block)
    for number, line in enumerate(code.lines):
        for pattern, what in ((EMPTY_VALUE, "`=`"), (EMPTY_FIRST, "`(`"), (EMPTY_LOOP, "`of`")):
            found = pattern.search(line)
            if found and not (what == "`of`" and not re.search(r"\bfor\b", line)):
                yield code.on(codes.GAP, number, found.start(), f"nothing stands behind {what}")


@in_markup
def said(block: Block) -> Iterator[Finding]:
    """`console.log("First prediction:", predictions)`: the text says one, the code prints all."""
    code = script(block)
    for number, line in enumerate(code.raw):
        for found in () if len(line) > LONGEST else LOG.finditer(line):
            told = SAID.search(found["text"])
            if told and PLURAL.search(found["value"]) and not SAID.search(found["value"]):
                message = f"it says “{told[0]}”, and `{found['value']}` is all of it"
                yield code.on(codes.SAID_OTHERWISE, number, found.start("value"), message)


@in_markup
def comments(block: Block) -> Iterator[Finding]:
    """A comment cannot stand in a comment: the first `-->` ends both."""
    if block.language not in HTML:
        return
    opened = -1
    for found in re.finditer(r"<!--|-->", block.text):
        if found[0] == "-->":
            opened = -1
        elif opened >= 0:
            outer = block.first_line + block.text.count("\n", 0, opened)
            inner = block.first_line + block.text.count("\n", 0, found.start())
            col = block.indent + opened - block.text.rfind("\n", 0, opened)
            message = f"the comment that begins here ends with the one on line {inner}, which stands in it"
            yield codes.NESTED_COMMENT.at(block.span.path, outer, message, col=col)
            return  # what follows is no longer what was meant
        else:
            opened = found.start()


@in_markup
def tags(block: Block) -> Iterator[Finding]:
    """`</script>` without its `<script>`, or the other way round."""
    if block.language not in HTML:
        return
    opened: re.Match[str] | None = None
    for tag in TAGS.finditer(block.text):
        if tag["end"] and opened is None:
            yield _tag(block, tag, "`</script>` ends a script that nothing begins")
        elif not tag["end"] and opened is not None:
            yield _tag(block, opened, "this `<script>` is never ended")
        opened = None if tag["end"] else tag
    if opened is not None:
        yield _tag(block, opened, "this `<script>` is never ended")


def _tag(block: Block, tag: re.Match[str], message: str) -> Finding:
    line = block.first_line + block.text.count("\n", 0, tag.start())
    col = block.indent + tag.start() - block.text.rfind("\n", 0, tag.start())
    return codes.STRAY_TAG.at(block.span.path, line, message, col=col)


def _last_word(name: str) -> str:
    """`file` of `selectedFile` and of `the_file`."""
    return re.split(r"_|(?<=[a-z])(?=[A-Z])", name)[-1]


def _is_one_file(name: str, code: Script, number: int) -> bool:
    """Whether the name says that it is one file, or the code below uses it as one."""
    use = re.compile(rf"(?:readAs\w+|createObjectURL)\(\s*{re.escape(name)}\s*\)|\b{re.escape(name)}\.(?:{OF_FILE})\b")
    below = code.lines[number : number + FURTHER]
    return ONE_FILE.fullmatch(_last_word(name)) is not None or any(use.search(line) for line in below)


def _is_indexed(name: str, code: Script, number: int) -> bool:
    """Whether an element of it is taken further down."""
    use = re.compile(
        rf"\b{re.escape(name)}\s*(?:\?\.)?(?:\[|\.(?:length|item|map|forEach|slice|at|filter|reduce)\b)"
        rf"|(?:of|in|\.\.\.|from\()\s*{re.escape(name)}\b"
    )
    return any(use.search(line) for line in code.raw[number : number + FURTHER])
