"""What a student and a teacher see: a built course in JupyterLab, in headless Chromium."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TOKEN = "student"
DRAWING = (ROOT / "node_modules").is_dir()
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course of the note that `coursemill new` writes and of `anyblock.md`, built."""
    root = tmp_path_factory.mktemp("course")
    (root / "notes").mkdir()
    (root / "exchange").mkdir(mode=0o777)
    shutil.copy(ROOT / "nbgrader_config.py", root)
    shutil.copy(Path(__file__).parent / "anyblock.md", root / "notes" / "Blocks.md")
    if DRAWING:
        (root / "node_modules").symlink_to(ROOT / "node_modules")
    for arguments in (["new", "First steps", "--worksheet", "WS_First"], ["build"]):
        subprocess.run([sys.executable, "-m", "coursemill", *arguments], cwd=root, check=True, timeout=300)
    return root


@pytest.fixture(scope="module")
def lab(course: Path) -> Iterator[str]:
    """The address of a JupyterLab that serves the course."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "jupyter", "lab", "--allow-root", "--no-browser", "--ip=127.0.0.1"]
    options = [f"--port={port}", f"--IdentityProvider.token={TOKEN}", "--LabApp.news_url=None"]
    folders = {f"JUPYTER_{kind}_DIR": str(course / "home" / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    with (course / "lab.log").open("w") as log:
        server = subprocess.Popen(
            [*command, *options], cwd=course, env={**os.environ, **folders, "PATH": path}, stdout=log, stderr=log
        )
    try:
        _wait(f"http://127.0.0.1:{port}/api?token={TOKEN}", server, course / "lab.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=30)


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: "sync_api.Browser") -> Iterator["sync_api.Page"]:
    # A tall window: JupyterLab renders only what is in sight.
    context = browser.new_context(viewport={"width": 1300, "height": 6000})
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


def test_a_student_opens_reads_and_runs_a_lesson(lab: str, page: "sync_api.Page", tmp_path: Path) -> None:
    page.goto(f"{lab}/lab/tree/release/WS_First/First steps.ipynb?token={TOKEN}")
    notebook = page.locator(".jp-Notebook")
    notebook.get_by_role("heading", name="See also").wait_for()
    page.screenshot(path=tmp_path / "lesson.png")
    _reads_well(page, notebook)
    _runs(page, notebook)
    page.screenshot(path=tmp_path / "run.png")


def test_anyblocks_lists_are_tables_cards_and_pictures(lab: str, page: "sync_api.Page", tmp_path: Path) -> None:
    page.goto(f"{lab}/lab/workspaces/blocks/tree/release/WS_First/Blocks.ipynb?token={TOKEN}")
    notebook = page.locator(".jp-Notebook")
    notebook.get_by_role("heading", name="Second").wait_for()
    page.screenshot(path=tmp_path / "blocks.png")
    assert "list2" not in notebook.inner_text()
    rivers, cards, folded, last = (notebook.locator("table").nth(n) for n in range(4))
    assert rivers.locator("th").all_inner_texts() == ["River", "Length", "Where"]
    assert rivers.locator("td[rowspan='2']").inner_text() == "Elbe"
    assert rivers.locator("td strong").inner_text() == "by others"
    assert rivers.locator("td pre").inner_text().strip() == "4350 km"
    assert rivers.locator("td").first.evaluate("e => getComputedStyle(e).textAlign") == "left"
    boxes = [cell.bounding_box() for cell in cards.locator("td").all()]
    assert len({box["y"] for box in boxes if box}) == 1, "cards stand beside one another"
    assert len({box["x"] for box in boxes if box}) == 3
    assert cards.locator("td li").all_inner_texts() == ["a", "b"]
    assert not folded.is_visible()
    notebook.get_by_text("Folded", exact=True).click()
    assert folded.locator("td").all_inner_texts() == ["c", "d"]
    assert last.locator("xpath=ancestor::blockquote").count() == 1
    if DRAWING:
        picture = notebook.get_by_role("img", name="The plan")
        assert picture.evaluate("i => i.complete && i.naturalWidth > 100")


def test_a_teacher_finds_the_worksheet_in_formgrader(lab: str, page: "sync_api.Page") -> None:
    page.goto(f"{lab}/formgrader?token={TOKEN}")
    page.get_by_role("link", name="WS_First").first.wait_for()


def test_nbgraders_menu_is_in_jupyterlab(lab: str, page: "sync_api.Page") -> None:
    page.goto(f"{lab}/lab?token={TOKEN}")
    menu = page.locator(".lm-MenuBar-itemLabel", has_text="Nbgrader")
    menu.wait_for()
    menu.click()
    page.locator(".lm-Menu-itemLabel", has_text="Formgrader").first.wait_for()


def _reads_well(page: "sync_api.Page", notebook: "sync_api.Locator") -> None:
    text = notebook.inner_text()
    for trace in ("BEGIN SOLUTION", "HIDDEN TESTS", "MARK SCHEME", "role=", "[!", "[[", "list2tab"):
        assert trace not in text, f"a student sees {trace!r}"
    hints = notebook.locator("details")
    assert hints.count() > 0
    assert not any(hints.evaluate_all("all => all.map(d => d.open)")), "hints are folded"
    box = notebook.locator(".jp-RenderedMarkdown div[style*=border-left]").first
    assert box.evaluate("e => getComputedStyle(e).backgroundColor") != "rgba(0, 0, 0, 0)", "callouts are coloured"
    pictures = notebook.locator(".jp-RenderedMarkdown img")
    assert pictures.count() > 0 or not DRAWING
    assert all(pictures.evaluate_all("all => all.map(i => i.complete && i.naturalWidth > 20)")), "pictures are shown"


def _runs(page: "sync_api.Page", notebook: "sync_api.Locator") -> None:
    page.locator(".lm-MenuBar-itemLabel", has_text="Run").first.click()
    page.locator(".lm-Menu-itemLabel", has_text="Run All Cells").first.click()
    notebook.get_by_text("NotImplementedError").first.wait_for()


def _wait(address: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(300):
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"JupyterLab did not start:\n{log.read_text()}")
