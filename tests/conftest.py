from collections.abc import Callable

import psutil
import pytest
from hypothesis import settings

# A busy machine is slow at times; that is no failure of the code.
settings.register_profile("coursemill", deadline=None)
settings.load_profile("coursemill")


@pytest.fixture(scope="session")
def alive() -> Callable[[int], bool]:
    """Whether a process runs; one that ended and that nobody asked for yet does not."""

    def running(pid: int) -> bool:
        try:
            return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    return running
