import pytest

from notify_server.storage.documents import Store
from notify_server.storage.workers import Workers
from tests.builders import NOON, after


@pytest.fixture
def workers(database: Store) -> Workers:
    return Workers(database)


def test_those_are_counted_who_live_and_send(workers: Workers) -> None:
    workers.report("sends", NOON, after(3), sending=True)
    workers.report("sends too", NOON, after(9), sending=True)
    workers.report("idle", NOON, after(9), sending=False)
    workers.report("dead", after(-9), NOON, sending=True)
    assert [workers.sending(after(seconds)) for seconds in (0, 2.9, 3, 9)] == [2, 2, 1, 0]
    assert [workers.alive(after(seconds)) for seconds in (0, 2.9, 3, 9)] == [3, 3, 2, 0]


def test_the_last_report_of_a_worker_counts(workers: Workers, database: Store) -> None:
    workers.report("one", NOON, after(3), sending=True)
    workers.report("one", after(1), after(4), sending=False)
    assert workers.sending(after(1)) == 0
    workers.report("one", after(2), after(5), sending=True)
    assert workers.sending(after(4)) == 1
    assert list(database["workers"].find()) == [{"_id": "one", "at": after(2), "until": after(5), "sending": True}]


def test_who_leaves_is_forgotten_at_once_and_nobody_else(workers: Workers) -> None:
    for owner in ("one", "two"):
        workers.report(owner, NOON, after(3), sending=True)
    workers.leave("one")
    workers.leave("never seen")
    assert workers.sending(NOON) == 1


def test_the_documents_of_the_dead_expire(database: Store) -> None:
    alive = database["workers"].index_information()["alive"]
    assert (alive["key"], alive["expireAfterSeconds"]) == ([("until", 1)], 3600)
