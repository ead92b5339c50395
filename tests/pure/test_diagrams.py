import base64
import re

import pytest

from coursemill.model import Span
from coursemill.pure import parse
from coursemill.pure.diagrams import Diagram, diagram_sources, picture

NOTE = """# Title

```d2
a -> b
```

- item
  ```mermaid
  graph LR
    A --> B
  ```

```d2 role="show"
shown
```

> [!exercise|id=x] Title
> Prompt
>
> ```d2
> c
> ```

> [!hint]- Hint
> ```d2
> a -> b
> ```

```python role="solution"
### BEGIN SOLUTION
### END SOLUTION
```

> [!exercise|id=y points=1 grade=manual] Title
> Prompt

> [!solution]-
> ```d2
> model
> ```

> [!quiz|id=z points=1] Title
> - [x] a picture
>
>   ```d2
>   option
>   ```
> - [ ] none

```python
# d2 in code: ```d2
```
"""


def test_every_text_of_a_lesson_is_looked_into() -> None:
    found = diagram_sources(parse.lesson("notes/a.md", NOTE))
    assert [(d.lang, d.source) for d in found] == [
        ("d2", "a -> b"),
        ("mermaid", "graph LR\n  A --> B"),
        ("d2", "c"),
        ("d2", "a -> b"),
        ("d2", "model"),
        ("d2", "option"),
    ]
    lines = NOTE.split("\n")
    for diagram in found:
        first = lines[diagram.span.start].strip("> ")
        assert diagram.source.startswith(first), f"{diagram.span} is not where {diagram.source!r} stands"


def test_names_tell_languages_and_sources_apart() -> None:
    span = Span("notes/a.md", 1, 3)
    names = {Diagram(*what, span).name for what in (("d2", "a"), ("mermaid", "a"), ("d2", "b"))}
    assert len(names) == 3
    assert all(re.fullmatch(r"[0-9a-f]{16}\.svg", name) for name in names)
    assert Diagram("d2", "a", span).name == Diagram("d2", "a", Span("notes/b.md", 9, 9)).name


@pytest.mark.parametrize(
    ("info", "alt"), [("d2", "diagram"), ('d2 title="A & <B>"', "A &amp; &lt;B&gt;"), ('d2 title=""', "")]
)
def test_pictures_hold_their_svg(info: str, alt: str) -> None:
    shown = picture("<svg>ä</svg>\n", info)
    match = re.fullmatch(r'<img alt="([^"]*)" src="data:image/svg\+xml;base64,([^"]*)">', shown)
    assert match is not None
    assert match[1] == alt
    assert base64.b64decode(match[2]).decode() == "<svg>ä</svg>\n"
