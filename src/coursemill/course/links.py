"""Who links to whom in the vault."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coursemill.config import Config
from coursemill.course.check import chosen_notes
from coursemill.course.load import load
from coursemill.pure.graph import Graph


@dataclass(frozen=True)
class Linked:
    """The graph of the vault, and the notes in it that were asked for."""

    graph: Graph
    chosen: tuple[str, ...]


def links(config: Config, names: Sequence[str] = ()) -> Linked:
    """Find every link of the vault; `names` mean notes, all of them when there are none.

    Raises CoursemillError when there is no vault, and for a name that means no note.
    """
    course = load(config)
    chosen = chosen_notes(course, names)
    return Linked(Graph.of(course.vault), tuple(sorted(chosen)))
