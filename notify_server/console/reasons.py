"""What reasons mean, in the words of docs/registry.md, and what to do about them; and what some mean of a mail."""

from collections.abc import Mapping
from dataclasses import dataclass

from notify_server.domain.registry import Reason


@dataclass(frozen=True, slots=True)
class Words:
    """`short` is a heading, `means` a sentence or more; `do`: what to do about it, None where nothing."""

    short: str
    means: str
    do: str | None = None


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
    Reason.NO_ADDRESS: Words(
        "No e-mail address",
        "It goes by mail, and the user has no address. It is mailed as soon as one is set, until it expires.",
        "Set the address in the user's profile.",
    ),
    Reason.DEFERRED: Words(
        "Put off by the mail server",
        "The mail server puts this recipient off: greylisting, a full mailbox. Tried again until it expires.",
        "Nothing for an hour.",
    ),
    Reason.TLS_FAILED: Words(
        "No encrypted connection to the mail service",
        "No encrypted connection to the mail service, or a wrong certificate.",
        "Act now: no mail goes out. Check the server's certificate, its port and kind of encryption.",
    ),
    Reason.SENDER_REFUSED: Words(
        "The mail service refuses our sender",
        "The mail service does not let us send from our address.",
        "Act now: no mail goes out. Check the sender in the settings of e-mail, and what the service lets it send.",
    ),
    Reason.BAD_ADDRESS: Words(
        "No such mailbox", "There is no such mailbox; the address is blocked.", "Correct the user's address."
    ),
    Reason.MAIL_REJECTED: Words(
        "Mail refused",
        "The mail service refused the mail itself: its size, its content, policy.",
        "The mail's own page has the code.",
    ),
    Reason.BOUNCED: Words("Mail came back", "It came back after it had been accepted.", "Correct the user's address."),
    Reason.ADDRESS_BLOCKED: Words(
        "Address blocked",
        "An earlier mail to the address bounced, or was called spam.",
        "Once the address works, allow it again on the mail's own page.",
    ),
    Reason.MAIL_DISABLED: Words(
        "No mail service", "No mail service is set.", "Set one, and hand the notification over again."
    ),
    Reason.ACTION_DISABLED: Words(
        "Action switched off",
        "The notification's action is switched off on every channel.",
        "Switch the action on, if it should not be.",
    ),
}

OF_MAILS: Mapping[Reason, Words] = {  # where the mail service says it, and not FCM
    Reason.UNAVAILABLE: Words(
        "Mail service unavailable",
        "The mail service could not be reached, or asked to be tried later. Tried again until it expires, at least "
        "every 15 minutes.",
        "Nothing for some minutes. Then look at the service, and at its address and port.",
    ),
    Reason.CONNECTION_LOST: Words(
        "Connection to the mail service lost",
        "No answer came after the mail was handed over: it may have been sent. Tried again with the same Message-ID.",
        "Once: nothing. Often: a timeout that is too short, or something on the way that cuts connections.",
    ),
    Reason.QUOTA_EXCEEDED: Words(
        "The mail service's quota exceeded",
        "The mail service takes no more for now. Waits as long as it says, costs no attempt.",
        "Nothing; it drains by itself. If it happens daily, set NOTIFY_MAIL_RATE to what the service allows.",
    ),
    Reason.CREDENTIAL_REFUSED: Words(
        "The mail service refuses our credential",
        "The mail service refused our user name, password or key. Tried again each minute until it expires.",
        "Act now: no mail goes out. Check the secret in the settings of e-mail, or in the environment.",
    ),
}
