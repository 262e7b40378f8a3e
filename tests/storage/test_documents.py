import pytest
from bson import ObjectId
from pymongo import WriteConcern
from pymongo.errors import BulkWriteError

from notify_server.errors import NotFound
from notify_server.storage.documents import Store, entries_after, entry_id, insert_new, new_id, object_id
from tests.builders import NOON, after


def test_a_fresh_id_is_an_object_id_that_no_other_has() -> None:
    made = [new_id() for _ in range(100)]
    assert len(set(made)) == 100
    assert [str(object_id(one)) for one in made] == made


@pytest.mark.parametrize("text", ["", "n1", "z" * 24, "0" * 25, "💥", "x" * 9999])
def test_what_cannot_be_an_id_names_nothing_and_is_not_repeated_at_length(text: str) -> None:
    with pytest.raises(NotFound) as caught:
        object_id(text)
    assert len(str(caught.value)) < 120


def test_the_order_of_an_entrys_id_is_part_of_it() -> None:
    assert list(entry_id(ObjectId("0" * 24), "u1").items()) == [("n", ObjectId("0" * 24)), ("u", "u1")]


def test_documents_that_are_there_already_stay_as_they_are(database: Store) -> None:
    things = database["things"]
    assert insert_new(things, [{"_id": 1, "made": "first"}]) == 1
    assert insert_new(things, [{"_id": n, "made": "again"} for n in (0, 1, 2)]) == 2
    assert [thing["made"] for thing in things.find().sort("_id", 1)] == ["again", "first", "again"]
    assert insert_new(things, []) == 0


def test_what_is_wrong_beside_a_repetition_is_raised(database: Store) -> None:
    things = database["things"]
    insert_new(things, [{"_id": 1}])
    with pytest.raises(BulkWriteError):
        insert_new(things, [{"_id": 1}, {"_id": [1, 2]}])


def test_a_repetition_does_not_hide_that_the_majority_never_confirmed(database: Store) -> None:
    things = database["things"].with_options(write_concern=WriteConcern(2, wtimeout=100))
    database["things"].insert_one({"_id": 1})
    with pytest.raises(BulkWriteError):
        insert_new(things, [{"_id": 1}, {"_id": 2}])


def test_an_id_says_the_second_that_it_is_given_and_stays_unique() -> None:
    made = [new_id(after(0.9)) for _ in range(1000)]
    assert {object_id(one).generation_time for one in made} == {NOON}
    assert len(set(made)) == 1000


def test_the_entries_of_a_notification_are_one_range(database: Store) -> None:
    ours, other = ObjectId(), ObjectId()
    made = [entry_id(n, user) for n in (ours, other) for user in ("a", "b", "ü")]
    database["registry"].insert_many({"_id": key} for key in made)

    def users(after: str, to: str | None = None) -> list[str]:
        found = database["registry"].find({"_id": entries_after(ours, after, to)}).sort("_id", 1)
        return [document["_id"]["u"] for document in found]

    assert (users(""), users("a"), users("a", "b"), users("ü")) == (["a", "b", "ü"], ["b", "ü"], ["b"], [])
