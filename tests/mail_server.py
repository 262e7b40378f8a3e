"""A real SMTP server for tests, over TLS with a certificate of its own, that treats recipients by what their names say.

with MailServer(directory) as server:
    …                                        # mail to server.port, trusting server.ca_file
    server.mails                             # what it has accepted, in order

`accept@…` and any other name is accepted. `rcpt-450@…` is answered 450 at RCPT, `data-554@…` 554 at the end of the
message; `421@…` is answered 421 and hung up on, `lost@…` is accepted and hung up on before the answer, `drop@…` hung
up on before the message is handed over, `slow@…` answered late, `stuck@…` never.
"""

import asyncio
import re
import ssl
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Self, cast

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from notify_server.simulator.certificates import ensure

USERNAME, PASSWORD = "notify", "ein Paßwort of the tests"
TEXTS = {
    "421": "4.7.0 try again later",
    "450": "4.2.1 mailbox busy",
    "451": "4.3.0 try again later",
    "452": "4.5.3 too many recipients",
    "550": "5.1.1 no such user here",
    "551": "user not local",
    "552": "5.3.4 message too big",
    "553": "5.7.1 policy",
    "554": "5.7.1 spam",
}
_NAMED = re.compile(r"(rcpt|data)-(\d{3})")


@dataclass(frozen=True)
class Caught:
    """A mail as it came: envelope, bytes, and what they parse to."""

    sender: str
    to: str
    content: bytes

    @property
    def message(self) -> EmailMessage:
        return cast(EmailMessage, message_from_bytes(self.content, policy=policy.default))


class _Handler:
    """aiosmtpd calls these at each step of the conversation."""

    def __init__(self, server: "MailServer") -> None:
        self._server = server

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's names
        self, server: SMTP, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        if self._server.pipelining:
            responses.insert(1, "250-PIPELINING")
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if refusal := self._server.refusals.get("MAIL"):
            return refusal
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        local = address.partition("@")[0]
        named = _NAMED.fullmatch(local)
        self._server.tried[address] += 1
        if self._server.broken:
            return "451 4.3.0 out of order"
        if local == "421":
            asyncio.get_running_loop().call_soon(server.transport.close)
            return f"421 {TEXTS['421']}"
        if local == "drop":
            server.transport.abort()
        if named and named[1] == "rcpt":
            return f"{named[2]} {TEXTS[named[2]]}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        to = envelope.rcpt_tos[0]
        local = to.partition("@")[0]
        named = _NAMED.fullmatch(local)
        if named:
            return f"{named[2]} {TEXTS[named[2]]}"
        if self._server.delay or local == "slow":
            await asyncio.sleep(self._server.delay or 0.5)
        if local == "stuck":
            await asyncio.sleep(60)
        number = self._server.keep(Caught(envelope.mail_from, to, envelope.content))
        if local == "lost" or self._server.loses(number):
            server.transport.abort()
        return f"250 2.0.0 Ok: queued as Q{number}"


class MailServer:
    """Listens on a free port of `host`; the certificate names 127.0.0.1. `implicit`: TLS from the first byte;
    `pipelining`: commands may come together.

    `refusals` by command, `delay` in seconds, `broken` (451 to everybody) and `loses` (whether the answer to the
    n-th mail is lost) may be changed at any time. `tried` counts RCPT by address, `logins` attempts to log in.
    """

    def __init__(
        self,
        directory: Path,
        *,
        implicit: bool = False,
        login: bool = False,
        plain: bool = False,
        pipelining: bool = False,
        host: str = "127.0.0.1",
    ) -> None:
        certificates = ensure(directory / "smtp-certificates", "localhost")
        self.ca_file = certificates.ca
        self.refusals: dict[str, str] = {}
        self.pipelining = pipelining
        self.delay = 0.0
        self.broken = False
        self.loses: Callable[[int], bool] = lambda _: False
        self.tried: Counter[str] = Counter()
        self.mails: list[Caught] = []
        self.sessions = 0
        self.logins = 0
        self._lock = Lock()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.cert, certificates.key)
        options: dict[str, Any] = {} if plain else {"tls_context": context, "require_starttls": True}
        if implicit:
            options = {}
        if login:
            options |= {"authenticator": self._authenticate, "auth_required": True, "auth_require_tls": not implicit}
        self._implicit = context if implicit else None
        self._options = options | {"hostname": "localhost", "enable_SMTPUTF8": True}
        self._host = host
        self._connections: list[SMTP] = []
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(lambda *_: None)  # a client that refuses the certificate is no fault here
        self._thread = Thread(target=self._loop.run_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._listen())
        return self

    async def _listen(self) -> None:
        handler = _Handler(self)

        def connected() -> SMTP:
            self.sessions += 1
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # aiosmtpd does not see that TLS is there from the first byte
                self._connections.append(SMTP(handler, **self._options))
            return self._connections[-1]

        self._listening = await self._loop.create_server(connected, self._host, 0, ssl=self._implicit)
        self.port: int = self._listening.sockets[0].getsockname()[1]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._listening.close()
        for connection in self._connections:
            if connection.transport is not None:
                connection.transport.abort()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def hang_up(self, farewell: bytes = b"") -> None:
        """End every connection, with these last words."""
        self._call(self._hang_up(farewell))

    async def _hang_up(self, farewell: bytes) -> None:
        for connection in self._connections:
            if connection.transport is not None:
                connection.transport.write(farewell)
                connection.transport.close()

    def _call(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def keep(self, caught: Caught) -> int:
        """Accept a mail; the number of it."""
        with self._lock:
            self.mails.append(caught)
            return len(self.mails)

    def to(self, address: str) -> list[Caught]:
        """What came for this address."""
        return [caught for caught in self.mails if caught.to == address]

    def _authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        self.logins += 1
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (USERNAME.encode(), PASSWORD.encode())
        return AuthResult(success=good, handled=False)
