"""Fetching a JSON Web Key Set (RFC 7517) from the one who issues the user tokens."""

import json
import time
from typing import Any

import httpx

from notify_server.errors import KeysUnavailable

WITHIN = 3.0  # seconds for the whole answer, however slowly it comes
MAX_BYTES = 256 * 1024
_HEADERS = {"Accept": "application/jwk-set+json, application/json", "Accept-Encoding": "identity"}


def fetch(url: str, within: float = WITHIN) -> Any:
    """What the endpoint answers, read as JSON; `within` is in seconds. Redirects are not followed.

    Raises KeysUnavailable.
    """
    until = time.monotonic() + within
    try:
        # A proxy of the environment is for the way out, not for this machine.
        with httpx.Client(timeout=within, trust_env=url.startswith("https:")) as client:
            return json.loads(_body(client, url, until))
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, RecursionError) as error:
        raise KeysUnavailable(f"The keys of user tokens cannot be fetched ({type(error).__name__}).") from None


def _body(client: httpx.Client, url: str, until: float) -> bytes:
    body = bytearray()
    with client.stream("GET", url, headers=_HEADERS) as answer:
        if answer.status_code != httpx.codes.OK:
            raise KeysUnavailable(f"The keys of user tokens cannot be fetched (status {answer.status_code}).")
        for part in answer.iter_raw():
            body += part
            if len(body) > MAX_BYTES or time.monotonic() > until:
                raise KeysUnavailable("The keys of user tokens cannot be fetched (too large, or too slow).")
    return bytes(body)
