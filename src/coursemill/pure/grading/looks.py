"""Whose is what a test sees: which names an answer gives, which ones the instructor's own cells."""

from __future__ import annotations

import ast
import builtins
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from coursemill.pure import names
from coursemill.pure.grading import given, sources, uses
from coursemill.pure.grading.assignment import Assignment, Item
from coursemill.pure.grading.uses import Kind, Statement

Owner = Literal["given", "answer", "test"]
ANSWERS = ("answer", "written")
ALWAYS = frozenset(dir(builtins)) | {"get_ipython", "display", "__file__", "__name__", "__doc__", "__builtins__"}
"""Names that are there without anybody's doing."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """What running the instructor's solution has shown of data that given cells left."""

    plain: Mapping[str, frozenset[str]] | None = None
    """By cell, the names whose values could be kept and are the same in every run; None: it has not been run."""
    changed: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By cell, the names of data that the solution changed there."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What one test uses."""

    names: frozenset[str] = frozenset()
    """To be looked up in the candidate: what answers bind, and what the examiner cannot have."""
    imported: frozenset[str] = frozenset()
    """Of these, modules of libraries that only the solution imports."""
    shared: frozenset[str] = frozenset()
    """The instructor's, but perhaps in answers' hands, too: classes, what is made of them, data."""
    unknown: frozenset[str] = frozenset()
    """Names that no cell is seen to bind."""
    leaves: str = ""
    """What later cells need of it, as code."""
    before: str = ""
    """What it needs of earlier tests, as code."""
    trouble: str = ""
    """Why it cannot be taken out of the notebook."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What can be said of a notebook's tests without running it."""

    sights: Mapping[str, Sight] = field(default_factory=dict)
    """By test."""
    define: Mapping[str, str] = field(default_factory=dict)
    """By cell, what the examiner runs of it; of a test, for the case that the examiner does not run it."""
    capture: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By cell, names whose values matter after it."""
    touched: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By cell, data of the instructor's that answers may change there."""
    modules: tuple[str, ...] = ()
    """Files of code that answers write."""
    order: tuple[str, ...] = ()
    """All code cells."""
    learnt: Learnt = field(default_factory=Learnt)


def survey(
    assignment: Assignment, files: Iterable[str] = (), learnt: Learnt | None = None, editable: Iterable[str] = ()
) -> Survey:
    """Look at a notebook's cells in order: at each test, whose is each name that it uses, also through functions.

    `files` are the instructor's, beside the notebook; those that are `editable` hold answers.
    """
    own, theirs = (frozenset(file for file in some if file.endswith(".py")) for some in (files, editable))
    flow = _Flow(assignment, own - theirs, theirs, learnt or Learnt())
    for item in assignment.items:
        if item.type == "code" and item.role != "prose":
            flow.follow(item)
    return flow.survey()


@dataclass(frozen=True, slots=True, eq=False)
class _Binding:
    """What a name stands for at some place."""

    name: str
    owner: Owner
    cell: str
    kind: Kind
    statement: Statement | None = None
    reads: tuple[_Binding, ...] = ()
    """What the names stood for that its statement read."""
    module: str = ""
    """From which it is imported."""


