"""Mails that wait for an address, and the address that comes."""

from dataclasses import dataclass
from datetime import datetime

import structlog

from notify_server.domain.batch import Batch
from notify_server.domain.notification import Channel
from notify_server.storage.batches import Batches
from notify_server.storage.mails import Mails
from notify_server.storage.signals import Signals, Work

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AwaitedMail:
    """To be called when a user's address was stored: as with devices, whoever comes second sees the other."""

    mails: Mails
    batches: Batches
    signals: Signals

    def serve(self, user: str, now: datetime) -> None:
        """Queue every mail that waits for the user's address."""
        for notification in self.mails.awaiting(user):
            self.batches.call(Batch.awaited(notification, user, now, Channel.EMAIL))
            self.signals.send({Work.EMAIL})
            log.info("waiting mail queued for a new address", notification_id=notification)
