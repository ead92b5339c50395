"""One base error: a message says what, where and what to do."""

from __future__ import annotations


class CoursemillError(Exception):
    """What a person can act on; the command line prints it without a traceback."""

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        self.what, self.where, self.fix = what, where, fix
        super().__init__(str(self))

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f" ({self.fix})" if self.fix else ""
        return f"{place}{self.what}{advice}"

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Keyword arguments survive the way back from a worker process."""
        return _rebuild, (type(self), self.what, self.where, self.fix)


def _rebuild(cls: type[CoursemillError], what: str, where: str, fix: str) -> CoursemillError:
    return cls(what, where=where, fix=fix)


class ConfigError(CoursemillError):
    """The course's settings are wrong."""


class UsageError(CoursemillError):
    """Something was asked for by a name that nothing has."""


class Unavailable(CoursemillError):  # noqa: N818 - a state, as in the tables
    """Something that this machine lacks: hardware, a program, a library."""
