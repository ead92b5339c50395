"""Pages that students get back, and what instructors see of hostile notebooks, in headless Chromium."""

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from coursemill.pure.grading import assignment as assignments
from coursemill.pure.grading import autograded, feedback
from coursemill.pure.grading.merge import Merged, Placed
from coursemill.pure.grading.standing import Mark
from coursemill.pure.grading.verdict import STATUSES, Note, Outcome, Verdict

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed: apt-get install chromium"),
]
SCRIPT = "top.hit=1;fetch('https://evil.test/x');document.title='hit'"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def _payloads() -> list[str]:
    lines = (Path(__file__).parent / "hostile.txt").read_text().splitlines()
    texts = (re.sub(r"\\x([0-9a-f]{2})|\\u([0-9a-f]{4})", lambda m: chr(int(m[1] or m[2], 16)), x) for x in lines)
    return [text.replace("\\n", "\n").replace("{js}", SCRIPT) for text in texts]


PAYLOADS = _payloads()


def _cell(kind: str, name: str, source: str, task: str = "", **grading: Any) -> dict[str, Any]:
    about = {"grade": False, "solution": False, "locked": False, "schema_version": 3, "grade_id": name}
    metadata = {"coursemill": {"task": task}, **({"nbgrader": about | grading} if grading else {})}
    return {"cell_type": kind, "id": name, "metadata": metadata, "source": source}


def _exercise(name: str, title: str) -> list[dict[str, Any]]:
    hint = f"<details><summary><b>💡 Hint</b></summary>\n\nThink of {name}.\n\n</details>"
    graded = {"grade": True, "locked": True}
    return [
        _cell("markdown", f"{name}-prompt", f"### ✏️ Exercise: {title} (6 points)\n\nDo `{name}`.", name),
        _cell("markdown", f"{name}-hint-1", hint, name),
        _cell("code", name, "### BEGIN SOLUTION\npass\n### END SOLUTION", name, solution=True),
        *(_cell("code", f"{name}-test-{n}", f"assert {name}(1)", name, points=n, **graded) for n in (1, 2, 3)),
    ]


LONG = "The_very_long_name_of_an_exercise_without_a_blank_in_it_" * 3
CELLS = [
    *_exercise("first", "Read the `price`"),
    *_exercise("second", LONG),
    _cell("markdown", "words", "Write here", grade=True, solution=True, points=4),
]
ASSIGNMENT = assignments.read({"cells": CELLS, "metadata": {}}, "WS_One", "The_Lesson")
FRAME = "<table border=1 class=dataframe><thead><tr>{}</tr></thead><tbody><tr>{}</tr></tbody></table>".format(
    "".join(f"<th>column {n}</th>" for n in range(30)), "".join(f"<td>{n}.25</td>" for n in range(30))
)


def _sheet(texts: list[str], statuses: tuple[str, ...]) -> feedback.Sheet:
    """A student's notebook with each of `texts` everywhere where a student may bring a text."""
    outcomes = tuple(
        Outcome(item.id, statuses[n % len(statuses)], item.points, message="\n".join(texts), hidden=n % 3 == 2)  # type: ignore[arg-type]
        for n, item in enumerate(ASSIGNMENT.tests)
    )
    items = {item.id: item for item in ASSIGNMENT.items}
    theirs = {"first": "\n".join(texts), "second": "x = 1\n" + "y" * 300, "words": "\n\n".join(texts)}
    cells = [Placed(i.id, i.type, theirs.get(i.id, i.source), i) for i in items.values()]
    for n, text in enumerate(texts):
        cells.insert(3, Placed(f"added-{3 * n}", "markdown", text, attachments={text: {"image/png": PNG}}))
        cells.insert(3, Placed(f"added-{3 * n + 1}", "code", text))
        cells.insert(3, Placed(f"added-{3 * n + 2}", "raw", text))
    notes = tuple(Note("file", text, text) for text in texts)
    merged = Merged(tuple(cells), notes)
    outputs = {f"added-{3 * n + 1}": _outputs(text) for n, text in enumerate(texts)}
    made = autograded.compose(ASSIGNMENT, merged, outputs, outcomes, trouble="\n".join(texts[:1]))
    verdict = Verdict("s", "WS_One", "The_Lesson", outcomes, notes, autograded=made)
    marks = {i.id: Mark(i.points, None, pending=True) for i in items.values() if i.role == "written"}
    marks |= {one.test: Mark(one.points, one.score) for one in outcomes}
    comments = {"first": "\n\n".join(texts) or "Well **done**"}
    return feedback.Sheet(ASSIGNMENT, verdict, marks, comments, penalty=0.5)


