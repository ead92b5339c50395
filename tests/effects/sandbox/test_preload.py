from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = [pytest.mark.kernel, pytest.mark.sandbox]


LIBRARIES = ["numpy", "pandas", "tensorflow", "scrapy", "matplotlib.pyplot", "pyspark.sql", "bs4"]


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_the_server_has_imported_is_there_at_once(start: Callable, library: str) -> None:
    said = start(imports=(library,)).run(f"import sys; print({library!r} in sys.modules)")
    assert said == "True\n", "no import of it may start a thread, or the kernel is started cold"


def test_a_preloaded_tensorflow_computes(start: Callable) -> None:
    kernel = start(imports=("tensorflow",))
    assert "4.0" in kernel.run("import tensorflow as tf; print(float(tf.reduce_sum(tf.ones((2, 2)))))", 120)


def test_a_preloaded_doctest_runs_examples(start: Callable) -> None:
    """Its debugger derives from the Pdb that was there when it was imported."""
    example = "def twice(x):\n    '>>> twice(2)\\n4'\n    return 2 * x\n"
    assert start(imports=("doctest",)).run(f"{example}import doctest; print(doctest.testmod().attempted)") == "1\n"


def test_libraries_know_that_they_are_in_a_notebook(start: Callable) -> None:
    said = start(imports=("pandas",)).run("import pandas; print(pandas.get_option('display.max_columns'))")
    assert said == "20\n", "pandas shows fewer columns in a terminal"


def test_what_lies_beside_the_notebook_can_be_imported(start: Callable, tmp_path: Path) -> None:
    folder = tmp_path / "lesson"
    folder.mkdir()
    (folder / "shop.py").write_text("price = 5")
    assert start(folder=folder).run("import shop; print(shop.price)") == "5\n"
