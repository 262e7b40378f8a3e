"""Calls of the database that must succeed before anything else happens."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

import structlog

from notify_server.errors import DatabaseUnavailable

log = structlog.get_logger()

R = TypeVar("R")


async def insist(threads: Executor, call: Callable[..., R], *arguments: object, pause: float) -> R:
    """What `call` returns, in one of `threads`; while the database is away, again after `pause` seconds.

    Who must not wait for the others has threads of its own.
    """
    while True:
        try:
            return await asyncio.get_running_loop().run_in_executor(threads, call, *arguments)
        except DatabaseUnavailable as error:
            log.warning("database unavailable", problem=str(error))
            await asyncio.sleep(pause)