def _outputs(text: str) -> list[dict[str, Any]]:
    kinds = ("text/html", "text/markdown", "text/latex", "image/svg+xml", "image/png", "text/plain")
    kinds = (*kinds, "application/javascript", "application/json", "application/vnd.custom+html", text[:50])
    shown = [{"output_type": "display_data", "metadata": {text: text}, "data": {kind: text}} for kind in kinds]
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" onload="{SCRIPT}">{text}</svg>'
    return [
        *shown,
        {"output_type": "display_data", "metadata": {}, "data": {"image/svg+xml": svg}},
        {"output_type": "stream", "name": "stdout", "text": text},
        {"output_type": "stream", "name": text, "text": text},
        {"output_type": "error", "ename": text, "evalue": text, "traceback": [text]},
    ]


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


class Visit:
    """A page that was opened, and what it tried."""

    def __init__(self, page: "sync_api.Page", requests: list[str], dialogs: list[str]) -> None:
        self.page, self.requests, self.dialogs = page, requests, dialogs

    def assert_quiet(self) -> None:
        """Nothing ran, nothing was asked for."""
        self.page.evaluate("() => new Promise(done => setTimeout(done, 50))")
        assert self.page.evaluate("window.hit") is None
        assert self.page.title() != "hit"
        assert not self.dialogs
        assert [url for url in self.requests if not url.startswith(("file:", "data:"))] == []


@pytest.fixture
def visit(browser: "sync_api.Browser", tmp_path: Path) -> Iterator[Callable[..., Visit]]:
    contexts = []

    def opened(html: str, *, width: int = 1280, scheme: str = "light") -> Visit:
        file = tmp_path / f"page-{len(contexts)}.html"
        file.write_text(html, encoding="utf-8")
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        requests: list[str] = []
        dialogs: list[str] = []
        context.on("request", lambda request: requests.append(request.url))
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        page.on("popup", lambda popup: dialogs.append(popup.url))
        context.route(re.compile("^(?!file:|data:)"), lambda route: route.abort())
        page.goto(file.as_uri())
        return Visit(page, requests, dialogs)

    yield opened
    for context in contexts:
        context.close()


def _without_policy(page: str) -> str:
    """The cleaning must do alone, where a program ignores the page's policy."""
    made, count = re.subn(r"<meta http-equiv=\"Content-Security-Policy\"[^>]*>", "", page)
    assert count == 1
    return made


def _poke(page: "sync_api.Page") -> None:
    """Do what a reader might: unfold everything, hover, click whatever is not a link to elsewhere."""
    page.evaluate("() => document.querySelectorAll('details').forEach(d => { d.open = true })")
    page.evaluate(
        """() => document.querySelectorAll('main *').forEach(e => {
            for (const kind of ['mouseover', 'pointerenter', 'focus', 'animationstart', 'toggle', 'error', 'load'])
                e.dispatchEvent(new Event(kind));
            if (!e.closest('a[href^="http"], a[href^="mailto"]')) e.click();
        })"""
    )


def test_nothing_of_a_hostile_notebook_runs_on_the_page(visit: Callable[..., Visit]) -> None:
    whole = feedback.page(PAYLOADS[0], PAYLOADS[5], [_sheet(PAYLOADS, STATUSES)])
    for page in (whole, _without_policy(whole)):
        seen = visit(page)
        _poke(seen.page)
        seen.assert_quiet()
        assert seen.page.locator("script, iframe, object, embed, form, input, svg, math, style ~ style").count() == 0
        assert seen.page.locator("body *[style*=position], *[onerror], *[onload], *[onclick]").count() == 0
        assert seen.page.locator("main").count() == 1
        assert seen.page.locator("footer").is_visible(), "nothing covers or swallows the rest of the page"
        covers = (
            "e => { const b = e.getBoundingClientRect(); return [document.elementFromPoint(b.x + 5, b.y + 5)?.id] }"
        )
        assert seen.page.locator("h2").first.evaluate(covers) == ["contents"]


