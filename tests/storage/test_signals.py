from collections.abc import Generator
from typing import cast

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from notify_server.errors import DatabaseUnavailable
from notify_server.storage.documents import Document, Store
from notify_server.storage.migrations import run
from notify_server.storage.signals import COLLECTION, SIZE, Signals, heard
from tests.mongod import Mongod
from tests.service import until


def next_true(listening: Generator[bool, None, None]) -> None:
    """Wait for the next signal; the test's own timeout ends a wait in vain."""
    while not next(listening):
        pass


def drained(database: Store) -> Generator[bool, None, None]:
    """A listener that has heard all signals of the past."""
    listening = cast("Generator[bool, None, None]", heard(database))
    while next(listening):
        pass
    return listening


def test_a_signal_is_heard_by_every_listener(database: Store) -> None:
    database[COLLECTION].insert_one({})
    listeners = [drained(database) for _ in range(2)]
    Signals(database).send()
    for listening in listeners:
        next_true(listening)
        listening.close()


def test_signals_go_on_being_heard(database: Store) -> None:
    database[COLLECTION].insert_one({})
    listening, signals = drained(database), Signals(database)
    for _ in range(3):
        signals.send()
        next_true(listening)
    listening.close()


def test_silence_is_heard_as_silence(database: Store) -> None:
    database[COLLECTION].insert_one({})
    listening = drained(database)
    assert next(listening) is False
    listening.close()


def test_the_signals_of_the_past_take_up_no_more_than_their_collection(database: Store) -> None:
    signals = Signals(database)
    for _ in range(3000):
        signals.send()
    until(lambda: database.command("collStats", COLLECTION)["size"] > SIZE / 2, "the signals")
    assert database.command("collStats", COLLECTION)["size"] <= SIZE


def test_listening_to_nothing_ends_and_can_be_begun_anew(bare_database: Store) -> None:
    bare_database.create_collection(COLLECTION, capped=True, size=4096)
    assert True not in list(heard(bare_database))


def test_only_a_capped_collection_can_be_followed(bare_database: Store) -> None:
    bare_database[COLLECTION].insert_one({})
    with pytest.raises(OperationFailure, match="capped"):
        next(heard(bare_database))


def test_a_signal_without_a_database_is_lost_and_harms_nobody(mongod: Mongod) -> None:
    with MongoClient[Document](mongod.uri, serverSelectionTimeoutMS=300, tz_aware=True) as client:
        database = client["notify"]
        run(database)
        listening, signals = drained(database), Signals(database)
        mongod.kill()
        signals.send()
        with pytest.raises(DatabaseUnavailable):
            list(listening)
        mongod.start()
        listening = drained(database)
        signals.send()
        next_true(listening)
        listening.close()
