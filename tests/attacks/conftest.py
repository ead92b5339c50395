import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from hostile import sheet
from hostile.deed import Attack

from coursemill.course.calibrate import calibrate
from coursemill.effects.grading import inside
from coursemill.effects.grading.examination import examine
from coursemill.effects.sandbox import servers
from coursemill.pure.grading.job import Handed, Options, Package
from coursemill.pure.grading.verdict import Verdict


@pytest.fixture(scope="session")
def package() -> Iterator[Package]:
    """The worksheet, as it is found out how its tests are examined."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(servers, "IDLE", 30.0)
        plain = Package(sheet.read(), files=sheet.FILES)
        yield Package(plain.assignment, calibrate(plain, Options()), sheet.FILES)


@pytest.fixture(scope="session")
def graded(package: Package) -> Iterator[Callable[[Attack], Verdict]]:
    """Grade an attacker, who has no luck with the order of tests and their twins."""

    def grade(attack: Attack) -> Verdict:
        deed = attack.make()
        taken = Package(package.assignment, package.plan, package.files, attack.limits)
        return examine(taken, Handed("mallory", deed.notebook(), deed.files), Options(timeout=attack.timeout or 5.0))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inside, "SystemRandom", lambda: random.Random(2))
        yield grade
