"""A batch: at most 500 recipients of one notification for one channel, the unit of dispatch.

A recipient of a notification is in at most one batch at a time. Batches are made with the page of the audience
that they hold, travel from `dispatch` to `confirm` and back with each resend, and are deleted when nothing is
left to do for them. A lease is `owner` plus a `due_at` in the future: when the owner dies, the batch comes due.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from notify_server.domain.notification import Channel, Priority

SIZE = 500  # recipients


class Stage(StrEnum):
    """What a batch waits for."""

    DISPATCH = "dispatch"  # to be sent, when due
    CONFIRM = "confirm"  # sent: when due, whoever has not confirmed is sent it again
    ANNOUNCE = "announce"  # for gateways to read once it has a sequence number; nobody leases it


class Rank(IntEnum):
    """Order in the queue: lower goes first. What is small never waits for what is big."""

    URGENT = 0  # high priority, one page
    PROMPT = 1  # normal priority, one page
    HIGH = 2  # high priority, more than one page
    BULK = 3

    @classmethod
    def of(cls, priority: Priority, *, small: bool = False) -> "Rank":
        """The rank of a notification's batches; `small`: its audience fits into one page."""
        if priority is Priority.HIGH:
            return cls.URGENT if small else cls.HIGH
        return cls.PROMPT if small else cls.BULK

    @property
    def small(self) -> bool:
        """Whether it stands for an audience of one page."""
        return self <= Rank.PROMPT


@dataclass(frozen=True, slots=True)
class BatchKey:
    """The deterministic id: making the same batch twice makes one.

    `page` is the audience cursor before its first user; `part` tells apart what was split off from the page.
    """

    notification: str
    channel: Channel
    page: str
    part: str = ""

    @classmethod
    def awaited(cls, notification: str, user: str, channel: Channel = Channel.PUSH) -> "BatchKey":
        """For one who waited for a device, or for mail for an address, and has one now."""
        return cls(notification, channel, "", f"user:{user}")


@dataclass(frozen=True, slots=True)
class Batch:
    """A unit of dispatch. `devices`, where given, narrows a user to those devices of theirs (a partial retry).

    `calls` counts who wanted it made while it was there: such a batch is not over when its dispatch is. `sequence` is
    the place of an announcement among all of them: it becomes visible after those with lower numbers.
    """

    key: BatchKey
    users: tuple[str, ...]
    due_at: datetime
    rank: Rank = Rank.BULK
    stage: Stage = Stage.DISPATCH
    resends: int = 0
    attempt: int = 0
    devices: Mapping[str, tuple[str, ...]] | None = None
    owner: str | None = None
    calls: int = 0
    sequence: int | None = None

    @property
    def is_awaited(self) -> bool:
        """Whether it was made for one user who had waited for a device, or for mail for an address."""
        key = self.key
        return bool(self.users) and key == BatchKey.awaited(key.notification, self.users[0], key.channel)

    @classmethod
    def awaited(cls, notification: str, user: str, now: datetime, channel: Channel = Channel.PUSH) -> "Batch":
        """For one who waited for a device, or for mail for an address, and has one now.

        The same batch, whoever notices first.
        """
        return cls(BatchKey.awaited(notification, user, channel), (user,), now, Rank.PROMPT)
