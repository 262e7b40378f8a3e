from datetime import UTC, datetime, timedelta, timezone

import pytest

from notify_server.domain.rfc3339 import written

AT = datetime(2026, 11, 26, 9, 0, 0, 123_999, UTC)


@pytest.mark.parametrize("at", [AT, AT.astimezone(timezone(timedelta(hours=5, minutes=45)))])
def test_a_time_is_written_in_utc_to_the_millisecond(at: datetime) -> None:
    assert written(at) == "2026-11-26T09:00:00.123Z"


def test_whole_seconds_have_milliseconds_too() -> None:
    assert written(AT.replace(microsecond=0)) == "2026-11-26T09:00:00.000Z"
