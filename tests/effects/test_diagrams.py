import shutil
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from coursemill.config import Config
from coursemill.effects import diagrams
from coursemill.model import Finding, Span
from coursemill.pure.diagrams import FOLDER, Diagram, Language

ROOT = Path(__file__).parents[2]
D2, MERMAID = ROOT / "node_modules" / "@terrastruct" / "d2", ROOT / "node_modules" / "mermaid"
BROWSER = any(map(shutil.which, diagrams.BROWSERS))
needs_d2 = pytest.mark.skipif(not D2.is_dir() or not shutil.which("node"), reason="needs Node and `npm ci`")
needs_mermaid = pytest.mark.skipif(not MERMAID.is_dir() or not BROWSER, reason="needs Chromium and `npm ci`")


def diagram(lang: Language, source: str, line: int = 10) -> Diagram:
    return Diagram(lang, source, Span("notes/a.md", line, line + source.count("\n") + 2))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A course with the renderers of this one."""
    (tmp_path / "notes").mkdir()
    if (ROOT / "node_modules").is_dir():
        (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    return Config(tmp_path)


def kept(config: Config) -> list[Path]:
    folder = config.path(config.notes, FOLDER)
    return sorted(folder.iterdir()) if folder.is_dir() else []


def size(svg: str) -> tuple[float, float]:
    root = ElementTree.fromstring(svg)
    return float(root.attrib["width"]), float(root.attrib["height"])


@needs_d2
def test_d2(config: Config) -> None:
    good = [
        diagram("d2", "a -> b: hello"),
        diagram("d2", "x: A box {\n  c -> d\n}\nx -> y"),
        diagram("d2", "a -> b: hello", 30),
    ]
    bad = diagram("d2", "ok\nx: {\n  near: ok\n  width: wide\n}", 50)
    drawn = diagrams.render([*good, bad], config)
    assert set(drawn.svgs) == {d.source for d in good}
    assert [(f.line, f.col, f.code) for f in drawn.findings] == [(54, 10, "CM209")]
    assert "the d2 diagram is shown as text: non-integer width" in drawn.findings[0].message
    assert all(min(size(svg)) > 30 for svg in drawn.svgs.values())
    assert {file.name: file.read_text() for file in kept(config)} == {d.name: drawn.svgs[d.source] for d in good}
    shutil.rmtree(config.path(config.notes, FOLDER))
    assert diagrams.render(good[:1], config, keep=False).svgs == {"a -> b: hello": drawn.svgs["a -> b: hello"]}
    assert not kept(config)


@needs_mermaid
def test_mermaid(config: Config) -> None:
    good = [
        diagram("mermaid", "graph LR\n  A[Start] --> B{ok?}"),
        diagram("mermaid", "sequenceDiagram\n  A->>B: </script> & <b>"),
    ]
    bad = diagram("mermaid", "graph LR\n  A -- B ]\n  C", 40)
    drawn = diagrams.render([*good, bad], config)
    assert set(drawn.svgs) == {d.source for d in good}
    assert [(f.line, f.code) for f in drawn.findings] == [(43, "CM209")]
    for svg in drawn.svgs.values():
        assert min(size(svg)) > 30
        assert "background-color: white" in svg
        assert "foreignObject" not in svg


def test_what_is_kept_is_not_drawn(config: Config) -> None:
    (config.root / "node_modules").unlink(missing_ok=True)
    one = diagram("d2", "anything")
    config.path(config.notes, FOLDER).mkdir()
    config.path(config.notes, FOLDER, one.name).write_text("<svg/>")
    assert diagrams.render([one], config) == diagrams.Drawn({"anything": "<svg/>"})


@pytest.mark.parametrize("lang", ["d2", "mermaid"])
def test_without_a_renderer_the_source_stays(config: Config, lang: Language) -> None:
    (config.root / "node_modules").unlink(missing_ok=True)
    source = {"d2": "a", "mermaid": "graph LR"}[lang]
    drawn = diagrams.render([diagram(lang, source)], config)
    assert not drawn.svgs
    assert [(f.code, f.severity, f.line) for f in drawn.findings] == [("CM209", "warning", 10)]
    package = {"d2": "@terrastruct/d2", "mermaid": "mermaid"}[lang]
    assert f"`npm install {package}` in the course's folder" in drawn.findings[0].message
    (config.root / "package-lock.json").write_text("{}")
    assert "`npm ci` in" in diagrams.render([diagram(lang, source)], config).findings[0].message
    assert not kept(config)


def test_a_renderer_that_does_not_answer_is_stopped(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    program = config.root / "bin" / "node"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nprintf \'{"svg": "<svg/>"}\\n\'\nexec sleep 60\n')
    program.chmod(0o755)
    (config.root / "node_modules").unlink(missing_ok=True)
    (config.root / "node_modules" / "@terrastruct" / "d2").mkdir(parents=True)
    (config.root / "node_modules" / "@terrastruct" / "d2" / "package.json").write_text("{}")
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setattr(diagrams, "START", 1)
    monkeypatch.setattr(diagrams, "EACH", 0)
    drawn = diagrams.render([diagram("d2", "first"), diagram("d2", "second")], config)
    assert set(drawn.svgs) == {"first"}
    assert "node was stopped after 1 seconds" in drawn.findings[0].message


WRONG = ("a: {\n  width: é wide\n}", "b", "c: {", "e: 😀 {width: x}")
CM209 = ["12:10 non-integer width", "20:4 maps must be terminated with }", "30:14 non-integer width"]


def said(found: Iterable[Finding]) -> list[str]:
    words = ((f, f.message.partition("shown as text: ")[2].partition(' "')[0]) for f in found)
    return [f"{finding.line}:{finding.col} {what}" for finding, what in words]


@needs_d2
def test_what_the_compiler_says_is_said_at_its_place_and_kept(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [diagram("d2", source, line) for source, line in zip(WRONG, (10, 40, 19, 29), strict=True)]
    first = diagrams.compiled(asked, config)
    assert said(first) == CM209
    monkeypatch.setattr(diagrams, "_run", None)  # nothing is started from here on
    assert diagrams.compiled(asked, config) == first
    assert diagrams.render([asked[0], asked[2]], config).findings == first[:2]


def test_what_is_wrong_for_all_to_see_starts_nothing(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagrams, "_run", None)
    shown = [diagram("d2", "a: {shape: process}"), diagram("mermaid", "flowchat LR")]
    assert diagrams.compiled(shown, config) == ()
    assert diagrams.render(shown, config) == diagrams.Drawn({})


PROGRAM = r"""#!/bin/sh
if grep -q wide; then
  echo 'err: failed to compile -: -:2:10: non-integer width "wide"' >&2
  echo 'err: -:3:1: unexpected map termination character } in file map' >&2
  exit 1
fi
echo '<?xml version="1.0" encoding="utf-8"?><svg></svg>'
"""


def test_a_d2_on_the_path_does_as_well(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    (config.root / "node_modules").unlink(missing_ok=True)
    program = config.root / "bin" / "d2"
    program.parent.mkdir()
    program.write_text(PROGRAM)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    asked = [diagram("d2", "a: {\n  width: wide\n}"), diagram("d2", "a", 20)]
    assert said(diagrams.compiled(asked, config)) == [
        "12:10 non-integer width",
        "13:1 unexpected map termination character } in file map",
    ]
    assert diagrams.render(asked, config).svgs == {"a": "<svg></svg>\n"}


def test_without_a_compiler_nothing_is_said(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    (config.root / "node_modules").unlink(missing_ok=True)
    monkeypatch.setenv("PATH", "")
    assert diagrams.compiled([diagram("d2", "a: {")], config) == ()


def test_nothing_to_draw_starts_nothing(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagrams, "_run", None)
    assert diagrams.render([], config) == diagrams.Drawn({})
