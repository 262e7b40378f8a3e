"""What a mail service reports of a mail after it has accepted it."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What has happened."""

    DELIVERED = "delivered"  # the recipient's server has it
    OPENED = "opened"
    BOUNCED = "bounced"  # it came back: the address is dead
    DROPPED = "dropped"  # it was not delivered, for which the address is not to blame
    COMPLAINED = "complained"  # the recipient called it spam
    UNSUBSCRIBED = "unsubscribed"


@dataclass(frozen=True, slots=True)
class MailEvent:
    """One report of the mail with this id. `detail` is an enhanced status code, where there is one."""

    mail: str
    kind: Kind
    detail: str | None = None
