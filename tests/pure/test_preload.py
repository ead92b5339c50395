import pytest

from coursemill.pure import parse, preload

HEAD = "---\nworksheet: WS\n---\n# Note\n"


@pytest.mark.parametrize(
    ("code", "modules"),
    [
        ("import numpy as np\nfrom bs4 import BeautifulSoup", ("bs4", "numpy")),
        ("import os\nos.environ['KERAS_BACKEND'] = 'jax'\nimport keras", ()),
        ("%env A=1\nimport numpy", ()),
        ("try:\n    import lxml\nexcept ImportError:\n    lxml = None", ()),
        ("print(1)", ()),
    ],
)
def test_a_server_imports_what_the_lesson_does(code: str, modules: tuple[str, ...]) -> None:
    lesson = parse.lesson("notes/L.md", f"{HEAD}```python\n{code}\n```\n")
    assert tuple(name for name in preload.of(lesson) if name != "os") == modules


@pytest.mark.parametrize(
    ("cells", "modules"),
    [
        (["import numpy as np", "from bs4 import BeautifulSoup"], ("bs4", "numpy")),
        (["import os\nos.environ['KERAS_BACKEND'] = 'jax'", "import keras"], ()),
        (["import os\nos.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')\nimport tf"], ("os", "tf")),
        (["import os\nos.environ['SPARK_HOME'] = x\nos.environ.update(y)\nimport pyspark"], ()),
        (["%env TF_CPP_MIN_LOG_LEVEL=3\nimport tf"], ("tf",)),
        (["import bikes, lib.shop, numpy"], ("numpy",)),
        (["import ("], ()),
    ],
)
def test_a_server_imports_what_a_notebook_does(cells: list[str], modules: tuple[str, ...]) -> None:
    assert preload.of_cells(cells, ["bikes.py", "lib/shop.py", "data.csv"]) == modules
