"""What a class gets back: pages of the journal and the gradebook, nothing hidden in them, by the exchange too."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from coursemill.course import feedback, grade
from coursemill.course.feedback import Request, Result, Returned
from coursemill.course.grade import Request as GradeRequest
from coursemill.effects.grading import returns
from coursemill.errors import CoursemillError

pytestmark = pytest.mark.nbgrader

HIDDEN = ("add(-1)", "HIDDEN TESTS", "x + 1", "4: all", "MARK SCHEME")
"""What is hidden in the classroom's notebook; `x + 1` is also the right answer, so nobody here gives it."""


class Watch:
    def __init__(self) -> None:
        self.total, self.ended = 0, list[str]()

    def begin(self, total: int) -> None:
        self.total = total

    def end(self, returned: Returned) -> None:
        self.ended.append(returned.student)


def give_back(classroom: Any, *students: str, **about: Any) -> Result:
    watch = Watch()
    result = feedback.feedback(classroom.config, Request("WS", students, **about), watch)
    assert sorted(watch.ended) == sorted(one.student for one in result.students)
    assert watch.total == len(result.students)
    return result


def page(classroom: Any, student: str, name: str = "index") -> str:
    text: str = (classroom.root / "feedback" / student / "WS" / f"{name}.html").read_text()
    return text


@pytest.fixture
def graded(classroom: Any) -> Any:
    classroom.hand_in("ada", add="def add(x):\n    return 1 + x", why="Because it is so.")
    classroom.hand_in("bob", add=classroom.WRONG)
    classroom.hand_in("Zoë Weiß")
    classroom.grade()
    return classroom


def test_everybody_gets_a_page_once(graded: Any) -> None:
    result = give_back(graded)
    assert [(one.student, one.status) for one in result.students] == [
        ("Zoë Weiß", "written"),
        ("ada", "written"),
        ("bob", "written"),
    ]
    ada = result.students[1]
    assert (ada.path, ada.score, ada.points) == ("feedback/ada/WS/index.html", 5, 12)
    assert ada.pending == 7
    assert not result.problems
    file = graded.root / ada.path
    before = file.stat()
    assert {one.status for one in give_back(graded).students} == {"unchanged"}
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert {one.status for one in give_back(graded, force=True).students} == {"written"}
    assert [one.student for one in give_back(graded, "bob").students] == ["bob"]


def test_what_a_person_gives_is_on_the_next_page(graded: Any) -> None:
    give_back(graded)
    assert "waits for a person" in page(graded, "ada")
    graded.person("ada", "why", manual_score=2.5, comment="Almost **there** <script>alert(1)</script>")
    graded.person("ada", "task", manual_score=4)
    assert [one.status for one in give_back(graded).students] == ["unchanged", "written", "unchanged"]
    made = page(graded, "ada")
    assert "11.5 of 12 points" in made
    assert "Almost <strong>there</strong>" in made
    assert "<script" not in made
    assert "waits for a person" not in made
    assert "4: all" not in made
    give_back(graded, rubrics=True)
    assert "4: all" in page(graded, "ada")
    assert "4: all" not in page(graded, "bob"), "nobody has graded it yet"


def test_one_who_was_not_graded_is_told_of_and_stops_nobody(graded: Any) -> None:
    graded.hand_in("new", add=graded.RIGHT)
    result = give_back(graded)
    (problem,) = result.problems
    assert (problem.student, problem.status) == ("new", "failed")
    assert "grade the worksheet first" in problem.reason
    assert len(result.students) == 4
    with pytest.raises(CoursemillError, match="has handed in nothing"):
        give_back(graded, "nobody")


def test_names_come_from_the_gradebook(graded: Any) -> None:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{graded.root}/gradebook.db", "class") as book:
        book.update_or_create_student("ada", first_name="Ada", last_name="Løvelace")
    give_back(graded, "ada")
    assert "Ada Løvelace" in page(graded, "ada")


