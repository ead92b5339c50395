import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from coursemill.effects import frameworks, kernels
from coursemill.pure.outcome import Framework, Kernel

SMI = """\
GPU 0: NVIDIA H200 (UUID: GPU-1)
GPU 1: NVIDIA H200 (UUID: GPU-2)
"""
GPU = Kernel("gpu", True, devices=("GPU 0: NVIDIA H200",))
BLIND = Framework("tensorflow", "TensorFlow", "2", (), "sees no GPU (tensorflow-cpu is installed)", "get another")
SEES = Framework("jax", "JAX", "1", ("GPU:0 NVIDIA H200",))
ABSENT = Framework("torch", "PyTorch", "", (), "not installed", "pip install torch")


def program(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH of its own, and a Python without programs beside it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(kernels.sys, "executable", str(tmp_path / "bin" / "python"))
    return tmp_path


def test_the_cpu_is_always_there() -> None:
    found = kernels.probe("cpu")
    assert found.available
    assert "core" in found.devices[0]


def test_without_a_driver_there_is_no_gpu(path: Path) -> None:
    if Path("/proc/driver/nvidia/version").exists():
        pytest.skip("this machine has the driver")
    found = kernels.probe("gpu")
    assert (found.available, found.reason) == (False, "no NVIDIA driver")
    assert "tensorflow[and-cuda]" in found.fix


def test_a_driver_without_devices_says_so(path: Path) -> None:
    program(path, "nvidia-smi", "echo 'No devices were found'; exit 6")
    assert kernels.probe("gpu").reason == "no GPU: No devices were found"


def smi(path: Path, monkeypatch: pytest.MonkeyPatch, script: str = f"cat <<'END'\n{SMI}END") -> None:
    """A driver's tool that says this."""
    program(path, "nvidia-smi", script)
    monkeypatch.setenv("PATH", f"{path}:/bin:/usr/bin")


def test_a_gpu_without_any_framework_is_unavailable(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    smi(path, monkeypatch)
    monkeypatch.setattr(frameworks, "is_installed", lambda _name: False)
    found = kernels.probe("gpu")
    assert not found.available
    assert found.reason == ("nothing computes on GPU 0: NVIDIA H200: none of TensorFlow, JAX, PyTorch is installed")
    assert "tensorflow[and-cuda]" in found.fix


def test_a_gpu_that_frameworks_do_not_see_is_unavailable(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    smi(path, monkeypatch)
    monkeypatch.setattr(frameworks, "ask", lambda _name: (BLIND, ABSENT))
    found = kernels.probe("gpu")
    assert (found.available, found.devices) == (False, ())
    assert (
        found.reason == "nothing computes on GPU 0: NVIDIA H200: TensorFlow: sees no GPU (tensorflow-cpu is installed)"
    )
    assert (found.fix, found.frameworks) == ("get another", (BLIND, ABSENT))


def test_one_framework_that_sees_a_gpu_makes_it_available_for_its_lessons(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    smi(path, monkeypatch)
    monkeypatch.setattr(frameworks, "ask", lambda _name: (BLIND, SEES))
    found = kernels.probe("gpu")
    assert found.available
    assert found.devices == ("GPU 0: NVIDIA H200", "GPU 1: NVIDIA H200")
    assert found.blind({"jax"}) is None
    assert found.blind(()) is None
    assert found.blind({"jax", "tensorflow"}) == BLIND


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("sleep 600", "does not answer"),
        ("printf '\\377\\000'", "no GPU:"),
        ("kill -9 $$", "no GPU: nvidia-smi lists none"),
        ("echo 'GPU 0: NVIDIA H200'; exit 1", "no GPU: GPU 0: NVIDIA H200"),
    ],
    ids=["hangs", "garbage", "killed", "fails"],
)
def test_a_driver_that_misbehaves_is_a_reason(
    path: Path, monkeypatch: pytest.MonkeyPatch, script: str, reason: str
) -> None:
    smi(path, monkeypatch, script)
    monkeypatch.setattr(kernels, "ANSWER", 1.0)
    found = kernels.probe("gpu")
    assert not found.available
    assert reason in found.reason
    assert found.fix


def test_the_drivers_files_name_gpus_where_its_tool_is_missing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "DRIVER", path / "nvidia")
    monkeypatch.setattr(frameworks, "ask", lambda _name: (SEES,))
    (path / "nvidia" / "gpus" / "0000:00:05.0").mkdir(parents=True)
    (path / "nvidia" / "version").write_text("NVRM")
    assert kernels.probe("gpu").reason == "the NVIDIA driver lists no device"
    (path / "nvidia" / "gpus" / "0000:00:05.0" / "information").write_text("Model: \t NVIDIA H200\nIRQ: 1\n")
    assert kernels.probe("gpu").devices == ("GPU: NVIDIA H200",)


def test_tpu_chips_are_found_on_the_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TPU_NAME", raising=False)
    monkeypatch.setattr(kernels, "PCI", tmp_path)
    monkeypatch.setattr(frameworks, "ask", lambda _name: (SEES,))
    for place, (vendor, device) in enumerate([("0x1ae0", "0x0063"), ("0x1ae0", "0x0042"), ("0x10de", "0x0063")]):
        (tmp_path / f"0000:00:0{place}.0").mkdir()
        (tmp_path / f"0000:00:0{place}.0" / "vendor").write_text(f"{vendor}\n")
        (tmp_path / f"0000:00:0{place}.0" / "device").write_text(f"{device}\n")
    assert kernels.probe("tpu").devices == ("TPU v5e at 0000:00:00.0",)


def test_where_there_is_no_hardware_no_framework_is_asked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "DRIVER", path / "nvidia")
    monkeypatch.setattr(frameworks, "ask", None)
    found = kernels.probe("gpu", ask=True)
    assert {f.reason for f in found.frameworks} <= {"no NVIDIA driver", "not installed"}
    assert not any(f.devices for f in found.frameworks)


