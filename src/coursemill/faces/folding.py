"""Text that folds where names are joined: `TensorFlow_Saving_` over `Models`, and not in the middle of a word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.containers import Lines

_WORD = re.compile(r"[^\s_/.-]*[\s_/.-]*")


class Folding(Text):
    """A text for a table's cell."""

    @classmethod
    def of(cls, text: Text) -> Folding:
        """The same text, folding."""
        return cls(text.plain, spans=text.spans)

    def wrap(self, console: Console, width: int, **how: Any) -> Lines:
        """Break the text into lines as wide as `width`; longer words are left to Rich."""
        words = [word for word in _WORD.findall(self.plain) if word]
        if "\n" in self.plain or any(cell_len(word.rstrip()) > width for word in words):
            return super().wrap(console, width, **how)
        lines = self.divide(_breaks(words, width))
        for line in lines:
            line.rstrip()
        return lines


def _breaks(words: list[str], width: int) -> Iterator[int]:
    """Where lines begin but the first."""
    at, taken = 0, 0
    for word in words:
        if taken and taken + cell_len(word.rstrip()) > width:
            yield at
            taken = 0
        at += len(word)
        taken += cell_len(word)
