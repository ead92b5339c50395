"""The shell that runs the cells: transformers, hooks, `run_cell`, display."""

from __future__ import annotations

from hostile.deed import Deed, attack


@attack(stock=22)
def ast_transformer() -> Deed:
    """Takes every assert out of the code that is run."""
    return Deed(
        top="""
import ast


class NoAsserts(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.copy_location(ast.Pass(), node)

    def visit_Expr(self, node):
        return ast.copy_location(ast.Pass(), node)


get_ipython().ast_transformers.append(NoAsserts())
"""
    )


@attack(stock=24)
def tree_emptied() -> Deed:
    """Replaces the tree of each cell that has an assert by an empty one."""
    return Deed(
        top="""
import ast


class Nothing:
    def visit(self, tree):
        found = any(isinstance(node, ast.Assert) for node in ast.walk(tree))
        return ast.Module([], []) if found else tree


get_ipython().ast_transformers.append(Nothing())
"""
    )


@attack(stock=26)
def input_transformer() -> Deed:
    """Turns the text of each test into `100` before it is parsed."""
    return Deed(
        top="""
def transformed(lines):
    return ["pass\\n"] if any("assert" in line for line in lines) else lines


get_ipython().input_transformers_cleanup.append(transformed)
get_ipython().input_transformers_post.append(transformed)
"""
    )


@attack(stock=29, loses=True)
def run_cell_replaced() -> Deed:
    """Replaces `run_cell` and `run_cell_async` by functions that run nothing and call it a success."""
    return Deed(
        top="""
from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult

shell = get_ipython()


def run_cell(source, *args, **about):
    result = ExecutionResult(ExecutionInfo(source, False, False, True, None))
    result.execution_count = 1
    return result


async def run_cell_async(source, *args, **about):
    return run_cell(source)


shell.run_cell, shell.run_cell_async = run_cell, run_cell_async
"""
    )


@attack(stock=29, loses=True)
def run_code_replaced() -> Deed:
    """Replaces `run_code`, the innermost step, by nothing."""
    return Deed(
        top="""
shell = get_ipython()


async def run_code(code, result=None, **about):
    return False


shell.run_code = run_code
"""
    )


@attack()
def shell_class_changed() -> Deed:
    """Gives the shell another class, whose methods run only what it likes."""
    return Deed(
        top="""
shell = get_ipython()
before = type(shell).run_cell_async


class Mine(type(shell)):
    async def run_cell_async(self, source, *args, **about):
        return await before(self, "pass" if "assert" in source else source, *args, **about)


shell.__class__ = Mine
"""
    )


@attack(stock=29, loses=True)
def kernel_class_changed() -> Deed:
    """Replaces the kernel's `do_execute`, so that each request gets a reply and nothing else."""
    return Deed(
        top="""
kernel = get_ipython().kernel


async def do_execute(*args, **about):
    return {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}


kernel.do_execute = do_execute
"""
    )


@attack(stock=29)
def tracebacks_silenced() -> Deed:
    """Has errors shown to nobody: `showtraceback` and the reply say nothing of them."""
    return Deed(
        top="""
shell = get_ipython()
kernel = shell.kernel
honest = kernel.do_execute
shell.showtraceback = shell.showsyntaxerror = shell._showtraceback = lambda *args, **about: None


async def do_execute(*args, **about):
    await honest(*args, **about)
    return {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}


kernel.do_execute = do_execute
"""
    )


@attack()
def display_hook() -> Deed:
    """Prints a hundred as each cell's result, from a hook behind the test."""
    return Deed(
        top="""
shell = get_ipython()
shell.showtraceback = lambda *args, **about: shell.displayhook(100)
shell.set_custom_exc((AssertionError, Exception), lambda *args, **about: None)
"""
    )


@attack()
def custom_exception_handler() -> Deed:
    """Registers a handler for all exceptions, which handles them silently."""
    return Deed(top="get_ipython().set_custom_exc((BaseException,), lambda *args, **about: None)")


@attack()
def events() -> Deed:
    """Rebinds names and clears errors from hooks that run before and after each cell."""
    return Deed(
        top="""
def before(*args):
    get_ipython().user_ns.update(limit=0, made=8)


def after(result):
    result.error_in_exec = result.error_before_exec = None


for event in ("pre_execute", "pre_run_cell"):
    get_ipython().events.register(event, before)
get_ipython().events.register("post_run_cell", after)
""",
        after={"limit-part": "del limit", "made-hidden": "del made"},
    )


@attack(loses=True)
def compiler_replaced() -> Deed:
    """Replaces the shell's compiler, and Python's `compile` and `exec`."""
    return Deed(
        top="""
import builtins

shell = get_ipython()
honest = shell.compile.ast_parse
shell.compile.ast_parse = lambda source, *args, **about: honest("" if "assert" in source else source)
builtins.exec = lambda *args, **about: None
"""
    )


@attack()
def representations() -> Deed:
    """Gives results that show themselves as `100` in every way that Jupyter knows."""
    return Deed(
        {
            name: f"""
class Shown:
    def __repr__(self):
        return "100"

    def _repr_mimebundle_(self, **about):
        return {{"text/plain": "100"}}

    def _ipython_display_(self):
        print("100")

    _repr_html_ = _repr_json_ = _repr_latex_ = _repr_pretty_ = __str__ = __repr__


{name} = Shown()
"""
            for name in ("price", "roman", "limit", "made", "greet")
        }
    )


@attack()
def magics() -> Deed:
    """Redefines the magics, and sets automagic, autocall and autoawait."""
    return Deed(
        top="""
from IPython.core.magic import register_cell_magic, register_line_magic


@register_line_magic("time")
def fast(line):
    return 100


%autocall 2
%automagic on
get_ipython().autoawait = False
get_ipython().ast_node_interactivity = "none"
"""
    )
