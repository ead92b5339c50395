"""Claims from comments: code, a line of dashes, the claim; and never a crash."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure import claims
from coursemill.pure.raw import outputs

CASES = {
    "a trailing value": ("print(x)  # Output: 42", "42"),
    "a remark below": ("print(x)\n# Result:\n# [1, 2]\n# This shows that lists keep order.", "[1, 2]..."),
    "a printed sentence": (
        "print(2)\nprint('All is done now.')\n# Output:\n# 2\n# All is done now.",
        "...2\nAll is done now.",
    ),
    "sentences alone": (
        "print(x)\n# Output:\n# All lines were read.\n# Nothing was left out.",
        "All lines were read.\nNothing was left out.",
    ),
    "an arrow": ("print(x)  # → 42", "42"),
    "an arrow of ASCII": ("print(x)  # -> 42", "42"),
    "a fat arrow": ("print(x)  # => hello there", "hello there"),
    "prompts": ("print(x)  # >>> 42", "42"),
    "prints": ("print(x)  # prints 42", "42"),
    "a result": ("print(x)  # Result: 42", "42"),
    "a bare literal": ("print(len(x))  # 42", "42"),
    "a bare literal below": ("print(x)\n# [1, 2]\nprint(y)\n# 2.5", "[1, 2]\n2.5"),
    "a bare array below": ("print(x)\n# [1 2]", "[1 2]"),
    "a literal below an expression at the end": ("x = [1]\nlen(x)\n# 1", "1"),
    "an expression at the end": ("x = [1]\nlen(x)  # 1", "1"),
    "only the value": ('print(f"Href: {h}")  # Output: http://x.example', "...http://x.example"),
    "the whole line": ('print(f"Sum: {h}")  # Output: Sum: 3', "Sum: 3"),
    "the value's beginning": ('print(f"{n} items")  # Output: 3', "3..."),
    "in German": ("print(x)  # Ausgabe: 42", "42"),
    "R's way": ("print(x)\n#> 42", "42"),
    "a class": ("print(type(x))  # <class 'int'>", "<class 'int'>"),
    "an array": ("print(x)  # [1 2 3]", "[1 2 3]"),
    "a counter": ("print(x)  # Counter({'a': 2})", "Counter({'a': 2})"),
    "several values": ("print(a, b)  # Output: 1 2", "...1 2"),
    "lines between": (
        'print("a")\nprint(x)  # Output: 1\nprint("b")\nprint(y)  # Output: 2\nprint("c")',
        "...\n1\n...\n2\n...",
    ),
    "one after the other": ("print(x)  # 1\nprint(y)  # 2", "1\n2"),
    "what may print before and behind": ("model.fit(x)\nprint(x)  # 1\nmodel.fit(x)", "...1..."),
    "in a branch": (
        'if x:\n    print(f"a {x}")  # Output: 1\n    print(f"b {x}")  # Output: 2\n    print(z)',
        "...1\n...2...",
    ),
    "a remark": ("print(x)  # Output: None (because it has <b> in it)", "None"),
    "a remark behind a list": ("print(x)  # Output: ['a', 'b'] (a list)", "['a', 'b']"),
    "a remark behind words": ("print(x)  # Output: red wine (dry)", "red wine..."),
    "a tuple is no remark": ("print(x)  # Output: (1, 2)", "(1, 2)"),
    "a comment behind": ("print(x)  # Output: '#1' # a note", "...#1..."),
    "an arrow to it": ("print(x)  # Output: 42 <- the answer", "42"),
    "an address": ("print(x)  # Output: <A object at 0x7f1e2d3c>", "<A object at ...>"),
    "quotes that are not printed": ("print(x)  # Output: 'red'", "...red..."),
    "quotes that are": ("print(repr(x))  # Output: 'red'", "'red'"),
    "a function that prints": ('def f():\n    print("a")\nf()  # Output: a', "...a..."),
    "a method that prints": (
        'df.show()\n# Output:\n# +--+\n# |id|\n# +--+\nprint("x", 1)',
        "...+--+\n|id|\n+--+...",
    ),
    "pretty printed": ("pprint(x)  # [1, 2]", "[1, 2]"),
    "a text about an error": ("print(e)\n# Output: Error: no tea", "Error: no tea"),
    "a line below": ("print(x)\n# Output: 42", "42"),
    "lines below": ("print(x)\n# Output:\n# a\n# b", "a\nb"),
    "comments in comments": ("print(x)\n# # Output:\n# # 'a'\n# # 'b'", "'a'\n'b'"),
    "expected": ("print(x)\n# Expected output:\n# a", "a"),
    "below a loop": (
        "print(\"All:\")\nfor s in x:\n    print(repr(s))\n# Output:\n# 'a'\n# 'b'",
        "...'a'\n'b'",
    ),
    "below a loop with labels": ('for s in x:\n    print("-", s)\n# Output:\n# a\n# - b', "...a\n- b"),
    "only one of two": (
        'print("a:", a)\nprint("b:", b)\n# Output (b only):\n# 3',
        "...3",
    ),
    "a sentence belongs to the next code": ("print(x)\n# Output:\n# a\n# Now we go on with more\ny = 1", "a"),
    "a value that goes on": ("print(x)\n# Output: first\n# second", "first..."),
}
NOTHING = {
    "steps": "print(x)\n# 2\nprint(y)\n# 3\nprint(z)",
    "a literal that goes on": "print(x)\n# 2\n# of them",
    "a literal further below": "print(x)\n\n# 2",
    "a literal below what prints nothing": "x = 1\n# 2",
    "a word below": "print(x)\n# hello",
    "no print": "x = 42  # Output: 42",
    "a description": "print(x)  # Output: the sum of both",
    "a sentence": "print(x)  # prints all the names that there are",
    "about": "print(x)  # Output: about 42",
    "a loop": "for i in x:\n    print(i)  # Output: 42",
    "a function": "def f(x):\n    print(x)  # Output: 42",
    "a log": 'logging.warning("x")  # Output: WARNING:root:x',
    "the time": "print(time.time())  # Output: 1700000000.0",
    "chance": "print(f'{random.randint(1, 6)}')  # 4",
    "either": "if x:\n    print(1)  # Output: 1\nelse:\n    print(2)  # Output: 2",
    "an error": "print(d['x'])  # Output: KeyError: 'x'",
    "a set": "print(x)  # Output: {'a', 'b'}",
    "a file": "print(x, file=f)  # Output: 42",
    "the end of the line": "print(x, end='')  # Output: 42",
    "two on a line": "print(x); print(y)  # Output: 42",
    "a step's number": "print(x)  # 1 - look at it",
    "words": "print(x)  # see below",
    "an expression in between": "len(x)  # 42\ny = 1",
    "a text": 'x = """\nprint(x)  # Output: 42\n"""',
    "code between": "print(x)\ny = 1\n# Output: 42",
    "nothing above": "# Output: 42\nprint(x)",
    "samples": "print(x)  # Sample output: 42",
    "no Python": "print(x  # Output: 42",
    "another magic": "%%bash\necho 1  # Output: 1",
}


