"""When something was handed in."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursemill.pure.grading import moments


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2015-02-02 15:58:23.948203 UTC", datetime(2015, 2, 2, 15, 58, 23, 948203, UTC)),
        ("2015-02-02 15:58:23.948203 America/Los_Angeles", datetime(2015, 2, 2, 23, 58, 23, 948203, UTC)),
        ("2015-02-02 15:58:23 +0200", datetime(2015, 2, 2, 13, 58, 23, 0, UTC)),
        ("2015-02-02T15:58:23-07:00", datetime(2015, 2, 2, 22, 58, 23, 0, UTC)),
        ("2015-02-02 15:58:23.123456789 Z", datetime(2015, 2, 2, 15, 58, 23, 123456, UTC)),
        ("2015-02-02 15_58_23.5 UTC\n", datetime(2015, 2, 2, 15, 58, 23, 500000, UTC)),
        ("2015-02-02-15-58-23", datetime(2015, 2, 2, 15, 58, 23, 0, UTC)),
        ("2015-02-02 15:58:23 XYZT", datetime(2015, 2, 2, 15, 58, 23, 0, UTC)),
        ("2015-02-30 15:58:23", None),
        ("yesterday", None),
        ("", None),
        ("0001-01-01 00:00:00 +23:59", None),
    ],
)
def test_it_reads_what_nbgrader_and_others_write(text: str, moment: datetime | None) -> None:
    assert moments.parse(text) == moment


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(timezone(timedelta(hours=3)))))
def test_it_reads_what_it_writes(moment: datetime) -> None:
    assert moments.parse(moments.written(moment)) == moment


@given(st.text(max_size=100))
def test_any_text_has_an_answer(text: str) -> None:
    moments.parse(text)
