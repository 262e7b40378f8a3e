import pytest

from notify_server.storage.clients import Clients
from notify_server.storage.documents import Store
from tests.builders import NOON, after


@pytest.fixture
def clients(database: Store) -> Clients:
    made = Clients(database)
    for client in ("b", "a"):
        made.add(client, f"backend {client}", "0a" * 32, ["send"], NOON)
    return made


def test_an_active_client_comes_with_its_hash(clients: Clients) -> None:
    assert clients.active("a") == {
        "_id": "a",
        "name": "backend a",
        "hash": "0a" * 32,
        "scopes": ["send"],
        "created_at": NOON,
        "revoked_at": None,
    }


def test_an_unknown_or_revoked_client_is_not_active(clients: Clients) -> None:
    assert clients.revoke("a", after(60))
    assert clients.active("a") is None
    assert clients.active("c") is None


def test_a_client_is_revoked_once_and_keeps_the_time(clients: Clients) -> None:
    assert clients.revoke("a", after(60))
    assert not clients.revoke("a", after(120))
    assert not clients.revoke("c", NOON)
    assert [client["revoked_at"] for client in clients.listed()] == [after(60), None]


def test_every_client_is_listed_without_its_hash(clients: Clients) -> None:
    assert [client["_id"] for client in clients.listed()] == ["a", "b"]
    assert all("hash" not in client for client in clients.listed())
