"""One connection to an SMTP server, and one mail after the other over it.

smtplib holds the connection; each step of a mail is spoken here, because what a broken connection means depends on
whether the message was handed over by then.
"""

import re
import select
import smtplib
import ssl
from base64 import b64encode
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from socket import IPPROTO_TCP, TCP_NODELAY
from time import monotonic

from notify_server.channels.mail.smtp_answer import (
    LOST_AFTER,
    LOST_BEFORE,
    NO_LOGIN,
    TLS_FAILED,
    Step,
    accepted,
    refused,
)
from notify_server.domain.email_settings import SmtpServer
from notify_server.domain.mail import Answer, Security

_MAILS = 200  # over one connection: some servers count them, and hang up
_COPIED = 65_536  # bytes: what is longer is not copied to have its end put behind it
_GO_ON = 354  # to DATA
_TAKING = 600.0  # seconds that a server may take to say that it has a mail (RFC 5321, section 4.5.3.2.6)
_LOOK = 0.5  # seconds between two looks whether there is less time
_LOGGED_IN = 235
_QUEUED = re.compile(rb"(?i)queued as ([A-Za-z0-9.-]{1,64})")


class Refused(Exception):
    """No connection came about. `answer` is what every mail gets that waited for it."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.detail)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds that a server may take for an answer, and for the one to a message; not that long where we `hurry`."""

    timeout: float
    taking: float = _TAKING
    hurry: Callable[[], bool] = lambda: False


