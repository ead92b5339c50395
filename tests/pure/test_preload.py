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
