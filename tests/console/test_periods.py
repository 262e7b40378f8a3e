from datetime import UTC, datetime, timedelta

import pytest

from notify_server.bootstrap import build_services
from notify_server.console import periods, queries
from notify_server.console.app import create_app
from tests.builders import StoppedClock

NIGHT = datetime(2026, 12, 1, 23, 30, tzinfo=UTC)


@pytest.fixture
def question(config, database):
    app = create_app(config, build_services(config, database, StoppedClock(NIGHT)))

    def asked(address):
        with app.test_request_context(f"/?{address}"):
            return periods.question(queries.read(queries.PeriodSchema))

    return asked


def test_today_is_the_last_day_of_the_time_zone(question):
    assert question("days=7").start == datetime(2026, 11, 25, tzinfo=UTC)
    in_vienna = question("days=7&timezone=Europe/Vienna")  # where it is the second already
    assert in_vienna.start == datetime(2026, 11, 26, tzinfo=UTC) - timedelta(hours=1)


@pytest.mark.parametrize(("days", "interval"), [("7", "day"), ("90", "day"), ("365", "week")])
def test_long_periods_are_shown_by_the_week(question, days, interval):
    assert question(f"days={days}").interval == interval


def test_what_is_wrong_leaves_the_default(question):
    asked = question("days=8&category=news")
    assert (asked.start, asked.category, asked.compare) == (datetime(2026, 11, 2, tzinfo=UTC), None, True)
