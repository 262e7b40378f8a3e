"""How a notification is written down: the only place that knows the fields of its document."""

from notify_server.domain.audience import is_brief
from notify_server.domain.batch import Rank
from notify_server.domain.notification import (
    Audience,
    Channel,
    Message,
    Notification,
    Priority,
    ResendPolicy,
    State,
)
from notify_server.domain.statistics import Labels, community_of
from notify_server.storage.documents import Document, object_id

WITHOUT_USERS = {"audience.users": 0, "erased_parts": 0}  # up to 50,000 ids, which only expansion needs, and figures


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
    )
