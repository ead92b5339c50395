"""What is known of a run beside its outcome: devices, libraries, and where models were."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from coursemill.config import Config
from coursemill.course import run as course_run
from coursemill.course.plan import Request, plans
from coursemill.effects import frameworks, kept, kernels, recorded
from coursemill.pure.outcome import Framework, Kernel, Run
from coursemill.pure.record import Model

HEAD = "---\nworksheet: [ws]\naccelerators: [cpu, gpu]\n---\n# A lesson\n"
PARAMETERS = """
```python tags="parameters"
epochs = 2  # passes over the data; gpu: 20; tpu: 40
```

```python
import os
print(epochs, os.environ["COURSEMILL_ACCELERATOR"], os.environ.get("KERAS_BACKEND"))
```
"""
FAKES = """
```python
import sys, types, numpy as np

class Weights:
    def __init__(self, *devices):
        self.devices = devices
    @property
    def weights(self):
        return [types.SimpleNamespace(device=device) for device in self.devices]

class Model(Weights):
    pass

class Broken(Model):
    @property
    def weights(self):
        raise SystemExit("no")

keras = types.ModuleType("keras")
keras.Model, keras.__version__ = Model, "3.0-fake"
keras.config = types.SimpleNamespace(backend=lambda: "torch")
sys.modules["keras"] = keras
class Meta(type):
    def __getattribute__(self, name):
        while name == "__mro__":
            pass
        return type.__getattribute__(self, name)
class Hostile(metaclass=Meta):
    @property
    def __class__(self):
        while True:
            pass
    def __getattr__(self, name):
        while True:
            pass
hostile, exec, list, isinstance = Hostile(), None, None, None
one = Model("/job:localhost/replica:0/task:0/device:GPU:1", "cuda:0", "cpu")
many = {"a": Model("cpu:0"), 2: one, (3,): Model("cpu:0")}
again = one
_hidden = Model("cpu")
BROKEN
```
"""
KERAS = """
```python
import keras
import numpy as np

model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3), keras.layers.Dense(1)])
model.compile(loss="mse", optimizer="sgd")
model.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=1, verbose=0)
print(keras.config.backend(), type(model.weights[0].value).__module__.partition(".")[0])
```

```text role="output"
jax jaxlib
```
"""
GPU = Kernel("gpu", True, devices=("GPU 0: NVIDIA H200",))
BLIND = Framework("tensorflow", "TensorFlow", "2", (), "sees no GPU (tensorflow-cpu is installed)", "get another")
SEES = Framework("jax", "JAX", "1", ("GPU:0 NVIDIA H200",))

Lesson = Callable[[str], Config]


@pytest.fixture
def lesson(tmp_path: Path) -> Lesson:
    """A course of one lesson with this text."""

    def write(text: str) -> Config:
        (tmp_path / "notes").mkdir(exist_ok=True)
        (tmp_path / "notes" / "Lesson.md").write_text(HEAD + text)
        return Config(tmp_path)

    return write


def run(config: Config, request: Request = Request()) -> Run:  # noqa: B008 - it is frozen
    (found,) = course_run.run(config, request).runs
    return found


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that says that it has a GPU, which JAX sees and TensorFlow doesn't."""
    monkeypatch.setattr(kernels, "_hardware", lambda _name: GPU)
    monkeypatch.setattr(frameworks, "ask", lambda _name: (BLIND, SEES))


@pytest.mark.kernel
def test_a_lesson_takes_each_kernels_parameters_and_the_record_its_devices(lesson: Lesson, gpu: None) -> None:
    config = lesson(PARAMETERS)
    both = course_run.run(config, Request(kernels=("cpu", "gpu"), jobs=1))
    said = {one.kernel: (config.root / one.notebook).read_text() for one in both.runs}
    assert [one.status for one in both.runs] == ["passed", "passed"]
    assert "2 cpu" in said["cpu"]
    assert "20 gpu" in said["gpu"]
    cpu, on_gpu = (one.record for one in both.runs)
    assert "core" in cpu.machine[0]
    assert on_gpu.machine == GPU.devices
    assert set(cpu.libraries) == {"python"}
    kept_there = json.loads(said["gpu"])["metadata"]["coursemill"]["record"]
    assert kept_there["libraries"] == dict(on_gpu.libraries)
    assert both.runs[1].parameters == {"epochs": 20}
    again = course_run.run(config, Request(kernels=("gpu",), jobs=1)).runs[0]
    assert (again.cached, again.record) == (True, on_gpu)


