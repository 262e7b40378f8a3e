"""How a notification is written down: the only place that knows the fields of its document."""

from dataclasses import asdict

from notify_server.domain.audience import is_brief
from notify_server.domain.batch import Rank
from notify_server.domain.notification import (
    Attachment,
    Audience,
    Channel,
    Message,
    Notification,
    Priority,
    ResendPolicy,
    State,
)
from notify_server.domain.statistics import Labels, community_of
from notify_server.domain.texts import Mail, Text, Texts
from notify_server.domain.user_fields import UserField
from notify_server.storage.documents import Document, object_id

WITHOUT_MAILS = {"mails": 0, "attachments": 0}  # pages of HTML and files, which only the channel email needs
# Up to 50,000 ids, which only expansion needs, and figures.
WITHOUT_USERS = {"audience.users": 0, "erased_parts": 0} | WITHOUT_MAILS


def to_document(notification: Notification) -> Document:
    """The document of a notification that nobody has begun to expand."""
    message, audience = notification.message, notification.audience
    return {
        "_id": object_id(notification.id),
        "message": {name: getattr(message, name) for name in ("title", "body", "image", "link")}
        | {"data": dict(message.data)},
        "audience": {
            "users": list(audience.users),
            "groups": list(audience.groups),
            "communities": list(audience.communities),
            "everyone": audience.everyone,
        },
        "category": notification.category,
        "community": notification.community,
        "channels": [channel.value for channel in notification.channels],
        "priority": notification.priority.value,
        "rank": Rank.of(notification.priority, small=is_brief(audience)).value,
        "ttl": notification.ttl,
        "created_at": notification.created_at,
        "send_at": notification.send_at,
        "expires_at": notification.expires_at,
        "resend": {"after": notification.resend.after, "times": notification.resend.times},
        "mandatory": notification.mandatory,
        "client": notification.client,
        "address": notification.address,
        "payload": notification.payload,
        "push_after": notification.push_after,
        **_templated(notification),
        **_mailed(notification),
        "state": notification.state.value,
        "recipients": 0,
        "cursor": "",
        "expanded": False,
        "open": True,
        "owner": None,
        "due_at": notification.send_at or notification.created_at,
    }


def labels_of(document: Document) -> Labels:
    """What a notification counts towards; of its document this takes category, community and audience.communities."""
    return Labels(document["category"], community_of(document["community"], document["audience"]["communities"]))


def from_document(document: Document) -> Notification:
    """The notification; without its named users where the query left them out."""
    audience = document["audience"]
    return Notification(
        id=str(document["_id"]),
        message=Message(**document["message"]),
        audience=Audience(
            users=tuple(audience.get("users", ())),
            groups=tuple(audience["groups"]),
            communities=tuple(audience["communities"]),
            everyone=audience["everyone"],
        ),
        created_at=document["created_at"],
        state=State(document["state"]),
        category=document["category"],
        community=document["community"],
        channels=tuple(Channel(channel) for channel in document["channels"]),
        priority=Priority(document["priority"]),
        ttl=document["ttl"],
        send_at=document["send_at"],
        resend=ResendPolicy(**document["resend"]),
        mandatory=document["mandatory"],
        client=document["client"],
        address=document["address"],
        payload=document["payload"],
        push_after=document["push_after"],
        email_after=document.get("email_after"),
        reply_to=document.get("reply_to"),
        attachments=attachments(document),
        action=document.get("action"),
        disabled=document.get("disabled", False),
        texts=texts(document),
        mails=mails(document),
    )


def mails(document: Document) -> dict[str, Mail]:
    """The mails of a notification, by locale."""
    return {locale: Mail(**mail) for locale, mail in document.get("mails", {}).items()}


def attachments(document: Document) -> tuple[Attachment, ...]:
    """The files that go with its mails, where the query did not leave them out."""
    return tuple(Attachment(**each) for each in document.get("attachments", ()))


def _mailed(notification: Notification) -> Document:
    """The fields that only a notification by mail may have."""
    found: Document = {"email_after": notification.email_after, "reply_to": notification.reply_to}
    found = {name: value for name, value in found.items() if value is not None}
    if notification.attachments:
        found["attachments"] = [asdict(attachment) for attachment in notification.attachments]
    return found


def _templated(notification: Notification) -> Document:
    """The fields that only a notification from a template has."""
    said = notification.texts
    if said is None:
        return {}
    found: Document = {
        "action": notification.action,
        "disabled": notification.disabled,
        "texts": {
            "template": said.template,
            "version": said.version,
            "default": said.default,
            "locales": {locale: asdict(text) for locale, text in said.locales.items()},
            "fields": sorted(said.fields),
        },
    }
    if notification.mails:
        found["mails"] = {locale: asdict(mail) for locale, mail in notification.mails.items()}
    return found


def texts(document: Document) -> Texts | None:
    """What a notification says in each locale; None where it was not made from a template."""
    if "texts" not in document:
        return None
    document = document["texts"]
    return Texts(
        template=document["template"],
        version=document["version"],
        default=document["default"],
        locales={locale: Text(**text) for locale, text in document["locales"].items()},
        fields=frozenset(UserField(each) for each in document["fields"]),
    )
