"""Diagrams drawn as SVG: d2 by Node and `@terrastruct/d2`, mermaid by Chromium and npm's `mermaid`, no network.

Both packages come from the `node_modules/` of the course. What is drawn is kept in the vault and committed, so that
every other machine builds the same notebooks, without a renderer.
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from coursemill.config import Config
from coursemill.effects import store
from coursemill.model import Finding
from coursemill.pure import codes
from coursemill.pure.diagrams import FOLDER, Diagram, Language

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--virtual-time-budget=60000",
)
QUICK = "--liftoff-only"
"""Without it V8 spends 9 seconds of CPU time on optimizing d2's WebAssembly, which a few pictures never pay back."""
START, EACH = 60, 20
"""Seconds that a renderer has to start, and for each diagram."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Source of a diagram → SVG, and why others have none."""

    svgs: Mapping[str, str]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class _Result:
    """One diagram's SVG, or what is wrong and in which line of its source (from 1; 0: unknown)."""

    svg: str = ""
    error: str = ""
    line: int = 0


def render(diagrams: Iterable[Diagram], config: Config, *, keep: bool = True) -> Drawn:
    """Draw what is not drawn yet; `keep` new pictures in the vault, under the diagrams' names.

    A diagram that cannot be drawn is a finding at its line: the notebook shows its source. Raises CoursemillError
    when a picture cannot be written.
    """
    diagrams = list(diagrams)
    svgs = drawn(diagrams, config)
    findings: list[Finding] = []
    for lang, draw in _RENDERERS.items():
        wanted = [d for d in diagrams if d.lang == lang and d.source not in svgs]
        sources = list(dict.fromkeys(d.source for d in wanted))
        results = dict(zip(sources, draw(config.root, sources) if sources else (), strict=True))
        for diagram in wanted:
            result = results[diagram.source]
            if not result.svg:
                findings.append(_finding(diagram, result))
            elif diagram.source not in svgs:
                svgs[diagram.source] = result.svg
                if keep:
                    store.write(config.root, f"{config.notes}/{FOLDER}/{diagram.name}", result.svg.encode())
    return Drawn(svgs, tuple(sorted(findings)))


def drawn(diagrams: Iterable[Diagram], config: Config) -> dict[str, str]:
    """Source → SVG of those diagrams that are drawn already; nothing is drawn."""
    folder = config.path(config.notes, FOLDER)
    return {d.source: svg for d in diagrams if (svg := _kept(folder / d.name))}


def _finding(diagram: Diagram, result: _Result) -> Finding:
    span = diagram.span
    line = min(span.start + result.line, max(span.start, span.end - 1))
    return codes.DIAGRAM.at(span.path, line, f"the {diagram.lang} diagram is shown as text: {result.error}")


def _kept(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    return text if "<svg" in text[:1000] else ""


def _d2(root: Path, sources: Sequence[str]) -> list[_Result]:
    """All sources by one Node process: starting it costs more than drawing."""
    node = shutil.which("node")
    if not node or not (root / "node_modules" / "@terrastruct" / "d2").is_dir():
        return _nothing(sources, f"drawing it needs Node and {_installing(root, '@terrastruct/d2')}")
    with resources.as_file(resources.files(__package__) / "renderers" / "d2.mjs") as script:
        out, failure = _run([node, QUICK, str(script), str(root)], json.dumps(sources), len(sources))
    results = [_result(json.loads(line)) for line in out.splitlines() if line.endswith("}")]
    return results + _nothing(sources[len(results) :], failure)


def _mermaid(root: Path, sources: Sequence[str]) -> list[_Result]:
    """All sources by one page in a headless browser."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    script = root / "node_modules" / "mermaid" / "dist" / "mermaid.min.js"
    if not browser or not script.is_file():
        return _nothing(sources, f"drawing it needs Chromium and {_installing(root, 'mermaid')}")
    template = (resources.files(__package__) / "renderers" / "mermaid.html").read_text(encoding="utf-8")
    data = json.dumps(sources).replace("<", "\\u003c")
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()  # Chromium refuses to start as root with one
    with tempfile.TemporaryDirectory(prefix="coursemill-") as folder:
        page = Path(folder) / "page.html"
        page.write_text(template.replace("@MERMAID@", script.as_uri()).replace("@SOURCES@", data), encoding="utf-8")
        command = [browser, *FLAGS, *sandbox, f"--user-data-dir={folder}/profile", "--dump-dom", page.as_uri()]
        out, failure = _run(command, "", len(sources))
    found = re.search(r'<pre id="results">(.*?)</pre>', out, re.DOTALL)
    if not found:
        return _nothing(sources, failure)
    return [_result(made) for made in json.loads(html.unescape(found[1]))]


_RENDERERS: Mapping[Language, Callable[[Path, Sequence[str]], list[_Result]]] = {"d2": _d2, "mermaid": _mermaid}


def _run(command: Sequence[str], text: str, count: int) -> tuple[str, str]:
    """Output of `command`, and what to say of the diagrams that are not in it."""
    limit = START + EACH * count
    try:
        done = subprocess.run(command, input=text, capture_output=True, encoding="utf-8", timeout=limit, check=False)
    except subprocess.TimeoutExpired as error:
        seen = error.stdout.decode(errors="replace") if isinstance(error.stdout, bytes) else error.stdout or ""
        return seen, f"{Path(command[0]).name} was stopped after {limit} seconds"
    except OSError as error:
        return "", f"{Path(command[0]).name} does not start: {error.strerror}"
    lines = [line for line in done.stderr.splitlines() if "rror" in line] or ["it ended without a picture"]
    return done.stdout, f"{Path(command[0]).name}: {lines[-1].strip()[:200]}"


def _installing(root: Path, package: str) -> str:
    """How a course gets a package: one that locks its packages installs them all."""
    locked = (root / "package-lock.json").is_file()
    return f"`{'npm ci' if locked else f'npm install {package}'}` in the course's folder"


def _nothing(sources: Sequence[str], why: str) -> list[_Result]:
    return [_Result(error=why) for _ in sources]


def _result(made: Mapping[str, str]) -> _Result:
    """What a renderer says of one diagram; messages name the line in ways of their own."""
    if svg := made.get("svg"):
        return _Result(svg=svg if svg.endswith("\n") else svg + "\n")
    error = made.get("error", "")
    if error.startswith("[{"):  # d2: a JSON list of errors, each `index:line:column: what`
        error = json.loads(error)[0]["errmsg"]
    place = re.search(r"index:(\d+):\d+: |on line (\d+)", error)  # mermaid: `Parse error on line 2:`
    what = " ".join(error.removeprefix(place[0] if place else "").split())[:200]
    return _Result(error=what, line=int(place[1] or place[2]) if place else 0)
