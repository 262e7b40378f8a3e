from dataclasses import replace

import pytest

from notify_server.storage.documents import Store
from notify_server.storage.erasures import Erasures
from tests.builders import NOON, after, at_once


@pytest.fixture
def erasures(database: Store) -> Erasures:
    return Erasures(database)


def test_all_processes_give_a_person_the_same_pseudonym(database: Store) -> None:
    names = at_once(*(lambda: Erasures(database).pseudonym("u1") for _ in range(8)))
    assert len(set(names)) == 1


def test_an_erasure_that_goes_on_keeps_its_counts_and_a_new_one_begins_at_nothing(
    erasures: Erasures, database: Store
) -> None:
    first = erasures.begin("u1", NOON)
    with database.client.start_session() as session:
        erasures.removed(first, {"devices": 2}, session)
    again = erasures.begin("u1", after(5))
    assert (again.removed, again.at, again.user) == ({"devices": 2}, after(5), "u1")
    assert erasures.complete(again).complete
    assert erasures.begin("u1", after(9)).removed == {}


def test_a_complete_erasure_knows_the_person_by_their_pseudonym_alone(erasures: Erasures, database: Store) -> None:
    erasure = erasures.begin("person", NOON)
    assert erasures.running(9) == [erasure]
    assert erasures.complete(erasure) == replace(erasure, user=None)
    assert "person" not in str(list(database["erasures"].find()))
    assert erasures.running(9) == []
    assert erasures.find("person") == replace(erasure, user=None)
    assert erasures.find("another") is None


def test_an_erasure_is_not_completed_where_somebody_found_more(erasures: Erasures) -> None:
    erasure = erasures.begin("u1", NOON)
    assert erasures.again(NOON, [("u1", NOON), ("u2", NOON)]) == 1
    assert not erasures.complete(erasure).complete
    [running] = erasures.running(9)
    assert erasures.complete(running).complete


def test_only_what_was_accepted_before_an_erasure_begins_it_again(erasures: Erasures) -> None:
    erasures.complete(erasures.begin("u1", NOON))
    assert erasures.again(NOON, [("u1", after(1))]) == 0
    assert erasures.running(9) == []
    assert erasures.again(NOON, [("u1", after(1)), ("u1", NOON), ("u1", after(2))]) == 1
    assert [erasure.user for erasure in erasures.running(9)] == ["u1"]


def test_where_nobody_was_erased_since_no_mention_is_read(erasures: Erasures) -> None:
    erasures.begin("u1", after(-1))

    def mentions() -> object:
        raise AssertionError("read")
        yield

    assert erasures.again(NOON, mentions()) == 0  # type: ignore[arg-type]