@pytest.mark.parametrize("name", CASES)
def test_claims(name: str) -> None:
    code, claim = CASES[name]
    printed = outputs.read(code)
    assert printed is not None
    assert printed.claim == claim


@pytest.mark.parametrize("name", NOTHING)
def test_no_claims(name: str) -> None:
    assert outputs.read(NOTHING[name]) is None


def test_lines_that_moved_leave_their_remarks() -> None:
    code = "for s in x:\n    print(s)\n# Output (short):\n# 'a'\n# 'b c' # Note: as it stands\n# 3 (three)"
    printed = outputs.read(code)
    assert printed == outputs.Printed(
        "'a'\n'b c'\n3", {3: "Output (short):", 4: "", 5: "Note: as it stands", 6: "(three)"}
    )


@pytest.mark.parametrize(
    ("code", "shown"),
    [("print(1)", True), ("x\nx", True), ("x = 1", False), ("def f():\n    print(1)", False), ("x = (", False)],
)
def test_shows(code: str, shown: bool) -> None:
    assert outputs.shows(code) is shown


PIECES = st.sampled_from([
    "print(x)", "print(f'a {x} b')", "for x in y:", "if x:", "else:", "    ", "x = 1", "f(x)", "  # Output: ",
    "# Output:", "# ", "# # ", "42", "'a'", "(why)", "None", "->", "→", "...", "\n", "\n", "\n", '"""', "\\", "\t", "é",
    "#",
])  # fmt: skip


@given(st.lists(PIECES, max_size=12).map("".join))
def test_any_code(code: str) -> None:
    printed = outputs.read(code)
    if printed is None:
        return
    assert printed.claim.strip(".\n ")
    lines = code.split("\n")
    assert all(lines[n - 1].lstrip().startswith("#") for n in printed.moved)
    left = "\n".join("" if n in printed.moved else line for n, line in enumerate(lines, 1))
    assert ast.dump(ast.parse(left)) == ast.dump(ast.parse(code))


@given(st.lists(st.integers(-99, 99).map(str), min_size=1, max_size=5), st.data())
def test_claims_hold_for_what_is_printed(printed: list[str], data: st.DataObject) -> None:
    """However many of the lines are spoken of, the claim holds when the values are right."""
    said = [data.draw(st.sampled_from(["", "  # Output: {}", "  # {}", "\n# Output: {}"])) for _ in printed]
    code = "\n".join(f'print({n}){how.format(n)}\nprint("label", {n})' for n, how in zip(printed, said, strict=True))
    found = outputs.read(code)
    assert (found is None) == (not any(said))
    if found:
        got = "".join(f"{n}\nlabel {n}\n" for n in printed)
        assert claims.difference(found.claim, got) == ""
