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
    "cmp",
    "cp",
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


@pytest.fixture
def with_tfjs(project: Path) -> Path:
    """The project, with what the lesson on TensorFlow.js needs; uv makes its environment, and npm its library."""
    shutil.copytree(ROOT / "environments", project / "environments")
    command = '"$UV_PROJECT_ENVIRONMENT/bin/tensorflowjs_converter"'
    course = (project / "bin/uv").read_text().removeprefix("#!/bin/bash\n")
    script(
        project / "bin/uv",
        f"""[[ $* = *environments/tfjs* ]] || {{ {course.strip()}; exit; }}
        mkdir -p "$UV_PROJECT_ENVIRONMENT/bin"; echo converter >>{project}/uv.log
        echo "#!/bin/bash
        # $UV_PROJECT_ENVIRONMENT/bin/python" >{command}; chmod +x {command}""",
    )
    script(
        project / "bin/npm",
        f'[[ "$*" != *--prefix* ]] || {{ mkdir -p "$3/node_modules"; echo lib >>{project}/npm.log; }}',
    )
    return project


def test_the_converter_lies_where_the_sandbox_shows_it(with_tfjs: Path) -> None:
    assert setup(with_tfjs).stderr == ""
    tools = with_tfjs / ".venv/share/tfjs"
    assert (tools / "python/bin/tensorflowjs_converter").exists()
    assert (tools / "node_modules").exists()


def test_the_converter_is_installed_once(with_tfjs: Path) -> None:
    setup(with_tfjs)
    (with_tfjs / "uv.lock").write_text("changed")
    assert "tfjs" not in setup(with_tfjs).stdout
    (with_tfjs / "environments/tfjs/uv.lock").write_text("changed")
    assert "environments/tfjs/uv.lock" in setup(with_tfjs).stdout
    (with_tfjs / "environments/tfjs/package-lock.json").write_text("changed")
    assert "environments/tfjs/package-lock.json" in setup(with_tfjs).stdout
    assert (with_tfjs / "uv.log").read_text().split() == ["converter"] * 2
    assert (with_tfjs / "npm.log").read_text().split() == ["lib"] * 2


def test_a_moved_converter_is_made_anew(with_tfjs: Path) -> None:
    setup(with_tfjs)
    command = with_tfjs / ".venv/share/tfjs/python/bin/tensorflowjs_converter"
    command.write_text("#!/elsewhere/.venv/share/tfjs/python/bin/python")
    (with_tfjs / "uv.lock").write_text("changed")
    setup(with_tfjs)
    assert "elsewhere" not in command.read_text()


@pytest.mark.parametrize(("program", "lost"), [("uv", "tensorflowjs_converter"), ("npm", "@tensorflow/tfjs")])
def test_without_the_converter_setup_goes_on(with_tfjs: Path, program: str, lost: str) -> None:
    whole = (with_tfjs / "bin" / program).read_text().removeprefix("#!/bin/bash\n")
    script(with_tfjs / "bin" / program, f"[[ $* = *tfjs* ]] && exit 1\n{whole}")
    result = setup(with_tfjs)
    assert result.returncode == 0
    assert f"no {lost}" in result.stderr
    assert "Once more: rm .venv/.coursemill-setup && scripts/setup.sh" in result.stderr
    script(with_tfjs / "bin" / program, whole)
    (with_tfjs / ".venv/.coursemill-setup").unlink()
    assert setup(with_tfjs).stderr == ""


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
