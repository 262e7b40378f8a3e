"""The mail catcher as a process of `up`."""

import structlog

from notify_server.catcher.server import serve
from notify_server.config import CATCHER_HOST, Config

log = structlog.get_logger()


def run(config: Config) -> None:
    """Catch what is sent to NOTIFY_CATCHER_SMTP_PORT, and list it at NOTIFY_CATCHER_PORT, until SIGTERM or SIGINT.

    It listens on 127.0.0.1 alone. This module needs the extra `simulator`.
    """
    log.info("catcher started", smtp_port=config.catcher_smtp_port, port=config.catcher_port)
    serve(CATCHER_HOST, config.catcher_smtp_port, config.catcher_port)
