import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager

from coursemill.effects import provisioner
from coursemill.effects.kernels import SPECS
from coursemill.model import ACCELERATORS, Accelerator


@pytest.mark.parametrize("accelerator", ACCELERATORS)
def test_kernelspecs_name_the_provisioner_and_work_in_any_environment(accelerator: Accelerator) -> None:
    spec = json.loads((SPECS / f"coursemill-{accelerator}" / "kernel.json").read_text())
    assert spec["argv"][0] == "python"  # jupyter_client puts its own interpreter there
    assert spec["metadata"]["kernel_provisioner"] == {
        "provisioner_name": "coursemill",
        "config": {"accelerator": accelerator},
    }


def test_the_cpu_kernel_hides_gpus_whatever_is_set_and_others_do_not() -> None:
    given = {"CUDA_VISIBLE_DEVICES": "0", "PATH": "/bin"}
    assert provisioner.environment("cpu", given)["CUDA_VISIBLE_DEVICES"] == "-1"
    assert provisioner.environment("gpu", given)["CUDA_VISIBLE_DEVICES"] == "0"


def test_a_users_settings_win_over_defaults_only() -> None:
    given = {"TF_CPP_MIN_LOG_LEVEL": "0", "PYTHONHASHSEED": "random", provisioner.THREADS: "3", "OMP_NUM_THREADS": "7"}
    made = provisioner.environment("cpu", given)
    assert made["TF_CPP_MIN_LOG_LEVEL"] == "0"
    assert made["PYTHONHASHSEED"] == "0"
    assert (made["OMP_NUM_THREADS"], made["OPENBLAS_NUM_THREADS"]) == ("7", "3")
    assert made["PYSPARK_PYTHON"] == sys.executable
    assert "UseSerialGC" in made["SPARK_SUBMIT_OPTS"]


def test_programs_of_this_python_come_first_and_once() -> None:
    programs = str(Path(sys.executable).parent)
    once = provisioner.environment("cpu", {"PATH": "/bin"})["PATH"]
    assert once.split(os.pathsep) == [programs, "/bin"]
    assert provisioner.environment("cpu", {"PATH": once})["PATH"] == once


@pytest.mark.kernel
def test_papermill_runs_on_our_kernel_outside_of_the_sandbox_and_leaves_nothing(
    tmp_path: Path, alive: Callable[[int], bool]
) -> None:
    if "coursemill-cpu" not in KernelSpecManager().find_kernel_specs():
        pytest.skip("the kernelspecs are not installed: coursemill is imported from its sources, not installed")
    code = (
        "import os, subprocess\n"
        "left = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        "print(n, os.environ['COURSEMILL_ACCELERATOR'], left.pid)"
    )
    cells = [nbformat.v4.new_code_cell("n = 1", metadata={"tags": ["parameters"]}), nbformat.v4.new_code_cell(code)]
    kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    given = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernelspec})
    nbformat.write(given, tmp_path / "in.ipynb")
    papermill = Path(sys.executable).parent / "papermill"
    subprocess.run(
        [papermill, "-k", "coursemill-cpu", "-p", "n", "5", "in.ipynb", "out.ipynb"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        timeout=120,
        env={**os.environ, "COURSEMILL_TRUST_SUBMISSIONS": "1"},
    )
    done = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    nbformat.validate(done)
    number, accelerator, left = done.cells[-1].outputs[0].text.split()
    assert (number, accelerator) == ("5", "cpu")
    assert not alive(int(left))
