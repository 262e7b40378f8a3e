"""What there is to say of an entry, a mail or a pause: what its status and reason mean, and what to do about them."""

from collections.abc import Mapping

from flask import Flask

from notify_server.console.reasons import OF_MAILS, REASONS, Words
from notify_server.domain.notification import Channel
from notify_server.domain.registry import Reason, Status

STATUSES: Mapping[Status, Words] = {  # in the order in which they are shown
    Status.READ: Words("Read", "The user opened it."),
    Status.RECEIVED: Words("Received", "A device has it. The history names the device, where the app told."),
    Status.SENT: Words(
        "Sent, not confirmed",
        "FCM has it, or it went out to an open socket, or as a mail. None of that promises that it was seen.",
        "Their phone is off, offline, or has forbidden the app's notifications; or the app does not report. Others "
        "with the same app version who received it tell the last two apart.",
    ),
    Status.PENDING: Words("Not sent yet", "Nobody has it yet, as far as we know."),
    Status.FAILED: Words("Not delivered", "It can never be delivered, and never was sent."),
    Status.EXPIRED: Words("Not sent in time", "Its time to live ended before it was ever sent."),
    Status.SUPPRESSED: Words("Held back", "The user had muted it before it was sent, or it could not be mailed."),
    Status.CANCELLED: Words("Taken back", "The backend took it back before it was ever sent."),
}

MAIL_STATUSES: Mapping[Status, Words] = {
    **STATUSES,
    Status.READ: Words("Opened", "The recipient opened the mail."),
    Status.RECEIVED: Words("Delivered", "The recipient's server has the mail."),
    Status.SENT: Words("Sent", "The mail service has accepted the mail. What became of it then it may report later."),
    Status.PENDING: Words("Not sent yet", "The mail has not been handed over yet."),
}

WAITING = Words(
    "Waiting to be sent",
    "Not sent yet.",
    "Under a second is normal. Longer: look at the age of the queue, and whether FCM is paused.",
)

_NO_FCM = Words("FCM cannot be reached", "FCM cannot be reached.")

INACTIVE: Mapping[str, str] = {  # why a device is inactive
    **{reason.value: words.means for reason, words in REASONS.items()},
    Reason.UNREGISTERED.value: "FCM says that the app is gone from it.",
    "moved": "Its target has shown up under another device, or another user.",
    "too_many": "The user has registered others since, up to the most that a user may have.",
}


def of(status: str, reason: str | None) -> Words:
    """What there is to say of an entry with this status and reason."""
    standing = STATUSES[Status(status)]
    if reason is None:
        return WAITING if status == Status.PENDING else standing
    why = REASONS[Reason(reason)]
    return Words(f"{standing.short}: {within(why.short)}", why.means, why.do)


def of_mail(status: str, reason: str | None) -> Words:
    """The same of a mail."""
    standing = MAIL_STATUSES[Status(status)]
    if reason is None:
        return standing
    why = why_paused(Channel.EMAIL, reason)
    return Words(f"{standing.short}: {within(why.short)}", why.means, why.do)


def why_paused(channel: str, reason: str | None) -> Words:
    """What a reason means where it concerns a channel as a whole; None: it cannot be reached."""
    if channel != Channel.EMAIL:
        return _NO_FCM if reason is None else REASONS[Reason(reason)]
    found = Reason(reason or Reason.UNAVAILABLE)
    return OF_MAILS.get(found) or REASONS[found]


def within(short: str) -> str:
    """A heading inside a sentence; names such as FCM stay as they are."""
    return short if short[1].isupper() else short[0].lower() + short[1:]


def install(app: Flask) -> None:
    """Give templates the words."""
    app.jinja_env.filters.update(within=within)
    app.jinja_env.globals.update(words=of, statuses=STATUSES, reasons=REASONS, inactive=INACTIVE)
    app.jinja_env.globals.update(mail_words=of_mail, mail_statuses=MAIL_STATUSES, why_paused=why_paused)