@pytest.mark.parametrize("number", range(0, len(PAYLOADS), 24))
def test_nothing_runs_when_one_stands_alone(visit: Callable[..., Visit], tmp_path: Path, number: int) -> None:
    seen = visit("")
    file = tmp_path / "one.html"
    for text in PAYLOADS[number : number + 24]:
        file.write_text(_without_policy(feedback.page("s", "", [_sheet([text], ("failed",))])), encoding="utf-8")
        seen.page.goto(file.as_uri())
        _poke(seen.page)
        assert seen.page.evaluate("window.hit") is None, text
        sections = seen.page.locator("section").count()
        assert seen.page.locator("main > section").count() == sections >= 3, text
    seen.assert_quiet()


@pytest.mark.nbgrader
@pytest.mark.parametrize("template", ["formgrade", "feedback"])
def test_nothing_runs_in_what_nbgrader_shows_of_it(visit: Callable[..., Visit], template: str) -> None:
    seen = visit(_nbgraders(_sheet(PAYLOADS, STATUSES), template))
    schemes = "all => [...new Set(all.map(a => a.protocol))]"  # `:` is no address at all
    assert set(seen.page.locator("a[href]").evaluate_all(schemes)) <= {"http:", "https:", "file:", "mailto:", ":"}
    seen.page.evaluate("() => document.querySelectorAll('#notebook *').forEach(e => { e.closest('a') || e.click() })")
    seen.page.evaluate("() => new Promise(done => setTimeout(done, 50))")
    assert seen.page.evaluate("window.hit") is None
    asked = [url for url in seen.requests if "evil" in url]
    assert asked == []


def _nbgraders(sheet: feedback.Sheet, template: str) -> str:
    """The page that formgrader, or generate_feedback, makes of the autograded notebook."""
    import nbformat
    import nbgrader
    from nbconvert.exporters import HTMLExporter
    from traitlets.config import Config

    settings = Config()
    settings.HTMLExporter.template_name = template
    folder = Path(nbgrader.__file__).parent / "server_extensions" / "formgrader"
    settings.HTMLExporter.extra_template_basedirs = [str(folder / "templates")]
    css = folder / "static" / "node_modules" / "bootstrap" / "dist" / "css"
    settings.HTMLExporter.extra_template_paths = [str(css)]
    settings.Exporter.default_preprocessors = ["nbconvert.preprocessors.CSSHTMLHeaderPreprocessor"]
    resources = {"nbgrader": {"notebook": "N", "score": 1, "max_score": 2, "late_penalty": 0}, "notebook_id": "N"}
    about = {"index": 0, "total": 1, "base_url": "", "submission_id": "1", "assignment_id": "W", "student": "s"}
    node = nbformat.from_dict(sheet.verdict.autograded)
    for cell in node.cells:
        cell.metadata.setdefault("nbgrader", {}) if "nbgrader" in cell.metadata else None
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader.score = 1
    about |= {"notebook_path": "x", "last_name": "", "first_name": ""}
    text, _ = HTMLExporter(config=settings).from_notebook_node(node, resources=resources | about)
    return str(text)


