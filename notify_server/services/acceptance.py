"""Accepting a payload: after this it survives any crash."""

import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

import structlog

from notify_server import failpoints, metrics
from notify_server.domain.notification import (
    DEFAULT_TTL,
    Attachment,
    Audience,
    Channel,
    Message,
    Notification,
    Priority,
    ResendPolicy,
    State,
)
from notify_server.errors import Conflict
from notify_server.services import mailable, unpushed
from notify_server.services.clock import Clock
from notify_server.services.group_commit import GroupCommit
from notify_server.services.link_policy import LinkPolicy
from notify_server.storage.documents import new_id
from notify_server.storage.hash_keys import HashKeys
from notify_server.storage.notifications import Idempotency, Notifications
from notify_server.storage.signals import Signals

log = structlog.get_logger()

_KEY = "fingerprints"
_HASH = "sha256"

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
    email_after: int | None = None
    reply_to: str | None = None
    attachments: tuple[Attachment, ...] = ()

    def fingerprint(self, key: bytes) -> str:
        """The same for two payloads that mean the same, however they are spelled; tells nothing without the key."""
        return hmac.digest(key, json.dumps(asdict(self), sort_keys=True, default=str).encode(), _HASH).hex()

    def notification(self, now: datetime, client: str | None = None, address: str | None = None) -> Notification:
        """The notification that this draft becomes when it is accepted at `now` from a client at `address`."""
        later = self.send_at is not None and self.send_at > now
        return Notification(
            id=new_id(now),
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
            email_after=self.email_after,
            reply_to=self.reply_to,
            attachments=self.attachments,
        )


@dataclass(frozen=True, slots=True)
class Stores:
    """Where notifications go, how it is told, and what repeated requests are recognised by."""

    notifications: Notifications
    signals: Signals
    keys: HashKeys


class Acceptance:
    """The one way in for notifications."""

    def __init__(self, stores: Stores, check: Check, links: LinkPolicy, clock: Clock) -> None:
        self._notifications = stores.notifications
        self._signals = stores.signals
        self._keys = stores.keys
        self._check = check
        self._links = links
        self._clock = clock
        self._commit: GroupCommit[tuple[Notification, Idempotency | None], bool] = GroupCommit(self._store)

    def accept(self, draft: Draft, client: str, key: str | None, address: str | None = None) -> Notification:
        """Store the notification durably; `key` is the client's idempotency key, `address` where the request came from.

        The same key and payload give the same notification again. Raises InvalidInput where FCM would refuse the
        message (without push: where it breaks our own limits) or its link leads where none may, Conflict when the key
        came with another payload before.
        """
        self._links.check(draft.message)
        notification = draft.notification(self._clock(), client, address)
        if Channel.PUSH in notification.channels:
            self._check(notification, notification.created_at)
        else:
            unpushed.check(draft.message)
        if Channel.EMAIL in notification.channels:
            mailable.check(draft.message)
        idempotency = None if key is None else self._idempotency(draft, client, key)
        if not self._commit.submit((notification, idempotency)):
            return self._again(idempotency or Idempotency(client, "", ""))
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

    def _idempotency(self, draft: Draft, client: str, key: str) -> Idempotency:
        """What the request is known by if it comes again: hashes, as its key and its payload may name people."""
        secret = self._keys.get(_KEY)
        return Idempotency(client, hmac.digest(secret, key.encode(), _HASH).hex(), draft.fingerprint(secret))

    def _again(self, made: Idempotency) -> Notification:
        earlier, fingerprint = self._notifications.by_idempotency(made.client, made.key)
        if fingerprint not in (made.fingerprint, None):
            raise Conflict("This Idempotency-Key was used with another payload before.")
        return earlier
