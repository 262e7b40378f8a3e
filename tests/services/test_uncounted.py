"""What the journal says is late; that it is added up rightly is tried in tests/services/test_figures.py."""

from collections.abc import Callable
from random import Random

import pytest

from notify_server.domain.statistics import ALL, Dimension, Kind, Labels, Part
from notify_server.services.uncounted import (
    MOST_ENTRIES,
    MOST_MARKS,
    MOST_NOTIFICATIONS,
    Late,
    Stores,
    Uncounted,
    concerns,
    counting_towards,
)
from notify_server.storage.changes import COLLECTION, Changes
from notify_server.storage.documents import Store, object_id
from notify_server.storage.recount import Recount
from notify_server.storage.snapshots import Snapshots
from notify_server.storage.standings import Standing, Standings
from notify_server.storage.subjects import Subjects
from notify_server.storage.tallies import Tallies
from tests.builders import NOON, StoppedClock, after
from tests.profile import profiled
from tests.statistics_world import World

Look = Callable[[], Late]


@pytest.fixture
def world(database: Store) -> World:
    return World(database, Random(5))  # noqa: S311 - not a secret


@pytest.fixture
def uncounted(database: Store) -> Uncounted:
    stores = Stores(Changes(database), Standings(database), Subjects(database), Recount(database), Tallies(database))
    return Uncounted(stores, StoppedClock(NOON))


@pytest.fixture
def look(database: Store, uncounted: Uncounted) -> Look:
    def call() -> Late:
        with Snapshots(database).session() as session:
            return uncounted.of(ALL, session)

    return call


def recipients(late: Late) -> int:
    return sum(part.tally.get(status, 0) for _, part in counted(late) for status in STATUSES)


STATUSES = ("pending", "sent", "received", "read", "suppressed", "failed", "expired", "cancelled")


def counted(late: Late) -> list[tuple[Labels, Part]]:
    return [(labels, part) for labels, part in late.gained if part.group is None]


def test_without_marks_nothing_is_late(look: Look, world: World) -> None:
    world.notify(after(-5000))
    world.count()
    assert look() == Late([], NOON)


def test_what_is_marked_and_was_never_counted_is_late_with_all_of_it(look: Look, world: World) -> None:
    notification = world.notify(after(-5000))
    world.mark(notification, at=after(-3))
    late = look()
    assert (recipients(late), late.as_of) == (6, NOON)


def test_of_what_was_counted_before_the_difference_is_late(look: Look, world: World) -> None:
    notification = world.notify(after(-5000))
    world.count()
    world.mark(notification, at=after(-3))
    assert look().gained == []
    world.database["registry"].delete_one({"_id.n": object_id(notification)})
    assert recipients(look()) == -1


def test_more_than_is_cheap_dates_the_answer_by_its_oldest_mark(look: Look, world: World) -> None:
    small, *large = [world.notify(after(-5000)) for _ in range(3)]
    for notification in large:
        world.database["notifications"].update_one(
            {"_id": object_id(notification)}, {"$set": {"recipients": MOST_ENTRIES}}
        )
    for seconds, notification in enumerate((small, *large)):
        world.mark(notification, at=after(-9 - seconds))
        world.mark(notification, at=after(-2))
    late = look()
    assert recipients(late) == 6, "the small one is counted all the same"
    assert late.as_of == after(-11)


def test_where_many_are_marked_none_is_looked_at(look: Look, world: World) -> None:
    notification = world.notify(after(-5000))
    world.mark(notification, at=after(-3))
    world.mark(*(f"{number:024x}" for number in range(MOST_NOTIFICATIONS)), at=after(-7))
    assert look() == Late([], after(-7))


def test_of_a_long_journal_no_more_is_read_than_a_part(look: Look, uncounted: Uncounted, world: World) -> None:
    notification, large = world.notify(after(-5000)), world.notify(after(-5000), 3)
    world.mark(notification, at=after(-9))
    [kept] = world.database[COLLECTION].find()
    for _ in range(10):
        made = [{"ns": kept["ns"], "at": after(-7), "hold": 10.0} for _ in range(10_000)]
        world.database[COLLECTION].insert_many(made)
    with profiled(world.database, COLLECTION) as asked:
        assert look() == Late([], after(-9))
        with Snapshots(world.database).session() as session:
            small = uncounted.parts(large, 3, session)
            unknown = uncounted.parts(large, MOST_ENTRIES + 1, session)
    assert sum(query["docsExamined"] for query in asked) == 3 * (MOST_MARKS + 1)
    assert sum(sum(part.tally.get(status, 0) for status in STATUSES) for part in small[0] if part.group is None) == 3
    assert (small[1], unknown) == (NOON, ([], after(-9))), "it may be marked by one that was not read"


def test_what_is_retired_is_neither_late_nor_counted(look: Look, world: World) -> None:
    notification = world.notify(after(-5000))
    world.mark(notification, at=after(-3))
    world.database["notifications"].update_one({"_id": object_id(notification)}, {"$set": {"retired_at": NOON}})
    assert look() == Late([], NOON)


@pytest.mark.parametrize(
    ("dimension", "concerned"),
    [
        (ALL, True),
        (Dimension(Kind.ALL, category="booking"), True),
        (Dimension(Kind.ALL, category="news"), False),
        (Dimension(Kind.CATEGORY, "booking"), True),
        (Dimension(Kind.CATEGORY, "booking", "news"), False),
        (Dimension(Kind.COMMUNITY, "school-1"), True),
        (Dimension(Kind.COMMUNITY, "school-2"), False),
        (Dimension(Kind.GROUP, "choir"), True),
        (Dimension(Kind.GROUP, "choir", "booking"), True),
        (Dimension(Kind.GROUP, "choir", "news"), False),
        (Dimension(Kind.GROUP, "class-101"), False),
    ],
)
def test_a_notification_concerns_what_its_entries_may_count_towards(dimension: Dimension, concerned: bool) -> None:
    labels = Labels("booking", "school-1")
    assert concerns(Standing("n", labels, ("choir",), 1), dimension) is concerned
    parts = [(labels, Part(NOON, group, {"sent": 1})) for group in (None, "choir")]
    assert bool(counting_towards(dimension, parts)) is concerned
