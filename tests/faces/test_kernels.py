"""`coursemill kernels`: what it prints, and what it exits with."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from coursemill.effects import frameworks, kernels
from coursemill.faces import cli
from coursemill.pure.outcome import Framework, Kernel

GPU = Kernel("gpu", True, devices=("GPU 0: NVIDIA H200",))
TPU = Kernel("tpu", False, "no TPU device", "get one")
SEES = Framework("jax", "JAX", "0.10.2", ("GPU:0 NVIDIA H200",))
BLIND = Framework("tensorflow", "TensorFlow", "2.21.0", (), "sees no GPU (tensorflow-cpu is installed)", "get another")
ABSENT = Framework("torch", "PyTorch", "", (), "not installed", "pip install torch")

Call = Callable[..., Result]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """The command in a course on a machine whose GPU JAX sees and TensorFlow doesn't."""
    (tmp_path / "notes").mkdir()
    monkeypatch.setattr(kernels, "_hardware", lambda name: GPU if name == "gpu" else TPU)
    monkeypatch.setattr(frameworks, "ask", lambda name: (BLIND, SEES if name == "gpu" else ABSENT, ABSENT))
    monkeypatch.setattr(frameworks, "is_installed", lambda name: name != "torch")
    return lambda *arguments: CliRunner().invoke(cli.cli, ["--root", str(tmp_path), "kernels", *arguments])


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_table_fits_and_says_who_sees_what(call: Call, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    done = call()
    assert done.exit_code == cli.OK
    lines = done.stdout.splitlines()
    assert all(len(line) <= width for line in lines)
    words = " ".join(done.stdout.split())
    for said in (
        "coursemill-gpu available machine GPU",
        "JAX 0.10.2",
        "TensorFlow 2.21.0",
        "coursemill-tpu unavailable",
    ):
        assert said in words
    assert len([line for line in lines if "TensorFlow 2.21.0" in line]) == 2  # nobody was asked about TPUs


def test_json_has_all_of_it(call: Call) -> None:
    cpu, gpu, tpu = json.loads(call("--json").stdout)
    assert [one["spec"] for one in (cpu, gpu, tpu)] == ["coursemill-cpu", "coursemill-gpu", "coursemill-tpu"]
    assert gpu["devices"] == ["GPU 0: NVIDIA H200"]
    assert {f["name"]: f["devices"] for f in gpu["frameworks"]} == {
        "tensorflow": [],
        "jax": ["GPU:0 NVIDIA H200"],
        "torch": [],
    }
    assert {f["name"]: f["reason"] for f in tpu["frameworks"]} == {
        "tensorflow": "no TPU device",
        "jax": "no TPU device",
        "torch": "not installed",
    }


def test_a_required_kernel_that_is_not_there_exits_with_3(call: Call) -> None:
    assert call("--require", "gpu").exit_code == cli.OK
    assert call("--require", "tpu").exit_code == cli.UNAVAILABLE
