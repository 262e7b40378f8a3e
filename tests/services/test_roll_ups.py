"""Which roll-ups are read for which period; that they are right is tried in tests/services/test_figures.py."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from notify_server.domain.coverage import Grain
from notify_server.domain.periods import Period
from notify_server.domain.statistics import ALL
from notify_server.domain.tally import total
from notify_server.services.roll_ups import RollUps
from notify_server.storage.documents import Store
from notify_server.storage.snapshots import Snapshots
from notify_server.storage.statistics import Statistics
from tests.statistics_world import STATUSES, World, counts

BEGIN = datetime(2026, 9, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def world(shared_database: Store) -> World:
    made = World(shared_database, Random(5))  # noqa: S311 - not a secret
    for hour in range(120):
        made.notify(BEGIN + timedelta(hours=13 * hour))
    made.count()
    return made


@pytest.mark.parametrize("grain", Grain)
def test_it_is_divided_as_finely_as_is_asked(shared_database: Store, world: World, grain: Grain) -> None:
    span = Period(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
    with Snapshots(shared_database).session() as session:
        found = list(RollUps(Statistics(shared_database), ALL, session).divided(span, grain))
    times = [at for at, _ in found]
    assert all(at in span for at in times)
    assert len(times) == len(set(times))
    expected = counts(entry for _, entry in world.entries(span.start, span.end))
    assert {name: total(t for _, t in found).get(name, 0) for name in STATUSES}.items() <= expected.items()
    assert (len(found) == 1) is (grain is Grain.MONTH)


def test_what_is_late_is_added_where_it_lies_in_the_period(shared_database: Store, world: World) -> None:
    span = Period(BEGIN + timedelta(hours=5), BEGIN + timedelta(days=40, hours=3))
    late = [(span.start, {"read": 1000, "sent": -1}), (span.end, {"read": 5000})]
    with Snapshots(shared_database).session() as session:
        stored = Statistics(shared_database)
        before = total(RollUps(stored, ALL, session).whole(span))
        after = total(RollUps(stored, ALL, session, late).whole(span))
        divided = total(tally for _, tally in RollUps(stored, ALL, session, late).divided(span, Grain.QUARTER))
    assert (after["read"], after["sent"]) == (before["read"] + 1000, before["sent"] - 1)
    assert {name: after.get(name, 0) for name in STATUSES} == {name: divided.get(name, 0) for name in STATUSES}
