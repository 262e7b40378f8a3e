from datetime import timedelta
from typing import Any

import pytest

from notify_server.domain.notification import State
from notify_server.storage.batches import Batches
from notify_server.storage.documents import Store, new_id, object_id
from notify_server.storage.notifications import Notifications
from notify_server.storage.registry import Arrivals, Registry
from notify_server.storage.resends import Request, Resends
from notify_server.storage.retirements import Retirements
from tests.builders import NOON, a_batch, a_notification, after, recipients

LONG_AGO = NOON - timedelta(days=30)


@pytest.fixture
def retirements(database: Store) -> Retirements:
    return Retirements(database)


def stored(database: Store, accepted: Any = LONG_AGO, *, expires: Any = LONG_AGO, **fields: Any) -> str:
    """A notification that is over, but for `fields`."""
    made = a_notification(id=new_id(accepted), created_at=accepted)
    Notifications(database).add(made, None)
    over = {"state": "done", "open": False, "expires_at": expires} | fields
    database["notifications"].update_one({"_id": object_id(made.id)}, {"$set": over})
    return made.id


def test_old_ones_are_over_when_nothing_of_them_will_be_sent(retirements: Retirements, database: Store) -> None:
    names = {stored(database), stored(database, state=State.CANCELLED.value)}
    stored(database, after(-60))
    stored(database, expires=after(60))
    stored(database, open=True)
    stored(database, state=State.DISPATCHING.value)
    retired = stored(database, retired_at=NOON)
    assert set(retirements.over(NOON - timedelta(days=1), 9)) == names
    assert len(retirements.over(NOON - timedelta(days=1), 1)) == 1
    assert retirements.retired(9) == [retired]


def test_entries_go_in_pages_and_then_all_the_rest(retirements: Retirements, database: Store) -> None:
    one, other = stored(database), stored(database)
    users = [f"u{number}" for number in range(5)]
    Registry(database).insert([Arrivals(name, None, recipients(*users)) for name in (one, other)], NOON)
    for name in (one, other):
        Batches(database).add(a_batch(name))
        Resends(database).add(Request(name, None, "token", NOON, 1))
    assert retirements.remove_entries(one, "", 3) == users[:3]
    assert retirements.remove_entries(one, "u3", 3) == ["u4"]  # those before are not looked at again
    assert retirements.remove_entries(one, "u4", 3) == []
    assert retirements.remove_entries(one, "", 3) == ["u3"]
    retirements.remove(one)
    for collection in ("registry", "batches", "resends"):
        assert database[collection].distinct("_id.n") == [object_id(other)]
    assert database["notifications"].distinct("_id") == [object_id(other)]


def test_nothing_is_older_than_ids(retirements: Retirements, database: Store) -> None:
    stored(database)
    assert retirements.over(NOON - timedelta(days=36_500), 9) == []
