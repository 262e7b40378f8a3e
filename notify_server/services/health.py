"""Whether this installation can do its work, and how far behind it is."""

from notify_server.domain.notification import Channel
from notify_server.errors import MigrationsPending
from notify_server.services.clock import Clock
from notify_server.storage.batches import Batches
from notify_server.storage.database import ping
from notify_server.storage.documents import Store
from notify_server.storage.migrations import pending


class Health:
    """Answers probes."""

    def __init__(self, database: Store, batches: Batches, clock: Clock) -> None:
        self._database = database
        self._batches = batches
        self._clock = clock

    def check(self) -> None:
        """Raises DatabaseUnavailable or MigrationsPending where requests could not be served."""
        ping(self._database)
        missing = pending(self._database)
        if missing:
            raise MigrationsPending(f"Run `notify-server migrate`: {', '.join(missing)}.")

    def queue_age(self) -> float:
        """Seconds for which the push batch that waits longest has been due; 0 where none is."""
        now = self._clock()
        oldest = self._batches.oldest_due(Channel.PUSH, now)
        return (now - oldest).total_seconds() if oldest else 0.0
