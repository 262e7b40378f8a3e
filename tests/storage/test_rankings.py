"""Beside these: tests/services/test_rankings.py holds top lists against recounts."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from notify_server.domain.statistics import Kind
from notify_server.domain.tally import total
from notify_server.storage.rankings import Field, Rankings
from notify_server.storage.snapshots import Snapshots
from tests.statistics_world import GROUPS, STATUSES, World, counts

BEGIN = datetime(2026, 10, 20, tzinfo=UTC)
NAMES = (*STATUSES, "failed:unregistered")


@pytest.fixture
def world(database):
    made = World(database, Random(9))  # noqa: S311 - not a secret
    for hour in range(100):
        made.notify(BEGIN + timedelta(hours=7 * hour))
    made.count()
    return made


@pytest.mark.parametrize("category", [None, "booking"])
def test_months_and_days_are_added_up_by_key(database, world, category):
    rankings = Rankings(database)
    which = {"category": category} if category else {}
    with Snapshots(database).session() as session:
        field = Field(Kind.GROUP, category, session)
        spans = {
            rankings.months: (date(2026, 10, 1), date(2026, 11, 30), BEGIN, BEGIN + timedelta(days=60)),
            rankings.days: (
                date(2026, 10, 25),
                date(2026, 11, 2),
                BEGIN + timedelta(days=5),
                BEGIN + timedelta(days=14),
            ),
        }
        for read, (first, last, start, end) in spans.items():
            found = dict(read(field, first, last, *NAMES))
            assert found.keys() == set(GROUPS)
            for group, tally in found.items():
                entries = [entry for _, entry in world.entries(start, end, group=group, **which)]
                assert {name: tally[name] for name in STATUSES}.items() <= counts(entries).items()
                assert tally["failed:unregistered"] == sum(entry["reason"] == "unregistered" for entry in entries)


def test_quarters_of_a_day_come_with_the_names_that_are_asked_for(database, world):
    day = date(2026, 10, 23)
    with Snapshots(database).session() as session:
        found = list(Rankings(database).quarters(Field(Kind.GROUP, None, session), day, *NAMES))
    start = BEGIN + timedelta(days=3)
    for group in GROUPS:
        entries = [entry for _, entry in world.entries(start, start + timedelta(days=1), group=group)]
        tally = total(tally for key, _, tally in found if key == group)
        assert sum(tally.get(status, 0) for status in STATUSES) == len(entries)
        assert tally.get("failed:unregistered", 0) == sum(entry["reason"] == "unregistered" for entry in entries)
    assert all(at.date() == day for _, at, _ in found)


def test_the_rest_of_quarters_is_read_only_where_it_is_asked_for(database, world):
    database["statistics"].delete_many({"_id.g": "day"})
    read = Rankings(database).quarters
    with Snapshots(database).session() as session:
        field = Field(Kind.GROUP, None, session)
        assert list(read(field, date(2026, 10, 23), *STATUSES)) == []
        assert list(read(field, date(2026, 10, 23), *NAMES)) != []
