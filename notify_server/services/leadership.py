"""Which of several schedulers does the work."""

import structlog

from notify_server import failpoints
from notify_server.services.holder import Holder
from notify_server.storage.leases import Leases

log = structlog.get_logger()

_NAME = "scheduler"


class Leadership:
    """One holder at a time leads; when it dies, another does as soon as the lease has run out."""

    def __init__(self, leases: Leases, holder: Holder) -> None:
        self._leases = leases
        self._holder = holder
        self._leading = False

    def held(self) -> bool:
        """Take or keep the lead; False while another holder has it."""
        leading = self._leases.hold(_NAME, self._holder.owner, self._holder.now(), self._holder.until())
        if leading:
            failpoints.passes("scheduler.leading")
        if leading is not self._leading:
            log.info("scheduler leads" if leading else "scheduler no longer leads", owner=self._holder.owner)
        self._leading = leading
        return leading

    def resign(self) -> None:
        """Let another lead at once."""
        self._leases.release(_NAME, self._holder.owner)
