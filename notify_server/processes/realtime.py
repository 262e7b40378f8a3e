"""The realtime process: holds the users' sockets. Run as many as you like."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from socket import socket
from threading import Event

import structlog
import uvicorn
import uvloop

from notify_server import metrics
from notify_server.bootstrap import build_gateway
from notify_server.config import Config
from notify_server.gateway.closing import send_away
from notify_server.gateway.door import Door
from notify_server.gateway.limits import limits_of
from notify_server.gateway.server import Channels
from notify_server.processes.listening import listening
from notify_server.processes.readiness import await_database
from notify_server.processes.signals import until_stopped
from notify_server.processes.websocket import settings
from notify_server.storage.documents import Store

log = structlog.get_logger()

_GRACE = 5  # seconds for what was told to be noted


class _Server(uvicorn.Server):
    """uvicorn, stopped by our handling of signals: its own would end the process by the signal."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Called by uvicorn: leave the handlers alone."""
        yield

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Called by uvicorn: say when connections are taken."""
        await super().startup(sockets)
        log.info("realtime started", port=self.config.port)

    async def stop_when(self, stopped: Event, door: Door, spread: float) -> None:
        """Once `stopped` is set, send the clients away within `spread` seconds, and stop."""
        await asyncio.to_thread(stopped.wait)
        await send_away(door, spread, Random())  # noqa: S311 - jitter, not a secret
        self.should_exit = True


def run(config: Config) -> int:
    """Serve until a signal; returns the exit code."""
    stopped = until_stopped()
    database = await_database(config, stopped)
    if database is None:
        return 0
    if not config.takes_user_tokens:
        log.warning("user tokens are not configured", missing="NOTIFY_JWT_SECRET or NOTIFY_JWT_JWKS_URL")
    code = uvloop.run(_serve(config, database, stopped))
    database.client.close()
    metrics.forget(os.getpid())
    return code


async def _serve(config: Config, database: Store, stopped: Event) -> int:
    channels = Channels(build_gateway(config, database), config.poll, limits_of(config))
    listeners = listening(database, asyncio.get_running_loop(), channels)
    server = _Server(settings(config, channels.door))
    for listener in listeners:
        listener.start()
    stopper = asyncio.create_task(server.stop_when(stopped, channels.door, config.realtime_spread))
    starting = asyncio.create_task(channels.start())
    await asyncio.wait((stopper, starting), return_when=asyncio.FIRST_COMPLETED)
    try:
        if not stopped.is_set():
            return await _until_over(server, channels)
        return 0
    finally:
        stopped.set()
        starting.cancel()
        await stopper
        await channels.stop(_GRACE)
        for listener in listeners:
            listener.stop()
        for listener in listeners:
            await asyncio.to_thread(listener.join)


async def _until_over(server: _Server, channels: Channels) -> int:
    """Serve; the exit code. Where announcing has failed, the process ends, and clients come back to another one."""
    failing = asyncio.create_task(channels.failed())
    failing.add_done_callback(lambda _: setattr(server, "should_exit", True))
    await server.serve()
    failed = failing.done()
    failing.cancel()
    return int(failed)
