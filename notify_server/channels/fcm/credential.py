"""The bearer credential for FCM: a google-auth credential that firebase-admin supplies, renewed from one place."""

import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import firebase_admin.credentials
import requests
import structlog
from google.auth.credentials import Scoped
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request

from notify_server.errors import CredentialError

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
HOLD_OFF = timedelta(seconds=10)  # after a failure, before the token endpoint is asked again
_MARGIN = timedelta(seconds=225)  # a token is renewed this long before it ends, as google-auth does
_NEVER = datetime.max.replace(tzinfo=UTC)
_TIMEOUT = 10.0  # seconds, for one request to the token endpoint

Headers = tuple[str, ...]
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Pass:
    """What one token is good for. `headers` is its identity: two tokens may read alike."""

    headers: Headers
    renew_at: datetime
    ends_at: datetime

    def __repr__(self) -> str:
        return f"_Pass(until {self.ends_at})"  # the headers are a secret


class Credential:
    """Header lines for FCM requests. Safe to use from many threads; at most one token request runs at a time.

    `source` is where firebase-admin finds the credential, by default as Google's "Application Default Credentials"
    has it. It is opened at first use. `ca_file` is trusted for the token endpoint; empty: the usual authorities.
    """

    def __init__(
        self,
        ca_file: str = "",
        source: firebase_admin.credentials.Base | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._verify: str | bool = ca_file or True
        self._source = source or firebase_admin.credentials.ApplicationDefault()
        self._clock = clock
        self._google: Any = None
        self._pass: _Pass | None = None
        self._held_until = datetime.min.replace(tzinfo=UTC)
        self._renewing = threading.Lock()

    def project(self) -> str:
        """The Firebase project that the credential belongs to. Raises CredentialError when it names none."""
        try:
            project = self._source.project_id
        except (GoogleAuthError, OSError, ValueError) as error:
            raise CredentialError("No Google credential was found.") from error
        if not project:
            raise CredentialError("The credential names no project: set NOTIFY_FCM_PROJECT.")
        return str(project)

    def headers(self) -> Headers:
        """The current header lines, `Authorization: Bearer …` first.

        Waits for the token endpoint only when there is no token that still works. Raises CredentialError when none
        can be had, or when FCM has just refused the newest.
        """
        current, now = self._pass, self._clock()
        if current is None or now >= current.ends_at:
            return self._renewed(current)
        if now >= current.renew_at and now >= self._held_until and self._renewing.acquire(blocking=False):
            threading.Thread(target=self._renew_in_background, name="fcm-credential", daemon=True).start()
        return current.headers

    def renew(self, used: Headers) -> Headers:
        """New header lines after FCM refused `used`; asks for a token unless another thread already has.

        Raises CredentialError when none can be had.
        """
        current = self._pass
        return self._renewed(current if current and current.headers is used else None)

    def refuse(self, used: Headers) -> None:
        """FCM refused even the renewed `used`: hand out no credential for HOLD_OFF, then begin anew."""
        with self._renewing:
            if self._pass and self._pass.headers is used:
                self._pass = None
                self._held_until = self._clock() + HOLD_OFF
                _log.error("fcm_credential_held_back", retry_in=HOLD_OFF.total_seconds())

    def _renewed(self, stale: _Pass | None) -> Headers:
        with self._renewing:
            if self._pass is None or self._pass is stale:
                self._pass = self._fetch()
            return self._pass.headers

    def _renew_in_background(self) -> None:
        try:
            self._pass = self._fetch()
        except CredentialError:
            return  # logged; the old token works on
        finally:
            self._renewing.release()

    def _fetch(self) -> _Pass:
        now = self._clock()
        if now < self._held_until:
            raise CredentialError("FCM's credential failed a moment ago.")
        try:
            return self._exchange(now)
        except (GoogleAuthError, OSError, ValueError) as error:
            self._held_until = now + HOLD_OFF
            # Only the first argument: others can quote the token endpoint's answer.
            _log.error("fcm_credential_unavailable", error=type(error).__name__, detail=str(next(iter(error.args), "")))
            raise CredentialError("The token endpoint gave no token.") from error

    def _exchange(self, now: datetime) -> _Pass:
        if self._google is None:
            found: Any = self._source.get_credential()
            scoped = isinstance(found, Scoped)
            self._google = found.with_scopes([SCOPE]) if scoped else found
        with requests.Session() as session:
            self._google.refresh(functools.partial(Request(session), timeout=_TIMEOUT, verify=self._verify))
        lines: dict[str, str] = {}
        self._google.apply(lines)
        headers = tuple(f"{name.capitalize()}: {value}" for name, value in lines.items())
        expiry: datetime | None = self._google.expiry
        ends_at = expiry.replace(tzinfo=UTC) if expiry else _NEVER
        return _Pass(headers, ends_at - min(_MARGIN, (ends_at - now) / 2), ends_at)
