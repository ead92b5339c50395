"""Every code that `coursemill check` can report: stable, never reused; the docs' table is made from this one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from coursemill.model import Finding


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of mistake: its stable code, its name, what it means and what to do about it."""

    code: str
    name: str
    meaning: str
    fix: str
    severity: Literal["error", "warning"] = "error"

    def at(self, path: str, line: int, message: str = "", *, col: int = 1, fix: str = "") -> Finding:
        """Return the finding that this is the case at `path:line:col` (1-based)."""
        said, advice = _shown(message or self.meaning), _shown(fix or self.fix)
        return Finding(path, line, col, self.code, said, advice, self.severity)


REGISTRY: dict[str, Code] = {}
LONGEST = 300
"""Characters of a message: what a note holds may stand in it, however long that is."""


def _code(code: str, name: str, meaning: str, fix: str, severity: Literal["error", "warning"] = "error") -> Code:
    if code in REGISTRY:
        raise ValueError(f"{code} stands twice in the registry")
    REGISTRY[code] = Code(code, name, meaning, fix, severity)
    return REGISTRY[code]


# fmt: off
# a table: a row a line
# CM1: the file and its front matter
NOT_UTF8 = _code("CM101", "not-utf-8", "the note is not UTF-8", "save it as UTF-8")
BYTE_ORDER_MARK = _code("CM102", "byte-order-mark", "the note starts with a byte order mark", "save it as UTF-8 without BOM", "warning")
CRLF = _code("CM103", "crlf", "lines end with carriage returns", "save it with Unix line ends", "warning")
CONTROL_CHARACTER = _code("CM104", "control-character", "a control character stands in the note", "delete it")
EMPTY_NOTE = _code("CM105", "empty-note", "the note is empty", "write it or delete it", "warning")
TOO_LARGE = _code("CM106", "too-large", "the note is too large", "split it; move data to <Note>.files/")
UNREADABLE = _code("CM107", "unreadable", "the note cannot be read", "look at its permissions and links")
BAD_NAME = _code("CM108", "bad-name", "the file's name cannot be a notebook's", "rename it")
SAME_NAME = _code("CM109", "same-name", "two notes of a worksheet have one name", "rename one of them")
FRONT_MATTER_OPEN = _code("CM110", "front-matter-open", "the front matter is never closed", "close it with a line of `---`")
FRONT_MATTER_YAML = _code("CM111", "front-matter-yaml", "the front matter is not YAML", "mend the line")
FRONT_MATTER_KEY_TWICE = _code("CM112", "front-matter-key-twice", "a key stands twice", "keep one of them")
FRONT_MATTER_VALUE = _code("CM113", "front-matter-value", "a property has the wrong type or value", "see the front matter's table in the docs")
FRONT_MATTER_TAG = _code("CM114", "front-matter-tag", "YAML tags, anchors and aliases are not allowed", "write the value out")
UNKNOWN_WORKSHEET = _code("CM115", "unknown-worksheet", "no such worksheet", "name one that has a folder of shared files or stands in the settings")

