from notify_server.domain.inbox import Place
from notify_server.domain.registry import Status
from notify_server.services.told import told
from notify_server.storage.inbox import Entry
from tests.builders import NOON, a_notification, after


def an_entry(**fields: object) -> Entry:
    ordinary = {"user": "u", "notification": "n", "status": Status.PENDING, "place": Place.UNREAD, "groups": ["g"]}
    return Entry(**(ordinary | {"read_at": None} | fields))  # type: ignore[arg-type]


def test_the_item_shows_where_the_entry_stands() -> None:
    found = told(a_notification(), an_entry(status=Status.READ, place=Place.READ, read_at=after(1)))
    assert {name: found.content[name] for name in ("groups", "status", "is_read", "read_at", "created_at")} == {
        "groups": ["g"],
        "status": "read",
        "is_read": True,
        "read_at": "2026-11-20T12:00:01.000Z",
        "created_at": "2026-11-20T12:00:00.000Z",
    }


def test_a_payload_is_told_instead_of_an_item() -> None:
    made = a_notification(payload='{"id":"mine","n":1e3}', created_at=NOON)
    found = told(made, an_entry(), replayed=True)
    assert found.content == {"id": "mine", "n": 1000.0}
    assert found.origin == {"id": made.id, "created_at": "2026-11-20T12:00:00.000Z", "replayed": True}
