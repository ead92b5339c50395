"""Indexes that fell out: a whole list, tuple or array stands where one of its elements is meant."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from coursemill.model import Finding
from coursemill.pure import codes, trees
from coursemill.pure.raw.damage.rule import in_block
from coursemill.pure.raw.damage.source import Note, Source

OF_TEXT = frozenset({
    "capitalize", "casefold", "encode", "endswith", "isalpha", "isdigit", "isnumeric", "isupper", "ljust", "lower",
    "lstrip", "partition", "removeprefix", "removesuffix", "replace", "rfind", "rjust", "rpartition", "rsplit",
    "rstrip", "split", "splitlines", "startswith", "strip", "title", "upper", "zfill",
})  # fmt: skip
"""Methods of text that lists and tuples do not have."""
OF_TAG = frozenset({
    "attrs", "contents", "decompose", "find_parent", "get", "get_text", "next_sibling", "parent", "select",
    "select_one", "string", "stripped_strings", "text",
})  # fmt: skip
OF_ELEMENT = frozenset({"click", "find_element", "get_attribute", "is_displayed", "send_keys", "text"})
OF_ARRAY = frozenset({"any", "astype", "flatten", "max", "mean", "min", "shape", "size", "sum", "tolist"})
OF_AXES = frozenset({"bar", "hist", "imshow", "legend", "plot", "scatter", "set_title", "set_xlabel", "set_ylabel"})
ONE_NAME = frozenset({"arg", "argument", "filename", "file", "mode", "name", "path", "url"})
"""What a single command-line argument is called."""
VALUES = {
    "int": "number",
    "float": "number",
    "complex": "number",
    "open": "path",
    "pandas.read_csv": "path",
    "pandas.read_json": "path",
    "pandas.read_parquet": "path",
    "json.loads": "text",
}
"""Function → what its first argument is."""
COUNTS = frozenset(
    [f"keras.layers.{name}" for name in ("Dense", "Embedding", "GRU", "LSTM")]
    + [f"numpy.{name}" for name in ("arange", "eye", "identity")]
)
"""Functions whose first argument is a number."""
ARITHMETIC = (ast.Sub, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow)
ARGMAX = frozenset({"numpy.argmax", "numpy.argmin", "tensorflow.argmax", "tensorflow.argmin"})
DEEPEST, MOST = 3, 20
"""How many names are followed, and how many values of one are looked at."""


@dataclass(frozen=True)
class Many:
    """What an expression surely is: how a message calls it, and what only one of its elements has."""

    what: str
    banned: frozenset[str]
    indexed_by_text: bool = False
    """Elements may be looked up by text, which the whole cannot."""


STRINGS = Many("a list", OF_TEXT, True)
PAIR = Many("a tuple", OF_TEXT)
TAGS = Many("a list of tags", OF_TAG | OF_TEXT, True)
SELECTED = Many("a list of tags", frozenset({"decompose", "get_text", "select_one", "string", "stripped_strings"}))
SELECTORS = Many("a list of selectors", OF_TEXT)
DETAILS = Many("a list of details", frozenset(), True)
DEVICES = Many("a list of devices", frozenset({"device_type", "name"}))
ELEMENTS = Many("a list of elements", OF_ELEMENT | OF_TEXT)
PLACES = Many("a tuple of arrays", OF_ARRAY)
FIGURE = Many("a figure with its axes", OF_AXES)


@in_block
def part_of_many(source: Source, note: Note) -> Iterator[Finding]:
    """`line.split(",").strip()`: a list has no `strip`, its elements have."""
    for one in source.all(ast.Attribute):
        many = _many(one.value, note)
        if many and one.attr in many.banned and not _is_asked(one, source):
            yield source.at(codes.LOST_INDEX, one, _said(one.value, many, f"has no `{one.attr}`"))
    for item in source.all(ast.Subscript):
        many = _many(item.value, note) if _is_text(item.slice) else None
        if many and many.indexed_by_text:
            yield source.at(codes.LOST_INDEX, item, _said(item.value, many, "has no keys"))


@in_block
def list_as_value(source: Source, note: Note) -> Iterator[Finding]:
    """`int(line.split())` and `line.split(",") == "a"`: no list is a number, or equal to text."""
    for call in source.all(ast.Call):
        wanted = VALUES.get(note.builtin(call.func) or note.dotted(call.func), "")
        if wanted and call.args and (many := _many(call.args[0], note)):
            yield source.at(codes.LOST_INDEX, call, _said(call.args[0], many, f"is no {wanted}"))
    for compared in source.all(ast.Compare):
        if isinstance(compared.ops[0], ast.Eq | ast.NotEq) and _is_text(compared.comparators[0]):
            many = _many(compared.left, note)
            if many and many.indexed_by_text:
                yield source.at(codes.LOST_INDEX, compared, _said(compared.left, many, "is never equal to text"))


@in_block
def arguments(source: Source, note: Note) -> Iterator[Finding]:
    """`open(sys.argv)`: the list of all arguments, with the program's name, where one is meant."""
    uses: list[ast.Attribute | ast.Name] = [*source.all(ast.Attribute), *source.all(ast.Name)]
    for used in uses:
        if note.dotted(used) == "sys.argv" and isinstance(used.ctx, ast.Load) and _as_one(used, source, note):
            yield source.at(codes.LOST_INDEX, used, "`sys.argv` is the list of all arguments", "write `sys.argv[1]`")


