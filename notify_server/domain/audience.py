"""Who of an audience is in the next page, and who of them gets nothing, and why."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from notify_server.domain.batch import SIZE
from notify_server.domain.notification import Audience
from notify_server.domain.registry import Reason
from notify_server.domain.user import User


@dataclass(frozen=True, slots=True)
class Recipient:
    """A selected user: the addressed groups through which they were reached, and why they get nothing, if so.

    `overridden`: they have muted it, and get it all the same, because it is mandatory. `locale` is that of the
    template in which they get it; None: there is no template, or their profile names no locale.
    """

    user: str
    groups: tuple[str, ...] = ()
    suppressed: Reason | None = None
    overridden: bool = False
    locale: str | None = None


def is_brief(audience: Audience) -> bool:
    """Whether it is one page of users named one by one: there is nothing to walk."""
    walked = audience.groups or audience.communities or audience.everyone
    return not walked and 0 < len(audience.users) < SIZE


def named_after(audience: Audience, cursor: str, size: int) -> tuple[str, ...]:
    """The next `size` users that the audience names one by one, after `cursor`, in id order."""
    start = bisect_right(audience.users, cursor)
    return audience.users[start : start + size]


def merge_page(named: Sequence[str], members: Sequence[str], size: int) -> tuple[str, ...]:
    """The first `size` of two sorted id lists, each complete up to its last id or shorter than `size`."""
    if not named or not members:
        return tuple((named or members)[:size])
    return tuple(sorted({*named, *members})[:size])


def recipient(
    user: User, audience: Audience, category: str | None, *, mandatory: bool = False, locale: str | None = None
) -> Recipient:
    """How the audience reaches `user`, and whether they have muted it; what is mandatory cannot be muted.

    A muted category silences everything of that category. A muted group silences what comes through it alone: a
    user who is also reached by name, by community, by `everyone` or by another group still gets it.
    """
    through = tuple(sorted(set(audience.groups).intersection(user.groups)))
    muted = _muted(user, audience, category, through)
    return Recipient(user.id, through, None if mandatory else muted, mandatory and muted is not None, locale)


def _muted(user: User, audience: Audience, category: str | None, through: tuple[str, ...]) -> Reason | None:
    if category is not None and category in user.muted_categories:
        return Reason.MUTED_CATEGORY
    directly = audience.everyone or user.community in audience.communities or _names(audience, user.id)
    if through and not directly and user.muted_groups.issuperset(through):
        return Reason.MUTED_GROUP
    return None


def _names(audience: Audience, user: str) -> bool:
    at = bisect_left(audience.users, user)
    return at < len(audience.users) and audience.users[at] == user
