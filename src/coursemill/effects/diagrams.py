"""Diagrams drawn as SVG: d2 by Node and `@terrastruct/d2`, mermaid by Chromium and npm's `mermaid`, no network.

Both packages come from the `node_modules/` of the course; without d2's, a `d2` on PATH does as well. What is drawn is
kept in the vault and committed, so that every other machine builds the same notebooks, without a renderer. What d2's
compiler has against a source is kept in `build/`: no source is compiled twice.
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
from coursemill.pure.d2 import Mistake, explained
from coursemill.pure.diagrams import FOLDER, Diagram, Language, finding, mistakes

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
SEEN = "cache/diagrams.json"
START, EACH = 60, 20
"""Seconds that a renderer has to start, and for each diagram."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Source of a diagram → SVG, and why others have none."""

    svgs: Mapping[str, str]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class _Result:
    """One diagram's SVG, or what is wrong with its source; `failed`: the renderer could not say."""

    svg: str = ""
    mistakes: tuple[Mistake, ...] = ()
    failed: bool = False


def render(diagrams: Iterable[Diagram], config: Config, *, keep: bool = True) -> Drawn:
    """Draw what is not drawn yet; `keep` new pictures in the vault, under the diagrams' names.

    A diagram that cannot be drawn is a finding at its line: the notebook shows its source. Of a source that is wrong
    for all to see, nothing is said: the rules do. Raises CoursemillError when a picture cannot be written.
    """
    diagrams = list(diagrams)
    svgs = drawn(diagrams, config)
    findings: list[Finding] = []
    for lang, draw in _RENDERERS.items():
        wanted = [d for d in diagrams if d.lang == lang and d.source not in svgs and not mistakes(lang, d.source)]
        known = _seen(config) if lang == "d2" and wanted else {}
        results = {d.source: _Result(mistakes=known[d.name]) for d in wanted if known.get(d.name)}
        sources = list(dict.fromkeys(d.source for d in wanted if d.source not in results))
        results |= dict(zip(sources, draw(config.root, sources) if sources else (), strict=True))
        for diagram in wanted:
            result = results[diagram.source]
            if not result.svg:
                findings += [finding(diagram, one) for one in result.mistakes]
            elif diagram.source not in svgs:
                svgs[diagram.source] = result.svg
                if keep:
                    store.write(config.root, f"{config.notes}/{FOLDER}/{diagram.name}", result.svg.encode())
    return Drawn(svgs, tuple(sorted(findings)))


def compiled(diagrams: Iterable[Diagram], config: Config) -> tuple[Finding, ...]:
    """What d2's compiler has against the sources that are not drawn yet; nothing where there is no compiler.

    Sources that are wrong for all to see are left to the rules. What is found is kept for the next time. Raises
    CoursemillError when it cannot be kept.
    """
    asked = [d for d in diagrams if d.lang == "d2" and not mistakes(d.lang, d.source)]
    ready = drawn(asked, config)
    asked = [d for d in asked if d.source not in ready]
    if not asked or not (compiler := _compiler(config.root)):
        return ()
    seen = _seen(config)
    sources = {d.name: d.source for d in asked if d.name not in seen}
    if sources:
        results = zip(sources, _d2(config.root, list(sources.values()), compile_only=True), strict=True)
        new = {name: result.mistakes for name, result in results if not result.failed}
        seen |= new
        state = {name: [[one.line, one.col, one.message, one.fix] for one in found] for name, found in seen.items()}
        store.remember(config.root, f"{config.build}/{SEEN}", {"compiler": compiler, "seen": state})
    return tuple(sorted(finding(d, one) for d in asked for one in seen.get(d.name, ())))


def drawn(diagrams: Iterable[Diagram], config: Config) -> dict[str, str]:
    """Source → SVG of those diagrams that are drawn already; nothing is drawn."""
    folder = config.path(config.notes, FOLDER)
    return {d.source: svg for d in diagrams if (svg := _kept(folder / d.name))}


