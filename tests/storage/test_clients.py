import time

import pytest

from notify_server.storage.clients import Clients, Secret
from notify_server.storage.documents import Store
from tests.builders import NOON, after

FIRST, SECOND = "0a" * 32, "0b" * 32


@pytest.fixture
def clients(database: Store) -> Clients:
    made = Clients(database)
    for client in ("b", "a"):
        made.add(client, f"backend {client}", ["send"], Secret(FIRST), NOON)
    return made


def test_a_client_is_found_with_its_hash(clients: Clients) -> None:
    assert clients.find("a") == {
        "_id": "a",
        "name": "backend a",
        "hash": FIRST,
        "scopes": ["send"],
        "created_at": NOON,
        "expires_at": None,
        "rotated_at": None,
        "revoked_at": None,
        "used_at": None,
        "previous": None,
    }
    assert clients.find("c") is None


def test_a_client_from_before_there_was_an_expiry_has_none(clients: Clients, database: Store) -> None:
    database["clients"].update_one({"_id": "a"}, {"$unset": {"expires_at": "", "previous": "", "used_at": ""}})
    found = clients.find("a")
    assert found is not None
    assert (found["expires_at"], found["previous"]) == (None, None)
    assert clients.listed()[0]["used_at"] is None


def test_a_client_is_revoked_once_and_keeps_the_time(clients: Clients) -> None:
    assert clients.revoke("a", after(60))
    assert not clients.revoke("a", after(120))
    assert not clients.revoke("c", NOON)
    assert [client["revoked_at"] for client in clients.listed()] == [after(60), None]


def test_clients_are_listed_by_id_page_by_page(clients: Clients) -> None:
    clients.add("c", "third", [], Secret(FIRST, after(9)), NOON)
    assert [client["_id"] for client in clients.listed()] == ["a", "b", "c"]
    assert [client["_id"] for client in clients.listed("a", 1)] == ["b"]
    assert clients.listed("c") == []


def test_no_hash_is_listed(clients: Clients) -> None:
    before = clients.find("a")
    assert before is not None
    assert clients.rotate(before, Secret(SECOND), after(60), NOON)
    assert FIRST not in str(clients.listed())
    assert SECOND not in str(clients.listed())
    assert clients.listed()[0]["previous"] == {"until": after(60)}


def test_a_rotated_client_has_both_secrets_and_only_one_of_two_rotations_wins(clients: Clients) -> None:
    before = clients.find("a")
    assert before is not None
    assert clients.rotate(before, Secret(SECOND, after(900)), after(60), after(1))
    assert not clients.rotate(before, Secret("0c" * 32), after(60), after(2))
    found = clients.find("a")
    assert found is not None
    assert (found["hash"], found["previous"]) == (SECOND, {"hash": FIRST, "until": after(60)})
    assert (found["expires_at"], found["rotated_at"]) == (after(900), after(1))


def test_a_revoked_client_is_not_rotated(clients: Clients) -> None:
    before = clients.find("a")
    assert before is not None
    clients.revoke("a", NOON)
    assert not clients.rotate(before, Secret(SECOND), after(60), NOON)


def test_the_last_use_is_noted_in_time_and_never_moves_back(clients: Clients) -> None:
    for seconds in (60, 30):
        clients.used("a", after(seconds))
    clients.used("b", after(1))  # on the same connection, so it comes last
    while clients.listed()[1]["used_at"] is None:
        time.sleep(0.01)
    assert [client["used_at"] for client in clients.listed()] == [after(60), after(1)]


def test_the_use_of_an_unknown_client_makes_none(clients: Clients) -> None:
    clients.used("c", NOON)
    clients.used("a", after(1))
    while clients.listed()[0]["used_at"] is None:
        time.sleep(0.01)
    assert clients.find("c") is None
