"""A small course to build, in a folder of its own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import pytest

from coursemill.config import Config
from coursemill.course.build import Built, build

EXERCISE = """
> [!exercise|id={id}] Add one
> Write `add(x)`.

```python role="solution"
def add(x):
    ### BEGIN SOLUTION
    return x + 1
    ### END SOLUTION
```

```python role="test" points=1
assert add(1) == 2, "one more"
```

```python role="test" points=2 hidden=true
assert add(-1) == 0, "also below zero"
```
"""


class Vault:
    """A course whose notes a test writes, builds and looks at."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def note(self, id: str = "add", *, worksheet: str = "WS", text: str = "Some *prose*.") -> str:
        """A lesson with one exercise."""
        return f"---\nworksheet: {worksheet}\n---\n# Note {id}\n\n{text}\n{EXERCISE.format(id=id)}"

    def put(self, files: Mapping[str, str | bytes]) -> None:
        """Write files into the vault."""
        for name, data in files.items():
            path = self.root / "notes" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data.encode() if isinstance(data, str) else data)

    def build(self, *names: str, **about: Any) -> Built:
        """Build in this process, which imports nbgrader only once, unless `jobs` says otherwise."""
        return build(Config(self.root), names, **{"jobs": 1, **about})

    def tree(self) -> dict[str, bytes]:
        """Every file in the three folders, by path; the notebooks among them are valid."""
        found = {}
        for folder in ("notebooks", "source", "release"):
            for path in sorted((self.root / folder).rglob("*")):
                if path.is_file():
                    found[path.relative_to(self.root).as_posix()] = path.read_bytes()
                    if path.suffix == ".ipynb":
                        nbformat.validate(nbformat.reads(path.read_text(encoding="utf-8"), 4))
        return found


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path)
