"""AnyBlock's trees, drawn: whatever stands in the items, mermaid draws all of its words."""

import html
import re
import shutil
from pathlib import Path

import pytest

from coursemill.config import Config
from coursemill.effects import diagrams
from coursemill.model import Span
from coursemill.pure.anyblock import find
from coursemill.pure.diagrams import Diagram

ROOT = Path(__file__).parents[2]
BROWSER = next(filter(None, map(shutil.which, diagrams.BROWSERS)), None)
pytestmark = pytest.mark.skipif(
    not (ROOT / "node_modules" / "mermaid").is_dir() or not BROWSER, reason="needs Chromium and `npm ci`"
)
ITEMS = [
    'say "hello" (a) [b] {c}', "List<String> and a < b > c", "amp & semi; #35; # h", "`tick` \\`one ``two ` three``",
    "a -- b --> c", "**bold** _em_ __init__ ~~gone~~", "$x^2$ and $$y$$", "1\\. one", "end", "graph", "class x",
    "click me",
    "%%{init}%% seen", "http://example.org/z?a=b&c=d", "x @{ shape: y }", "::icon(fa fa-book)", "a | b", "- x", "> y",
    "C:\\new \\table", "日本 é", "[[Note#Part|words]]", "![[picture.png]]", "<br>", "…", '"', "subgraph z",
    "style n0 fill:red", "linkStyle 0", "a:::b", "🐍 snake", "end]", "n0", "{{x}}", "((y))", "[/z/]", ">flag]",
]  # fmt: skip


@pytest.mark.parametrize("mode", ["list2mindmap", "list2mermaid"])
def test_every_item_is_drawn(mode: str, tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    text = f"[listroot(Root)|{mode}]\n" + "".join(f"- {item}\n" for item in ITEMS)
    texts = [text, *(f"[{mode}]\n- {item}\n    - below\n" for item in ITEMS)]
    sources = [source for one in texts for source, _, _ in find.diagrams(one)]
    assert len(sources) == len(texts)
    made = [Diagram("mermaid", source, Span("notes/a.md", 1, 9)) for source in sources]
    drawn = diagrams.render(made, Config(root=tmp_path), keep=False)
    assert not drawn.findings
    for source in sources:
        labels = re.findall(r'[\[(]"(.*)"[\])]', source)
        svg = re.sub(r"<style.*?</style>", "", drawn.svgs[source], flags=re.DOTALL)
        shown = re.sub(r"\s", "", html.unescape(re.sub(r"<[^<>]*>", " ", svg)))
        assert not [label for label in labels if re.sub(r"\s", "", label) not in shown]
