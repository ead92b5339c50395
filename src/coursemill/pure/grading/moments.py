"""When something was handed in, as nbgrader's timestamp.txt and the names of its exchange say it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

_MOMENT = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[ T_-](?P<hour>\d\d)[:_-](?P<minute>\d\d)[:_-](?P<second>\d\d)"
    r"(?P<fraction>\.\d{1,9})?[ ]?(?P<zone>[\w+:/-]{1,64})?"
)
"""`_` and `-` stand for what file names on Windows cannot have."""
_OFFSET = re.compile(r"(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d)")


def parse(text: str) -> datetime | None:
    """Read a moment such as `2015-02-02 15:58:23.948203 America/Los_Angeles`; None when it is none.

    Without a time zone, or with one that nobody knows, it is UTC, as for nbgrader.
    """
    found = _MOMENT.fullmatch(text.strip())
    if not found:
        return None
    fraction = f"{(found['fraction'] or '.0')[1:]:0<6}"[:6]
    try:
        time = f"{found['hour']}:{found['minute']}:{found['second']}.{fraction}"
        moment = datetime.strptime(f"{found['date']} {time}", "%Y-%m-%d %H:%M:%S.%f")
        return moment.replace(tzinfo=_zone(found["zone"] or "")).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def written(moment: datetime) -> str:
    """Return a moment as nbgrader writes it, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f UTC")


def _zone(name: str) -> ZoneInfo | timezone:
    if offset := _OFFSET.fullmatch(name):
        minutes = int(offset["hours"]) * 60 + int(offset["minutes"])
        return timezone(timedelta(minutes=-minutes if offset["sign"] == "-" else minutes))
    try:
        return ZoneInfo(name) if name and name != "Z" else UTC
    except (KeyError, ValueError, OSError):  # no such zone, or a name that is none
        return UTC
