"""Somebody at the console, without a browser: keeps cookies, follows no redirect, fills in forms as they come."""

import re
from html import unescape
from typing import Any

from werkzeug.test import Client, TestResponse

from notify_server.console.mount import Mounted

PREFIX = "/console"
_TOKEN = re.compile(r'name="form_token" value="([0-9a-f]{64})"')
_TAG = re.compile(r"<[^>]*>")


class Visitor:
    """One browser. Paths are those below /console."""

    def __init__(self, mounted: Mounted, **environment: Any) -> None:
        self._client = Client(mounted)
        self._environment = {"REMOTE_ADDR": "127.0.0.1"} | environment

    def get(self, path: str, accept: str = "text/html", **headers: str) -> TestResponse:
        return self._open("GET", path, headers={"Accept": accept, **_named(headers)})

    def post(self, path: str, fields: dict[str, Any], **headers: str) -> TestResponse:
        """Send a form as it is given."""
        return self._open("POST", path, data=fields, headers={"Accept": "text/html", **_named(headers)})

    def submit(self, path: str, action: str | None = None, **fields: Any) -> TestResponse:
        """Open the page at `path`, and send its form to `action`, or where the page is, with these fields on top."""
        return self.post(action or path, {"form_token": self.form_token(path), **fields})

    def form_token(self, path: str) -> str:
        """What the forms of a page hold."""
        found = set(_TOKEN.findall(self.get(path).text))
        assert len(found) == 1, found
        return found.pop()

    def sign_in(self, token: str, **fields: str) -> TestResponse:
        return self.submit("/sign-in", token=token, **fields)

    def cookie(self, name: str) -> str | None:
        found = self._client.get_cookie(name, path=PREFIX)
        return found and found.value

    def take_cookie(self, name: str, value: str) -> None:
        self._client.set_cookie(name, value, path=PREFIX)

    def _open(self, method: str, path: str, **options: Any) -> TestResponse:
        return self._client.open(
            PREFIX + path, method=method, environ_overrides=self._environment, buffered=True, **options
        )


def said(page: TestResponse) -> str:
    """The text of a page, in one line."""
    return " ".join(unescape(_TAG.sub(" ", page.text)).split())


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
