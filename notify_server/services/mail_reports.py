"""What a mail service reports later of a mail it had accepted: the mail moves, and so does its recipient's entry.

Every event may come twice, late and in any order: each moves only what stands where it may happen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from notify_server import metrics
from notify_server.domain.mail import MailRecord
from notify_server.domain.mail_event import Kind, MailEvent
from notify_server.domain.registry import Event, Note, Reason
from notify_server.domain.user import Mutable
from notify_server.services.clock import Clock
from notify_server.services.subscriptions import Muting
from notify_server.storage.blocked_addresses import BlockedAddresses
from notify_server.storage.joint import Joint
from notify_server.storage.mails import Mails
from notify_server.storage.notifications import Notifications
from notify_server.storage.users import Users

log = structlog.get_logger()

_MOVES: Mapping[Kind, tuple[Event, str]] = {
    Kind.DELIVERED: (Event.RECEIVE, "mail delivered to the recipient's server"),
    Kind.OPENED: (Event.READ, "mail opened"),
    Kind.BOUNCED: (Event.BOUNCE, "mail bounced"),
    Kind.DROPPED: (Event.BOUNCE, "mail dropped by its service"),
}
_BLOCKING = {Kind.BOUNCED: Reason.BOUNCED, Kind.COMPLAINED: Reason.ADDRESS_BLOCKED}


@dataclass(frozen=True, slots=True)
class Stores:
    """What a report may change."""

    mails: Mails
    joint: Joint
    blocked: BlockedAddresses
    users: Users
    notifications: Notifications


class MailReports:
    """Takes reports. Any number of processes may do so at once."""

    def __init__(self, stores: Stores, muting: Muting, clock: Clock) -> None:
        self._stores = stores
        self._muting = muting
        self._clock = clock

    def take(self, events: Sequence[MailEvent]) -> int:
        """Apply each event in turn; those of mails that we do not know, as after an erasure, change nothing."""
        applied = 0
        for event in events:
            found = self._stores.mails.find(event.mail)
            if found is not None:
                self._apply(event, found)
                applied += 1
            metrics.MAIL_EVENTS.labels(event.kind.value, "known" if found else "unknown").inc()
        return applied

    def _apply(self, event: MailEvent, mail: MailRecord) -> None:
        now = self._clock()
        if reason := _BLOCKING.get(event.kind):
            self._block(event, mail, reason)
        if event.kind is Kind.UNSUBSCRIBED:
            self._unsubscribe(mail)
        if event.kind not in _MOVES:
            return
        move, said = _MOVES[event.kind]
        detail = f"{said} ({event.detail})" if event.detail else said
        if move is Event.BOUNCE:
            moved = self._stores.mails.move(mail.id, move, now, event.detail)
            if moved or mail.reason is Reason.BOUNCED:  # who wrote that may have died before the entry knew
                self._stores.joint.bounced(mail.notification, mail.user, detail, now, alone=self._alone(mail))
                log.info("mail returned", notification_id=mail.notification, kind=event.kind.value)
        else:
            self._stores.mails.move(mail.id, move, now, event.detail)
            note, alone = Note(now, detail=detail), self._alone(mail)
            self._stores.joint.reported(move, mail.notification, mail.user, note, alone=alone)

    def _alone(self, mail: MailRecord) -> bool:
        """Whether its notification goes by no other channel."""
        found = self._stores.notifications.among([mail.notification])
        return all(len(notification.channels) == 1 for notification in found)

    def _block(self, event: MailEvent, mail: MailRecord, reason: Reason) -> None:
        if mail.address is not None:
            self._stores.blocked.block(mail.address, reason, event.detail or event.kind.value, self._clock())

    def _unsubscribe(self, mail: MailRecord) -> None:
        if mail.category is not None and self._stores.users.among([mail.user]):
            self._muting.mute(mail.user, Mutable.CATEGORIES, mail.category)