def _kept(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    return text if "<svg" in text[:1000] else ""


def _seen(config: Config) -> dict[str, tuple[Mistake, ...]]:
    """Name of a d2 diagram → what the compiler that is here has said of it."""
    memory = store.recall(config.path(config.build, SEEN))
    try:
        if memory["compiler"] != _compiler(config.root):
            return {}
        return {name: tuple(Mistake(*one) for one in found) for name, found in memory["seen"].items()}
    except (KeyError, TypeError, AttributeError):
        return {}


def _compiler(root: Path) -> str:
    """What compiles d2 here, and which one it is; empty: nothing."""
    node, package = shutil.which("node"), root / "node_modules" / "@terrastruct" / "d2" / "package.json"
    program = shutil.which("d2")
    if node and package.is_file():
        return f"npm {store.digest(package)}"
    return f"{program} {store.stamp(Path(program), '').mtime}" if program else ""


def _d2(root: Path, sources: Sequence[str], *, compile_only: bool = False) -> list[_Result]:
    """All sources by one Node process: starting it costs more than drawing."""
    compiler = _compiler(root)
    if not compiler:
        return _nothing(sources, f"drawing it needs Node and {_installing(root, '@terrastruct/d2')}")
    if not compiler.startswith("npm "):
        return [_by_program(source) for source in sources]
    node = shutil.which("node") or "node"
    with resources.as_file(resources.files(__package__) / "renderers" / "d2.mjs") as script:
        command = [node, QUICK, str(script), str(root), *(["compile"] if compile_only else [])]
        out, failure = _run(command, json.dumps(sources), len(sources))
    lines = [line for line in out.splitlines() if line.endswith("}")]
    results = [_result(json.loads(line), source) for line, source in zip(lines, sources, strict=False)]
    return results + _nothing(sources[len(results) :], failure)


def _by_program(source: str) -> _Result:
    """One source by the `d2` on PATH, whose messages are lines of stderr."""
    program = shutil.which("d2") or "d2"
    limit = START + EACH
    command = [program, "--layout", "dagre", "--pad", "16", "--scale", "1", "-", "-"]
    try:
        done = subprocess.run(command, input=source, capture_output=True, encoding="utf-8", timeout=limit, check=False)
    except (subprocess.TimeoutExpired, OSError, UnicodeDecodeError):
        return _nothing([source], f"{program} does not answer")[0]
    svg = re.sub(r"\A<\?xml[^>]*\?>\s*", "", done.stdout)
    if done.returncode == 0 and "<svg" in svg[:1000]:
        return _result({"svg": svg}, source)
    said = re.findall(r"^err: (?:failed to compile [^\n]*?: )?-:(\d+):(\d+): ([^\n]*)$", done.stderr, re.MULTILINE)
    if not said:
        return _nothing([source], f"d2: {' '.join(done.stderr.split())[:200] or 'it ended without a picture'}")[0]
    errors = [{"errmsg": f"index:{line}:{col}: {what}"} for line, col, what in said]
    return _result({"error": json.dumps(errors)}, source)


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
    return [_result(made, source) for made, source in zip(json.loads(html.unescape(found[1])), sources, strict=False)]


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
    return [_Result(mistakes=(Mistake(0, 1, why),), failed=True) for _ in sources]


def _result(made: Mapping[str, str], source: str) -> _Result:
    """What a renderer says of one diagram; messages name the line in ways of their own."""
    if svg := made.get("svg"):
        return _Result(svg=svg if svg.endswith("\n") else svg + "\n")
    error = made.get("error", "")
    is_list = error.startswith("[{")  # d2's errors
    errors = [one["errmsg"] for one in json.loads(error)] if is_list else [error] * bool(error)
    return _Result(mistakes=tuple(dict.fromkeys(_mistake(one, source) for one in errors)))


def _mistake(error: str, source: str) -> Mistake:
    """An error of d2, `index:line:column: what` with columns in UTF-16, or of mermaid, `Parse error on line 2:`."""
    place = re.search(r"index:(\d+):(\d+): |on line (\d+)", error)
    what, fix = explained(" ".join(error.removeprefix(place[0] if place else "").split())[:200])
    line = int(place[1] or place[3]) if place else 0
    col = 1
    if place and place[2]:
        text = "\n".join(source.split("\n")[line - 1 : line]).encode("utf-16-le", "surrogatepass")
        col = len(text[: 2 * (int(place[2]) - 1)].decode("utf-16-le", "replace")) + 1
    return Mistake(line, col, what, fix)
