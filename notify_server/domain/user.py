"""A user: a person, by the backend's own id. Made on first mention."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Mutable(StrEnum):
    """What a user can unsubscribe from."""

    GROUPS = "groups"
    CATEGORIES = "categories"


@dataclass(frozen=True, slots=True)
class User:
    """Who the user is, where they belong and what they have muted."""

    id: str
    community: str | None = None
    groups: tuple[str, ...] = ()
    email: str | None = None
    locale: str | None = None
    timezone: str | None = None
    muted_groups: frozenset[str] = frozenset()
    muted_categories: frozenset[str] = frozenset()
    created_at: datetime | None = None
