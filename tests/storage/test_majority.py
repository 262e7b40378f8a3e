from typing import Any

import pytest
from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError

from notify_server.errors import DatabaseUnavailable
from notify_server.storage.database import translated
from notify_server.storage.majority import confirmed, in_transaction


def test_what_a_majority_has_is_found(database):
    database.things.insert_one({"_id": 1, "name": "one", "size": 3})
    assert confirmed(database.things, {"_id": 1}, {"size": 0}) == {"_id": 1, "name": "one"}
    assert confirmed(database.things, {"_id": 2}) is None


def test_a_transaction_gives_back_what_it_is_to_and_writes_all_of_it(database):
    database.things.insert_one({"_id": 1})

    def write(session: ClientSession) -> str:
        database.things.delete_one({"_id": 1}, session=session)
        database.things.insert_one({"_id": 2}, session=session)
        return "written"

    assert in_transaction(database, write) == "written"
    assert list(database.things.find()) == [{"_id": 2}]


def test_a_transaction_that_fails_writes_nothing(database):
    def write(session: ClientSession) -> Any:
        database.things.insert_one({"_id": 1}, session=session)
        raise LookupError("no")

    with pytest.raises(LookupError):
        in_transaction(database, write)
    assert database.things.find_one() is None


def test_a_transaction_that_meets_another_again_and_again_gives_up_and_the_database_counts_as_unavailable(database):
    database.things.insert_one({"_id": 1})

    def write(session: ClientSession) -> int:
        return database.things.update_one({"_id": 1}, {"$inc": {"n": 1}}, session=session).modified_count

    with database.client.start_session() as other, other.start_transaction():
        assert write(other) == 1
        with pytest.raises(DatabaseUnavailable) as caught:
            translated(in_transaction)(database, write, 0.3)
        assert isinstance(caught.value.__cause__, PyMongoError)
    assert database.things.find_one() == {"_id": 1, "n": 1}
    assert in_transaction(database, write) == 1
