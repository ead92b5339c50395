import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from coursemill.course import doctor
from coursemill.effects.sandbox.protections import Protection
from coursemill.faces import cli
from coursemill.pure.outcome import Kernel

GOOD = Protection("seccomp", True, "calls are refused")
BAD = Protection("namespaces", False, "a kernel has its own", "denied", "allow them")
EXTRA = Protection("control groups", False, "the system counts", "none", "run as root", needed=False)


def healthy(*protections: Protection) -> doctor.Health:
    return doctor.Health(protections, (Kernel("cpu", True, devices=("2 cores",)),))


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)

    def run(health: doctor.Health, *arguments: str):
        monkeypatch.setattr(doctor, "examine", lambda _keep: health)
        return CliRunner().invoke(cli.cli, ["doctor", *arguments])

    return run


def test_a_machine_with_all_that_is_needed_is_good(call) -> None:
    result = call(healthy(GOOD, EXTRA))
    assert result.exit_code == 0
    assert "seccomp         on" in result.output
    assert "control groups  off, not needed" in result.output
    assert "control groups: run as root" in result.output
    assert "coursemill-cpu: available: 2 cores" in result.output
    assert "Hostile code can be run here." in result.output


def test_what_is_missing_is_told_with_its_fix(call) -> None:
    result = call(healthy(GOOD, BAD))
    assert result.exit_code == cli.UNAVAILABLE
    assert "namespaces  off" in result.output
    assert "Hostile code is refused here: no sandbox: namespaces: denied (allow them)" in result.output


def test_it_fits_a_terminal(call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    table, _, _ = call(healthy(GOOD, BAD, EXTRA)).output.partition("namespaces, ")
    assert max(len(line) for line in table.splitlines()[:8]) <= 80


def test_as_json(call) -> None:
    result = call(healthy(GOOD, BAD), "--json")
    assert result.exit_code == cli.UNAVAILABLE
    data = json.loads(result.output)
    assert data["protections"][1] == {
        "name": "namespaces",
        "on": False,
        "meaning": "a kernel has its own",
        "reason": "denied",
        "fix": "allow them",
        "needed": True,
    }
    assert data["kernels"][0]["spec"] == "coursemill-cpu"
    assert data["refusal"].startswith("no sandbox: namespaces")


@pytest.mark.kernel
def test_this_machine_is_examined() -> None:
    health = doctor.examine()
    assert {one.name for one in health.protections} >= {"bubblewrap", "namespaces", "seccomp", "watchdog"}
    assert len(health.kernels) == 3