@in_block
def shape(source: Source, note: Note) -> Iterator[Finding]:
    """`range(table.shape)`: a shape is a tuple of numbers."""
    for used in source.all(ast.Attribute):
        parent = source.parents[used]
        if used.attr != "shape" or not isinstance(used.ctx, ast.Load):
            continue
        if isinstance(parent, ast.Call):
            counts = note.builtin(parent.func) in {"range", "int"} or note.dotted(parent.func) in COUNTS
            as_number = counts and used in parent.args[:1]
        else:
            reckoned = isinstance(parent, ast.BinOp) and isinstance(parent.op, ARITHMETIC)
            as_number = isinstance(parent, ast.BinOp) and reckoned and parent.left is used and _is_number(parent.right)
        if as_number:
            message, fix = "`.shape` is a tuple, and here a number is needed", "write `.shape[0]`"
            yield source.at(codes.LOST_INDEX, used, message, fix)


@in_block
def itself(source: Source, note: Note) -> Iterator[Finding]:
    """`rows = rows`: what stood in brackets behind it, or around it, fell out."""
    for assigned in source.all(ast.Assign):
        target = assigned.targets[0]
        if len(assigned.targets) != 1 or not isinstance(target, ast.Name) or not isinstance(assigned.value, ast.Name):
            continue
        if target.id == assigned.value.id and not isinstance(source.parents[assigned], ast.ClassDef):
            message = f"`{target.id} = {target.id}` does nothing"
            yield source.at(codes.LOST_INDEX, assigned, message, "put back what stood in brackets, or delete the line")


@in_block
def loop_without_index(source: Source, note: Note) -> Iterator[Finding]:
    """`for i in range(len(rows)): print(i, rows)`: the index is counted, and not used."""
    for loop in source.all(ast.For):
        whole = _length_of(loop.iter, note)
        if not whole or not isinstance(loop.target, ast.Name) or not all(map(_is_print, loop.body)):
            continue
        uses = [n for part in loop.body for n in trees.walk(part) if isinstance(n, ast.Name) and n.id == whole]
        if uses and all(_is_printed(source.parents[use]) for use in uses):
            message, fix = f"each turn prints all of `{whole}`", f"write `{whole}[{loop.target.id}]`"
            yield source.at(codes.LOST_INDEX, loop.body[0], message, fix)


@in_block
def classes_by_array(source: Source, note: Note) -> Iterator[Finding]:
    """`names[np.argmax(scores, axis=1)]`: an array cannot be the index of a list."""
    for item in source.all(ast.Subscript):
        if _is_list(item.value, note) and _is_places(item.slice, note):
            message = "`argmax(…, axis=…)` gives an array, and a list is indexed by one number"
            yield source.at(codes.LOST_INDEX, item, message)


def _many(node: ast.expr, note: Note, depth: int = 0) -> Many | None:
    """What `node` surely is, when it is something with elements; a name is what all its values are."""
    if isinstance(node, ast.Name):
        values = note.bound.get(node.id, ()) if depth < DEEPEST else ()
        if len(values) > MOST:
            return None
        found = {_many(bound.value, note, depth + 1) if bound.value else None for bound in values}
        return found.pop() if len(found) == 1 else None
    if not isinstance(node, ast.Call):
        return None
    name = note.dotted(node.func)
    if not isinstance(node.func, ast.Attribute) or name:
        return _of_function(name, node)
    if node.func.attr == "select" and len(node.args) == 1 and _is_text(node.args[0]):
        return _of_select(note)
    return _of_method(node.func, node)


def _of_function(name: str, call: ast.Call) -> Many | None:
    if name in {"re.split", "re.findall", "glob.glob", "os.listdir", "shlex.split"}:
        return STRINGS
    if name in {"tensorflow.config.list_physical_devices", "tensorflow.config.list_logical_devices"}:
        return DEVICES
    if name in {"os.path.splitext", "os.path.split"}:
        return PAIR
    if name in {"numpy.nonzero", "numpy.where", "tensorflow.where"} and len(call.args) == 1 and not call.keywords:
        return PLACES if name != "tensorflow.where" else None
    return FIGURE if name == "matplotlib.pyplot.subplots" else None


