"""Where there is no sandbox, nothing is run without one, unless somebody says that all code is trusted."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import KernelManager

from coursemill.effects.sandbox import protections, view
from coursemill.effects.sandbox.protections import Protection
from coursemill.errors import Unavailable

pytestmark = [pytest.mark.kernel, pytest.mark.sandbox]
SPEC = "coursemill-cpu"
PAPERMILL = [sys.executable, "-m", "papermill", "--no-progress-bar"]
NO_NAMESPACES = ["bwrap", "--unshare-user", "--disable-userns", "--dev-bind", "/", "/"]


@pytest.fixture
def without_bwrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PATH that has all programs but one."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for folder in ("/usr/bin", "/bin", str(Path(sys.executable).parent)):
        for program in Path(folder).iterdir():
            if program.name != "bwrap" and not (programs / program.name).exists():
                (programs / program.name).symlink_to(program)
    monkeypatch.setenv("PATH", str(programs))


def notebook(folder: Path, code: str = "print(40 + 2)") -> Path:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    made.metadata.kernelspec = {"name": SPEC, "display_name": "", "language": "python"}
    nbformat.write(made, folder / "in.ipynb")
    return folder / "in.ipynb"


def run(command: list[str], folder: Path) -> Any:
    return subprocess.run(command, capture_output=True, text=True, timeout=90, cwd=folder, check=False)


@pytest.mark.usefixtures("without_bwrap")
def test_no_kernel_is_started_without_bubblewrap(tmp_path: Path) -> None:
    manager = KernelManager(kernel_name=SPEC)
    with pytest.raises(Unavailable, match=r"bwrap is not installed .*apt-get install bubblewrap"):
        manager.start_kernel()


@pytest.mark.usefixtures("without_bwrap")
@pytest.mark.parametrize(
    "command",
    [[*PAPERMILL, "in.ipynb", "out.ipynb"], [sys.executable, "-m", "jupyter", "execute", "in.ipynb"]],
    ids=["papermill", "nbclient"],
)
def test_programs_say_why_there_is_no_kernel(tmp_path: Path, command: list[str]) -> None:
    notebook(tmp_path)
    done = run(command, tmp_path)
    assert done.returncode != 0
    assert "bwrap is not installed (sudo apt-get install bubblewrap, or --trust-submissions" in done.stderr


@pytest.mark.nbgrader
@pytest.mark.usefixtures("without_bwrap")
def test_nbgrader_says_why_there_is_no_kernel(tmp_path: Path) -> None:
    for step in ("source/.", "submitted/ada"):
        (tmp_path / step / "ps1").mkdir(parents=True)
        notebook(tmp_path / step / "ps1")
    program = """
from nbgrader.apps import NbGraderAPI
from traitlets.config import Config
api = NbGraderAPI(config=Config())
assert api.generate_assignment("ps1")["success"]
done = api.autograde("ps1", "ada")
raise SystemExit(0 if done["success"] else f"{done}")
"""
    done = run([sys.executable, "-c", program], tmp_path)
    assert done.returncode != 0
    assert "bwrap is not installed" in done.stderr


def test_where_namespaces_are_denied_the_reason_and_the_fix_are_told(
    tmp_path: Path, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short))  # where no server runs yet
    notebook(tmp_path)
    done = run([*NO_NAMESPACES, *PAPERMILL, "in.ipynb", "out.ipynb"], tmp_path)
    assert done.returncode != 0
    assert "no sandbox: namespaces: " in done.stderr, done.stderr
    assert "max_user_namespaces" in done.stderr


@pytest.mark.usefixtures("without_bwrap")
def test_who_trusts_all_code_gets_a_kernel_and_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSEMILL_TRUST_SUBMISSIONS", "1")
    home = Path.home()
    done = run(
        [*PAPERMILL, str(notebook(tmp_path, f"import os; print(os.path.isdir({str(home)!r}))")), "out.ipynb"], tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "without a sandbox" in done.stderr
    (cell,) = nbformat.read(tmp_path / "out.ipynb", 4).cells
    assert cell.outputs[0].text == "True\n"


def test_trust_is_one_word(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COURSEMILL_TRUST_SUBMISSIONS", "no")
    manager = KernelManager(kernel_name=SPEC)
    manager.start_kernel()
    assert manager.provisioner.sockets
    manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_other_systems_are_refused(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(Unavailable, match=rf"no sandbox on {platform} \(use Linux"):
        view.require()
    protections.find.cache_clear()
    try:
        assert "Linux" in str(protections.refusal(protections.find()))
    finally:
        protections.find.cache_clear()


def test_root_is_refused_where_it_cannot_be_dropped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    for program in ("bwrap", "setsid"):
        (tmp_path / program).write_text("#!/bin/sh\n")
        (tmp_path / program).chmod(0o755)
    with pytest.raises(Unavailable, match="setpriv is not installed"):
        view.require()


def test_all_protections_are_on_here() -> None:
    found = protections.find()
    assert protections.refusal(found) is None
    assert [one.name for one in found if one.needed and not one.on] == []


def test_the_first_that_is_missing_is_the_reason() -> None:
    found = (
        Protection("a", False, "", "no a", "get a", needed=False),
        Protection("b", False, "", "no b", "get b"),
        Protection("c", False, "", "no c", "get c"),
    )
    assert str(protections.refusal(found)) == "no sandbox: b: no b (get b)"
    assert str(protections.refusal((), "it broke")).startswith("no kernel starts in the sandbox: it broke")
