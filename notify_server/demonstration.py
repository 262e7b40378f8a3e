"""What `scripts/run` shows: one notification, from the backend's POST to `read` (in preparation)."""

from notify_server.config import Config


def run(config: Config) -> int:
    """Show it; returns 0 only if every state was reached."""
    raise NotImplementedError(config)