@pytest.mark.kernel
def test_a_record_survives_hostile_objects_and_counts_variables(lesson: Lesson) -> None:
    found = run(lesson(FAKES.replace("BROKEN", "")))
    assert (found.status, found.record.missing) == ("passed", "")
    assert found.record.models == (
        Model("one", "Model", {"GPU:1": 1, "GPU:0": 1, "CPU:0": 1}),
        Model("many['a']", "Model", {"CPU:0": 1}),
    )
    assert found.record.backend == "torch"
    assert found.record.libraries["keras"] == "3.0-fake"
    assert found.record.libraries["numpy"]
    assert "sys" not in found.record.libraries


@pytest.mark.kernel
def test_what_was_said_before_an_object_broke_the_rest_is_kept(lesson: Lesson) -> None:
    found = run(lesson(FAKES.replace("BROKEN", "broken = Broken()")))
    assert found.status == "passed"
    assert found.record.models == ()
    assert "SystemExit" in found.record.missing
    assert found.record.libraries["keras"] == "3.0-fake"


@pytest.mark.kernel
def test_an_object_that_hangs_costs_a_moment_and_not_the_result(lesson: Lesson) -> None:
    config = lesson(
        FAKES.replace("BROKEN", "Broken.weights = property(lambda self: __import__('time').sleep(600))\nb = Broken()")
    )
    began = time.monotonic()
    found = run(config)
    assert (found.status, found.record.models) == ("passed", ())
    assert "no answer in 2 s" in found.record.missing
    assert time.monotonic() - began < 60


@pytest.mark.kernel
def test_a_kernel_that_died_has_no_record(lesson: Lesson) -> None:
    found = run(lesson("\n```python\nimport os\nos._exit(7)\n```\n"))
    assert (found.status, found.record.libraries, found.record.models) == ("died", {}, ())
    assert found.record.machine


@pytest.mark.kernel
def test_a_record_is_made_of_a_lesson_that_fails_and_adds_no_output(lesson: Lesson) -> None:
    config = lesson("\n```python\nimport numpy\nassert False\n```\n")
    found = run(config)
    assert (found.status, len(found.failures)) == ("failed", 1)
    assert found.record.libraries["numpy"]
    cells = json.loads((config.root / found.notebook).read_text())["cells"]
    assert [len(c["outputs"]) for c in cells if c["cell_type"] == "code" and "assert" in "".join(c["source"])] == [1]


def test_a_lesson_is_unavailable_where_its_framework_sees_no_device(lesson: Lesson, gpu: None) -> None:
    found = run(lesson("\n```python\nimport tensorflow as tf\n```\n"), Request(kernels=("gpu",)))
    assert (found.status, found.fix) == ("unavailable", "get another")
    assert found.reason == "TensorFlow does not compute on the gpu: sees no GPU (tensorflow-cpu is installed)"
    keras = lesson("\n```python\nfrom keras import layers\n```\n")
    assert run(keras, Request(kernels=("gpu",))).status == "unavailable"


def test_keras_needs_what_its_backend_is(lesson: Lesson, gpu: None, monkeypatch: pytest.MonkeyPatch) -> None:
    config = lesson("\n```python\nimport keras\n```\n")
    probed = (replace(GPU, frameworks=(BLIND, SEES)),)
    installed = {"jax"}
    monkeypatch.setattr(frameworks, "is_installed", installed.__contains__)
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    (plan,) = plans(config, Request(kernels=("gpu",)), probed)
    assert plan.due
    installed.clear()
    (plan,) = plans(config, Request(kernels=("gpu",)), probed)
    assert (plan.run.status, plan.run.reason, plan.run.fix) == (
        "unavailable",
        "Keras is to compute with jax, which is not installed",
        "pip install jax",
    )


def test_a_result_counts_for_one_backend_only(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = Kernel("cpu", True)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    usual = kept.Environment.of(cpu)
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert kept.Environment.of(cpu) != usual


@pytest.mark.kernel
@pytest.mark.lesson
def test_a_keras_lesson_runs_on_jax(lesson: Lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("keras", "jax"):
        if not frameworks.is_installed(name):
            pytest.skip(f"{name} is not installed: uv sync --extra lessons installs both")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    found = run(lesson(KERAS))
    assert (found.status, found.failures) == ("passed", ())
    assert found.record.backend == "jax"
    assert found.record.devices == {"jax": ("CPU:0",)}
    assert found.record.models == (Model("model", "Sequential", {"CPU:0": 4}),)
    assert {"keras", "jax", "numpy", "python"} <= found.record.libraries.keys()


def test_imports_are_found_in_cells_by_their_top_names() -> None:
    sources = ["import os, pandas as pd", ["import numpy.linalg\n", "from keras import layers"], "def f(\n  import bs4"]
    cells = [{"cell_type": "code", "source": source} for source in sources]
    words = {"cell_type": "markdown", "source": "import scrapy"}
    assert recorded.imports({"cells": [*cells, words]}) == ("bs4", "keras", "numpy", "pandas")
