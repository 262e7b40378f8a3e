"""Every user's private channel: room `user:{id}`, which only the server puts a socket into."""

import asyncio
from collections.abc import Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import socketio
import structlog

from notify_server.bootstrap import Gateway
from notify_server.domain.registry import Status
from notify_server.errors import NotifyError
from notify_server.services.announcement import Announcement
from notify_server.services.reception import UNKNOWN, Report

log = structlog.get_logger()

_ROOM = "user:"
_CHECKS = 2  # threads
_REPORTED = {status.value: status for status in (Status.RECEIVED, Status.READ)}


class Channels:
    """The sockets of this process."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.server = socketio.AsyncServer(async_mode="asgi", transports=["websocket"], namespaces=["/"])
        self.server.on("connect", self._connect)
        self.server.on("disconnect", self._disconnect)
        self.server.on("receipt", self._receipt)
        self._checks = ThreadPoolExecutor(_CHECKS, "user-tokens")  # of tokens: a check may wait for an issuer's keys
        self._sockets: dict[str, set[str]] = {}

    @property
    def users(self) -> Set[str]:
        """Who has a socket here."""
        return self._sockets.keys()

    async def announce(self, announcement: Announcement) -> None:
        """Emit a notification to those of its recipients who have a socket here, and note it in the registry."""
        items = await asyncio.to_thread(self._gateway.announcements.items, announcement, frozenset(self.users))
        for user, item in items.items():
            origin = {"id": item["id"], "created_at": item["created_at"], "replayed": False}
            await self.server.emit("notification:new", (item, origin), room=_ROOM + user)
        await asyncio.to_thread(self._gateway.announcements.emitted, announcement, list(items))

    async def _connect(self, sid: str, _: object, auth: object) -> None:
        user = await asyncio.get_running_loop().run_in_executor(self._checks, self._user, auth)
        await self.server.save_session(sid, {"user": user})
        await self.server.enter_room(sid, _ROOM + user)
        self._sockets.setdefault(user, set()).add(sid)

    def _user(self, auth: object) -> str:
        """Whose token came with the connection. Raises ConnectionRefusedError."""
        token = auth.get("token") if isinstance(auth, Mapping) else None
        try:
            return self._gateway.user_tokens.authenticate(token if isinstance(token, str) else "")
        except NotifyError as error:
            raise socketio.exceptions.ConnectionRefusedError(str(error)) from None

    async def _disconnect(self, sid: str, *_: object) -> None:
        user = (await self.server.get_session(sid)).get("user")
        sockets = self._sockets.get(user, set())
        sockets.discard(sid)
        if not sockets:
            self._sockets.pop(user, None)

    async def _receipt(self, sid: str, receipt: object = None, *_: object) -> dict[str, Any]:
        user = (await self.server.get_session(sid))["user"]
        report = _report(receipt)
        if report is None:
            return {"ok": False, "error": "Send notification_id and status: received or read."}
        try:
            rejected = await asyncio.to_thread(self._gateway.reception.report, user, [report])
        except NotifyError as error:
            log.warning("receipt refused", problem=str(error))
            return {"ok": False, "error": "Please try again."}
        return {"ok": False, "error": UNKNOWN} if rejected else {"ok": True}


def _report(receipt: object) -> Report | None:
    if not isinstance(receipt, Mapping):
        return None
    notification, status = receipt.get("notification_id"), receipt.get("status")
    if not isinstance(notification, str) or not isinstance(status, str) or status not in _REPORTED:
        return None
    return Report(notification, _REPORTED[status])