# CM2: fences
FENCE_OPEN = _code("CM201", "fence-open", "the fence is never closed", "close it with as many ticks as opened it")
UNKNOWN_ROLE = _code("CM202", "unknown-role", "no such role", "see the table of roles")
UNKNOWN_ATTRIBUTE = _code("CM203", "unknown-attribute", "no such attribute", "see the table of attributes")
ATTRIBUTE_VALUE = _code("CM204", "attribute-value", "the attribute's value is not allowed", "see the table of attributes")
SYNTAX = _code("CM205", "syntax", "the code does not parse", 'mend it, or mark it role="show"')
CLAIM_ALONE = _code("CM206", "claim-alone", "an output claim that follows no code", "put it directly below the code that prints it")
FILE_PATH = _code("CM207", "file-path", "the path leaves the lesson's directory", "use a relative path without `..`")
TEXT_AFTER_FENCE = _code("CM208", "text-after-fence", "text follows the closing fence on its line", "put it on a line of its own")
DIAGRAM = _code("CM209", "diagram", "the diagram could not be drawn", "mend its source, or draw it where its renderer is", "warning")
ROLE_OUTSIDE = _code("CM210", "role-outside-exercise", "the role belongs in an exercise", "put an `[!exercise|id=…]` callout above it")
SYNTAX_WARNING = _code("CM211", "syntax-warning", "Python warns when it compiles the code", "do what the warning says; a student's cell that warns gets no points", "warning")
PARAMETERS_TWICE = _code("CM212", "parameters-twice", "a second cell is tagged as parameters", 'keep one fence with tags="parameters"')
HTML_OPEN = _code("CM213", "html-open", "an HTML comment or tag hides the rest of the note", "close it: `-->`, `</script>`, `</pre>` …")
DIAGRAM_ODD = _code("CM214", "diagram-odd", "the diagram shows something else than its source says", "look at the picture", "warning")
FOREIGN_ATTRIBUTE = _code("CM215", "foreign-attribute", "an attribute of another program is ignored", "leave it out", "warning")
QUERY = _code("CM220", "query-shown", "the notebook shows a query, not what it finds", "ask for a list or a table by folder, tag or link, or write the answer out", "warning")
ANYBLOCK = _code("CM221", "anyblock-unknown", "a header of AnyBlock asks for something that there is not", "write one that the page on Obsidian names", "warning")
PLUGIN = _code("CM222", "plugin-shown", "a plugin of Obsidian draws the fence; the notebook shows its text", 'draw it with d2 or mermaid, or mark it role="show"', "warning")
TEMPLATE = _code("CM223", "template-shown", "an expression of Templater was never run", "write what it stands for", "warning")
HTML = _code("CM224", "html-left-out", "JupyterLab leaves this HTML out", "say it in Markdown, or put it into code", "warning")
FOOTNOTE_MISSING = _code("CM225", "footnote-missing", "a footnote has no note", "add a line that begins with `[^…]:`", "warning")
FOOTNOTE_UNUSED = _code("CM226", "footnote-unused", "nothing refers to a footnote's note", "put its `[^…]` into the text, or delete it", "warning")
EMBED_LINKED = _code("CM227", "embed-linked", "what is embedded is shown as a link", "give it a line of its own, or link to it", "warning")
INLINE_QUERY = _code("CM228", "inline-query", "the notebook shows an expression of Dataview as code", "write its value out", "warning")

# CM3: exercises, questions and quizzes
ID_MISSING = _code("CM301", "id-missing", "the task has no id", "give it one: `[!exercise|id=…]`")
ID_TWICE = _code("CM302", "id-twice", "the id stands twice in the course", "ids are unique in the course: rename one")
ID_FORM = _code("CM303", "id-form", "the id has characters that nbgrader refuses", "use letters, digits, `-` and `_`")
NO_SOLUTION = _code("CM304", "no-solution", "the exercise has no solution", 'add a fence with role="solution"')
NO_TESTS = _code("CM305", "no-tests", "the exercise has no tests", 'add a fence with role="test" points=…')
NO_POINTS = _code("CM306", "no-points", "points are missing", "give `points=…`")
MARKERS = _code("CM307", "markers", "the solution's markers do not match", "each `### BEGIN SOLUTION` needs one `### END SOLUTION` below it")
HIDDEN_ALONE = _code("CM308", "hidden-alone", "the exercise has hidden tests only", "add a public test that shows what is asked")
SCORE = _code("CM309", "score", "a wrong answer's score is not between 0 and the exercise's points", "give what the tests award")
QUIZ_OPTIONS = _code("CM310", "quiz-options", "a quiz needs two or more options and a right one", "mark right options with `[x]`")
NO_MODEL_ANSWER = _code("CM311", "no-model-answer", "a manually graded exercise has no model answer", "add a `[!solution]-` callout")
NO_RUBRIC = _code("CM312", "no-rubric", "a manually graded exercise has no rubric", "add a `[!rubric]-` callout")
RUBRIC_SUM = _code("CM313", "rubric-sum", "the rubric's points do not add up to the exercise's", "make them equal", "warning")
TASK_NESTED = _code("CM314", "task-nested", "the task stands inside a list or another callout", "move it to the left margin", "warning")
TASK_KIND = _code("CM315", "task-kind", "the callout's kind is nearly a task's", "write `exercise`, `quiz`, `hint`, `solution` or `rubric`")
LAZY_LINE = _code(
    "CM316",
    "lazy-line",
    "a line without `>` goes on the callout above",
    "put a blank line above it, or begin it with `> `",
)

