"""Every attack on its own, through the real examination: what it gets, and what it tells."""

import base64
import json
import time
from collections.abc import Callable, Iterator

import pytest
from hostile import sheet
from hostile.deed import Attack, attacks

from coursemill.effects.grading.examination import examine
from coursemill.pure.grading.job import Handed, Options, Package
from coursemill.pure.grading.verdict import Verdict

pytestmark = pytest.mark.sandbox
PATIENCE = 60.0
"""Seconds that an attack may keep a grader busy; a busy machine is slow."""


def shown(verdict: Verdict) -> str:
    """All that anybody but the instructor may read: outputs, messages, what is noted."""
    cells = [{k: v for k, v in cell.items() if k != "source"} for cell in verdict.autograded["cells"]]
    messages = [o.message for o in verdict.outcomes]
    return json.dumps([cells, messages, [n.text for n in verdict.notes], verdict.trouble], ensure_ascii=False)


def forms(secret: str) -> Iterator[str]:
    """How a secret may be written."""
    yield from (secret, secret[::-1], secret.encode().hex())
    for shift in range(3):
        inner = base64.b64encode(b"x" * shift + secret.encode()).decode()[4 if shift else 0 :]
        yield inner.rstrip("=")[:-1]


@pytest.mark.parametrize("attack", attacks().values(), ids=attacks())
def test_an_attack_gets_what_its_honest_part_deserves(attack: Attack, graded: Callable[[Attack], Verdict]) -> None:
    began = time.monotonic()
    verdict = graded(attack)
    assert time.monotonic() - began < PATIENCE
    told = {o.test: (o.status, o.score, o.reason or o.message) for o in verdict.outcomes if o.score}
    if attack.loses:
        assert verdict.score <= attack.gets, told
    else:
        assert verdict.score == attack.gets, told or [o.reason for o in verdict.outcomes]
    assert len(verdict.outcomes) == len(sheet.VISIBLE | sheet.HIDDEN)
    said = shown(verdict)
    found = [form for secret in sheet.SECRETS for form in forms(secret) if form in said]
    assert not found, [said[max(0, said.index(form) - 200) :][:400] for form in found]


def test_honest_work_gets_all_after_all_that(package: Package) -> None:
    content = json.dumps(sheet.handed_in(sheet.ANSWERS)).encode()
    verdict = examine(package, Handed("ada", content), Options())
    assert verdict.score == verdict.points == sheet.POINTS, [o for o in verdict.outcomes if o.status != "passed"]
    empty = json.dumps(sheet.released()).encode()
    assert examine(package, Handed("eve", empty), Options()).score == 0
