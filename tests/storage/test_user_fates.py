from datetime import UTC, datetime, timedelta
from random import Random

from notify_server.domain.registry import Reason, Status
from notify_server.domain.tally import Fate
from notify_server.storage.user_fates import UserFates
from tests.statistics_world import World

BEGIN = datetime(2026, 10, 20, tzinfo=UTC)


def test_every_entry_of_a_user_is_found_that_was_entered_until_then(database):
    world = World(database, Random(6), ("u1", "u2"))  # noqa: S311 - not a secret
    for day in range(20):
        world.notify(BEGIN + timedelta(days=day), 2)
    for until in (BEGIN + timedelta(days=9), BEGIN + timedelta(days=30)):
        found = [fate for fate in UserFates(database).of("u2", None, until) if fate.entered_at < until]
        entries = [entry for _, entry in world.entries(BEGIN, until, user="u2")]
        assert sorted(found, key=_entered) == sorted(map(_fate, entries), key=_entered) != []
    booked = list(UserFates(database).of("u2", "booking", BEGIN + timedelta(days=30)))
    assert len(booked) == sum(
        1 for _ in world.entries(BEGIN, BEGIN + timedelta(days=30), user="u2", category="booking")
    )


def _entered(fate):
    return fate.entered_at


def _fate(entry):
    times = entry["history"][0]["at"], entry["received_at"], entry["read_at"]
    return Fate(Status(entry["status"]), entry["reason"] and Reason(entry["reason"]), *times)