def test_notebooks_that_are_missing_or_broken_are_said_to_be(classroom: Any) -> None:
    classroom.give("Second")
    classroom.hand_in("ada", add=classroom.RIGHT)
    classroom.hand_in("bob", "Second").write_text("{no notebook")
    classroom.grade()
    give_back(classroom)
    assert "not handed in" in page(classroom, "ada", "Second")
    assert "not handed in" not in page(classroom, "ada", "Lesson")
    assert "notebook not readable" in page(classroom, "bob", "Second")
    assert page(classroom, "ada").count("<h2") == 3
    assert {file.name for file in (classroom.root / "feedback/ada/WS").iterdir()} == {
        "index.html",
        "Lesson.html",
        "Second.html",
        returns.TIMESTAMP,
        returns.SECRET,
    }


def test_a_class_of_many_is_done_side_by_side(classroom: Any) -> None:
    for number in range(20):
        classroom.hand_in(f"student-{number:02}", add=f"def add(x):\n    return {number}")
    classroom.grade()
    assert [one.status for one in give_back(classroom).students] == ["written"] * 20
    assert '<span class="mi">7</span>' in page(classroom, "student-07")


def test_a_link_among_the_slips_is_not_followed(graded: Any, tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.write_text("PRIVATE")
    folder = graded.root / "submitted" / "bob" / "WS"
    (folder / returns.SECRET).symlink_to(private)
    os.mkfifo(folder / returns.TIMESTAMP)
    give_back(graded)
    for file in (graded.root / "feedback" / "bob" / "WS").iterdir():
        assert not file.is_symlink()
        assert "PRIVATE" not in file.read_text()


def test_a_secret_of_ours_stays_the_same(graded: Any) -> None:
    give_back(graded)
    secret = graded.root / "feedback/bob/WS" / returns.SECRET
    first = secret.read_text()
    assert len(first) == 32
    give_back(graded, force=True)
    assert secret.read_text() == first


def nbgrader(root: Path, *arguments: str) -> str:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    environment = {**os.environ, "PATH": path, "JUPYTER_CONFIG_DIR": str(root / ".jupyter"), "HOME": str(root)}
    command = [sys.executable, "-m", "nbgrader", *arguments]
    ran = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout + ran.stderr


def test_nbgraders_exchange_hands_the_pages_out(graded: Any, tmp_path: Path) -> None:
    exchange, home = tmp_path / "exchange", tmp_path / "home"
    exchange.mkdir(mode=0o777)
    exchange.chmod(0o777)
    settings = f'c.Exchange.root = "{exchange}"\nc.Exchange.course_id = "class"\n'
    with (graded.root / "nbgrader_config.py").open("a") as file:
        file.write(settings)
    (graded.root / "submitted/ada/WS" / returns.SECRET).write_text("ada's own")
    stamp = "2026-01-01 10:00:00.000000 UTC"
    (graded.root / "submitted/ada/WS" / returns.TIMESTAMP).write_text(stamp)
    give_back(graded)
    nbgrader(graded.root, "release_feedback", "WS")
    home.mkdir()
    (home / "nbgrader_config.py").write_text(f'c = get_config()\n{settings}c.Exchange.cache = "{tmp_path}/cache"\n')
    cached = tmp_path / "cache" / "class" / f"ada+WS+{stamp}"
    shutil.copytree(graded.root / "submitted/ada/WS", cached)
    nbgrader(home, "fetch_feedback", "WS")
    assert (home / "WS/feedback" / stamp / "Lesson.html").read_text() == page(graded, "ada", "Lesson")


WITHOUT_SCHEMES = """
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.ClearMarkScheme",
    "nbgrader.preprocessors.GetGrades",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
"""
"""As in this course's own settings."""


def test_what_nbgrader_itself_writes_shows_nothing_hidden(graded: Any) -> None:
    with (graded.root / "nbgrader_config.py").open("a") as settings:
        settings.write(WITHOUT_SCHEMES)
    nbgrader(graded.root, "generate_feedback", "WS")
    files = sorted((graded.root / "feedback").rglob("*.html"))
    assert len(files) == 3
    for file in files:
        assert not [text for text in HIDDEN if text in file.read_text()]
    assert "Failed: it fails" in files[2].read_text()
    assert "Score: 1.5 / 12.0" in files[2].read_text()
    give_back(graded)
    assert {one.status for one in give_back(graded).students} == {"unchanged"}
    for file in sorted((graded.root / "feedback").rglob("*.html")):
        assert not [text for text in HIDDEN if text in file.read_text()]


LEAKS = {
    "prints": "def add(x):\n    print('got', repr(x))\n    return 2",
    "raises": "def add(x):\n    raise ValueError(f'got {x!r}')",
    "keeps": "seen = []\ndef add(x):\n    seen.append(x)\n    return 2",
    "hangs": "def add(x):\n    print('got', x, flush=True)\n    while True: pass",
    "dies": "import os\ndef add(x):\n    print('got', x, flush=True)\n    os._exit(1)",
    "exits": "def add(x):\n    raise SystemExit(f'got {x}')",
    "shows": "from IPython.display import display, HTML\ndef add(x):\n    display(HTML(f'<b>{x}</b>'))\n    return x",
    "frames": "import sys, traceback\ndef add(x):\n    traceback.print_stack()\n    f = sys._getframe()\n    while f:\n"
    "        print(f.f_code, f.f_locals, file=sys.stderr)\n        f = f.f_back\n    return 2",
    "odd": "class Odd:\n    def __init__(self, x): self.x = x\n"
    "    def __eq__(self, other): raise KeyError(self.x, other)\n"
    "    __hash__ = None\n    def __repr__(self): return f'odd {self.x}'\ndef add(x):\n    return Odd(x)",
    "files": "def add(x):\n    open('got.txt', 'a').write(str(x))\n    return 2",
}
AGAIN = """
try:
    print(seen)
except NameError:
    print(open('got.txt').read())
"""
SECRET_TEST = (
    "assert callable(add)\n### BEGIN HIDDEN TESTS\nvery_secret = 712_881\n"
    "assert add(very_secret) == 993_114, f'you gave {add(very_secret)}, not {very_secret}'\n### END HIDDEN TESTS"
)
SECRETS = ("712881", "712_881", "993114", "993_114", "very_secret", "HIDDEN TESTS", "4: all")


@pytest.mark.sandbox
@pytest.mark.kernel
def test_no_submission_gets_what_is_hidden_into_what_it_gets_back(classroom: Any) -> None:
    def change(cells: list[Any]) -> list[Any]:
        for cell in cells:
            if cell.id == "hidden":
                cell.source = SECRET_TEST
            if cell.id == "add":
                cell.source = (
                    "def add(x):\n    ### BEGIN SOLUTION\n    return 993_114 if x == 712_881 else x + 1\n"
                    "    ### END SOLUTION"
                )
        return cells

    classroom.give("Lesson", change=change)
    for name, source in LEAKS.items():
        classroom.hand_in(name, add=source, free=AGAIN)
    result = grade.grade(classroom.config, GradeRequest("WS", timeout=3.0, jobs=2))
    assert len(result.standings) == len(LEAKS)
    give_back(classroom)
    for folder in ("feedback", "autograded"):
        for file in (path for path in (classroom.root / folder).rglob("*") if path.is_file()):
            text = file.read_text()
            secrets = SECRETS if folder == "feedback" else SECRETS[:-1]  # graders see mark schemes
            assert not [secret for secret in secrets if secret in text], f"{file}: {text}"
    assert "took too long" in page(classroom, "hangs")
    assert json.loads((classroom.root / "autograded/dies/WS/Lesson.ipynb").read_text())["nbformat"] == 4
