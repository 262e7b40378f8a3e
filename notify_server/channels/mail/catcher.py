"""What the mail catcher of `up` has caught, as it lists it over HTTP on this machine."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import httpx

from notify_server.errors import NotFound

_TIMEOUT = 5.0  # seconds


class Catcher:
    """Asks the catcher at `url`. Safe for many threads."""

    def __init__(self, url: str) -> None:
        self._url = url

    def mails(self) -> Sequence[Mapping[str, Any]] | None:
        """All that are kept, the newest first: `id`, `at`, `from`, `to`, `subject`, `size`. None: no answer."""
        found = self._get("/mails")
        return None if found is None or found.status_code == HTTPStatus.NOT_FOUND else found.json()["mails"]

    def mail(self, number: int) -> Mapping[str, Any]:
        """One, with `headers`, `text`, `html` and `attachments`. Raises NotFound, also where it does not answer."""
        found = self._get(f"/mails/{number}")
        if found is None or found.status_code == HTTPStatus.NOT_FOUND:
            raise NotFound("This mail is not kept any more: the catcher keeps the newest 1,000, until it ends.")
        mail: Mapping[str, Any] = found.json()
        return mail

    def _get(self, path: str) -> httpx.Response | None:
        try:
            with httpx.Client(base_url=self._url, timeout=_TIMEOUT, trust_env=False) as client:
                found = client.get(path)
        except httpx.TransportError:
            return None
        return found if found.status_code in {HTTPStatus.OK, HTTPStatus.NOT_FOUND} else None
