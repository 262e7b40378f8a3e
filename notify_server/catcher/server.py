"""The catcher's two servers in one process: SMTP by aiosmtpd, HTTP by uvicorn."""

import asyncio
from typing import Any

import uvicorn
from aiosmtpd.smtp import SMTP

from notify_server.catcher.caught import Mails
from notify_server.catcher.listing import Listing

LARGEST = 32 * 1024 * 1024  # bytes of a mail


class Catching:
    """What aiosmtpd calls with each mail."""

    def __init__(self, mails: Mails) -> None:
        self._mails = mails

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep it, and deliver nothing."""
        caught = self._mails.add(envelope.mail_from, envelope.rcpt_tos, envelope.content)
        return f"250 2.0.0 Ok: queued as {caught.number}"


def serve(host: str, smtp_port: int, http_port: int) -> None:
    """Serve until SIGTERM or SIGINT. Raises OSError where a port cannot be had."""
    asyncio.run(_serve(host, smtp_port, http_port))


async def _serve(host: str, smtp_port: int, http_port: int) -> None:
    mails = Mails()
    handler = Catching(mails)

    def connected() -> SMTP:
        return SMTP(handler, data_size_limit=LARGEST, enable_SMTPUTF8=True, hostname="localhost")

    listening = await asyncio.get_running_loop().create_server(connected, host, smtp_port)
    async with listening:
        config = uvicorn.Config(Listing(mails), host, http_port, lifespan="off", log_level="warning")
        await uvicorn.Server(config).serve()