def _of_method(function: ast.Attribute, call: ast.Call) -> Many | None:
    of, method = function.value, function.attr
    texts = not any(map(_is_number, call.args[:1])) and all(
        k.arg in {"sep", "maxsplit", "keepends"} for k in call.keywords
    )
    if method in {"split", "rsplit", "splitlines", "partition", "rpartition"} and texts:
        if isinstance(of, ast.Attribute) and of.attr in {"str", "strings"}:  # of a whole column
            return None
        return PAIR if method.endswith("partition") else STRINGS
    if method == "readlines" or (method in {"getall", "extract"} and _is_selection(of)):
        return STRINGS
    if method in {"find_all", "findAll"}:
        return TAGS
    if method in {"css", "xpath"} and len(call.args) == 1 and _is_text(call.args[0]):
        return SELECTORS
    if method in {"get_input_details", "get_output_details"}:
        return DETAILS
    return ELEMENTS if method in {"find_elements", "query_selector_all"} else None


def _of_select(note: Note) -> Many | None:
    """Beautiful Soup's `select` gives a list of tags, and Spark's something quite different."""
    libraries = {module.partition(".")[0] for module in note.aliases.values()}
    if "bs4" in libraries:
        return TAGS
    return None if "pyspark" in libraries else SELECTED


def _is_selection(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"css", "xpath"}


def _as_one(used: ast.expr, source: Source, note: Note) -> bool:
    """Whether `sys.argv` stands where a text belongs."""
    parent = source.parents[used]
    if isinstance(parent, ast.Attribute):
        return parent.attr in OF_TEXT
    if isinstance(parent, ast.Compare):
        return parent.left is used and isinstance(parent.ops[0], ast.Eq | ast.NotEq) and _is_text(parent.comparators[0])
    if isinstance(parent, ast.Assign) and isinstance(parent.targets[0], ast.Name):
        return parent.targets[0].id.rpartition("_")[2] in ONE_NAME
    if not isinstance(parent, ast.Call) or used not in parent.args[:1]:
        return False
    name = note.dotted(parent.func)
    return note.builtin(parent.func) in {"open", "int", "float"} or name.startswith(("pathlib.Path", "os.path."))


def _length_of(node: ast.expr, note: Note) -> str:
    """`x` of `range(len(x))`."""
    for name in ("range", "len"):
        if not isinstance(node, ast.Call) or note.builtin(node.func) != name or len(node.args) != 1:
            return ""
        node = node.args[0]
    return node.id if isinstance(node, ast.Name) else ""


def _is_print(statement: ast.stmt) -> bool:
    call = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in {"print", "display"}


def _is_printed(parent: ast.AST) -> bool:
    """Whether what stands there is printed as it is."""
    return isinstance(parent, ast.FormattedValue) or (isinstance(parent, ast.Call) and _is_print(ast.Expr(parent)))


def _is_list(node: ast.expr, note: Note) -> bool:
    values = note.bound.get(node.id, ()) if isinstance(node, ast.Name) else ()
    return bool(values) and all(isinstance(bound.value, ast.List | ast.Tuple) for bound in values)


def _is_places(node: ast.expr, note: Note) -> bool:
    """Whether `node` is surely an array of indexes."""
    if isinstance(node, ast.Name):
        values = note.bound.get(node.id, ())
        return bool(values) and all(bound.value is not None and _is_places_call(bound.value, note) for bound in values)
    return _is_places_call(node, note)


def _is_places_call(node: ast.expr, note: Note) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "numpy":
        node = node.func.value
    if not isinstance(node, ast.Call) or note.dotted(node.func) not in ARGMAX:
        return False
    axis = next((k.value for k in node.keywords if k.arg == "axis"), None)
    of = node.args[0] if node.args else None
    predicted = isinstance(of, ast.Call) and isinstance(of.func, ast.Attribute) and of.func.attr == "predict"
    return axis is not None and (predicted or (isinstance(axis, ast.Constant) and axis.value == 1))


def _is_asked(one: ast.Attribute, source: Source) -> bool:
    """Whether the note tries it out, and expects that it fails."""
    for node in source.above(one):
        if isinstance(node, ast.Try) and any(h.type and "AttributeError" in ast.unparse(h.type) for h in node.handlers):
            return True
        if isinstance(node, ast.With) and any(
            "raises" in ast.unparse(item.context_expr).lower() for item in node.items
        ):
            return True
        if isinstance(node, ast.Lambda) and not (node.args.args or node.args.posonlyargs or node.args.kwonlyargs):
            return True  # something to be called elsewhere, where its failure may be shown
    return False


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def _said(node: ast.expr, many: Many, but: str) -> str:
    try:
        text = ast.unparse(node)
    except RecursionError:
        text = "this"
    text = text if len(text) <= 60 else f"{text[:20]}…{text[-30:]}"
    return f"`{text}` is {many.what}, which {but}"
