"""nbgrader's settings for this course: the repository's root is a stock nbgrader course, wherever it is cloned to."""

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent

c = get_config()  # noqa: F821 - nbgrader hands it to this file

c.CourseDirectory.course_id = "coursemill"
c.CourseDirectory.root = str(ROOT)
c.Exchange.root = str(ROOT / "exchange")  # a class that shares one machine needs a folder of mode 0777

# Everything in release/ is made from source/: making it again is never a loss.
c.GenerateAssignment.force = True

c.Execute.timeout = 180  # seconds a cell: the first import of TensorFlow on a busy machine takes 35
c.Execute.iopub_timeout = 60  # output that is late on a busy machine, such as Spark's, is no failure

# A submission's tags must not keep a test from being run, nor a deleted test cell a student from losing its points.
c.Execute.skip_cells_with_tag = ""
c.OverwriteCells.add_missing_cells = True

# Graders see the mark schemes of questions in Formgrader; pages that `nbgrader generate_feedback` writes have none.
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.ClearMarkScheme",
    "nbgrader.preprocessors.GetGrades",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]

# nbgrader starts `alembic` by its name to make a gradebook, also when the environment is not activated.
if not shutil.which("alembic"):
    os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))

# A clone has source/ and release/ but no gradebook: let it know a worksheet's cells before they are asked for.
if find_spec("coursemill"):
    c.Autograde.pre_convert_hook = "coursemill.effects.release.register"
    c.GenerateSolution.pre_convert_hook = "coursemill.effects.release.register"
