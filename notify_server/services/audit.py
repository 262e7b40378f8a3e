"""The audit log: no change without its line.

The line is written, durably, before the change, and completed after it. Where it cannot be written, nothing is changed.
A line without a status says that the process died, or lost the database, on the way: the change may have been made.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from getpass import getuser
from http import HTTPStatus
from typing import Any

import structlog

from notify_server.domain import server_token
from notify_server.domain.audit import Change, Kind, Line, Party
from notify_server.errors import DatabaseError, NotifyError, Refused
from notify_server.services.clock import Clock
from notify_server.storage.audit import Audit
from notify_server.storage.clients import Clients
from notify_server.storage.erasures import Erasures

__all__ = ["AuditLog", "Change", "Kind", "Line", "Party", "Told"]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Actor:
    """Who made a change; `name` and `prefix` where it was a client."""

    party: Party
    name: str | None = None
    prefix: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A line of the log, and what there is to say of its actor."""

    line: Line
    actor: Actor


class AuditLog:
    """Writes and reads the log. Safe for many threads."""

    def __init__(self, audit: Audit, clients: Clients, erasures: Erasures, kept: timedelta, clock: Clock) -> None:
        self._audit = audit
        self._clients = clients
        self._erasures = erasures
        self._kept = kept
        self._clock = clock

    def begin(self, change: Change) -> str:
        """Write what is about to be done; the id of the line. Raises DatabaseUnavailable: then it must not be done."""
        return self._audit.begin(change, self._clock(), self._kept)

    def end(self, line: str, change: Change, status: int, made: Party | None = None) -> None:
        """Add what came of it; `made` is what only the answer names. Where that fails, the line stays without."""
        try:
            if status == HTTPStatus.NOT_FOUND and change.object and change.object.kind is Kind.USER:
                made = Party(Kind.USER, self._erasures.pseudonym(change.object.id), pseudonym=True)
            self._audit.end(line, status, made)
        except DatabaseError as error:
            log.warning("audit line not completed", line=line, problem=str(error))

    def page(self, filters: Mapping[str, Any], after: str | None, limit: int) -> list[Told]:
        """Lines newest first, from the one after `after`; filters actor, action, object, from, to.

        Who knows the id of an erased person finds by it, as the object, what was done about them.
        """
        wanted = {name: self._any_of(name, value) for name, value in filters.items() if value is not None}
        lines = self._audit.page(wanted, after, limit)
        actors = {party: self._actor(party) for party in {line.change.actor for line in lines}}
        return [Told(line, actors[line.change.actor]) for line in lines]

    def _actor(self, party: Party) -> Actor:
        if party.kind is not Kind.CLIENT:
            return Actor(party)
        found = self._clients.find(party.id)
        return Actor(party, found["name"] if found else None, server_token.prefix_of(party.id))

    @contextmanager
    def command(self, action: str, about: Party | None = None, fields: Sequence[str] = ()) -> Iterator["Made"]:
        """Write down what a command does in this block."""
        change = Change(Party(Kind.COMMAND, _account()), action, None, about, fields)
        line, made, status = self.begin(change), Made(), HTTPStatus.INTERNAL_SERVER_ERROR.value
        try:
            yield made
            status = HTTPStatus.OK.value
        except NotifyError as error:
            status = error.status if isinstance(error, Refused) else status
            raise
        finally:
            self.end(line, change, status, made.party)

    def _any_of(self, name: str, value: Any) -> Any:
        if name == "object":
            return [value, self._erasures.pseudonym(value)]
        return [value] if name in {"actor", "action"} else value


@dataclass(slots=True)
class Made:
    """What a command has made, where that has no id before."""

    party: Party | None = None


def _account() -> str:
    try:
        return getuser()
    except (KeyError, OSError):  # an account without a name, as in many containers
        return "unknown"
