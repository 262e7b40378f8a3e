"""Which roll-ups are read for which period; that they are right is tried in tests/services/test_figures.py."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest

from notify_server.domain.periods import Period
from notify_server.domain.statistics import ALL
from notify_server.domain.tally import total
from notify_server.services.roll_ups import RollUps
from notify_server.storage.documents import Store
from notify_server.storage.snapshots import Snapshots
from notify_server.storage.statistics import Statistics
from tests.profile import profiled
from tests.statistics_world import STATUSES, World, counts

BEGIN = datetime(2026, 9, 20, tzinfo=UTC)
NOW = datetime(2026, 11, 25, 10, 7, tzinfo=UTC)


@pytest.fixture(scope="module")
def world(shared_database: Store) -> World:
    made = World(shared_database, Random(5))  # noqa: S311 - not a secret
    for hour in range(120):
        made.notify(BEGIN + timedelta(hours=13 * hour))
    made.count()
    return made


def every(step: timedelta, start: datetime, end: datetime) -> list[datetime]:
    return [start + number * step for number in range((end - start) // step)]


OCTOBER = Period(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
LATE, EARLY = timedelta(hours=22, minutes=15), timedelta(hours=5)  # midnight east and west of Greenwich
DIVIDED = {
    "a month": (OCTOBER, [OCTOBER.start], 1),
    "days": (OCTOBER, every(timedelta(days=1), OCTOBER.start, OCTOBER.end), 31),
    "hours": (OCTOBER, every(timedelta(hours=1), OCTOBER.start, OCTOBER.end), 31 * 96),
    "days of the east": (
        Period(OCTOBER.start - timedelta(days=1) + LATE, OCTOBER.end - timedelta(days=1) + LATE),
        every(timedelta(days=1), OCTOBER.start - timedelta(days=1) + LATE, OCTOBER.end - timedelta(days=1)),
        32 + 2 * 32 * 7,
    ),
    "days of the west": (
        Period(OCTOBER.start + EARLY, OCTOBER.end + EARLY),
        every(timedelta(days=1), OCTOBER.start + EARLY, OCTOBER.end + EARLY),
        32 + 2 * 32 * 20,
    ),
    "a part of a day": (
        Period(OCTOBER.start + EARLY, OCTOBER.start + LATE),
        [OCTOBER.start + EARLY, OCTOBER.start + EARLY + timedelta(hours=3)],
        1 + 96 * 2,
    ),
}


@pytest.mark.parametrize("name", DIVIDED)
def test_it_is_divided_as_is_asked_with_as_little_as_is_needed(shared_database: Store, world: World, name: str) -> None:
    span, starts, most = DIVIDED[name]
    with Snapshots(shared_database).session() as session:
        found = list(RollUps(Statistics(shared_database), ALL, session, NOW).divided(span, starts))
    assert len(found) <= most
    for start, end in pairwise([*starts, span.end]):
        expected = counts(entry for _, entry in world.entries(start, end))
        sums = total(tally for at, tally in found if start <= at < end)
        assert {status: sums.get(status, 0) for status in STATUSES}.items() <= expected.items()


def test_what_is_late_is_added_where_it_lies_in_the_period(shared_database: Store, world: World) -> None:
    span = Period(BEGIN + timedelta(hours=5), BEGIN + timedelta(days=40, hours=3))
    late = [(span.start, {"read": 1000, "sent": -1}), (span.end, {"read": 5000})]
    with Snapshots(shared_database).session() as session:
        stored = Statistics(shared_database)
        before = total(RollUps(stored, ALL, session, NOW).whole(span))
        after = total(RollUps(stored, ALL, session, NOW, late).whole(span))
        divided = total(tally for _, tally in RollUps(stored, ALL, session, NOW, late).divided(span, [span.start]))
    assert (after["read"], after["sent"]) == (before["read"] + 1000, before["sent"] - 1)
    assert {name: after.get(name, 0) for name in STATUSES} == {name: divided.get(name, 0) for name in STATUSES}


UNTIL_NOW = Period(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 25, 10, 15, tzinfo=UTC))


def test_until_now_whole_days_and_months_are_read(shared_database: Store, world: World) -> None:
    starts = every(timedelta(days=1), UNTIL_NOW.start, UNTIL_NOW.end)
    with profiled(shared_database, "statistics") as asked, Snapshots(shared_database).session() as session:
        source = RollUps(Statistics(shared_database), ALL, session, NOW)
        whole, days = total(source.whole(UNTIL_NOW)), list(source.divided(UNTIL_NOW, starts))
    read = [query["command"]["filter"]["_id"]["$gte"]["g"] for query in asked]
    assert read == ["month", "day"]
    expected = counts(entry for _, entry in world.entries(UNTIL_NOW.start, UNTIL_NOW.end))
    assert {status: whole.get(status, 0) for status in STATUSES}.items() <= expected.items()
    assert len(days) <= len(starts)


def test_of_months_elsewhere_only_the_days_are_taken_apart_in_which_one_begins(
    shared_database: Store, world: World
) -> None:
    starts = [OCTOBER.start - timedelta(days=1) + LATE, OCTOBER.end - timedelta(days=1) + LATE]
    with profiled(shared_database, "statistics") as asked, Snapshots(shared_database).session() as session:
        source = RollUps(Statistics(shared_database), ALL, session, NOW)
        found = list(source.divided(Period(starts[0], UNTIL_NOW.end), starts))
    days, quarters = asked
    assert days["docsExamined"] > 30
    assert quarters["docsExamined"] <= 2
    for start, end in pairwise([*starts, UNTIL_NOW.end]):
        expected = counts(entry for _, entry in world.entries(start, end))
        sums = total(tally for at, tally in found if start <= at < end)
        assert {status: sums.get(status, 0) for status in STATUSES}.items() <= expected.items()


def test_what_is_late_now_is_in_what_is_read_until_now(shared_database: Store, world: World) -> None:
    """By the clock of whoever entered it, which may be ahead of ours by a little."""
    late = [(UNTIL_NOW.end, {"sent": 1000})]
    with Snapshots(shared_database).session() as session:
        source = RollUps(Statistics(shared_database), ALL, session, NOW, late)
        whole = total(source.whole(UNTIL_NOW))
        divided = total(tally for _, tally in source.divided(UNTIL_NOW, [UNTIL_NOW.start]))
    assert whole["sent"] == divided["sent"] > 1000
