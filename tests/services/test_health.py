import pytest
from pymongo import MongoClient

from notify_server.domain.batch import Stage
from notify_server.errors import DatabaseUnavailable, MigrationsPending
from notify_server.services.health import Health
from notify_server.storage.batches import Batches
from notify_server.storage.documents import Document, Store
from notify_server.storage.migrations import run
from tests.builders import NOON, StoppedClock, a_batch, after
from tests.mongod import Mongod


def health(database: Store) -> Health:
    return Health(database, Batches(database), StoppedClock(NOON))


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
