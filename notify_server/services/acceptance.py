"""Accepting a payload: after this it survives any crash."""

import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

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
from notify_server.errors import Conflict, InvalidInput, NotFound
from notify_server.services import mailable, storable, unpushed
from notify_server.services.clock import Clock
from notify_server.services.composition import Composed, Composition, Order, under
from notify_server.services.group_commit import GroupCommit
from notify_server.services.link_policy import LinkPolicy
from notify_server.services.rendering import widest
from notify_server.storage.documents import new_id
from notify_server.storage.hash_keys import HashKeys
from notify_server.storage.notifications import Idempotency, Notifications
from notify_server.storage.signals import Signals, Work

log = structlog.get_logger()

_KEY = "fingerprints"
_HASH = "sha256"

Check = Callable[[Notification, datetime], None]  # refuses what FCM would refuse


@dataclass(frozen=True, slots=True)
class Draft:
    """A payload that is well-formed, before it has an id and a time. Times in UTC, durations in seconds.

    It has a `message`, or names a `template` or an `action`. `channels` None: those of the action, or else push;
    `mandatory` None: as the action says, or else not.
    """

    message: Message | None
    audience: Audience
    category: str | None = None
    community: str | None = None
    channels: tuple[Channel, ...] | None = (Channel.PUSH,)
    priority: Priority = Priority.NORMAL
    ttl: int = DEFAULT_TTL
    send_at: datetime | None = None
    resend: ResendPolicy = field(default_factory=ResendPolicy)
    mandatory: bool | None = None
    payload: str | None = None
    push_after: int | None = None
    email_after: int | None = None
    reply_to: str | None = None
    attachments: tuple[Attachment, ...] = ()
    template: str | None = None
    action: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict, repr=False)  # what is said is never logged

    def fingerprint(self, key: bytes) -> str:
        """The same for two payloads that mean the same, however they are spelled; tells nothing without the key."""
        return hmac.digest(key, json.dumps(asdict(self), sort_keys=True, default=str).encode(), _HASH).hex()

    @property
    def order(self) -> Order:
        """What it asks to be said."""
        said = (self.message, self.template, self.action, self.variables)
        return Order(*said, self.channels, self.category, self.mandatory)

    def notification(
        self, composed: Composed, now: datetime, client: str | None = None, address: str | None = None
    ) -> Notification:
        """The notification that this draft becomes when it is accepted at `now` from a client at `address`.

        Raises InvalidInput where it waits for a receipt by one channel and then goes by another that it does not have.
        """
        later = self.send_at is not None and self.send_at > now
        return Notification(
            id=new_id(now),
            created_at=now,
            state=State.SCHEDULED if later else State.ACCEPTED,
            message=composed.message,
            audience=self.audience,
            category=composed.category,
            community=self.community,
            channels=composed.channels,
            priority=self.priority,
            ttl=self.ttl,
            send_at=self.send_at if later else None,
            resend=self.resend,
            mandatory=composed.mandatory,
            client=client,
            address=address,
            payload=self.payload,
            push_after=self._push_after(composed.channels),
            email_after=self._email_after(composed.channels),
            reply_to=self.reply_to,
            attachments=self.attachments,
            action=self.action,
            disabled=composed.disabled,
            texts=composed.texts,
            mails=composed.mails,
        )

    def _push_after(self, channels: tuple[Channel, ...]) -> int | None:
        if self.push_after is None or {Channel.PUSH, Channel.REALTIME} <= set(channels):
            return self.push_after
        if self.action is not None and Channel.PUSH not in channels and Channel.REALTIME not in channels:
            return None  # they are switched off
        raise InvalidInput({"push_after": ["Needs both channels, realtime and push."]})

    def _email_after(self, channels: tuple[Channel, ...]) -> int | None:
        """What an action has switched off is not waited for."""
        if self.email_after is None or (Channel.EMAIL in channels and len(channels) > 1):
            return self.email_after
        if self.action is not None:
            return None
        raise InvalidInput({"email_after": ["Needs the channel email, and another one to be read by."]})


@dataclass(frozen=True, slots=True)
class Stores:
    """Where notifications go, how it is told, and what repeated requests are recognised by."""

    notifications: Notifications
    signals: Signals
    keys: HashKeys


class Acceptance:
    """The one way in for notifications."""

    def __init__(self, stores: Stores, composition: Composition, check: Check, links: LinkPolicy, clock: Clock) -> None:
        self._composition = composition
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
        idempotency = None if key is None else self._idempotency(draft, client, key)
        try:
            notification = self._made(draft, client, address)
        except InvalidInput:
            if idempotency is None or draft.message is not None:
                raise
            with suppress(NotFound):
                return self._again(idempotency)  # the template may have changed since
            raise
        if not self._commit.submit((notification, idempotency)):
            return self._again(idempotency or Idempotency(client, "", ""))
        log.info(
            "notification accepted", notification_id=notification.id, client=client, state=notification.state.value
        )
        return notification

    def _made(self, draft: Draft, client: str, address: str | None) -> Notification:
        order = draft.order
        composed = self._composition.compose(order)
        notification = draft.notification(composed, self._clock(), client, address)
        storable.check(notification)
        if notification.texts is None:
            self._permit(notification)
            return notification
        for locale, said in notification.texts.locales.items():
            try:
                self._permit(replace(notification, message=widest(notification.message, said)))
            except InvalidInput as error:
                raise InvalidInput(under(order.named, error.errors, f"locales.{locale}: ")) from None
        return notification

    def _permit(self, notification: Notification) -> None:
        self._links.check(notification.message)
        if Channel.PUSH in notification.channels:
            self._check(notification, notification.created_at)
        else:
            unpushed.check(notification.message)
        if Channel.EMAIL in notification.channels and not notification.mails and not notification.disabled:
            mailable.check(notification.message)

    def _store(self, made: Sequence[tuple[Notification, Idempotency | None]]) -> list[bool]:
        stored = self._notifications.add_all(made)
        if any(stored):
            failpoints.passes("acceptance.stored")
            self._signals.send({Work.of(notification.audience) for notification, _ in made})
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
