"""Who may open a socket."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import socketio

from notify_server import metrics
from notify_server.errors import NotifyError
from notify_server.gateway.limits import Refusal
from notify_server.services.user_tokens import Proof, UserTokens

_CHECKS = 2  # threads


class Admission:
    """Checks the tokens that come with connections."""

    def __init__(self, user_tokens: UserTokens) -> None:
        self._user_tokens = user_tokens
        self._checks = ThreadPoolExecutor(_CHECKS, "user-tokens")  # a check may wait for an issuer's keys

    async def proof(self, auth: object) -> Proof:
        """Whose token came with the connection, and for how long. Raises ConnectionRefusedError of Socket.IO."""
        return await asyncio.get_running_loop().run_in_executor(self._checks, self._proof, auth)

    def _proof(self, auth: object) -> Proof:
        token = auth.get("token") if isinstance(auth, Mapping) else None
        try:
            return self._user_tokens.prove(token if isinstance(token, str) else "")
        except NotifyError as error:
            metrics.SOCKETS_REFUSED.labels(Refusal.TOKEN.value).inc()
            raise socketio.exceptions.ConnectionRefusedError(str(error)) from None