def _class() -> list[str]:
    """Pages of honest students."""
    made = _sheet([], ("passed", "failed", "error", "timeout", "not-reached"))
    cells = list(made.verdict.autograded["cells"])
    outputs = [
        {
            "output_type": "stream",
            "name": "stdout",
            "text": "\x1b[31mred\x1b[32mgreen\x1b[33myellow\x1b[0m\n" + "x" * 500,
        },
        {"output_type": "stream", "name": "stderr", "text": "\x1b[34mblue\x1b[35mmagenta\x1b[36mcyan\x1b[0m warning"},
        {"output_type": "stream", "name": "stdout", "text": "line\n" * 300},
        {"output_type": "display_data", "metadata": {}, "data": {"text/html": FRAME}},
        {"output_type": "display_data", "metadata": {}, "data": {"image/png": PNG, "text/plain": "<Figure>"}},
    ]
    source = 'def price(html):\n    """Say."""\n    return 1.5 if html else None  # why\n\n\nclass A:\n    x = "text"\n'
    place = next(n for n, cell in enumerate(cells) if cell["id"] == "first")
    cells[place] = {**cells[place], "source": source, "outputs": outputs}
    verdict = replace(made.verdict, autograded={**made.verdict.autograded, "cells": cells})
    one = replace(made, verdict=verdict)
    return [feedback.page("anna", "Anna Weiß", [one]), feedback.page("m", "محمد علي", [one, one])]


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_is_wider_than_the_screen(visit: Callable[..., Visit], width: int) -> None:
    for page in _class():
        seen = visit(page, width=width)
        seen.page.evaluate("() => document.querySelectorAll('details').forEach(d => { d.open = true })")
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
        seen.assert_quiet()


def test_the_page_can_be_read_by_everybody(visit: Callable[..., Visit]) -> None:
    for html in _class():
        page = visit(html).page
        assert page.evaluate("document.documentElement.lang") == "en"
        assert page.title().startswith("Feedback on WS_One for ")
        for landmark in ("banner", "navigation", "main", "contentinfo"):
            assert page.get_by_role(landmark).count() == 1, landmark
        levels = page.locator("h1, h2, h3, h4, h5, h6").evaluate_all("all => all.map(h => +h.tagName[1])")
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))
        assert page.locator("img:not([alt]), img[alt='']").count() == 0
        assert page.locator("th:not([scope])").count() == page.locator(".wide th").count()
        regions = page.get_by_role("region").evaluate_all(
            "all => all.map(e => e.ariaLabel || e.getAttribute('aria-labelledby'))"
        )
        assert all(regions)
        links = page.locator("nav a").evaluate_all(
            "all => all.map(a => !!document.querySelector(a.getAttribute('href')))"
        )
        assert links
        assert all(links)
        words = page.locator(".verdict").evaluate_all("all => all.map(v => v.textContent.replace(/[^a-z]/gi, ''))")
        assert all(words), "colour and signs are not alone"


def test_the_keyboard_reaches_everything(visit: Callable[..., Visit]) -> None:
    page = visit(_class()[0]).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.tagName + document.activeElement.className"))
    assert {"A", "SUMMARY", "DIVwide"} <= set(reached)
    outline = page.locator("summary").first.evaluate("e => { e.focus(); return getComputedStyle(e).outlineStyle }")
    assert outline != "none"


CONTRAST = """() => {
  const parse = c => { const m = c.match(/[\\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m };
  const lin = v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4 };
  const light = c => { const [r, g, b] = c.map(lin); return .2126 * r + .7152 * g + .0722 * b };
  const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c[3] > 0) return c } return [255, 255, 255, 1] };
  const bad = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement, style = getComputedStyle(e);
    if (!walk.currentNode.data.trim() || !e.offsetParent) continue;
    const a = light(parse(style.color).slice(0, 3)), b = light(behind(e).slice(0, 3));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) bad.push([walk.currentNode.data.slice(0, 30), e.className, style.color, ratio.toFixed(2)]);
  }
  return bad;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(visit: Callable[..., Visit], scheme: str) -> None:
    page = visit(_class()[0], scheme=scheme).page
    page.evaluate("() => document.querySelectorAll('details').forEach(d => { d.open = true })")
    assert page.evaluate(CONTRAST) == []


def test_it_prints_with_everything_unfolded(visit: Callable[..., Visit]) -> None:
    page = visit(_class()[0]).page
    folded = page.locator("details .code").first
    assert not folded.is_visible()
    page.emulate_media(media="print")
    assert folded.is_visible()
    assert page.evaluate(CONTRAST) == []
    assert len(page.pdf()) > 10_000


def test_names_from_right_to_left_stay_in_place(visit: Callable[..., Visit]) -> None:
    page = visit(_class()[1]).page
    assert page.locator("bdi").first.inner_text() == "محمد علي"
    assert page.locator("bdi").first.evaluate("e => getComputedStyle(e).unicodeBidi") == "isolate"
