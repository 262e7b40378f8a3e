"""The inbox in pages by number, for clients that page so: a user's own, or everyone's."""

from collections.abc import Sequence
from dataclasses import dataclass

from notify_server.domain.inbox import Place
from notify_server.domain.user import User
from notify_server.services.inbox import Item, View, items
from notify_server.services.wording import Wording
from notify_server.storage.inbox import Entry
from notify_server.storage.inbox_pages import REACH, InboxPages, Walk
from notify_server.storage.users import Users

__all__ = ["REACH", "Browsing", "Listing", "Order", "Slice"]


@dataclass(frozen=True, slots=True)
class Order:
    """By acceptance; where `read_first` is set, the read ones stand before the unread ones, or after them."""

    newest_first: bool = True
    read_first: bool | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """What to list, and in which order; `user` None: of everyone."""

    user: str | None
    view: View = View.ALL
    order: Order = Order()

    @property
    def walks(self) -> Sequence[Walk]:
        """The walks that make up the list, one after the other."""
        runs: Sequence[Sequence[Place]] = [self.view.places]
        if self.order.read_first is not None:
            runs = [[place] for place in sorted(self.view.places, reverse=not self.order.read_first)]
        return [Walk(self.user, places, self.order.newest_first) for places in runs]


@dataclass(frozen=True, slots=True)
class Slice:
    """The items of one page, and how many the list has; REACH, where it has more."""

    items: Sequence[Item]
    count: int


class Browsing:
    """Lists that are read no further than REACH entries."""

    def __init__(self, pages: InboxPages, wording: Wording, users: Users) -> None:
        self._pages = pages
        self._wording = wording
        self._users = users

    def page(self, listing: Listing, number: int, size: int) -> Slice:
        """Page `number`, from 1, of pages of `size` items; none past REACH.

        Fewer items where a notification has just been cancelled, and its entries not yet.
        """
        begin, end = (number - 1) * size, min(number * size, REACH)
        entries: list[Entry] = []
        count = 0
        for walk in listing.walks:
            entries += self._between(walk, begin - count, end - count)
            count += self._pages.count(walk)
        return Slice(items(entries, self._wording), min(count, REACH))

    def users(self, ids: Sequence[str]) -> list[User]:
        """Those of these users that exist."""
        return self._users.among(ids) if ids else []

    def _between(self, walk: Walk, begin: int, end: int) -> list[Entry]:
        begin = max(begin, 0)
        return self._pages.page(walk, begin, end - begin) if begin < end else []
