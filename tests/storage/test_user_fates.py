from datetime import UTC, datetime, timedelta
from random import Random

from bson import ObjectId

from notify_server.domain.periods import Period
from notify_server.domain.registry import Reason, Status
from notify_server.domain.signs import signs
from notify_server.domain.tally import Fate
from notify_server.storage.user_fates import UserFates
from tests.profile import profiled
from tests.statistics_world import World

BEGIN = datetime(2026, 10, 20, tzinfo=UTC)
END = BEGIN + timedelta(days=30)


def test_every_entry_of_a_user_is_found_that_was_entered_in_the_period(database):
    world = World(database, Random(6), ("u1", "u2"))  # noqa: S311 - not a secret
    for day in range(20):
        world.notify(BEGIN + timedelta(days=day), 2)
    for period in (Period(BEGIN, BEGIN + timedelta(days=9)), Period(BEGIN + timedelta(days=8), END)):
        found = list(UserFates(database).of("u2", None, period))
        entries = [entry for _, entry in world.entries(period.start, period.end, user="u2")]
        assert sorted(found, key=_entered) == sorted(map(_fate, entries), key=_entered) != []
    booked = list(UserFates(database).of("u2", "booking", Period(BEGIN, END)))
    assert len(booked) == sum(1 for _ in world.entries(BEGIN, END, user="u2", category="booking"))


def test_what_was_sent_long_before_is_not_read_but_what_was_scheduled_then(database):
    world = World(database, Random(6), ("u1", "u2"))  # noqa: S311 - not a secret
    for day in range(300):
        world.notify(BEGIN - timedelta(days=50 + day), 2)
    world.notify(BEGIN + timedelta(days=1), 2)
    early = ObjectId(world.notify(BEGIN - timedelta(days=300), 2))
    later = BEGIN + timedelta(days=2)
    database["notifications"].update_one({"_id": early}, {"$set": {"send_at": later}})
    database["registry"].update_many({"_id.n": early}, {"$set": {"history.0.at": later}})
    with profiled(database, "registry") as asked:
        found = list(UserFates(database).of("u2", None, Period(BEGIN, END)))
    assert len(found) == 2
    assert later in {fate.entered_at for fate in found}
    assert sum(query["docsExamined"] for query in asked) <= 3


def test_a_period_of_long_ago_has_none(database):
    ago = datetime(1900, 1, 1, tzinfo=UTC)
    assert list(UserFates(database).of("u2", None, Period(ago, ago + timedelta(days=1)))) == []


def _entered(fate):
    return fate.entered_at


def _fate(entry):
    times = entry["history"][0]["at"], entry["received_at"], entry["read_at"]
    details = [line["detail"] for line in entry["history"]]
    given = signs(details) if "over" in entry or "sequence" in entry else None
    status, reason = Status(entry["status"]), entry["reason"] and Reason(entry["reason"])
    return Fate(status, reason, *times, given)
