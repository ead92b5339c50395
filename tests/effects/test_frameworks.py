"""Frameworks that are asked for their devices: those installed here, and false ones that misbehave."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from coursemill.effects import frameworks
from coursemill.pure.outcome import Framework

HONEST = """
__version__ = "9.1"
def devices(kind):
    print("noise on the standard output")
    return [Device(0), Device(1)] if kind == "gpu" else []
def device_put(value, device):
    return device
class Device:
    def __init__(self, id):
        self.id, self.device_kind = id, "NVIDIA H200"
    def block_until_ready(self):
        pass
"""
BLIND = """
__version__ = "9.1"
def devices(kind):
    raise RuntimeError(f"Unknown backend: {kind!r} requested, but no platforms that are instances of it are present")
"""
BROKEN = """
__version__ = "9.1"
def devices(kind):
    raise RuntimeError("CUDA_ERROR_UNKNOWN\\n  see the log")
"""
HANGS = """
import pathlib, subprocess, time
left = subprocess.Popen(["sleep", "600"])
pathlib.Path(PIDS).write_text(str(left.pid))
time.sleep(600)
"""


def jax(folder: Path, monkeypatch: pytest.MonkeyPatch, source: str, patience: float = 60) -> Framework:
    """What is said of a JAX that has this source."""
    (folder / "jax.py").write_text(source)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setattr(frameworks, "LIBRARIES", {"jax": frameworks.LIBRARIES["jax"]})
    (found,) = frameworks.ask("gpu", patience)
    return found


def test_devices_are_named_and_noise_is_not_taken_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = jax(tmp_path, monkeypatch, HONEST)
    assert found == Framework("jax", "JAX", "9.1", ("GPU:0 NVIDIA H200", "GPU:1 NVIDIA H200"))


@pytest.mark.parametrize(
    ("source", "reason", "answered"),
    [
        (BLIND, "sees no GPU", True),
        (BROKEN, "RuntimeError: CUDA_ERROR_UNKNOWN see the log", True),
        ("import no_such_driver", "ModuleNotFoundError: No module named 'no_such_driver'", True),
        ("raise SystemExit(3)", "it ended with exit status 3", False),
        ("import os, sys\nsys.stderr.write('last words\\n\\n')\nsys.stderr.flush()\nos._exit(7)",
         "it ended with exit status 7: last words", False),
        ("import os\nos.kill(os.getpid(), 11)", "it was killed by SIGSEGV", False),
        ("import os\nos.closerange(0, 20)\nos._exit(0)", "its answer makes no sense", False),
        ("import os\n[os.write(n, b'[' * 60000) for n in (3,)]\nos._exit(0)", "its answer makes no sense", False),
    ],
    ids=["blind", "broken", "no driver", "exits", "complains", "crashes", "says nothing", "says garbage"],
)  # fmt: skip
def test_a_framework_without_devices_has_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, reason: str, answered: bool
) -> None:
    found = jax(tmp_path, monkeypatch, source)
    assert (found.devices, found.reason, found.answered) == ((), reason, answered)
    assert found.fix


def test_one_that_hangs_is_ended_with_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alive: Callable[[int], bool]
) -> None:
    pids = tmp_path / "pids"
    found = jax(tmp_path, monkeypatch, HANGS.replace("PIDS", repr(str(pids))), patience=3)
    assert (found.reason, found.answered) == ("no answer in 3 s", False)
    assert not alive(int(pids.read_text()))


def test_what_is_not_installed_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frameworks, "is_installed", lambda _name: False)
    found = frameworks.ask("tpu")
    assert [(f.label, f.version, f.reason) for f in found] == [
        (label, "", "not installed") for label in ("TensorFlow", "JAX", "PyTorch")
    ]
    assert found[1].fix == "pip install 'jax[tpu]'"
    assert frameworks.unasked("tpu", "no TPU", "get one") == found


JAX = Framework("jax", "JAX", "1")


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"devices": "GPU"}',
        b'{"devices": [1]}',
        b'{"devices": [], "version": 3}',
        b'{"devices": ["GPU"]} more',
    ],
)
def test_an_answer_of_another_form_makes_no_sense(said: bytes) -> None:
    found = frameworks.read(JAX, "gpu", 0, said, b"")
    assert (found.reason, found.devices, found.answered) == ("its answer makes no sense", (), False)


def test_long_answers_are_cut() -> None:
    said = json.dumps({"devices": ["GPU"], "version": "1" * 1000}).encode()
    assert len(frameworks.read(JAX, "gpu", 0, said, b"").version) == frameworks.LONGEST_REASON


def test_a_build_for_the_cpu_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frameworks, "_version", lambda name: "2.21.0" if name == "tensorflow-cpu" else "")
    said = b'{"version": "2.21.0", "devices": []}'
    found = frameworks.read(Framework("tensorflow", "TensorFlow"), "gpu", 0, said, b"")
    assert found.reason == "sees no GPU (tensorflow-cpu is installed)"
    assert "tensorflow[and-cuda]" in found.fix


def test_a_signal_without_a_name_has_its_number() -> None:
    assert "signal 99" in frameworks.read(JAX, "gpu", -99, b"", b"").reason
    assert signal.SIGKILL.name in frameworks.read(JAX, "gpu", -9, b"", b"").reason


@pytest.mark.kernel
def test_the_jax_that_is_installed_computes_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    if not frameworks.is_installed("jax"):
        pytest.skip("JAX is not installed: uv sync installs it with the other tools for tests")
    monkeypatch.setattr(frameworks, "LIBRARIES", {"jax": frameworks.LIBRARIES["jax"]})
    (found,) = frameworks.ask("cpu")
    assert (found.devices, found.reason) == (("CPU:0",), "")
    if not Path("/proc/driver/nvidia").exists():
        assert frameworks.ask("gpu")[0].reason == "sees no GPU"
