"""Which note a wikilink means, and who links to whom: the vault as Obsidian resolves it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from coursemill.model import FileLink, Heading, Lesson, Link
from coursemill.pure import dataview, embeds, naming

_FILE = re.compile(r"\.(?!md$)[A-Za-z]\w{1,4}$")
_MEDIA = re.compile(r"\.(?:avif|bmp|csv|gif|jpe?g|mp[34]|ogg|pdf|png|svg|wav|web[mp]|xlsx|zip)$", re.IGNORECASE)
"""What no note's name ends with, while one may be called `Node.js`."""
WIKILINK = re.compile(
    r"(?P<embed>!?)\[\[(?P<target>[^\[\]|#\n]*?)(?:[#](?P<heading>[^\[\]|\n]*?))?(?:\\?\|(?P<alias>[^\[\]\n]*))?\]\]"
)
"""`[[target#heading|alias]]`; inside of tables the bar is written `\\|`. It also stands in verbose patterns."""


@dataclass(frozen=True)
class VaultMap:
    """Every note and file of the vault, found by path, by name or by alias, whatever the case."""

    lessons: Mapping[str, Lesson]
    others: tuple[str, ...] = ()
    """Paths of notes that are no lessons, and of other files (pictures) that notes may embed."""

    @classmethod
    def of(cls, lessons: Iterable[Lesson], others: Iterable[str] = ()) -> VaultMap:
        """Make the map of parsed `lessons` and the paths of whatever else is in the vault."""
        by_path = {lesson.path: lesson for lesson in lessons}
        return cls(by_path, tuple(sorted(set(others) - by_path.keys())))

    def lesson(self, path: str) -> Lesson | None:
        """The parsed note at `path`, if it is one."""
        return self.lessons.get(path)

    def resolve(self, target: str, from_path: str) -> tuple[str, ...]:
        """Paths of the notes or files that `target` may mean, the likeliest first; nothing when there is none.

        A path counts from the vault's root, from the linking note (`./`, `../`), or as the end of a longer
        one; then names are tried, those of the note's own files first, then aliases. More than one result: the link
        is ambiguous.
        """
        key = _key(target.strip())
        if not key:
            return (from_path,)
        if key.startswith(("./", "../")):
            key = _key(posixpath.normpath(posixpath.join(posixpath.dirname(from_path), target.strip())))
        named = self._by_name.get(posixpath.basename(key), ())
        found = [p for p, whole in named if whole.endswith(f"/{key}")] if "/" in key else [p for p, _ in named]
        exact = [p for p in found if "/" in key and key in (_key(p), _key(p).partition("/")[2])]
        files = f"{from_path.removesuffix('.md')}.files/"
        likely = exact or [p for p in found if p.startswith(files)] or found
        here = f"{posixpath.dirname(from_path)}/"
        beside = [p for p in likely if p.startswith(here) and "/" not in p[len(here) :]] if len(likely) > 1 else []
        likely = [*beside, *(p for p in likely if p not in beside)] if beside else likely
        return tuple(likely) or self._by_alias.get(key, ())

    def heading(self, path: str, wanted: str) -> Heading | None:
        """The first heading of the lesson at `path` that `wanted`, a text without markup, may mean."""
        return self._headings.get(path, {}).get(folded(wanted))

    def block(self, path: str, name: str) -> int:
        """The line of the note at `path` on which the block `^name` ends; 0 when there is none."""
        return self._ids.get(path, {}).get(name, 0)

    def excerpt(self, path: str, wanted: str) -> str | None:
        """What an embed of `wanted` shows of the note at `path`: a heading, `^block`, or nothing for all of it.

        None: there is no such note, or nothing like that in it. What holds nbgrader's markers is not shown.
        """
        lesson = self.lessons.get(path)
        if lesson is None:
            return None
        if wanted.startswith("^"):
            text = embeds.block(lesson, wanted[1:])
        else:
            heading = self.heading(path, wanted) if wanted else None
            text = None if wanted and not heading else embeds.excerpt(lesson, heading)
        return "" if text and embeds.MARKER.search(text) else text

    def listed(self, query: str, path: str) -> dataview.Result | None:
        """What a Dataview query in the note at `path` finds; None when it is not understood."""
        if (query, path) not in self._listed:
            self._listed[query, path] = dataview.result(query, self, path)
        return self._listed[query, path]

    @cached_property
    def tags(self) -> Mapping[str, frozenset[str]]:
        """Path of a note → its tags in lower case, those in its text too."""
        return {path: frozenset(dataview.tags(lesson)) for path, lesson in self.lessons.items()}

    def backlinks(self, path: str) -> tuple[str, ...]:
        """Paths of the lessons that link to the note at `path` (in `related`, too), without itself."""
        return self._backlinks.get(path, ())

    @cached_property
    def _listed(self) -> dict[tuple[str, str], dataview.Result | None]:
        return {}

    @cached_property
    def _ids(self) -> Mapping[str, Mapping[str, int]]:
        return {path: found for path, lesson in self.lessons.items() if (found := embeds.ids(lesson))}

    @cached_property
    def _by_name(self) -> Mapping[str, list[tuple[str, str]]]:
        """Name → the paths that end with it, as they are and as they are compared, the shortest first."""
        names: dict[str, list[tuple[str, str]]] = {}
        for path in sorted((*self.lessons, *self.others), key=lambda p: (p.count("/"), p)):
            whole = f"/{_key(path)}"
            names.setdefault(posixpath.basename(whole), []).append((path, whole))
        return names

    @cached_property
    def _by_alias(self) -> Mapping[str, tuple[str, ...]]:
        aliases: dict[str, tuple[str, ...]] = {}
        for path, lesson in sorted(self.lessons.items()):
            for alias in lesson.front.aliases:
                aliases[alias.casefold()] = (*aliases.get(alias.casefold(), ()), path)
        return aliases

    @cached_property
    def _headings(self) -> Mapping[str, Mapping[tuple[str, ...], Heading]]:
        return {
            path: {folded(heading.text): heading for heading in reversed(lesson.headings)}
            for path, lesson in self.lessons.items()
        }

    @cached_property
    def _backlinks(self) -> Mapping[str, tuple[str, ...]]:
        sources: dict[str, dict[str, None]] = {}
        for path, lesson in sorted(self.lessons.items()):
            links: tuple[Link | FileLink, ...] = (*lesson.links, *lesson.files)
            targets = (link.target for link in links if means_note(link))
            for target in targets:
                for linked in self.resolve(target, path)[:1]:
                    if linked != path:
                        sources.setdefault(linked, {})[path] = None
        return {linked: tuple(paths) for linked, paths in sources.items()}


def means_note(link: Link | FileLink) -> bool:
    """Whether the vault says what `link` means: a Markdown link names a file, unless that is a note."""
    return isinstance(link, Link) or link.target.endswith(".md")


def means_file(target: str, *, embed: bool = False) -> bool:
    """Whether a wikilink that leads nowhere is meant for a picture or another file, going by the end of its name."""
    return (_FILE if embed else _MEDIA).search(target) is not None


def target(text: str) -> str:
    """Say what a property such as `"[[Note#Heading|alias]]"` names: `Note`; plain text names itself."""
    link = WIKILINK.search(text)
    return (link["target"] if link else text).strip()


def folded(heading: str) -> tuple[str, ...]:
    """The words of a heading: Obsidian leaves some characters out of a link, and fragments have dashes for blanks."""
    return tuple(re.findall(r"\w+", heading.casefold()) or heading.split())


def _key(path: str) -> str:
    return naming.folded(path).removesuffix(".md").removeprefix("/")
