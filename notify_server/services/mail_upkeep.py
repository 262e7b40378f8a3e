"""What time brings about for mails: those that could not be sent in time expire, as their entries do."""

from dataclasses import dataclass

import structlog

from notify_server.services.clock import Clock
from notify_server.storage.mails import Mails

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class MailUpkeep:
    """A job of the scheduler; it does no harm to run it twice."""

    mails: Mails
    clock: Clock

    def expire_mails(self) -> int:
        """End mails whose time to live is over. Returns how many."""
        expired = self.mails.expire(self.clock())
        if expired:
            log.info("mails expired", count=expired)
        return expired