class _Flow:
    """Goes through the cells, and keeps what each name stands for."""

    def __init__(self, assignment: Assignment, files: frozenset[str], editable: frozenset[str], learnt: Learnt) -> None:
        self.own = files
        self.items = {item.id: item for item in assignment.items}
        self.learnt = learnt
        self.names: dict[str, _Binding] = {}  # in the candidate, where no test runs
        self.beside: dict[str, _Binding] = {}  # in the examiner: what tests bind
        self.open = False
        self.files = set(editable)
        self.sights: dict[str, Sight] = {}
        self.code: defaultdict[str, set[str]] = defaultdict(set)
        self.data: dict[_Binding, int] = {}  # until which cell it matters
        self.after: list[tuple[Item, frozenset[str], dict[str, _Binding]]] = []
        self.touched: dict[str, frozenset[str]] = {}
        self.left: defaultdict[str, set[str]] = defaultdict(set)
        self.earlier: dict[str, dict[str, set[str]]] = {}
        self.of_answers: frozenset[str] = frozenset().union(
            *(uses.mentioned(text) for i in assignment.items if i.role in ANSWERS for text in (i.source, i.released))
        )

    def follow(self, item: Item) -> None:
        """Take in a cell."""
        if item.role == "test":
            self._test(item)
        elif item.role in ANSWERS:
            self._answer(item)
        else:
            self._given(item)
        for name in self.learnt.changed.get(item.id, ()):
            self.names[name] = _Binding(name, "answer", item.id, "value")
        mentioned = self._reached(uses.mentioned(item.source))
        self.after.append((item, mentioned, dict(self.names)))

    def survey(self) -> Survey:
        """Sum up."""
        define = {cell: text for cell, wanted in self.code.items() if (text := self._define(cell, wanted))}
        for item in self.items.values():
            if item.role == "given" and (text := given.written_file(item.source)):
                define[item.id] = text
        sights = {t: self._left(t, sight) for t, sight in self.sights.items()}
        order = tuple(item.id for item, _, _ in self.after)
        return Survey(sights, define, self._capture(), self.touched, tuple(sorted(self.files)), order, self.learnt)

    # Cells

    def _given(self, item: Item) -> None:
        touched: set[str] = set()
        for statement in uses.statements(item.source):
            reached = statement.reads if statement.defines else self._reached(statement.reads | statement.later)
            self._needs_tests(reached)
            derived = any(self._is_of(name, "answer") for name in reached)
            if derived:
                touched |= {n for n in reached | statement.mentions if self._is_of(n, "given")}
            self._bind(item, statement, "answer" if derived else "given")
            if derived:
                for name in statement.stores | statement.calls:
                    if self._is_of(name, "given") and self.names[name].kind == "value":
                        self.names[name] = _Binding(name, "answer", item.id, "value")
        fresh = {n for n, b in self.names.items() if b.cell == item.id and b.owner == "given"}
        self.touched[item.id] = frozenset(touched - fresh)

    def _answer(self, item: Item) -> None:
        self.files |= set(sources.files(item)) - self.own
        kept = sources.same_imports(item)
        for text in (item.released, item.source):
            for statement in uses.statements(text):
                self._needs_tests(statement.reads if statement.defines else statement.reads | statement.later)
                self._bind(item, statement, "answer", kept)
                for name in statement.sets | statement.stores:
                    if self._is_of(name, "given") and self.names[name].kind != "import":
                        self.names[name] = _Binding(name, "answer", item.id, self.names[name].kind)
        mentioned = self._reached(uses.mentioned(item.source) | uses.mentioned(item.released))
        self.touched[item.id] = frozenset(n for n in mentioned if self._is_of(n, "given"))

    def _test(self, item: Item) -> None:
        found = uses.statements(item.source)
        bound, free, later = set[str](), set[str](), set[str]()
        for statement in found:
            free |= statement.reads - bound
            later |= statement.later
            bound |= statement.binds.keys()
        free |= later - bound
        if any(uses.BY_TEXT & (s.reads | s.later) for s in found):
            free |= {n for n in uses.mentioned(item.source) - bound if n in self.names or n in self.beside}
        self.sights[item.id] = self._sight(free, len(self.after), self.earlier.setdefault(item.id, {}))
        for statement in found:
            self._bind(item, statement, "test")

    def _bind(self, item: Item, statement: Statement, owner: Owner, kept: Collection[str] = ()) -> None:
        reads = tuple(b for name in sorted(statement.reads) if (b := self._seen(name, owner)))
        modules = sources.modules(statement.node)
        for name in statement.deletes:
            (self.beside if owner == "test" else self.names).pop(name, None)
        for name, kind in statement.binds.items():
            module = modules.get(name, "")
            local = owner != "test" and names.of_module(module, self.files)
            mine: Owner = "given" if name in kept else "answer" if local else owner
            binding = _Binding(name, mine, item.id, kind, statement, reads, module)
            if owner == "test":
                self.beside[name] = binding
            else:
                self.names[name] = binding
                self.beside.pop(name, None)
        self.open |= statement.open and owner != "answer"

    # What a test uses

    def _sight(self, free: Iterable[str], place: int, earlier: dict[str, set[str]]) -> Sight:
        looked, imported, shared, unknown = set[str](), set[str](), set[str](), set[str]()
        waiting, seen = list(free), set[str]()
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            binding = self._seen(name, "test")
            behind = self.names.get(name)
            if binding is None:
                unknown |= {name} - ALWAYS
                continue
            if behind and behind is not binding and behind.owner == "given":
                waiting += self._used(behind, place)
            if binding.owner == "answer":
                looked.add(name)
                imported |= {name} if self._is_library(binding) else set()
            else:
                waiting += self._used(binding, place)
                if binding.owner == "test":
                    earlier.setdefault(binding.cell, set()).add(name)
                if binding.owner == "given" and self._is_live(binding):
                    looked.add(name)
                elif binding.owner == "given" and self._is_shared(binding):
                    shared.add(name)
        if not self.open:
            looked |= unknown
        return Sight(frozenset(looked), frozenset(imported), frozenset(shared), frozenset(unknown))

    def _used(self, binding: _Binding, place: int) -> Iterator[str]:
        """Note that the examiner needs it; give the names that it uses when it is used."""
        statement = binding.statement
        if binding.kind == "value" and binding.owner == "given" and not self._is_rebuilt(binding):
            self.data[binding] = max(place, self.data.get(binding, 0))
            return
        self._needs(binding, place)
        if statement and binding.kind != "import":
            yield from statement.later
            yield from (read.name for read in binding.reads if read.kind in ("function", "class"))

    def _needs(self, binding: _Binding, place: int) -> None:
        """The examiner has to have what the binding's statement reads, as it was there."""
        if binding.name in self.code[binding.cell] or not self._is_closed(binding):
            return
        self.code[binding.cell].add(binding.name)
        for read in binding.reads:
            if read.owner == "given" and read.kind == "value":
                self.data[read] = max(place, self.data.get(read, 0))
            if read.owner != "answer":
                self._needs(read, place)

    def _is_closed(self, binding: _Binding) -> bool:
        """Whether the statement can be run in the examiner: it reads nothing that only the candidate has."""
        if binding.owner == "test" and any(r.owner == "given" and self._is_data(r) for r in binding.reads):
            return False
        return all(r.owner != "answer" and (r.owner == "given" or self._is_closed(r)) for r in binding.reads)

    def _is_live(self, binding: _Binding) -> bool:
        """Whether the examiner cannot have it by value, nor make it."""
        if binding.kind != "value" or self._is_rebuilt(binding):
            return False
        if self.learnt.plain is None:
            return not (binding.statement and given.constant(binding.statement))
        cells = [item.id for item, mentioned, before in self.after if self._matters(binding, item, mentioned, before)]
        return not cells or binding.name not in self.learnt.plain.get(cells[-1], ())

    def _is_rebuilt(self, binding: _Binding) -> bool:
        """Whether the examiner makes it by the statement that made it, of what it has."""
        statement = binding.statement
        if not statement or binding.kind != "value" or any(map(self._is_data, binding.reads)):
            return False
        if given.rebuilt(statement):
            return True
        made = given.called(statement)
        maker = next((read for read in binding.reads if read.name == made), None)
        return binding.name not in self.of_answers and maker is not None and self._is_class(maker)

    def _is_data(self, binding: _Binding) -> bool:
        """Whether it is of the instructor's data that do not stand in a cell."""
        constant = binding.statement and given.constant(binding.statement)
        return binding.kind == "value" and not constant and not self._is_rebuilt(binding)

    def _is_class(self, binding: _Binding) -> bool:
        own = binding.kind == "import" and names.of_module(binding.module, self.own)
        return binding.owner == "given" and (binding.kind == "class" or (own and binding.name[:1].isupper()))

    def _is_library(self, binding: _Binding) -> bool:
        """Whether it is a module, and nobody's here."""
        files = (*self.files, *self.own)
        node = binding.statement.node if binding.statement else None
        return isinstance(node, ast.Import) and not names.of_module(binding.module, files)

    def _is_shared(self, binding: _Binding) -> bool:
        if binding.kind == "import":
            return names.of_module(binding.module, self.own)
        return binding.kind in ("class", "value")

    def _matters(
        self, binding: _Binding, item: Item, mentioned: frozenset[str], names_after: Mapping[str, _Binding]
    ) -> bool:
        """Whether a cell that the candidate runs may leave other data under the binding's name."""
        if item.role == "test":
            return False
        return names_after.get(binding.name) is binding and (item.id == binding.cell or binding.name in mentioned)

    def _capture(self) -> dict[str, tuple[str, ...]]:
        wanted: defaultdict[str, set[str]] = defaultdict(set)
        for binding, until in self.data.items():
            for number, (item, mentioned, names_after) in enumerate(self.after):
                if number < until and self._matters(binding, item, mentioned, names_after):
                    wanted[item.id].add(binding.name)
        return {cell: tuple(sorted(found)) for cell, found in wanted.items()}

    def _define(self, cell: str, wanted: set[str]) -> str:
        item = self.items[cell]
        return given.reduced(item.released if item.role in ANSWERS else item.source, wanted)

    # What later cells use of a test

    def _needs_tests(self, mentioned: Iterable[str]) -> None:
        """What tests have bound and later cells read is there in the candidate, too."""
        for name in mentioned:
            binding, own = self.beside.get(name), self.names.get(name)
            if binding and not (own and own.kind == "import" == binding.kind):
                self.left[binding.cell].add(name)

    def _left(self, test: str, sight: Sight) -> Sight:
        """What the candidate runs of a test: its imports, and what later cells use."""
        item = self.items[test]
        found = uses.statements(item.source)
        imports = {n for s in found if isinstance(s.node, ast.Import | ast.ImportFrom) for n in s.binds}
        kept = [s for s in given.needed(found, self.left[test] | imports) if not sources.is_hidden(s, item)]
        missing = self.left[test] - {n for s in kept for n in s.binds} - self.names.keys()
        return replace(
            sight,
            leaves=given.written(item.source, kept).strip("\n"),
            before="\n".join(self._whole(t, n) for t, n in self._ordered(self.earlier[test])),
            trouble=f"later cells use `{min(missing)}`, which hidden lines bind" if missing else "",
        )

    def _whole(self, cell: str, wanted: set[str]) -> str:
        source = self.items[cell].source
        return given.written(source, given.needed(uses.statements(source), wanted)).strip("\n")

    def _ordered(self, wanted: Mapping[str, set[str]]) -> list[tuple[str, set[str]]]:
        return [(cell, wanted[cell]) for cell in self.items if cell in wanted]

    # Small questions

    def _is_of(self, name: str, owner: Owner) -> bool:
        return name in self.names and self.names[name].owner == owner

    def _seen(self, name: str, owner: Owner) -> _Binding | None:
        """What a name stands for to a test, or to other cells."""
        own = self.names.get(name)
        return self.beside.get(name, own) if owner == "test" else own

    def _reached(self, mentioned: Iterable[str]) -> frozenset[str]:
        """These names, and what is used when the functions behind them are called."""
        waiting, seen = list(mentioned), set[str]()
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                binding = self.names.get(name)
                if binding and binding.statement and binding.kind != "import":
                    waiting += binding.statement.later | binding.statement.sets
        return frozenset(seen)
