"""What an SMTP reply means: RFC 5321 for the codes, RFC 3463 for the enhanced ones."""

import re
from enum import Enum, auto

from notify_server.domain.mail import Answer
from notify_server.domain.outcome import ACCEPTED, Kind, Outcome
from notify_server.domain.registry import Reason

_ENHANCED = re.compile(rb"\s*([245]\.\d{1,3}\.\d{1,3})(?!\S)")
_NO_MAILBOX = re.compile(r"5\.(1\.([1236]|10)|2\.1)")  # bad destination address; mailbox disabled
_BAD_SENDER = {"5.1.7", "5.1.8"}
_WITHOUT_ENHANCED = {550, 551, 553}  # at RCPT the mailbox, or our right to relay: no word that an address is dead
_LOGIN_CODES = {530, 535}
_CLOSING = 421
_RATE = re.compile(r"4\.7\.\d+|4\.5\.3")  # policy, too many: what servers say to who sends too fast


class Step(Enum):
    """Where in the conversation a reply came."""

    CONNECT = auto()  # greeting, EHLO, STARTTLS
    AUTH = auto()
    MAIL = auto()
    RCPT = auto()
    DATA = auto()  # the command, and the end of the message


LOST_BEFORE = Answer(Outcome(Kind.RETRY, Reason.UNAVAILABLE), "no connection")
LOST_AFTER = Answer(Outcome(Kind.RETRY, Reason.CONNECTION_LOST), "no answer to the message")
TLS_FAILED = Answer(Outcome(Kind.RETRY, Reason.TLS_FAILED), "no encrypted connection")
NO_LOGIN = Answer(Outcome(Kind.RETRY, Reason.CREDENTIAL_REFUSED), "no way to log in")
UNSPEAKABLE = Answer(Outcome(Kind.TARGET_DEAD, Reason.BAD_ADDRESS), "no address that can be mailed")


def accepted(queued_as: str | None) -> Answer:
    """The server took the mail, and maybe said under which id."""
    return Answer(ACCEPTED, None, queued_as)


def refused(step: Step, code: int, text: bytes) -> Answer:
    """A 4xx or 5xx reply. Its words are left out of what is kept: they may name the recipient."""
    found = _ENHANCED.match(text)
    enhanced = found[1].decode() if found else ""
    detail = f"{code} {enhanced}".strip()
    return Answer(_outcome(step, code, enhanced), detail)


def _outcome(step: Step, code: int, enhanced: str) -> Outcome:
    if step is Step.AUTH and code >= 500:
        return Outcome(Kind.RETRY, Reason.CREDENTIAL_REFUSED)
    if code < 500:
        return _temporary(step, code, enhanced)
    if step is Step.CONNECT:
        return Outcome(Kind.RETRY, Reason.UNAVAILABLE)
    if step is Step.MAIL:
        needs_login = code in _LOGIN_CODES or enhanced in {"5.7.0", "5.7.8"}
        return Outcome(Kind.RETRY, Reason.CREDENTIAL_REFUSED if needs_login else Reason.SENDER_REFUSED)
    return _unwanted(code, enhanced) if step is Step.RCPT else Outcome(Kind.REJECTED, Reason.MAIL_REJECTED)


def _unwanted(code: int, enhanced: str) -> Outcome:
    """A refusal at RCPT, which may be meant for the recipient, the sender, or whoever has not logged in."""
    if _NO_MAILBOX.fullmatch(enhanced):
        return Outcome(Kind.TARGET_DEAD, Reason.BAD_ADDRESS)
    if enhanced in _BAD_SENDER:
        return Outcome(Kind.RETRY, Reason.SENDER_REFUSED)
    if code in _LOGIN_CODES or enhanced == "5.7.8":
        return Outcome(Kind.RETRY, Reason.CREDENTIAL_REFUSED)
    doubtful = not enhanced and code in _WITHOUT_ENHANCED
    return Outcome(Kind.REJECTED, Reason.BAD_ADDRESS if doubtful else Reason.MAIL_REJECTED)


def _temporary(step: Step, code: int, enhanced: str) -> Outcome:
    if _RATE.fullmatch(enhanced) and step in {Step.MAIL, Step.DATA}:
        return Outcome(Kind.RETRY, Reason.QUOTA_EXCEEDED)
    if step is Step.RCPT and code != _CLOSING:
        return Outcome(Kind.RETRY, Reason.DEFERRED)
    return Outcome(Kind.RETRY, Reason.UNAVAILABLE)
