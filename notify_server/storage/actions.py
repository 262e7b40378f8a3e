"""The collection `actions`: which template tells of what, by which channels."""

from pymongo.database import Database

from notify_server.domain.action import Action
from notify_server.domain.notification import Channel
from notify_server.storage.database import translated
from notify_server.storage.documents import Document


@translated
class Actions:
    """Reads and writes `actions`."""

    def __init__(self, database: Database[Document]) -> None:
        self._all = database["actions"]

    def put(self, action: Action) -> bool:
        """Store an action in the place of the one of its name. True when it is new."""
        return self._all.replace_one({"_id": action.name}, _document(action), upsert=True).upserted_id is not None

    def find(self, name: str) -> Action | None:
        """One action."""
        found = self._all.find_one({"_id": name})
        return None if found is None else _action(found)

    def listed(self, after: str, limit: int) -> list[Action]:
        """At most `limit` actions in order of their names, from the one after `after`."""
        found = self._all.find({"_id": {"$gt": after}}).sort("_id", 1).limit(limit)
        return [_action(document) for document in found]


def _document(action: Action) -> Document:
    return {
        "template": action.template,
        "category": action.category,
        "channels": [channel.value for channel in action.channels],
        "notification_enabled": action.notification_enabled,
        "mail_enabled": action.mail_enabled,
        "mandatory": action.mandatory,
        "updated_at": action.updated_at,
        "pack": action.pack,
    }


def _action(document: Document) -> Action:
    return Action(
        name=document["_id"],
        template=document["template"],
        channels=tuple(Channel(channel) for channel in document["channels"]),
        updated_at=document["updated_at"],
        category=document["category"],
        notification_enabled=document["notification_enabled"],
        mail_enabled=document["mail_enabled"],
        mandatory=document["mandatory"],
        pack=document["pack"],
    )
