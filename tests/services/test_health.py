import pytest
from pymongo import MongoClient

from notify_server.domain.batch import Stage
from notify_server.domain.notification import Channel
from notify_server.domain.pace import Condition, Limits
from notify_server.domain.registry import Reason
from notify_server.errors import DatabaseUnavailable, MigrationsPending
from notify_server.services.health import ChannelHealth, Health, Pacing
from notify_server.storage.backlog import Backlog
from notify_server.storage.batches import Batches
from notify_server.storage.documents import Document, Store, object_id
from notify_server.storage.expansions import Expansions
from notify_server.storage.migrations import run
from notify_server.storage.notifications import Notifications
from notify_server.storage.paces import Paces
from notify_server.storage.workers import Workers
from tests.builders import NOON, StoppedClock, a_batch, a_notification, after
from tests.mongod import Mongod


def health(database: Store) -> Health:
    pacing = Pacing(Paces(database), Workers(database), {Channel.PUSH: Limits(rate=1000.0, ramp=0.0)})
    return Health(database, Backlog(database), Expansions(database), pacing, StoppedClock(NOON))


def test_a_migrated_database_that_answers_is_healthy(database: Store) -> None:
    health(database).check()


def test_a_database_behind_the_code_is_not(bare_database: Store) -> None:
    with pytest.raises(MigrationsPending, match="notify-server migrate`: m0001_indexes"):
        health(bare_database).check()
    run(bare_database)
    health(bare_database).check()


def test_a_database_that_does_not_answer_is_not(mongod: Mongod) -> None:
    with MongoClient[Document](mongod.uri, serverSelectionTimeoutMS=300) as client:
        run(client["notify"])
        mongod.kill()
        with pytest.raises(DatabaseUnavailable):
            health(client["notify"]).check()


def test_the_queue_is_as_old_as_the_batch_that_waits_longest(database: Store) -> None:
    assert health(database).queue_age() == 0
    for seconds, stage in ((-5, Stage.DISPATCH), (-90, Stage.DISPATCH), (-900, Stage.CONFIRM), (10, Stage.DISPATCH)):
        Batches(database).add(a_batch(due_at=after(seconds), stage=stage))
    assert health(database).queue_age() == 90


def test_the_queue_is_as_old_as_the_notification_that_nobody_expands(database: Store) -> None:
    for seconds, changes in ((-30, {}), (-70, {"state": "scheduled"}), (-80, {"expanded": True}), (60, {})):
        notification = a_notification()
        Notifications(database).add(notification, None)
        ours = {"_id": object_id(notification.id)}
        database["notifications"].update_one(ours, {"$set": {"due_at": after(seconds), **changes}})
    assert health(database).queue_age() == 30


def push(database: Store) -> ChannelHealth:
    return health(database).channels()[Channel.PUSH]


def test_a_channel_that_was_never_used_works_at_the_full_rate(database: Store) -> None:
    assert push(database) == ChannelHealth(Condition.WORKING, None, None, None, 1000.0, 1.0)


def test_a_throttled_channel_says_how_much_is_left(database: Store) -> None:
    Paces(database).change(Channel.PUSH, lambda pace: pace.throttled(NOON))
    assert push(database) == ChannelHealth(Condition.THROTTLED, None, None, None, 500.0, 0.5)


def test_a_paused_channel_says_why_and_since_when_and_sends_nothing_until_a_probe_got_through(database: Store) -> None:
    paces = Paces(database)
    paces.change(Channel.PUSH, lambda pace: pace.broken(Reason.UNAVAILABLE, after(-500)))
    paces.change(Channel.PUSH, lambda pace: pace.broken(Reason.CREDENTIAL_REFUSED, after(-490)))
    paused = ChannelHealth(Condition.PAUSED, Reason.CREDENTIAL_REFUSED, after(-500), after(-470), 0.0, 1.0)
    assert push(database) == paused  # though the time of the pause is over
    paces.change(Channel.PUSH, lambda pace: pace.healed())
    assert push(database).state is Condition.WORKING


def test_workers_are_counted_by_whether_they_send(database: Store) -> None:
    assert health(database).workers() == {True: 0, False: 0}
    for owner, until, sending in (("one", 3, True), ("two", 3, False), ("three", 3, False), ("dead", 0, True)):
        Workers(database).report(owner, NOON, after(until), sending=sending)
    assert health(database).workers() == {True: 1, False: 2}
