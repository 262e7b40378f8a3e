"""The audit log: who changed what through the API, when, and from where. No line holds a value, only names."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What an actor or an object is."""

    CLIENT = "client"  # the holder of a server token
    USER = "user"
    COMMAND = "command"  # somebody at the command line, by the name of their account
    NOTIFICATION = "notification"
    GROUP = "group"
    CATEGORY = "category"
    DEVICE = "device"
    TEMPLATE = "template"
    ACTION = "action"
    PACK = "pack"
    TOKEN = "token"  # noqa: S105 - a server token, by its id
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Party:
    """An actor or an object, by kind and id; `pseudonym`: the id stands for somebody who was erased, or never was."""

    kind: Kind
    id: str
    pseudonym: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody is about to do. `fields` are the names that the request gave, `address` where it came from."""

    actor: Party
    action: str
    route: str | None = None
    object: Party | None = None
    fields: Sequence[str] = ()
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the log. `status` is the HTTP status of the answer; None: the process died before it was known."""

    id: str
    at: datetime
    change: Change
    status: int | None = None
