"""Calls of the database that must succeed before anything else happens."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import structlog

from notify_server.errors import DatabaseUnavailable

log = structlog.get_logger()

R = TypeVar("R")


async def insist(call: Callable[..., R], *arguments: object, pause: float) -> R:
    """What `call` returns, in a thread; while the database is away, again after `pause` seconds."""
    while True:
        try:
            return await asyncio.to_thread(call, *arguments)
        except DatabaseUnavailable as error:
            log.warning("database unavailable", problem=str(error))
            await asyncio.sleep(pause)
