"""What the docs say of the attacks, made from them: `cd tests/attacks && python -m hostile.pages` writes it."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from hostile import sheet
from hostile.deed import PLACES, Attack, attacks

DOCS = Path(__file__).parents[3] / "docs"
SECURITY, ALL = DOCS / "security.md", DOCS / "reference" / "attacks.md"
MARKS = "<!-- attacks: begin -->", "<!-- attacks: end -->"


def main() -> None:
    for page, text in pages().items():
        page.write_text(text, encoding="utf-8")


def pages() -> dict[Path, str]:
    """Each page, with its text."""
    before, rest = SECURITY.read_text(encoding="utf-8").split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    classic = "\n".join(_rows(("attack", "deserves", "stock nbgrader", "here"), map(_classic, _stock())))
    return {SECURITY: f"{before}{MARKS[0]}\n{classic}\n{MARKS[1]}{after}", ALL: "\n".join(_all())}


def _stock() -> list[Attack]:
    return [attack for attack in attacks().values() if attack.stock]


def _classic(attack: Attack) -> tuple[str, ...]:
    return attack.story, f"{sheet.HONEST:g}", f"{attack.stock:g}", _gets(attack)


def _gets(attack: Attack) -> str:
    return f"≤ {attack.gets:g}" if attack.loses else f"{attack.gets:g}"


def _all() -> Iterator[str]:
    found = attacks().values()
    yield from (
        "# Attacks",
        "",
        "<!-- Generated from tests/attacks: see hostile/pages.py there. -->",
        "",
        f"{len(found)} attacks are run by the tests, each through the whole examination of a worksheet of "
        f"{sheet.POINTS} points; [what they show](../security.md). The number is what the attack gets: what its honest "
        "part deserves, `≤` where it may lose that, too.",
        "",
    )
    for place in PLACES:
        about = importlib.import_module(f"hostile.{place}").__doc__ or ""
        yield from (f"## {about.split(':')[0].strip().removesuffix('.')}", "", about.strip(), "")
        mine = [attack for attack in found if attack.place == place]
        yield from _rows(("attack", "gets"), ((_story(one), _gets(one)) for one in mine))
        yield ""


def _story(attack: Attack) -> str:
    return f"{attack.story} **It succeeds:** {attack.known}." if attack.known else attack.story


def _rows(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join('---' if n == 0 else '--:' for n in range(len(head)))}|"
    for row in rows:
        cells = [" ".join(cell.split()).replace("|", "\\|") for cell in row]
        yield f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
