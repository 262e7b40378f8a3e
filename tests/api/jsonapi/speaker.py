"""A client of the JSON:API inbox, which lets no answer pass that breaks the rules."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from werkzeug.test import TestResponse

from notify_server.domain.audience import Recipient
from notify_server.domain.notification import Audience, Message
from notify_server.storage.documents import Store, new_id
from notify_server.storage.notifications import Notifications
from notify_server.storage.registry import Arrivals, Registry
from tests.api.caller import Caller
from tests.api.jsonapi.rules import violations
from tests.builders import NOON, a_notification

MEDIA_TYPE = "application/vnd.api+json"
ALL = "/jsonapi/notifications"
MINE = "/jsonapi/users/u1/notifications"


class Speaker:
    """Speaks JSON:API with the token of a caller."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def __call__(self, method: str, path: str, **options: Any) -> TestResponse:
        headers = {"Accept": MEDIA_TYPE} | options.pop("headers", {})
        answer = self._caller(method, path, headers=headers, **options)
        assert answer.headers["Content-Type"] == MEDIA_TYPE, answer.text[:300]
        assert violations(answer.json) == [], answer.json
        assert answer.json is not None
        assert answer.json["jsonapi"] == {"version": "1.1"}
        return answer

    def get(self, path: str, **options: Any) -> TestResponse:
        return self("GET", path, **options)

    def patch(self, path: str, document: Any, **options: Any) -> TestResponse:
        return self("PATCH", path, json=document, **{"content_type": MEDIA_TYPE} | options)

    def mark(self, path: str, **attributes: Any) -> TestResponse:
        """PATCH of these attributes, for the resource that the path ends with."""
        return self.patch(path, change(path.rpartition("/")[2], attributes))


def change(identity: str, attributes: Any, **members: Any) -> dict[str, Any]:
    """The document of a PATCH."""
    return {"data": {"type": "notification", "id": identity, "attributes": attributes, **members}}


def faulty(answer: TestResponse, status: int, *sources: str) -> list[dict[str, str]]:
    """The answer is an error document with this status, whose errors point to these sources; its errors."""
    assert answer.status_code == status, answer.text[:500]
    assert answer.mimetype == MEDIA_TYPE
    assert answer.json is not None
    assert violations(answer.json) == []
    errors: list[dict[str, Any]] = answer.json["errors"]
    assert {error["status"] for error in errors} == {str(status)}
    assert all(error["title"] and error["code"] and error["detail"] for error in errors)
    found = [source for error in errors for source in error.get("source", {}).values()]
    assert sorted(found) == sorted(sources)
    return errors


def entered(database: Store, *users: str, second: int = 0, message: Message | None = None) -> str:
    """Stores a notification of u1 or `users`, accepted so many seconds after NOON; the id of the first one's."""
    made = f"{int(NOON.timestamp()) + second:08x}{new_id()[8:]}"
    users = users or ("u1",)
    at = NOON + timedelta(seconds=second, milliseconds=7)
    fields = {"id": made, "audience": Audience(users), "created_at": at}
    Notifications(database).add(a_notification(message=message or Message("T", "B"), **fields), None)
    Registry(database).insert([Arrivals(made, None, [Recipient(user) for user in users])], at)
    return f"{made}:{users[0]}"


def one(identity: str) -> str:
    """The path of a resource."""
    return f"{ALL}/{quote(identity, safe=':')}"


def ids(answer: TestResponse) -> list[str]:
    """The ids of a list."""
    assert answer.status_code == 200, answer.text[:500]
    assert answer.json is not None
    return [resource["id"] for resource in answer.json["data"]]
