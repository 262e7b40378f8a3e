"""The states of a registry entry, and the one table of moves between them.

            a               b, j             c
 (none) ─────────> pending ─────> sent ─────────> received ─────> read
   │              f  │  ▲          │  ▲  d            (e) also from sent, and from pending
   │ f  ┌────────────┤  └──────────┘  resend: sent → pending, while attempts and time remain
   ▼    ▼            ▼ g
 suppressed       failed · expired · cancelled ─── h ──> received, read
      └─── i ──> sent ─ h ─> received, read

h is the late receipt: a device's word that it has the message is better evidence than our own, that it could
not get it (FCM may accept a message and lose the connection before it says so). i is the same of FCM's word: it
accepted the message in the moment in which the user muted it. j: what FCM accepted once is not undone by a resend
that fails, is taken back, muted or too late: such a `pending` entry goes back to `sent`, where f and g end others.
k: `sent` or `received` → `failed`, where a mail that its server had accepted came back, and nothing else reached the
user. f also stands for a mail that no service is configured for, or whose address is blocked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Status(StrEnum):
    """Where one recipient of one notification stands."""

    PENDING = "pending"  # accepted and expanded, no device has been handed it yet
    SENT = "sent"  # FCM accepted it for at least one of the user's devices
    RECEIVED = "received"  # a device reported that it has it
    READ = "read"  # a device reported that the user has opened it
    SUPPRESSED = "suppressed"  # the user muted the group or category before it was sent, or there is no way to mail it
    FAILED = "failed"  # it can never be delivered, and never was sent; the reason says why
    EXPIRED = "expired"  # its time to live ended before it could be sent
    CANCELLED = "cancelled"  # the backend took it back before it was sent


class Reason(StrEnum):
    """Why an entry stands where it stands."""

    NO_DEVICE = "no_device"  # pending: no active device, waits for one until it expires
    UNAVAILABLE = "unavailable"  # pending: FCM answered 500 or 503
    CONNECTION_LOST = "connection_lost"  # pending: no answer; FCM may have accepted it
    QUOTA_EXCEEDED = "quota_exceeded"  # pending: FCM answered 429
    DEVICE_RATE = "device_rate"  # pending: FCM's limit for one device is reached
    CREDENTIAL_REFUSED = "credential_refused"  # pending: FCM refused our credential
    PROVIDER_CREDENTIAL = "provider_credential"  # pending: FCM lacks the app's APNs or web push credential
    UNCONFIRMED = "unconfirmed"  # pending: sent, but no device confirmed it in time; being sent again
    UNREGISTERED = "unregistered"  # failed: every target was dead, the app is gone from the device
    SENDER_MISMATCH = "sender_mismatch"  # failed: the target belongs to another Firebase project
    INVALID_TARGET = "invalid_target"  # failed: FCM does not know this form of target
    PAYLOAD_REJECTED = "payload_rejected"  # failed: FCM refused the message itself
    TTL_OVER = "ttl_over"  # expired
    CANCELLED_BY_BACKEND = "cancelled_by_backend"  # cancelled
    MUTED_GROUP = "muted_group"  # suppressed: every group that reached the user is muted
    MUTED_CATEGORY = "muted_category"  # suppressed
    NO_ADDRESS = "no_address"  # pending: the user has no e-mail address, waits for one until it expires
    DEFERRED = "deferred"  # pending: the mail server puts this recipient off (greylisting, a full mailbox)
    TLS_FAILED = "tls_failed"  # pending: no encrypted connection to the mail server, or a wrong certificate
    SENDER_REFUSED = "sender_refused"  # pending: the mail server does not let us send from our own address
    BAD_ADDRESS = "bad_address"  # failed: there is no such mailbox
    MAIL_REJECTED = "mail_rejected"  # failed: the mail server refused the mail itself
    BOUNCED = "bounced"  # failed: accepted at first, and then returned
    ADDRESS_BLOCKED = "address_blocked"  # suppressed: an earlier mail to the address bounced, or was called spam
    MAIL_DISABLED = "mail_disabled"  # suppressed: no mail service is configured
    ACTION_DISABLED = "action_disabled"  # suppressed: the action is switched off on every channel


class Event(StrEnum):
    """What can happen to an entry: the lettered edges of the diagram above."""

    EXPAND = "expand"  # a
    SEND = "send"  # b, i
    RECEIVE = "receive"  # c, e, h
    READ = "read"  # c, e, h
    RESEND = "resend"  # d
    MUTE = "mute"  # f, j
    FAIL = "fail"  # g, j
    EXPIRE = "expire"  # g, j
    CANCEL = "cancel"  # g, j
    DISABLE = "disable"  # f, j
    BOUNCE = "bounce"  # k


@dataclass(frozen=True, slots=True)
class Transition:
    """One event's move: from any of `sources` (None: no entry yet) to `target`.

    What was sent before, and is `pending` for a resend, moves to `resent` instead.
    """

    sources: frozenset[Status | None]
    target: Status
    resent: Status

    @property
    def ends_unsent(self) -> bool:
        """Whether it says of an entry that it was not delivered, and so is another one where it was sent before."""
        return self.resent is not self.target


@dataclass(frozen=True, slots=True)
class Note:
    """What an entry records of an event: when, why, in a few words, and how many attempts it cost."""

    at: datetime
    reason: Reason | None = None
    detail: str | None = None
    attempts: int = 0


def _move(target: Status, *sources: Status | None) -> Transition:
    return Transition(frozenset(sources), target, target)


def _end(target: Status, *sources: Status | None) -> Transition:
    return Transition(frozenset(sources), target, Status.SENT)


_UNDELIVERED = (Status.FAILED, Status.EXPIRED, Status.CANCELLED, Status.SUPPRESSED)

TRANSITIONS: Mapping[Event, Transition] = {
    Event.EXPAND: _move(Status.PENDING, None),
    Event.SEND: _move(Status.SENT, Status.PENDING, Status.SUPPRESSED),
    Event.RECEIVE: _move(Status.RECEIVED, Status.SENT, Status.PENDING, *_UNDELIVERED),
    Event.READ: _move(Status.READ, Status.RECEIVED, Status.SENT, Status.PENDING, *_UNDELIVERED),
    Event.RESEND: _move(Status.PENDING, Status.SENT),
    Event.MUTE: _end(Status.SUPPRESSED, None, Status.PENDING),
    Event.FAIL: _end(Status.FAILED, Status.PENDING),
    Event.EXPIRE: _end(Status.EXPIRED, Status.PENDING),
    Event.CANCEL: _end(Status.CANCELLED, Status.PENDING),
    Event.DISABLE: _end(Status.SUPPRESSED, Status.PENDING),
    Event.BOUNCE: _move(Status.FAILED, Status.SENT, Status.RECEIVED),
}


def sources(event: Event) -> list[str]:
    """The stored statuses from which `event` may move an entry, sorted: the guard of every update."""
    return sorted(status.value for status in TRANSITIONS[event].sources if status is not None)


def allowed(event: Event, status: Status | None) -> bool:
    """Whether `event` moves an entry that stands at `status` (None: no entry yet)."""
    return status in TRANSITIONS[event].sources