def test_frameworks_are_asked_about_the_cpu_only_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frameworks, "ask", lambda _name: (BLIND,))
    assert kernels.probe("cpu").frameworks == ()
    found = kernels.probe("cpu", ask=True)
    assert (found.available, found.frameworks) == (True, (BLIND,))


def test_without_a_device_there_is_no_tpu(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TPU_NAME", "TPU_WORKER_ID"):
        monkeypatch.delenv(name, raising=False)
    assert kernels.probe("tpu").reason == "no TPU device"


def test_slow_answers_are_kept_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(kernels, "_hardware", lambda _name: GPU)
    monkeypatch.setattr(frameworks, "ask", lambda name: asked.append(name) or (SEES,))
    whole = replace(GPU, frameworks=(SEES,))
    assert kernels.probe("gpu", tmp_path / "cache") == kernels.probe("gpu", tmp_path / "cache") == whole
    assert len(asked) == 1
    (kept,) = (tmp_path / "cache").iterdir()
    kept.write_text("{}")
    assert kernels.probe("gpu", tmp_path / "cache") == whole
    assert len(asked) == 2
    os.utime(kept, (time.time() - 2 * kernels.FRESH,) * 2)
    kernels.probe("gpu", tmp_path / "cache")
    assert len(asked) == 3


def test_missing_programs_are_named_with_what_installs_them(path: Path) -> None:
    program(path, "node", "exit 0")
    assert kernels.missing(("node",)) is None
    assert kernels.missing(("node", "java")) == ("java is not installed", "sudo apt-get install default-jre-headless")
    assert kernels.missing(("frob",)) == ("frob is not installed", "put `frob` on PATH")


@pytest.mark.parametrize(
    ("said", "version"), [('openjdk version "11.0.2"', 11), ('java version "1.8.0_292"', 8), ("", 0)]
)
def test_an_old_java_does_not_do(path: Path, said: str, version: int) -> None:
    program(path, "java", f"echo '{said}' >&2")
    lacking = kernels.missing(("java",))
    assert lacking
    assert lacking[0] == f"java is version {version}; 17 or newer is needed"


def test_java_home_comes_first(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = path / "home" / "bin"
    home.mkdir(parents=True)
    program(home, "java", "echo 'openjdk version \"21.0.1\"' >&2")
    program(path, "java", "echo 'openjdk version \"11\"' >&2")
    monkeypatch.setenv("JAVA_HOME", str(home.parent))
    assert kernels.missing(("java",)) is None


def test_installed_distributions_are_those_of_the_metadata() -> None:
    from importlib.metadata import version

    assert f"click-{version('click')}" in kernels.installed()


def test_a_framework_that_did_not_answer_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    hung = replace(BLIND, answered=False)
    monkeypatch.setattr(kernels, "_hardware", lambda _name: GPU)
    monkeypatch.setattr(frameworks, "ask", lambda name: asked.append(name) or (hung,))
    assert not kernels.probe("gpu", tmp_path).available
    assert not kernels.probe("gpu", tmp_path).available
    assert len(asked) == 2
