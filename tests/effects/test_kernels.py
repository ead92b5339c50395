import os
import subprocess
import time
from pathlib import Path

import pytest

from coursemill.effects import kernels
from coursemill.pure.outcome import Kernel

SMI = """\
GPU 0: NVIDIA H200 (UUID: GPU-1)
GPU 1: NVIDIA H200 (UUID: GPU-2)
"""


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


def test_a_gpu_that_tensorflow_cannot_use_is_unavailable(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(path, "nvidia-smi", f"cat <<'END'\n{SMI}END")
    monkeypatch.setenv("PATH", f"{path}:/bin:/usr/bin")
    monkeypatch.setattr(kernels.importlib.util, "find_spec", lambda _name: None)
    found = kernels.probe("gpu")
    assert (found.available, found.reason) == (False, "TensorFlow is not installed")


def test_without_a_device_there_is_no_tpu(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TPU_NAME", "TPU_WORKER_ID"):
        monkeypatch.delenv(name, raising=False)
    assert kernels.probe("tpu").reason == "no TPU device"


GPU = Kernel("gpu", True, devices=("GPU 0: NVIDIA H200",))


@pytest.mark.parametrize(
    ("code", "out", "err", "expected"),
    [
        (0, 'noise\n["/physical_device:GPU:0"]\n', "", GPU),
        (1, "", "Traceback\nRuntimeError: no\n\n", Kernel("gpu", False, "TensorFlow: RuntimeError: no", "fix")),
        (-11, "", "", Kernel("gpu", False, "TensorFlow: exit status -11", "fix")),
    ],
)
def test_what_tensorflow_says_decides(code: int, out: str, err: str, expected: Kernel) -> None:
    assert kernels.answered(GPU, code, out, err, "fix") == expected


def test_a_library_without_support_is_named() -> None:
    found = kernels.answered(GPU, 0, "[]\n", "", "fix")
    assert found.reason.startswith("TensorFlow has no support for GPU 0: NVIDIA H200")


def test_slow_answers_are_kept_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(kernels, "_hardware", lambda _name: GPU)
    monkeypatch.setattr(kernels, "_with_library", lambda kernel: asked.append(kernel) or kernel)
    assert kernels.probe("gpu", tmp_path / "cache") == kernels.probe("gpu", tmp_path / "cache") == GPU
    assert len(asked) == 1
    (kept,) = (tmp_path / "cache").iterdir()
    kept.write_text("{}")
    assert kernels.probe("gpu", tmp_path / "cache") == GPU
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


def test_an_answer_that_does_not_come_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("python", 120)

    monkeypatch.setattr(kernels.importlib.util, "find_spec", lambda _name: object())
    monkeypatch.setattr(kernels.subprocess, "run", late)
    monkeypatch.setattr(kernels, "_hardware", lambda _name: GPU)
    assert kernels.probe("gpu").reason == "TensorFlow did not answer in 120 s"
