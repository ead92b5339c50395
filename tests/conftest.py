import os
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from hypothesis import settings

# A busy machine is slow at times; that is no failure of the code.
# In CI the same examples are tried every time: a commit passes or it doesn't.
settings.register_profile("coursemill", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("coursemill")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs the sandbox where this machine has none, and say why."""
    if item.get_closest_marker("sandbox"):
        from coursemill.effects.sandbox import protections

        if refusal := protections.refusal(protections.find()):
            pytest.skip(str(refusal))


@pytest.fixture(scope="session")
def alive() -> Callable[[int], bool]:
    """Whether a process runs and goes on to: not one that nobody has buried yet, or that takes a moment to go."""

    def running(pid: int) -> bool:
        end = time.monotonic() + 3
        while time.monotonic() < end:
            try:
                if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                    return False
            except psutil.NoSuchProcess:
                return False
            time.sleep(0.01)
        return True

    return running


@pytest.fixture(scope="session")
def transcript() -> Path:
    """A real chat transcript with 14 notes in it, which stands beside the repository where it may be read."""
    file = Path(__file__).resolve().parents[2] / "shared" / "seeds" / "notes-transcript.txt"
    if not file.is_file():
        pytest.skip("the transcript is not part of the repository")
    return file
