from datetime import UTC, datetime, timedelta

import click
import pytest

from notify_server.commands.durations import duration, moment


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("0", timedelta(0)),
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("24h", timedelta(hours=24)),
        ("90d", timedelta(days=90)),
        ("2w", timedelta(weeks=2)),
    ],
)
def test_a_duration_is_a_number_and_its_unit(text, meant):
    assert duration(text) == meant


@pytest.mark.parametrize("text", ["", "24", "h", "-1h", "1.5h", "1y", "24 h", "24H", "999999d", "٣h", "2027-01-31"])
def test_anything_else_is_none(text):
    with pytest.raises(click.BadParameter):
        duration(text)


def test_a_moment_is_so_long_from_now_or_a_date_or_a_time_with_its_offset():
    assert moment("90d") == timedelta(days=90)
    assert moment("2027-01-31") == datetime(2027, 1, 31, tzinfo=UTC)
    assert moment("2027-01-31T09:00:00+01:00") == datetime(2027, 1, 31, 8, tzinfo=UTC)
    assert moment("2027-01-31T08:00:00Z").utcoffset() == timedelta(0)


@pytest.mark.parametrize("text", ["", "tomorrow", "2027-02-30", "2027-01-31T09:00:00", "20270131", "31.1.2027"])
def test_a_moment_that_could_mean_two_things_is_refused(text):
    with pytest.raises(click.BadParameter):
        moment(text)
