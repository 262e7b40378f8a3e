"""When a notification is done."""

import structlog

from notify_server.storage.batches import Batches
from notify_server.storage.expansions import Expansions

log = structlog.get_logger()


class Completion:
    """Called after whatever may have been the last thing to do: the last page, or the last batch."""

    def __init__(self, expansions: Expansions, batches: Batches) -> None:
        self._expansions = expansions
        self._batches = batches

    def check(self, notification: str) -> None:
        """Dispatching → done, when the audience is expanded and no batch waits to be sent."""
        if not self._batches.dispatching(notification) and self._expansions.finish(notification):
            log.info("notification done", notification_id=notification)
