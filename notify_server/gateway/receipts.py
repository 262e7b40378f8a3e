"""Receipts that come over sockets."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import structlog

from notify_server.domain.registry import Status
from notify_server.errors import NotifyError
from notify_server.gateway.sockets import Socket
from notify_server.services.reception import UNKNOWN, Reception, Report

log = structlog.get_logger()

_AT_ONCE = 4  # threads
_REPORTED = {status.value: status for status in (Status.RECEIVED, Status.READ)}
_MALFORMED = "Send notification_id and status: received or read."


class Receiving:
    """Answers the event `receipt`."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._threads = ThreadPoolExecutor(_AT_ONCE, "receipts")  # their own: announcing never waits behind a flood

    async def receive(self, socket: Socket, receipt: object) -> dict[str, Any]:
        """Record what a socket reports; returns the acknowledgement."""
        report = parsed(receipt)
        if report is None:
            return {"ok": False, "error": _MALFORMED}
        try:
            record = partial(self._reception.report, socket.user, [report], socket.sid)
            rejected = await asyncio.get_running_loop().run_in_executor(self._threads, record)
        except NotifyError as error:
            log.warning("receipt refused", problem=str(error))
            return {"ok": False, "error": "Please try again."}
        return {"ok": False, "error": UNKNOWN} if rejected else {"ok": True}


def parsed(receipt: object) -> Report | None:
    """The report that the argument of a `receipt` event makes; None where it makes none."""
    if not isinstance(receipt, Mapping):
        return None
    notification, status = receipt.get("notification_id"), receipt.get("status")
    if not isinstance(notification, str) or not isinstance(status, str) or status not in _REPORTED:
        return None
    return Report(notification, _REPORTED[status])
