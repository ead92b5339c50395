"""Keeps what a candidate has made from running in the examiner: its files, its texts, its pickles, its programs.

A test may open a file that an answer wrote, and look at a text that it gave. That none of it becomes code here, by
whatever way, an audit hook sees to: what it refuses, a test can only do in the candidate. It stops tests that were not
written with this in mind; it is no wall against a test that means harm.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import os
import re
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from coursemill.effects.sandbox.inmate.peer import Mirror
from coursemill.effects.sandbox.inmate.talk import Message
from coursemill.pure import plain

STARTS = frozenset(
    {
        *("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty"),
        "pty.spawn",
    }
)
IMPORTS = "<frozen importlib._bootstrap>"
"""Who calls loaders, and what they call."""
LOADERS = ("<frozen importlib._bootstrap_external>", "<frozen zipimport>", "<frozen runpy>", "/runpy.py")
"""Where Python reads code from files; a name with a slash is the end of one."""
IPYTHONS_OPEN = "_modified_open"
"""What cells have for `open`."""
EVALUATORS = tuple(
    f"/{name}"
    for name in (
        *(
            "runpy.py",
            "code.py",
            "codeop.py",
            "doctest.py",
            "bdb.py",
            "timeit.py",
            "sympy/",
            "pandas/core/computation/",
        ),
        *("numexpr/", "jinja2/", "mako/", "asteval/"),
    )
)
"""Parts of the names of files that make code of texts which they have rewritten."""
PICKLED = frozenset(
    {
        *(
            ("builtins", name)
            for name in ("set", "frozenset", "bytearray", "complex", "range", "slice", "list", "dict")
        ),
        *(("collections", name) for name in ("OrderedDict", "defaultdict", "Counter", "deque")),
        *(("datetime", name) for name in ("date", "time", "datetime", "timedelta", "timezone")),
        *(("decimal", "Decimal"), ("fractions", "Fraction"), ("uuid", "UUID"), ("_codecs", "encode")),
        *((f"numpy.{core}.multiarray", name) for core in ("core", "_core") for name in ("_reconstruct", "scalar")),
        *(("numpy", "ndarray"), ("numpy", "dtype")),
    }
)
"""What a pickle may name: classes of data."""
SIGNS = frozenset("()[]{}=:.@; \t\n")
WORD = re.compile(r"\w")
"""A text that has no word, or none of these signs, calls nothing and defines nothing."""
MAX_TEXT = 1 << 20
MAX_TEXTS = 64 << 20
"""Characters of the candidate's that are remembered; of more, nothing becomes code that the test does not spell."""


class Forbidden(PermissionError):  # noqa: N818 - what a test did is
    """Something that a test cannot do outside of the candidate."""


