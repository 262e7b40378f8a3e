"""The simulator as a process: one Granian worker inside the event loop of this very process."""

import asyncio
import gc
import os
import signal
import socket
from ipaddress import ip_address
from pathlib import Path

import structlog
import uvloop
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP2Settings
from granian.log import LogLevels
from granian.server.embed import Server

from notify_server.errors import ConfigurationError
from notify_server.simulator import certificates, service_account
from notify_server.simulator.app import App
from notify_server.simulator.simulation import Simulation

PROJECT = "demo-notify"
STREAMS = 100  # at once on one connection, as FCM allows
DRAIN = 5.0  # seconds for requests under way when the process is told to stop
_ALLOCATIONS = 50_000  # new containers until the collector looks at the youngest; at the log of millions, hardly ever
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_log = structlog.get_logger()


def serve(host: str, port: int, directory: Path, project: str = PROJECT) -> None:
    """Serve HTTP/2 and HTTP/1.1 over TLS until SIGTERM or SIGINT; a second signal ends the process at once.

    `directory` gets ca.pem, cert.pem, key.pem and service-account.json, whose token_uri points here; those already
    there are used again. There is one worker only, as everything is kept in its memory.
    Raises ConfigurationError if the address cannot be had.
    """
    _claim(host, port)
    gc.set_threshold(_ALLOCATIONS, 50, 1000)
    found = certificates.ensure(directory, host)
    service_account.ensure(directory / "service-account.json", project, f"{url(host, port)}/token")
    uvloop.run(_serve(host, port, found, project))


def url(host: str, port: int) -> str:
    """Where clients on this machine find a simulator that listens on `host`."""
    try:
        address = ip_address(host)
    except ValueError:
        return f"https://{host}:{port}"
    if address.is_unspecified:
        return f"https://localhost:{port}"
    return f"https://{host}:{port}" if address.version == 4 else f"https://[{host}]:{port}"


def _claim(host: str, port: int) -> None:
    """Raise ConfigurationError unless the port is free: Granian would share it, and the messages, with another one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise ConfigurationError(
            [f"the simulator cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}"]
        ) from None


async def _serve(host: str, port: int, found: certificates.Certificates, project: str) -> None:
    simulation = Simulation(project)
    server = Server(
        App(simulation),
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        http=HTTPModes.auto,
        http2_settings=HTTP2Settings(max_concurrent_streams=STREAMS),
        websockets=False,
        backlog=1024,
        log_level=LogLevels.error,
        ssl_cert=found.cert,
        ssl_key=found.key,
        ssl_protocol_min=SSLProtocols.tls12,
    )
    server.on_startup(lambda: _log.info("simulator_started", url=url(host, port), project=project))
    stop = _stop_signal()
    serving = asyncio.create_task(server.serve())
    await asyncio.wait({serving, stop}, return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        stop.cancel()
        await serving
    await simulation.stop()
    server.stop()  # type: ignore[no-untyped-call]
    await asyncio.wait({serving}, timeout=DRAIN)
    _log.info("simulator_stopped")


def _stop_signal() -> asyncio.Task[bool]:
    """Done when the first SIGTERM or SIGINT comes; the next one has its default effect."""
    loop, signalled = asyncio.get_running_loop(), asyncio.Event()

    def stop() -> None:
        signalled.set()
        for number in _SIGNALS:
            loop.remove_signal_handler(number)

    for number in _SIGNALS:
        loop.add_signal_handler(number, stop)
    return asyncio.create_task(signalled.wait())
