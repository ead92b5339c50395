"""Calls whose arguments fell out: `np.array()`, `reshape()`, `isinstance(x)`."""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections.abc import Iterator, Mapping

from coursemill.model import Finding
from coursemill.pure import codes
from coursemill.pure.raw.damage.rule import in_block
from coursemill.pure.raw.damage.source import Note, Source

DATA = frozenset(
    [f"numpy.{name}" for name in ("array", "asarray", "asanyarray", "concatenate", "stack", "vstack", "hstack")]
    + [f"jax.numpy.{name}" for name in ("array", "asarray", "concatenate", "stack")]
    + [f"tensorflow.{name}" for name in ("constant", "convert_to_tensor", "Variable", "stack", "concat")]
    + [f"torch.{name}" for name in ("tensor", "as_tensor", "from_numpy", "stack", "cat")]
)
"""What makes data of data, and fails without."""
DATA_METHODS = frozenset({"from_tensor_slices", "from_tensors", "createDataFrame", "parallelize"})
DATA_KEYWORDS = frozenset({
    "a", "array", "arrays", "c", "data", "initial_value", "ndarray", "obj", "object", "tensors", "tup", "value",
    "values",
})  # fmt: skip
FILLED = frozenset({"pandas.DataFrame", "pandas.Series", "keras.Sequential", "keras.models.Sequential"})
"""What may be made empty, to be filled before it is used."""
USES = frozenset({
    "agg", "apply", "astype", "compile", "corr", "describe", "dropna", "evaluate", "fillna", "fit", "groupby", "head",
    "hist", "info", "map", "max", "mean", "median", "merge", "min", "pivot_table", "plot", "predict", "sort_values",
    "std", "sum", "summary", "tail", "to_csv", "value_counts",
})  # fmt: skip
NEEDED: Mapping[str, int] = {
    "abs": 1, "all": 1, "any": 1, "bin": 1, "chr": 1, "divmod": 2, "enumerate": 1, "eval": 1, "exec": 1, "filter": 2,
    "getattr": 2, "hasattr": 2, "hash": 1, "hex": 1, "id": 1, "isinstance": 2, "issubclass": 2, "iter": 1, "len": 1,
    "map": 2, "max": 1, "min": 1, "next": 1, "oct": 1, "open": 1, "ord": 1, "pow": 2, "range": 1, "repr": 1,
    "reversed": 1, "round": 1, "setattr": 3, "sorted": 1, "sum": 1,
}  # fmt: skip
"""Built-in function → the arguments that it cannot do without."""
MODULES: Mapping[str, Mapping[int, str]] = {
    "json": {1: "load loads dumps", 2: "dump"},
    "keras.models": {1: "load_model"},
    "keras.layers": {1: "Dense LSTM GRU Dropout Activation Reshape", 2: "Conv2D Embedding"},
    "math": {1: "sqrt exp log sin cos floor ceil", 2: "pow"},
    "matplotlib.pyplot": {1: "bar hist imshow pie boxplot", 2: "scatter"},
    "numpy": {
        1: "arange argmax argmin cos cumsum exp eye linspace load loadtxt log max mean median min ones sin sort sqrt "
        "std sum transpose unique where zeros",
        2: "allclose array_equal dot expand_dims full matmul reshape save",
    },
    "numpy.random": {1: "randint choice shuffle permutation"},
    "os.path": {1: "basename dirname exists getsize isdir isfile join splitext"},
    "os": {1: "getenv makedirs mkdir remove rmdir", 2: "rename"},
    "pandas": {
        1: "concat read_csv read_excel read_html read_json read_parquet to_datetime to_numeric",
        2: "cut merge qcut",
    },
    "random": {1: "choice choices randrange shuffle", 2: "randint sample uniform"},
    "re": {1: "compile escape", 2: "findall finditer fullmatch match search split", 3: "sub subn"},
    "requests": {1: "delete get head post put"},
    "scrapy": {1: "Request"},
    "tensorflow": {1: "argmax fill ones range reduce_mean reduce_sum zeros", 2: "cast expand_dims matmul reshape"},
    "time": {1: "sleep"},
    "torch": {1: "ones zeros rand randn", 2: "matmul"},
}
FUNCTIONS = {
    f"{module}.{name}": count
    for module, counts in MODULES.items()
    for count, names in counts.items()
    for name in names.split()
}
METHODS = frozenset({"astype", "endswith", "load_weights", "reshape", "save_weights", "startswith"})
"""Methods that need an argument, whatever has them."""
OF_MODELS = frozenset({"evaluate", "fit", "fit_transform", "predict", "transform"})
"""Those of models that learn from data: other libraries give a model its data when it is made."""
LEARNING, OTHERS = frozenset({"keras", "sklearn", "tensorflow"}), frozenset({"lifelines", "pyspark", "statsmodels"})
OF_LISTS = frozenset({"append", "extend"})
"""Those of names only: `frame.write.append()` is something else."""


