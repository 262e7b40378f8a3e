"""Structured logs: one JSON object a line on stderr, with the ids bound to the work at hand."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_NOISY = ("apscheduler", "pymongo", "urllib3", "google", "httpx", "hpack")  # a line for each thing they do


def configure(level: str, style: str, process: str) -> None:
    """Send our logs and those of the libraries to stderr: `level` as in logging, `style` json or console."""
    renderer: Any = structlog.processors.JSONRenderer() if style == "json" else structlog.dev.ConsoleRenderer()

    def named(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {"process": process, **event}

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        named,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for noisy in _NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it warns whenever a job takes longer than its interval
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
