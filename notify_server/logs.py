"""Structured logs: one JSON object a line on stderr, with the ids bound to the work at hand."""

import logging
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from typing import Any

import structlog

_NOISY = (
    "apscheduler",
    "pymongo",
    "urllib3",
    "google",
    "httpx",
    "hpack",
    "socketio",
    "uvicorn.websockets",
)  # a line for each thing
_TALKATIVE = ("gunicorn.error", "uvicorn.error")  # at debug they quote paths and frames, and what those hold
_QUOTING = ("pymongo", "bson")  # their errors quote documents: messages, targets


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
        structlog.processors.ExceptionRenderer(_traceback),
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
    for talkative in _TALKATIVE:
        logging.getLogger(talkative).setLevel(max(root.level, logging.INFO))
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it warns whenever a job takes longer than its interval
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    structlog.get_logger(__name__).debug("logging configured", style=style)


def _traceback(exc_info: Any) -> str:
    """A traceback that says nothing of what was to be stored: MongoDB's own words give way to its error code."""
    _, error, _ = exc_info
    text = "".join(traceback.format_exception(error)).rstrip()
    for one in _chain(error):
        if type(one).__module__.partition(".")[0] in _QUOTING and str(one):
            text = text.replace(str(one), f"(not shown) code {getattr(one, 'code', None)}")
    return text


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and those that it came from."""
    if error is not None:
        yield error
        yield from _chain(error.__cause__ or error.__context__)