# CM4: links and files
LINK_UNRESOLVED = _code("CM401", "link-unresolved", "no note has that name", "mend the link", "warning")
LINK_HEADING = _code("CM402", "link-heading", "the note has no such heading", "mend the link", "warning")
LINK_AMBIGUOUS = _code("CM403", "link-ambiguous", "several notes have that name", "write the note's path", "warning")
FILE_MISSING = _code("CM404", "file-missing", "the file does not exist", "put it into <Note>.files/", "warning")

# CM5: building
NOT_BUILT = _code("CM501", "not-built", "no notebook can be made of the note", "look at what the message names")
NOT_INSTALLED = _code("CM502", "not-installed", "nothing that is installed here provides a module", "install it, or name its distribution: `requirements` in [tool.coursemill]", "warning")

# CM6: code that was probably damaged
NO_DATA = _code("CM601", "no-data", "data are made of nothing", "put back what stood in brackets", "warning")
NO_ARGUMENT = _code("CM602", "no-argument", "a call lost its arguments", "put back what stood in brackets", "warning")
LOST_INDEX = _code("CM603", "lost-index", "a whole list stands where one of its elements is meant", "write the index, as in `[0]`", "warning")
SAID_OTHERWISE = _code("CM604", "said-otherwise", "the code does not do what its comment or its text says", "write the index or the slice, or mend the words", "warning")
UNDEFINED = _code("CM605", "undefined-name", "nothing defines a name", "define it, or mend its spelling", "warning")
NO_IMPORT = _code("CM606", "missing-import", "nothing imports a name", "import it", "warning")
EMPTIED = _code("CM607", "emptied-body", "comments are all that is left of a body", "uncomment what stood there", "warning")
SWALLOWED = _code("CM608", "swallowed", "whatever fails in the cell is swallowed, and the cell passes", "name the error that is meant, or let it be raised", "warning")
IMPORT_BELOW = _code("CM609", "import-below", "an import stands below what needs it", "move it to the top", "warning")
FILE_TWICE = _code("CM610", "file-twice", "a block overwrites the file of another", "put both into one block, or give it a path of its own", "warning")
NO_MODULE = _code("CM611", "no-module", "no block writes the module of a relative import", "write it with role=\"file\", or mend the import", "warning")
NESTED_COMMENT = _code("CM612", "nested-comment", "a comment stands in a comment, which it ends early", "delete the outer `<!--` and its `-->`", "warning")
STRAY_TAG = _code("CM613", "stray-tag", "half of a `<script>` is missing", "put back its other half", "warning")
GAP = _code("CM614", "gap", "nothing stands where a value belongs", "put back what stood in brackets", "warning")


# CM7: what is out of date with the installed libraries
API_REMOVED = _code("CM701", "api-removed", "the library no longer has it", "write what replaced it, or say beside it that it is gone", "warning")
API_DEPRECATED = _code("CM702", "api-deprecated", "the library will drop it", "write what replaces it", "warning")
API_IGNORED = _code("CM703", "api-ignored", "the library takes it and does nothing with it", "delete it", "warning")
API_CHANGED = _code("CM704", "api-changed", "the library does something else with it now", "say what you mean", "warning")
PROSE_OUTDATED = _code("CM705", "prose-outdated", "what the prose says is no longer so", "say how it is now", "warning")


def _shown(message: str) -> str:
    """Write a message so that it is one line of a terminal and nothing else."""
    text = message if message.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in message)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
