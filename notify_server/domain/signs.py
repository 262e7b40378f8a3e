"""What the history of an entry says of each channel.

Where push is the only way, status and reason say it all, and nothing of this is counted. An entry that goes by mail or
to open sockets as well counts besides under names of these forms (see domain/tally.py):

    email/sent, push/failed      entries of which a line of history says so of this channel, at whatever time
    beside/sent, beside/failed   such entries that stand there, by whichever channel: push alone has not brought them
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from notify_server.domain.notification import Channel
from notify_server.domain.registry import Reason, Status

_PUSH_FAILURES = (Reason.UNREGISTERED, Reason.SENDER_MISMATCH, Reason.INVALID_TARGET, Reason.PAYLOAD_REJECTED)
_FAILED = "|".join(_PUSH_FAILURES)

# What a line's detail begins with, as a regular expression that Python and MongoDB read alike; the first one that fits.
SIGNS: Mapping[str, str] = {
    f"{Channel.PUSH}/sent": "^attempt [0-9]+: accepted",
    f"{Channel.PUSH}/failed": f"^(attempt [0-9]+: )?({_FAILED})",
    f"{Channel.REALTIME}/sent": "^emitted",
    f"{Channel.EMAIL}/sent": "^mail, attempt [0-9]+: accepted",
    f"{Channel.EMAIL}/failed": f"^mail, attempt [0-9]+: ({Reason.BAD_ADDRESS}|{Reason.MAIL_REJECTED})",
    f"{Channel.EMAIL}/suppressed": f"^mail: ({Reason.MAIL_DISABLED}|{Reason.ADDRESS_BLOCKED})",
    f"{Channel.EMAIL}/received": "^mail delivered",
    f"{Channel.EMAIL}/read": "^mail opened",
    f"{Channel.EMAIL}/bounced": "^mail (bounced|dropped)",
}

BESIDE = "beside"
_PATTERNS = {sign: re.compile(pattern) for sign, pattern in SIGNS.items()}
_AFTER_SENT = {f"{Channel.EMAIL}/received", f"{Channel.EMAIL}/bounced"}
_ARRIVED = {Status.SENT, Status.RECEIVED, Status.READ}


def signs(details: Iterable[str | None]) -> frozenset[str]:
    """The signs that lines of history with these details give."""
    found = (_sign(detail) for detail in details if detail)
    return frozenset(sign for sign in found if sign)


def _sign(detail: str) -> str | None:
    return next((sign for sign, pattern in _PATTERNS.items() if pattern.match(detail)), None)


def is_sign(name: str) -> bool:
    """Whether a name of a tally is one of these."""
    return "/" in name


def names(status: Status, reason: Reason | None, given: Collection[str]) -> Iterator[str]:
    """The names under which an entry with the signs `given` counts once each.

    What was opened was received, and what was received or came back was sent; and what was sent has not failed.
    """
    found = set(given)
    if f"{Channel.EMAIL}/read" in found:
        found.add(f"{Channel.EMAIL}/received")
    if found & _AFTER_SENT:
        found.add(f"{Channel.EMAIL}/sent")
    if status is Status.FAILED and reason in _PUSH_FAILURES:
        found.add(f"{Channel.PUSH}/failed")
    for channel in (Channel.PUSH, Channel.EMAIL):
        if f"{channel}/sent" in found:
            found -= {f"{channel}/failed", f"{channel}/suppressed"}
    yield from sorted(found)
    if status in _ARRIVED or (status is Status.PENDING and reason is Reason.UNCONFIRMED):
        yield f"{BESIDE}/sent"
    elif status is Status.FAILED:
        yield f"{BESIDE}/failed"
