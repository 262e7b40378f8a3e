from collections.abc import Generator
from typing import cast

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from notify_server.domain.notification import Audience
from notify_server.errors import DatabaseUnavailable
from notify_server.storage.documents import Document, Store
from notify_server.storage.migrations import run
from notify_server.storage.signals import COLLECTION, EVERYTHING, SIZE, Signals, Work, heard
from tests.mongod import Mongod
from tests.service import until

Listening = Generator[frozenset[Work], None, None]


def next_signal(listening: Listening) -> frozenset[Work]:
    """What the next signal is about; the test's own timeout ends a wait in vain."""
    while not (work := next(listening)):
        pass
    return work


def drained(database: Store) -> Listening:
    """A listener that has heard all signals of the past."""
    listening = cast("Listening", heard(database))
    while next(listening):
        pass
    return listening


def test_a_signal_is_heard_by_every_listener(database: Store) -> None:
    database[COLLECTION].insert_one({})
    listeners = [drained(database) for _ in range(2)]
    Signals(database).send({Work.BRIEF, Work.EMAIL})
    for listening in listeners:
        assert next_signal(listening) == {Work.BRIEF, Work.EMAIL}
        listening.close()


@pytest.mark.parametrize("signal", [{}, {"for": ["push", "unheard of"]}], ids=["no kind", "an unknown kind"])
def test_a_signal_of_another_version_may_be_about_anything(database: Store, signal: Document) -> None:
    database[COLLECTION].insert_one({})
    listening = drained(database)
    database[COLLECTION].insert_one(signal)
    assert next_signal(listening) == EVERYTHING
    listening.close()


def test_an_audience_is_work_for_one_of_two_expanders() -> None:
    assert Work.of(Audience(("ada",))) is Work.BRIEF
    assert Work.of(Audience((), ("class",))) is Work.LARGE


def test_signals_go_on_being_heard(database: Store) -> None:
    database[COLLECTION].insert_one({})
    listening, signals = drained(database), Signals(database)
    for _ in range(3):
        signals.send({Work.PUSH})
        next_signal(listening)
    listening.close()


def test_silence_is_heard_as_silence(database: Store) -> None:
    database[COLLECTION].insert_one({})
    listening = drained(database)
    assert next(listening) == frozenset()
    listening.close()


def test_the_signals_of_the_past_take_up_no_more_than_their_collection(database: Store) -> None:
    signals = Signals(database)
    for _ in range(3000):
        signals.send({Work.PUSH})
    until(lambda: database.command("collStats", COLLECTION)["size"] > SIZE / 2, "the signals")
    assert database.command("collStats", COLLECTION)["size"] <= SIZE


def test_listening_to_nothing_ends_and_can_be_begun_anew(bare_database: Store) -> None:
    bare_database.create_collection(COLLECTION, capped=True, size=4096)
    assert not any(heard(bare_database))


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
        signals.send({Work.PUSH})
        with pytest.raises(DatabaseUnavailable):
            list(listening)
        mongod.start()
        listening = drained(database)
        signals.send({Work.PUSH})
        next_signal(listening)
        listening.close()
