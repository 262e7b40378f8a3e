"""When a notification is done."""

from collections.abc import Sequence

import structlog

from notify_server.storage.backlog import Backlog
from notify_server.storage.expansions import Expansions

log = structlog.get_logger()


class Completion:
    """Called after whatever may have been the last thing to do: the last page, or the last batch."""

    def __init__(self, expansions: Expansions, backlog: Backlog) -> None:
        self._expansions = expansions
        self._backlog = backlog

    def check(self, notifications: Sequence[str]) -> None:
        """Dispatching → done, for those whose audience is expanded and of which no batch waits to be sent."""
        if not notifications:
            return
        over = set(notifications).difference(self._backlog.dispatching(notifications))
        if over and self._expansions.finish(sorted(over)):
            log.info("notifications done", notification_ids=sorted(over))
