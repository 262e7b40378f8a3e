"""SMTP: letters over pooled connections, of which there are as many as threads that send at the same time."""

import ssl
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from time import monotonic

from notify_server.channels.mail import composition
from notify_server.channels.mail.smtp_answer import UNSPEAKABLE
from notify_server.channels.mail.smtp_session import Patience, Refused, Session
from notify_server.domain.email_settings import SmtpServer
from notify_server.domain.mail import Address, Answer, Enclosure, Letter, Service
from notify_server.domain.registry import Reason
from notify_server.domain.texts import Mail

_IDLE = 20.0  # seconds after which a server may have hung up: RFC 5321 asks for five minutes, many grant less


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that a server may take for an answer, and a PEM file of authorities to trust; empty: the usual ones.

    `hurry` says whether it may take no longer either for the answer to a message, as this process is to stop.
    """

    timeout: float
    ca_file: str = ""
    hurry: Callable[[], bool] = lambda: False


class SmtpTransport:
    """Sends through one server. Safe for many threads. Raises ValueError where the sender's address is none."""

    service = Service.SMTP

    def __init__(self, server: SmtpServer, sender: Address, limits: Limits, clock: Callable[[], datetime]) -> None:
        self.sender = composition.mailbox(sender).addr_spec
        self._server = server
        self._from = sender
        self._patience = Patience(limits.timeout, hurry=limits.hurry)
        self._clock = clock
        self._tls = ssl.create_default_context(cafile=limits.ca_file or None)
        self._free: deque[Session] = deque()
        self._lock = Lock()
        self._closed = False

    def enclose(self, attachments: Sequence[Enclosure]) -> composition.Enclosed | None:
        """As in MailTransport."""
        return composition.enclose(attachments)

    def seal(self, mail: Mail, reply_to: str | None, enclosed: composition.Enclosed | None) -> composition.Written:
        """As in MailTransport."""
        return composition.write(mail, self._from, reply_to, enclosed)

    def send(self, letter: Letter, sealed: composition.Written) -> Answer:
        """As in MailTransport."""
        try:
            message = composition.complete(sealed, letter, self._clock())
            to = composition.ascii_address(letter.to)
        except ValueError:
            return UNSPEAKABLE
        parts = [part for part in (message, sealed.enclosed) if part]
        if used := self._used():
            answer = self._over(used, sealed.sender, to, parts)
            if used.usable or answer.outcome.reason is not Reason.UNAVAILABLE:
                return answer  # else the server had hung up meanwhile, which says nothing of this mail
        try:
            return self._over(Session(self._server, self._tls, self._patience), sealed.sender, to, parts)
        except Refused as refusal:
            return refusal.answer

    def _over(self, session: Session, sender: str, to: str, parts: Sequence[bytes]) -> Answer:
        try:
            return session.send(sender, to, *parts)
        finally:
            self._give_back(session)

    def _used(self) -> Session | None:
        """A connection that is open, as far as we know; None where there is none."""
        with self._lock:
            while self._free:
                session = self._free.pop()
                if monotonic() - session.used_at < _IDLE:
                    return session
                session.close()
        return None

    def _give_back(self, session: Session) -> None:
        with self._lock:
            if session.usable and not self._closed:
                self._free.append(session)
                return
        session.quit()

    def close(self) -> None:
        """As in MailTransport."""
        with self._lock:
            self._closed = True
            free, self._free = list(self._free), deque()
        for session in free:
            session.quit()