class Guard:
    """One process's guard, for good; it is the examiner's mirror, too."""

    def __init__(self, mirror: Mirror | None) -> None:
        self._mirror = mirror
        self._watching = 0
        self._texts: dict[str, None] = {}
        self._room = MAX_TEXTS
        self._spelled: set[str] = set()
        self._written: set[str] = set()
        self._modules: set[str] = set()
        self._folders = tuple(os.path.realpath(folder) + os.sep for folder in getattr(mirror, "folders", ()))
        sys.addaudithook(self._heard)

    def changes(self) -> bytes:
        """What this side has changed in the files that both sides share."""
        with self.resting():
            return self._mirror.changes() if self._mirror is not None else b""

    def apply(self, data: bytes) -> None:
        """Take over what the candidate has changed: what lies there may be its own, whoever wrote it first."""
        self._written.clear()
        with self.resting():
            if self._mirror is not None:
                self._mirror.apply(data)

    def see_modules(self, names: set[str], see: Callable[[str], Any]) -> None:
        """Let imports of these modules give what `see` gives."""
        for finder in [f for f in sys.meta_path if isinstance(f, _Finder)]:
            sys.meta_path.remove(finder)
        self._modules = names
        sys.meta_path.insert(0, _Finder(names, see))

    def forget_modules(self) -> None:
        """Let them be looked at anew."""
        for name in [n for n in sys.modules if any(f"{n}.".startswith(f"{one}.") for one in self._modules)]:
            del sys.modules[name]

    @contextlib.contextmanager
    def watching(self, source: str) -> Iterator[None]:
        """Watch code that the instructor has written as `source`."""
        self._spelled.add("".join(source.split()))
        self._watching += 1
        try:
            yield
        finally:
            self._watching -= 1

    @contextlib.contextmanager
    def resting(self) -> Iterator[None]:
        """Do not watch what this program itself does."""
        before, self._watching = self._watching, 0
        try:
            yield
        finally:
            self._watching = before

    def note(self, message: Message) -> None:
        """Remember texts that came from the candidate."""
        rest = [message.body]
        while rest and self._room > 0:
            one = rest.pop()
            if type(one) is str:
                self._note_text(one)
            elif type(one) is list:
                if not {str, list, dict}.isdisjoint(map(type, one)):
                    rest.extend(one)
            elif type(one) is dict:
                rest.extend([*one, *one.values()])
                for kind in one.keys() & {"str", "bytes", "bytearray"}:
                    self._note_buffer(message.buffers, one[kind])

    def _note_text(self, text: str) -> None:
        text = text.strip()
        if self._room > 0 and text not in self._texts and not SIGNS.isdisjoint(text) and WORD.search(text):
            self._texts[text] = None
            self._room -= len(text)

    def _note_buffer(self, buffers: Sequence[Any], number: Any) -> None:
        if type(number) is int and 0 <= number < len(buffers):
            self._note_text(bytes(buffers[number][:MAX_TEXT]).decode("utf-8", "replace"))

    # What the audit hook hears

    def _heard(self, event: str, args: tuple[Any, ...]) -> None:
        if not self._watching:
            return
        if event in STARTS:
            raise Forbidden("a test that starts another program can only run in the student's kernel")
        if (hear := HEARD.get(event)) is not None:
            with self.resting():
                hear(self, sys._getframe(1), *args)

    def _open(self, frame: types.FrameType, path: Any, mode: Any, flags: Any) -> None:
        if not isinstance(path, str | bytes | os.PathLike) or not self._folders:
            return
        place = os.path.realpath(os.fsdecode(path))
        if type(flags) is int and flags & (os.O_WRONLY | os.O_RDWR):
            self._written.add(place)
        elif self._is_foreign(place):
            if frame.f_code.co_name == IPYTHONS_OPEN and frame.f_back is not None:
                frame = frame.f_back
            if _is_in(frame, LOADERS) or _is_in(frame, ("/IPython/",)):
                raise Forbidden(f"{os.path.basename(place)} was written by an answer: it cannot be run here")  # noqa: PTH119
            self._remember(place)

    def _remember(self, place: str) -> None:
        try:
            with open(place, encoding="utf-8") as file:  # noqa: PTH123 - as the test does
                self._note_text(file.read(MAX_TEXT))
        except (OSError, ValueError):
            return

    def _execute(self, frame: types.FrameType, code: Any) -> None:
        name = getattr(code, "co_filename", "")
        if os.path.isabs(name) and self._is_foreign(os.path.realpath(name)):  # noqa: PTH117
            raise Forbidden(f"{os.path.basename(name)} was written by an answer: it cannot be run here")  # noqa: PTH119

    def _compile(self, frame: types.FrameType, source: Any, name: Any) -> None:
        if frame.f_code.co_filename == IMPORTS and frame.f_back is not None:
            frame = frame.f_back
        if source is None or _is_in(frame, LOADERS):  # where a library has no byte code yet
            return
        if isinstance(source, bytes | bytearray | memoryview):
            text = bytes(source).decode("utf-8", "replace")
        elif isinstance(source, str):
            text = source
        else:
            return  # a tree, whose text was looked at before
        if self._is_spelled(text):
            return
        if _is_in(frame, ("/ast.py",)) and frame.f_back is not None:
            frame = frame.f_back
        if self._is_candidates(text) or (self._texts and _is_in(frame, EVALUATORS)):
            raise Forbidden("a text of the answer's cannot become code here")

    def _is_spelled(self, text: str) -> bool:
        """Whether it stands in what the instructor has written, with whatever space between."""
        words = "".join(text.split())
        return any(words in source for source in self._spelled)

    def _is_candidates(self, text: str) -> bool:
        """Whether a text of the candidate's is in it, or it in one."""
        if self._room <= 0:
            return True
        part = text.strip()
        if SIGNS.isdisjoint(part):
            return False
        return any(part in one or one in text for one in self._texts)

    def _pickled(self, frame: types.FrameType, module: str, name: str) -> None:
        if (module, name) not in PICKLED:
            raise Forbidden(f"a pickle that names {module}.{name} can only be read in the student's kernel")

    def _unmarshalled(self, frame: types.FrameType, *args: Any) -> None:
        if not _is_in(frame, LOADERS[:1]):
            raise Forbidden("marshalled code can only be read in the student's kernel")

    def _code(self, frame: types.FrameType, *args: Any) -> None:
        if not frame.f_code.co_filename.startswith(plain.PLACES):
            raise Forbidden("code can only be made of its parts in the student's kernel")

    def _native(self, frame: types.FrameType, name: Any = None, *args: Any) -> None:
        if isinstance(name, str | bytes) and self._is_foreign(os.path.realpath(os.fsdecode(name))):
            raise Forbidden("a library that an answer has made can only be loaded in the student's kernel")

    def _imported(self, frame: types.FrameType, module: str, file: Any, *args: Any) -> None:
        if file:
            self._native(frame, file)

    def _is_foreign(self, place: str) -> bool:
        """Whether a file may be the candidate's: in a folder that both share, and not the instructor's."""
        if place in self._written:
            return False
        for number, folder in enumerate(self._folders):
            if place.startswith(folder) and (number, place.removeprefix(folder)) not in getattr(
                self._mirror, "kept", ()
            ):
                return True
        return False


HEARD: dict[str, Callable[..., None]] = {
    "open": Guard._open,
    "exec": Guard._execute,
    "compile": Guard._compile,
    "import": Guard._imported,
    "pickle.find_class": Guard._pickled,
    "marshal.loads": Guard._unmarshalled,
    "marshal.load": Guard._unmarshalled,
    "code.__new__": Guard._code,
    "ctypes.dlopen": Guard._native,
}


def _is_in(frame: types.FrameType, files: Sequence[str]) -> bool:
    """Whether a frame runs code of one of these files."""
    name = frame.f_code.co_filename
    return any(
        name.endswith(one) or (one.endswith("/") and one in name) if "/" in one else name == one for one in files
    )


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds modules in the candidate."""

    def __init__(self, names: set[str], see: Callable[[str], Any]) -> None:
        self.names, self.see = names, see

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find a module of an answer's, or a package above or below it."""
        if any(f"{n}.".startswith(f"{fullname}.") or f"{fullname}.".startswith(f"{n}.") for n in self.names):
            return importlib.machinery.ModuleSpec(fullname, self)
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        """Put what is seen into the module's place."""
        sys.modules[module.__name__] = self.see(module.__name__)
