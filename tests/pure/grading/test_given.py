"""What is taken over from a cell."""

import pytest

from coursemill.pure.grading import given, uses


@pytest.mark.parametrize(
    ("names", "source", "expected"),
    [
        ("b", "import a\nimport b\nx = b.f()", "\nimport b"),
        ("f", "def f():\n    return 1\n\nplot(f())\n", "def f():\n    return 1"),
        ("f", "LIMIT = 3\nprint(3)\ndef f(x=LIMIT):\n    return x", "LIMIT = 3\n\ndef f(x=LIMIT):\n    return x"),
        ("f", "conn = connect()\n@conn.job(N := 3)\ndef f(): pass", "\n@conn.job(N := 3)\ndef f(): pass"),
        ("f", "@cache\n@d(3)\ndef f(): pass\nf()", "@cache\n@d(3)\ndef f(): pass"),
        ("a", "try:\n    import a\nexcept E:\n    a = 0\na.go()", "try:\n    import a\nexcept E:\n    a = 0"),
        ("np", "import np\nnp.random.seed(7)\nx = np.ones(3)", "import np\nnp.random.seed(7)"),
        ("sys", "import sys\nsys.path.append('lib')\nsys.exit()", "import sys\nsys.path.append('lib')"),
        ("pd", "import pd\npd.options.width = 80\npd.plot()", "import pd\npd.options.width = 80"),
        ("f", "def f(x): ...\n@f.register\ndef _(x): ...\nf(3)", "def f(x): ...\n@f.register\ndef _(x): ..."),
        ("pi", "from math import *\nfrom x import y\nz = y", "from math import *"),
        ("", "from __future__ import annotations\nx = 1", "from __future__ import annotations"),
        ("b", "import a; import b; b.go()", "import b"),
        ("a", "%matplotlib inline\nimport a\n!ls", "\nimport a"),
        ("a", "%%time\nimport a\na.go()", "\nimport a"),
        ("x", "x = (", ""),
        ("ls", "%%bash\nls", ""),
    ],
)
def test_reduced(names: str, source: str, expected: str) -> None:
    assert given.reduced(source, names.split()) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("P = re.compile('a')", True),
        ("f = lambda x: x", True),
        ("T = TypeVar('T')", True),
        ("Point = collections.namedtuple('Point', 'x y')", True),
        ("x = 3", False),
        ("x = load()", False),
        ("def f(): pass", False),
    ],
)
def test_rebuilt(source: str, expected: bool) -> None:
    assert given.rebuilt(uses.statements(source)[0]) is expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = 3", True),
        ("x: list = [1, -2, {'a': (None, 2.5)}]", True),
        ("x = f'{y}'", True),
        ("x = load()", False),
        ("x = [i for i in y]", False),
        ("x = y.z", False),
        ("d['a'] = 3", False),
        ("x: int", False),
        ("print(3)", False),
    ],
)
def test_constant(source: str, expected: bool) -> None:
    assert given.constant(uses.statements(source)[0]) is expected


def test_a_file_that_is_written() -> None:
    assert "open('a.py', 'w'" in given.written_file("%%writefile a.py\nx = 'ä'\n")
    assert "open('a.py', 'a'" in given.written_file("%%writefile -a a.py\nx = 1")
    assert given.written_file("x = 1") == ""
