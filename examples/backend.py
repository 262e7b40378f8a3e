"""What a backend does, call by call: python examples/backend.py

SERVER_TOKEN: from `notify-server token create NAME`, with the scopes send, read and users. URL: http://127.0.0.1:8000
where it is not set. Needs httpx.
"""

import os
import random
import time
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx

TRIES = 6
PASSING = {429, 500, 502, 503, 504}


class Refused(Exception):
    """An answer that trying again does not change; `errors` says by field what is wrong."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status = status
        self.errors = problem.get("errors", {})
        super().__init__(f"{status} {problem.get('detail', '')} {self.errors or ''}".rstrip())


class NotifyServer:
    """The calls of a backend. Every one of them may be repeated, and is, when the server is away for a moment."""

    def __init__(self, url: str, token: str) -> None:
        timeout = httpx.Timeout(30, connect=5)  # seconds
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=timeout)

    def send(self, payload: dict[str, Any], key: str) -> str:
        """Hand a notification over; its id. `key` names the intention: store it, and use it again after a crash."""
        accepted = self.call("POST", "/v1/notifications", payload, {"Idempotency-Key": key})
        return str(accepted["id"])

    def pages(self, path: str, name: str, **query: str) -> Iterator[dict[str, Any]]:
        """Every item of a list, page by page."""
        cursor: str | None = ""
        while cursor is not None:
            more = {"cursor": cursor} if cursor else {}
            page = self.call("GET", f"{path}?{httpx.QueryParams({'limit': '200', **query, **more})}")
            yield from page[name]
            cursor = page["next"]

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """The answer's body. Raises Refused, and httpx.HTTPError when the server stays away."""
        tries = 0
        while True:
            tries += 1
            try:
                answer = self._http.request(method, path, json=body, headers=headers)
                if answer.status_code not in PASSING:
                    return _body(answer)
                answer.raise_for_status()
            except httpx.HTTPError as error:
                if tries == TRIES:
                    raise
                time.sleep(_wait(error, tries))


def _body(answer: httpx.Response) -> Any:
    if not answer.is_success:
        raise Refused(answer.status_code, _problem(answer))
    return answer.json() if answer.content else None


def _problem(answer: httpx.Response) -> dict[str, Any]:
    is_ours = answer.headers.get("Content-Type") == "application/problem+json"  # a proxy's error page is not
    return dict(answer.json()) if is_ours else {"detail": answer.text[:200]}


def _wait(error: httpx.HTTPError, tries: int) -> float:
    """Seconds: what the server asks for, else twice as long each time, with jitter."""
    if isinstance(error, httpx.HTTPStatusError) and error.response.headers.get("Retry-After", "").isdigit():
        return float(error.response.headers["Retry-After"])
    return 2**tries * random.SystemRandom().uniform(0.5, 1)


def main() -> None:
    """Sync a person and a group, mint a token for the app, hand a notification over, and see what became of it."""
    server = NotifyServer(os.environ.get("URL", "http://127.0.0.1:8000"), os.environ["SERVER_TOKEN"])

    server.call("PUT", f"/v1/users/{quote('demo-ada', safe='')}", {"community": "school-1", "locale": "en-GB"})
    server.call("PUT", "/v1/groups/demo-class-101", {"community": "school-1", "members": ["demo-ada", "demo-grace"]})
    server.call("POST", "/v1/groups/demo-class-101/members", {"add": ["demo-alan"], "remove": []})
    print("token for the app, good until", server.call("POST", "/v1/users/demo-ada/tokens")["expires_at"])

    notification = server.send(
        {
            "message": {
                "title": "Booking confirmed",
                "body": "Algebra 101, Monday 9:00",
                "data": {"booking_id": "123"},
            },
            "groups": ["demo-class-101"],
            "category": "booking",
            "ttl": 3600,
        },
        key=f"booking-123-confirmed-{uuid.uuid4()}",  # in your backend: without the UUID, and stored
    )
    path = f"/v1/notifications/{notification}"
    while (standing := server.call("GET", path))["state"] not in {"done", "cancelled"}:
        time.sleep(0.5)
    print(standing["state"], standing["recipients"], "recipients", standing["counts"])
    for entry in server.pages(f"{path}/registry", "entries"):
        print(f"  {entry['user_id']:<12} {entry['status']:<10} {entry['reason'] or ''}")

    try:
        server.send({"message": {"title": "To nobody"}}, key=str(uuid.uuid4()))
    except Refused as refused:
        print("refused, by field:", refused.errors)
    print("taken back:", server.call("POST", f"{path}/cancel")["stopped"])


if __name__ == "__main__":
    main()
