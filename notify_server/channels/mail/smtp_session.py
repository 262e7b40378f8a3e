"""One connection to an SMTP server, and one mail after the other over it.

smtplib holds the connection; each step of a mail is spoken here, because what a broken connection means depends on
whether the message was handed over by then.
"""

import re
import smtplib
import ssl
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

_DOTS = re.compile(rb"(?m)^\.")
_MAILS = 200  # over one connection: some servers count them, and hang up
_QUEUED = re.compile(rb"(?i)queued as ([A-Za-z0-9.-]{1,64})")


class Refused(Exception):
    """No connection came about. `answer` is what every mail gets that waited for it."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.detail)
        self.answer = answer


class Session:
    """An open, authenticated connection. Not for several threads. Raises Refused where there is none to be had."""

    def __init__(self, server: SmtpServer, tls: ssl.SSLContext, timeout: float) -> None:
        self._mails = 0
        self.used_at = monotonic()
        self._step = Step.CONNECT
        try:
            self._smtp = self._connect(server, tls, timeout)
        except smtplib.SMTPResponseException as error:
            raise Refused(refused(self._step, error.smtp_code, _bytes(error.smtp_error))) from None
        except smtplib.SMTPNotSupportedError:  # no STARTTLS, or no AUTH
            raise Refused(NO_LOGIN if self._step is Step.AUTH else TLS_FAILED) from None
        except ssl.SSLError:
            raise Refused(TLS_FAILED) from None
        except (OSError, ValueError, smtplib.SMTPException):  # ValueError: a host or a password that cannot be written
            raise Refused(LOST_BEFORE) from None

    def _connect(self, server: SmtpServer, tls: ssl.SSLContext, timeout: float) -> smtplib.SMTP:
        if server.security is Security.TLS:
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=timeout, context=tls)
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=timeout)
        try:
            if server.security is Security.STARTTLS:
                smtp.starttls(context=tls)
            if server.username is not None:
                smtp.ehlo_or_helo_if_needed()
                self._step = Step.AUTH
                smtp.login(server.username, server.password or "")
            else:
                smtp.ehlo_or_helo_if_needed()
        except BaseException:
            smtp.close()
            raise
        return smtp

    @property
    def usable(self) -> bool:
        """Whether another mail may go over it."""
        return self._smtp.sock is not None and self._mails < _MAILS

    def send(self, sender: str, to: str, message: bytes) -> Answer:
        """Hand one mail over. After a broken connection it is not `usable` any more."""
        self._mails += 1
        given = False
        try:
            for step, command in ((Step.MAIL, f"MAIL FROM:<{sender}>"), (Step.RCPT, f"RCPT TO:<{to}>")):
                code, text = self._smtp.docmd(command)
                if not 200 <= code < 300:
                    return self._give_up(step, code, text)
            code, text = self._smtp.docmd("DATA")
            if code != 354:
                return self._give_up(Step.DATA, code, text)
            self._smtp.send(_DOTS.sub(b"..", message) + (b".\r\n" if message.endswith(b"\r\n") else b"\r\n.\r\n"))
            given = True
            code, text = self._smtp.getreply()
        except (OSError, smtplib.SMTPException):
            self.close()
            return LOST_AFTER if given else LOST_BEFORE
        self.used_at = monotonic()
        return self._taken(text) if 200 <= code < 300 else self._give_up(Step.DATA, code, text, given=True)

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
        """Take leave of the server."""
        try:
            self._smtp.quit()
        except (OSError, smtplib.SMTPException):
            self.close()

    def close(self) -> None:
        """Hang up."""
        self._smtp.close()


def _bytes(text: bytes | str) -> bytes:
    return text.encode(errors="replace") if isinstance(text, str) else text