class Session:
    """An open, authenticated connection. Not for several threads. Raises Refused where there is none to be had."""

    def __init__(self, server: SmtpServer, tls: ssl.SSLContext, patience: Patience) -> None:
        self._patience = patience
        self._mails = 0
        self.used_at = monotonic()
        self._step = Step.CONNECT
        try:
            self._smtp = self._connect(server, tls, patience.timeout)
        except smtplib.SMTPResponseException as error:
            raise Refused(refused(self._step, error.smtp_code, _bytes(error.smtp_error))) from None
        except smtplib.SMTPNotSupportedError:  # no STARTTLS, or no AUTH
            raise Refused(NO_LOGIN if self._step is Step.AUTH else TLS_FAILED) from None
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):  # it hung up in the middle of the handshake, as when it stops
            raise Refused(LOST_BEFORE) from None
        except ssl.SSLError:
            raise Refused(TLS_FAILED) from None
        except (smtplib.SMTPServerDisconnected, ConnectionError, TimeoutError):
            raise Refused(LOST_BEFORE) from None
        except (OSError, ValueError):  # no way to log in, no such host; ValueError: one that cannot be written
            raise Refused(NO_LOGIN if self._step is Step.AUTH else LOST_BEFORE) from None
        self._pipelining = self._smtp.has_extn("pipelining")

    def _connect(self, server: SmtpServer, tls: ssl.SSLContext, timeout: float) -> smtplib.SMTP:
        us = _own_name()
        if server.security is Security.TLS:
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, us, timeout=timeout, context=tls)
        else:
            smtp = smtplib.SMTP(server.host, server.port, us, timeout=timeout)
        try:
            if smtp.sock is not None:
                smtp.sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)  # a message may be sent in two parts
            if server.security is Security.STARTTLS:
                smtp.starttls(context=tls)
            smtp.ehlo_or_helo_if_needed()
            if server.username is not None:
                self._step = Step.AUTH
                _log_in(smtp, server.username, server.password or "")
        except BaseException:
            smtp.close()
            raise
        return smtp

    @property
    def usable(self) -> bool:
        """Whether another mail may go over it."""
        return self._smtp.sock is not None and self._mails < _MAILS

    def send(self, sender: str, to: str, *message: bytes) -> Answer:
        """Hand one mail over, whose parts each end with a line. After a broken connection it is not `usable` any more.

        Raises ValueError where an address would break its line.
        """
        self._mails += 1
        given = False
        try:
            if refusal := self._begin(sender, to):
                return self._give_up(*refusal)
            *parts, last = map(_dotted, message)
            for part in parts:
                self._smtp.send(part)
            end = b".\r\n" if last.endswith(b"\r\n") else b"\r\n.\r\n"
            for piece in (last + end,) if len(last) < _COPIED else (last, end):
                self._smtp.send(piece)
            given = True
            self._await_answer()
            code, text = self._smtp.getreply()
        except (OSError, smtplib.SMTPException):
            self.close()
            return LOST_AFTER if given else LOST_BEFORE
        self.used_at = monotonic()
        return self._taken(text) if 200 <= code < 300 else self._give_up(Step.DATA, code, text, given=True)

    def _await_answer(self) -> None:
        """Wait until the server says something of the message: who hangs up sooner sends it again, and again.

        Raises TimeoutError.
        """
        waiting, began, answered = self._patience, monotonic(), select.poll()
        if self._smtp.sock is None:
            return
        answered.register(self._smtp.sock, select.POLLIN)
        while not answered.poll(_LOOK * 1000):
            if monotonic() - began >= (waiting.timeout if waiting.hurry() else waiting.taking):
                raise TimeoutError

    def _begin(self, sender: str, to: str) -> tuple[Step, int, bytes] | None:
        """Say from whom and to whom, all at once where the server lets us (RFC 2920). The first refusal, if any."""
        commands = [(Step.MAIL, f"MAIL FROM:<{sender}>"), (Step.RCPT, f"RCPT TO:<{to}>"), (Step.DATA, "DATA")]
        if not all(command.isprintable() for _, command in commands):
            raise ValueError("An address must stand on one line.")
        if self._pipelining:
            self._smtp.send("".join(f"{command}\r\n" for _, command in commands))
            return self._heard_all([step for step, _ in commands])
        for step, command in commands:
            code, text = self._smtp.docmd(command)
            if not _is_good(step, code):
                return step, code, text
        return None

    def _heard_all(self, steps: Sequence[Step]) -> tuple[Step, int, bytes] | None:
        """The first refusal among the replies to commands that were given together."""
        refusal: tuple[Step, int, bytes] | None = None
        code = 0
        for step in steps:
            try:
                code, text = self._smtp.getreply()
            except (OSError, smtplib.SMTPException):
                if refusal is None:
                    raise
                self.close()  # it has refused, and hung up
                return refusal
            if not _is_good(step, code):
                refusal = refusal or (step, code, text)
        if refusal and code == _GO_ON:
            self._say_nothing()
        return refusal

    def _say_nothing(self) -> None:
        """The server waits for a message to nobody (RFC 2920, section 3.1)."""
        self._smtp.send(b".\r\n")
        self._smtp.getreply()

    def _taken(self, text: bytes) -> Answer:
        named = _QUEUED.search(text)
        return accepted(named[1].decode() if named else None)

    def _give_up(self, step: Step, code: int, text: bytes, *, given: bool = False) -> Answer:
        """Begin anew with the next mail, unless the server hangs up. What is no SMTP says nothing of the mail."""
        if not 400 <= code < 600:
            self.close()
            return LOST_AFTER if given else LOST_BEFORE
        answer = refused(step, code, text)
        try:
            if code == 421 or self._smtp.rset()[0] >= 300:
                self.close()
        except (OSError, smtplib.SMTPException):
            self.close()
        return answer

    def quit(self) -> None:
        """Take leave of the server, and wait for nothing: others may wait for us."""
        with suppress(OSError, smtplib.SMTPException):
            self._smtp.putcmd("quit")
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._smtp.close()


@cache
def _own_name() -> str:
    """How we call ourselves, as smtplib finds it: it may ask a name server, so once is enough."""
    return smtplib.SMTP().local_hostname


def _log_in(smtp: smtplib.SMTP, username: str, password: str) -> None:
    """By PLAIN, which knows all of Unicode (RFC 4616); smtplib would try every way, and a refusal would count twice."""
    if "PLAIN" not in smtp.esmtp_features.get("auth", "").upper().split():
        smtp.login(username, password)
        return
    proof = b64encode(f"\0{username}\0{password}".encode()).decode()
    code, text = smtp.docmd("AUTH", f"PLAIN {proof}")
    if code != _LOGGED_IN:
        raise smtplib.SMTPAuthenticationError(code, text)


def _is_good(step: Step, code: int) -> bool:
    return code == _GO_ON if step is Step.DATA else 200 <= code < 300


def _dotted(part: bytes) -> bytes:
    """With another dot before each that begins a line: by itself it would end the message."""
    part = part.replace(b"\r\n.", b"\r\n..")
    return b"." + part if part.startswith(b".") else part


def _bytes(text: bytes | str) -> bytes:
    return text.encode(errors="replace") if isinstance(text, str) else text
