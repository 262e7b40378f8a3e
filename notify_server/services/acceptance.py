"""Accepting a payload: after this it survives any crash."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from hashlib import sha256

import structlog

from notify_server import failpoints, metrics
from notify_server.domain.notification import (
    DEFAULT_TTL,
    Audience,
    Channel,
    Message,
    Notification,
    Priority,
    ResendPolicy,
    State,
)
from notify_server.errors import Conflict
from notify_server.services.clock import Clock
from notify_server.services.group_commit import GroupCommit
from notify_server.services.link_policy import LinkPolicy
from notify_server.storage.documents import new_id
from notify_server.storage.notifications import Idempotency, Notifications
from notify_server.storage.signals import Signals

log = structlog.get_logger()

Check = Callable[[Notification, datetime], None]  # refuses what FCM would refuse


@dataclass(frozen=True, slots=True)
class Draft:
    """A payload that is well-formed, before it has an id and a time. Times in UTC, durations in seconds."""

    message: Message
    audience: Audience
    category: str | None = None
    community: str | None = None
    channels: tuple[Channel, ...] = (Channel.PUSH,)
    priority: Priority = Priority.NORMAL
    ttl: int = DEFAULT_TTL
    send_at: datetime | None = None
    resend: ResendPolicy = field(default_factory=ResendPolicy)
    mandatory: bool = False
    payload: str | None = None
    push_after: int | None = None

    def fingerprint(self) -> str:
        """The same for two payloads that mean the same, however they are spelled."""
        return sha256(json.dumps(asdict(self), sort_keys=True, default=str).encode()).hexdigest()

    def notification(self, now: datetime, client: str | None = None, address: str | None = None) -> Notification:
        """The notification that this draft becomes when it is accepted at `now` from a client at `address`."""
        later = self.send_at is not None and self.send_at > now
        return Notification(
            id=new_id(),
            created_at=now,
            state=State.SCHEDULED if later else State.ACCEPTED,
            message=self.message,
            audience=self.audience,
            category=self.category,
            community=self.community,
            channels=self.channels,
            priority=self.priority,
            ttl=self.ttl,
            send_at=self.send_at if later else None,
            resend=self.resend,
            mandatory=self.mandatory,
            client=client,
            address=address,
            payload=self.payload,
            push_after=self.push_after,
        )


class Acceptance:
    """The one way in for notifications."""

    def __init__(
        self,
        notifications: Notifications,
        signals: Signals,
        check: Check,
        links: LinkPolicy,
        clock: Clock,
    ) -> None:
        self._notifications = notifications
        self._signals = signals
        self._check = check
        self._links = links
        self._clock = clock
        self._commit: GroupCommit[tuple[Notification, Idempotency | None], bool] = GroupCommit(self._store)

    def accept(self, draft: Draft, client: str, key: str | None, address: str | None = None) -> Notification:
        """Store the notification durably; `key` is the client's idempotency key, `address` where the request came from.

        The same key and payload give the same notification again. Raises InvalidInput where FCM would refuse the
        message or its link leads where none may, Conflict when the key came with another payload before.
        """
        self._links.check(draft.message)
        notification = draft.notification(self._clock(), client, address)
        if Channel.PUSH in notification.channels:
            self._check(notification, notification.created_at)
        idempotency = None if key is None else Idempotency(client, key, draft.fingerprint())
        if not self._commit.submit((notification, idempotency)):
            return self._again(draft, client, key or "")
        log.info(
            "notification accepted", notification_id=notification.id, client=client, state=notification.state.value
        )
        return notification

    def _store(self, made: Sequence[tuple[Notification, Idempotency | None]]) -> list[bool]:
        stored = self._notifications.add_all(made)
        if any(stored):
            failpoints.passes("acceptance.stored")
            self._signals.send()
            metrics.ACCEPTED.inc(sum(stored))
        return stored

    def _again(self, draft: Draft, client: str, key: str) -> Notification:
        earlier, fingerprint = self._notifications.by_idempotency(client, key)
        if fingerprint != draft.fingerprint():
            raise Conflict("This Idempotency-Key was used with another payload before.")
        return earlier
