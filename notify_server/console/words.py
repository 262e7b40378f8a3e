"""What statuses and reasons mean, in the words of docs/registry.md, and what to do about them."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Flask

from notify_server.domain.registry import Reason, Status


@dataclass(frozen=True, slots=True)
class Words:
    """`short` is a heading, `means` a sentence or more; `do`: what to do about it, None where nothing."""

    short: str
    means: str
    do: str | None = None


STATUSES: Mapping[Status, Words] = {  # in the order in which they are shown
    Status.READ: Words("Read", "The user opened it."),
    Status.RECEIVED: Words("Received", "A device has it. The history names the device, where the app told."),
    Status.SENT: Words(
        "Sent, not confirmed",
        "FCM has it, or it went out to an open socket. Neither promises anything about the device.",
        "Their phone is off, offline, or has forbidden the app's notifications; or the app does not report. Others "
        "with the same app version who received it tell the last two apart.",
    ),
    Status.PENDING: Words("Not sent yet", "No device has it yet, as far as we know."),
    Status.FAILED: Words("Not delivered", "It can never be delivered, and never was sent."),
    Status.EXPIRED: Words("Not sent in time", "Its time to live ended before it was ever sent."),
    Status.SUPPRESSED: Words("Muted", "The user had muted it before it was sent."),
    Status.CANCELLED: Words("Taken back", "The backend took it back before it was ever sent."),
}

REASONS: Mapping[Reason, Words] = {
    Reason.NO_DEVICE: Words(
        "No device",
        "The user has no active device. It is sent as soon as one is registered, until it expires.",
        "Nothing. If it is so for many at once: has the app stopped registering? See below why their devices are "
        "inactive.",
    ),
    Reason.UNAVAILABLE: Words(
        "FCM was unavailable",
        "FCM answered 500 or 503; it is tried again until it expires, at least every 23 minutes.",
        "Nothing for some minutes. Look at Firebase's status page.",
    ),
    Reason.CONNECTION_LOST: Words(
        "Connection to FCM lost",
        "No answer came: FCM may have it. Tried again in the same way.",
        "Look for fcm_connection_lost in the worker's log: it says whether it is DNS, TLS, a firewall or a timeout.",
    ),
    Reason.DEVICE_RATE: Words(
        "Too many for one device",
        "FCM's limit for one device is reached (240 a minute, 5,000 an hour). Waits ten seconds or more, costs no "
        "attempt.",
        "See who sends so much to one person.",
    ),
    Reason.QUOTA_EXCEEDED: Words(
        "FCM's quota exceeded",
        "FCM answered 429. Waits as long as FCM says, costs no attempt.",
        "Nothing; it drains by itself. If it happens daily, ask Google for more quota, or spread your broadcasts.",
    ),
    Reason.CREDENTIAL_REFUSED: Words(
        "FCM refuses our credential",
        "FCM refused our credential, project or endpoint. Tried again each minute until it expires.",
        "Act now: nothing goes out. Check the service account, its rights and NOTIFY_FCM_PROJECT.",
    ),
    Reason.PROVIDER_CREDENTIAL: Words(
        "The app's own credential is refused",
        "FCM lacks, or Apple or the browser refused, the app's own credential. Tried each minute until it expires.",
        "Act now: in the Firebase console, under Cloud Messaging, look at the APNs key or the web push certificate.",
    ),
    Reason.UNCONFIRMED: Words(
        "Being sent again",
        "It was sent, no device confirmed it; it is being sent again, by the policy or by request.",
        "Nothing. If it is so always and for everybody, the app reports no receipts.",
    ),
    Reason.UNREGISTERED: Words(
        "The app is gone",
        "Every device of the user was dead: the app is gone from it.",
        "Nothing; the devices are inactive now, the next registration brings the user back.",
    ),
    Reason.SENDER_MISMATCH: Words(
        "Another Firebase project",
        "The target belongs to another Firebase project.",
        "A few: old installations. All: NOTIFY_FCM_PROJECT is not the app's project.",
    ),
    Reason.INVALID_TARGET: Words(
        "Not a target of FCM",
        "FCM does not know this form of target.",
        "A few: nothing. All of one app version: it registers something that is not its target.",
    ),
    Reason.PAYLOAD_REJECTED: Words(
        "Message refused by FCM",
        "FCM refused the message itself.",
        "Compare the message with FCM's rules; the sender has to mend it. The server refuses what it knows of, so this "
        "is news: report it.",
    ),
    Reason.TTL_OVER: Words(
        "Time to live over",
        "Its time to live ended before it could be sent.",
        "The line of history before it says what it waited for. Too many of these: a longer ttl.",
    ),
    Reason.CANCELLED_BY_BACKEND: Words("Taken back", "The backend took it back before it was sent."),
    Reason.MUTED_CATEGORY: Words(
        "Category muted", "The user muted the category.", "Nothing; what must arrive is sent as mandatory."
    ),
    Reason.MUTED_GROUP: Words(
        "Group muted", "Every group that reached the user is muted, and nothing else reached them."
    ),
}

WAITING = Words(
    "Waiting to be sent",
    "Not sent yet.",
    "Under a second is normal. Longer: look at the age of the queue, and whether FCM is paused.",
)

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


def within(short: str) -> str:
    """A heading inside a sentence; names such as FCM stay as they are."""
    return short if short[1].isupper() else short[0].lower() + short[1:]


def install(app: Flask) -> None:
    """Give templates the words."""
    app.jinja_env.filters.update(within=within)
    app.jinja_env.globals.update(words=of, statuses=STATUSES, reasons=REASONS, inactive=INACTIVE)
