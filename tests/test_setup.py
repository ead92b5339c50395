"""scripts/setup.sh: silent and offline when all is there, helpful when something is missing."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
INPUTS = ("pyproject.toml", "uv.lock", "package-lock.json")
TOOLS = [
    "bash",
    "rm",
    "touch",
    "cat",
    "sha256sum",
    "grep",
    "sed",
    "head",
    "id",
    "ls",
    "mkdir",
    "env",
    "dirname",
    "chmod",
]
PARTS = [line.split()[:2] for line in (ROOT / "scripts/system-packages.txt").read_text().splitlines() if line[0] != "#"]


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what setup reads, in which the Python part is done, and a PATH of its own in `bin`."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    for name in INPUTS:
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, tmp_path / name)
    for tool in TOOLS:
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool) or f"/usr/bin/{tool}")
    for command, _ in PARTS:
        script(tmp_path / "bin" / command, """echo 'openjdk version "21.0.1"' >&2""" if command == "java" else "exit 0")
    script(
        tmp_path / "bin" / "uv",
        "mkdir -p .venv/bin; touch .venv/pyvenv.cfg\necho '#!/bin/bash' >.venv/bin/coursemill; "
        "chmod +x .venv/bin/coursemill",
    )
    return tmp_path


def setup(project: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": str(project / "bin")}
    return subprocess.run(
        [project / "scripts/setup.sh"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_second_time_nothing_is_fetched(project: Path) -> None:
    assert setup(project).returncode == 0
    for name in ("uv", "npm", "apt-get", "sudo"):
        script(project / "bin" / name, "echo fetched; exit 1")
    again = setup(project)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_a_changed_lock_is_synced_again(project: Path) -> None:
    setup(project)
    (project / "uv.lock").write_text("changed")
    assert "uv.lock" in setup(project).stdout


def test_a_broken_environment_is_mended(project: Path) -> None:
    setup(project)
    mend = """[[ $* = *--reinstall ]] && echo '#!/bin/bash' >.venv/bin/coursemill; exit 0"""
    script(project / "bin" / "uv", mend)
    (project / ".venv/bin/coursemill").write_text("#!/gone/python")
    assert setup(project).returncode == 0
    assert setup(project).stdout == ""


def test_no_package_goes_into_the_systems_python(project: Path) -> None:
    setup(project)
    (project / ".venv/pyvenv.cfg").unlink()
    make = "touch .venv/pyvenv.cfg; echo '#!/bin/bash' >.venv/bin/coursemill; chmod +x .venv/bin/coursemill"
    script(project / "bin" / "uv", f"[ ! -e .venv ] || exit 9; mkdir -p .venv/bin; {make}")
    assert setup(project).returncode == 0
    assert (project / ".venv/pyvenv.cfg").exists()


def test_renderers_that_are_there_stay(project: Path) -> None:
    setup(project)
    installed = project / "node_modules" / ".package-lock.json"
    installed.parent.mkdir()
    installed.touch()
    script(project / "bin" / "npm", f"echo >{project}/npm.log")
    (project / "uv.lock").write_text("changed")
    assert setup(project).returncode == 0
    assert not (project / "npm.log").exists()
    os.utime(installed, (0, 0))
    (project / "uv.lock").write_text("changed again")
    setup(project)
    assert (project / "npm.log").exists()


@pytest.mark.parametrize(("command", "package"), PARTS)
def test_what_is_missing_is_named_with_its_fix(project: Path, command: str, package: str) -> None:
    (project / "bin" / command).unlink()
    result = setup(project)
    assert result.returncode == 0, result.stderr
    assert f"sudo apt-get install -y --no-install-recommends {package}" in result.stderr
    assert f"  {command}: " in result.stderr


def test_an_old_java_is_missing(project: Path) -> None:
    script(project / "bin" / "java", """echo 'openjdk version "11.0.2"' >&2""")
    assert "default-jre-headless" in setup(project).stderr


def test_apt_is_used_where_it_may_be(project: Path) -> None:
    (project / "bin" / "chromium").unlink()
    script(project / "bin" / "apt-get", f'echo "$@" >>{project}/apt.log')
    script(project / "bin" / "sudo", 'shift; [ "$1" = true ] || exec "$@"')
    assert setup(project).returncode == 0
    assert (project / "apt.log").read_text().splitlines() == [
        "update -qq",
        "install -y -qq --no-install-recommends chromium",
    ]