@in_block
def no_data(source: Source, note: Note) -> Iterator[Finding]:
    """`np.array()` makes data of nothing; `pd.Series()` may be filled, but not used as it is."""
    for call in source.all(ast.Call):
        name = note.dotted(call.func)
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if name in DATA or (method in DATA_METHODS and not _is_own(method, note)):
            if not _given(call, DATA_KEYWORDS) and not _expects_error(call, source):
                yield source.at(codes.NO_DATA, call, f"`{_shown(call)}` is given no data")
        elif name in FILLED and not _arguments(call) and (use := _use(call, source)):
            message = f"`{_shown(call)}` is empty, and line {source.block.first_line + use.lineno - 1} uses it as it is"
            yield source.at(codes.NO_DATA, call, message)


@in_block
def too_few(source: Source, note: Note) -> Iterator[Finding]:
    """A function is called with less than it can do without."""
    for call in source.all(ast.Call):
        needed = _needed(call, note)
        if needed > _arguments(call) and not _open(call) and not _expects_error(call, source):
            had = f"needs {needed} arguments" if needed > 1 else "needs an argument"
            yield source.at(codes.NO_ARGUMENT, call, f"`{_shown(call)}` {had}")


@in_block
def nothing_to_format(source: Source, note: Note) -> Iterator[Finding]:
    """`"{} pieces".format()` has nothing to put there, and `", ".join()` nothing to join."""
    for call in source.all(ast.Call):
        text = call.func.value if isinstance(call.func, ast.Attribute) else None
        if not isinstance(text, ast.Constant) or not isinstance(text.value, str) or _arguments(call):
            continue
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        fields = "{" in text.value.replace("{{", "")
        if (method == "join" or (method == "format" and fields)) and not _expects_error(call, source):
            yield source.at(codes.NO_ARGUMENT, call, f"`.{method}()` is given nothing to {method}")


@in_block
def one_of_two(source: Source, note: Note) -> Iterator[Finding]:
    """`tf.fill(random.random(),)`: behind the comma something fell out, such as the size."""
    for call in source.all(ast.Call):
        only = call.args[0] if len(call.args) == 1 and not call.keywords else None
        if not isinstance(only, ast.Call) or _arguments(only):
            continue
        at_random = note.dotted(only.func) in {"random.random", "numpy.random.rand", "numpy.random.randn"}
        if (
            (at_random or note.dotted(call.func) in DATA)
            and only.end_lineno == call.end_lineno
            and _behind(source, only, call).strip().startswith(",")
        ):
            yield source.at(codes.NO_ARGUMENT, call, f"behind the comma of `{_shown(call)}` an argument is missing")


def _needed(call: ast.Call, note: Note) -> int:
    if name := note.builtin(call.func):
        return NEEDED.get(name, 0)
    if name := note.dotted(call.func):
        return FUNCTIONS.get(name, 0)
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    of_name = isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name)
    needs = method in METHODS or (method in OF_LISTS and of_name) or (method in OF_MODELS and _learns(note))
    return int(needs and not _is_own(method, note))


def _learns(note: Note) -> bool:
    libraries = {module.partition(".")[0] for module in note.aliases.values()}
    return not LEARNING.isdisjoint(libraries) and OTHERS.isdisjoint(libraries)


def _is_own(method: str, note: Note) -> bool:
    """Whether the note defines a function of that name."""
    return method in note.bound


def _arguments(call: ast.Call) -> int:
    return len(call.args) + len(call.keywords)


def _open(call: ast.Call) -> bool:
    """Whether nobody can say how many arguments there are."""
    return any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords)


def _given(call: ast.Call, keywords: frozenset[str]) -> bool:
    return bool(call.args) or any(k.arg is None or k.arg in keywords for k in call.keywords)


def _expects_error(call: ast.Call, source: Source) -> bool:
    """Whether the note shows that the call fails."""
    for node in source.above(call):
        if isinstance(node, ast.With | ast.AsyncWith):
            used = " ".join(ast.unparse(item.context_expr) for item in node.items)
            if "raises" in used or "assertRaises" in used or "suppress" in used:
                return True
        if isinstance(node, ast.Try) and any(h.type and "TypeError" in ast.unparse(h.type) for h in node.handlers):
            return True
    return False


def _use(call: ast.Call, source: Source) -> ast.expr | None:
    """Where what was made empty is used as if it were not, when nothing comes between."""
    parent = source.parents[call]
    if isinstance(parent, ast.Attribute):
        return parent if parent.attr in USES else None
    if not isinstance(parent, ast.Assign) or len(parent.targets) != 1 or not isinstance(parent.targets[0], ast.Name):
        return None
    name = parent.targets[0].id
    if "empty" in name:
        return None
    later = source.named[name]
    place = bisect_right(later, (parent.lineno, parent.col_offset), key=lambda one: (one.lineno, one.col_offset))
    first = later[place] if place < len(later) else None
    above = source.parents[first] if first else None
    if first and isinstance(above, ast.Attribute) and above.attr in USES and isinstance(first.ctx, ast.Load):
        return first
    return None


def _behind(source: Source, inner: ast.expr, call: ast.Call) -> str:
    """What stands behind the argument on its line."""
    line = source.lines[0][(inner.end_lineno or 1) - 1].encode("utf-8", "replace")
    return line[inner.end_col_offset : call.end_col_offset].decode("utf-8", "ignore")


def _shown(call: ast.Call) -> str:
    try:
        text = ast.unparse(call)
    except RecursionError:
        return "…()"
    return text if len(text) <= 60 else f"{ast.unparse(call.func)[:50]}(…)"
