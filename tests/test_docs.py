"""The docs say what is: generated pages are up to date, links lead somewhere, named commands exist."""

import re
from pathlib import Path

import pytest

from coursemill.faces import reference
from coursemill.faces.cli import VERBS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)")
FENCED = re.compile(r"^(`{3,})[^\n]*\n.*?^\1", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)")
COMMAND = re.compile(r"(?:^|[\s`/(])coursemill ([a-z]+)\b")


def test_the_command_line_reference_is_up_to_date() -> None:
    assert (ROOT / "docs/reference/cli.md").read_text() == reference.page(), "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(INLINE.sub("", FENCED.sub("", page.read_text()))):
        assert (page.parent / target).exists(), f"{page}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_named_commands_exist(page: Path) -> None:
    for line in page.read_text().splitlines():
        if line.lstrip().startswith(("coursemill ", ".venv/bin/coursemill ", "$ coursemill ")):
            found = COMMAND.search(f" {line.strip()}")
            assert found is None or found[1] in VERBS, f"{page}: {line}"
