"""Names that a note's code uses and nothing in it defines: Pyflakes' view, over several cells in their order."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Sequence

INTERACTIVE = frozenset({
    "In", "Out", "_", "__", "___", "__path__", "display", "exit", "get_config", "get_ipython", "quit",
})  # fmt: skip
"""What a notebook, a package or a configuration has beside Python's own."""
BINDING = re.compile(
    r"(?:^|;)[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)"
    r"|\b(?:import|as|for|global|nonlocal)[ \t]+([\w, \t]+)"
    r"|(?:^|[(,])[ \t]*([\w, \t]+?)[ \t]*(?::[^=]*)?=(?!=)"
)
LONGEST = 500
"""Characters of a line that code written by people has."""
WORD = re.compile(r"[^\W\d]\w*")


def undefined(cells: Sequence[ast.Module], also: Collection[str] = ()) -> list[ast.Name]:
    """Return where `cells`, run in their order, use a name that is not defined by then; in no order.

    What functions use may be defined later. `also` are names that are there anyhow. A star import may bring anything,
    and silences everything below it.
    """
    from pyflakes import checker, messages  # type: ignore[import-untyped] # Pyflakes has no types

    found: list[ast.Name] = []

    class Names(checker.Checker):  # type: ignore[misc] # as above
        """Pyflakes' checker, which keeps the nodes that its messages are about."""

        def report(self, kind: type, *args: object) -> None:
            if kind is messages.UndefinedName and isinstance(args[0], ast.Name):
                found.append(args[0])

    whole = ast.Module([statement for cell in cells for statement in cell.body], [])
    try:
        Names(whole, builtins=[*INTERACTIVE, *also])
    except RecursionError:
        return []
    return found


def perhaps_bound(text: str) -> Iterator[str]:
    """Names that code which does not parse may define."""
    for line in text.split("\n"):
        for found in BINDING.finditer(line) if len(line) <= LONGEST else ():
            yield from WORD.findall(found[1] or found[2] or found[3] or "")
