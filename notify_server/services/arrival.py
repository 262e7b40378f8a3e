"""Writing recipients into the registry: unknown users are made, muted ones suppressed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from notify_server import failpoints, metrics
from notify_server.domain.audience import Recipient, recipient
from notify_server.domain.notification import Channel, Notification
from notify_server.domain.registry import Reason
from notify_server.domain.texts import Texts
from notify_server.domain.user import User
from notify_server.services.load import Entered
from notify_server.storage.erasures import Erasures
from notify_server.storage.members import Members
from notify_server.storage.registry import Arrivals, Registry
from notify_server.storage.users import Users


@dataclass(frozen=True, slots=True)
class Selection:
    """Users whom a notification selects; `members` are those of them that have been read already."""

    notification: Notification
    users: Sequence[str]
    members: Sequence[User] = ()


class Arrival:
    """Where recipients become entries."""

    def __init__(self, members: Members, users: Users, registry: Registry, erasures: Erasures) -> None:
        self._members = members
        self._users = users
        self._registry = registry
        self._erasures = erasures

    def enter(self, selections: Sequence[Selection], at: datetime) -> list[Entered]:
        """Write the entries of all `selections`; returns who is to be sent to, for each."""
        arrivals = self.prepare(selections, at)
        self._registry.insert(arrivals, at)
        return self.conclude(selections, arrivals, at)

    def prepare(self, selections: Sequence[Selection], at: datetime) -> list[Arrivals]:
        """Who is to get an entry, for each selection; unknown users are made."""
        known = self._known(selections, at)
        failpoints.passes("expansion.users")
        return [self._arrivals(selection, known) for selection in selections]

    def conclude(self, selections: Sequence[Selection], arrivals: Sequence[Arrivals], at: datetime) -> list[Entered]:
        """The entries are there: returns who is to be sent to, for each selection.

        Who was erased since a notification was accepted is entered all the same, has no device, and is erased again.
        """
        accepted = [(selection.notification.created_at, selection.users) for selection in selections]
        since = min((when for when, _ in accepted), default=at)
        self._erasures.again(since, ((user, when) for when, users in accepted for user in users))
        pages = [page.recipients for page in arrivals]
        entered = [_entered(page) for page in pages]
        sent, all_of_them = sum(len(each.users) for each in entered), sum(map(len, pages))
        metrics.EXPANDED.labels("pending").inc(sent)
        metrics.EXPANDED.labels("suppressed").inc(all_of_them - sent)
        return entered

    def _arrivals(self, selection: Selection, known: Mapping[str, User]) -> Arrivals:
        notification = selection.notification
        mailed = Channel.EMAIL in notification.channels
        return Arrivals(notification.id, notification.category, self._recipients(selection, known), mailed)

    def _recipients(self, selection: Selection, known: Mapping[str, User]) -> list[Recipient]:
        notification = selection.notification
        audience, category, mandatory = notification.audience, notification.category, notification.mandatory
        users = [known[user] for user in selection.users]
        chosen = _choices(notification.texts, {user.locale for user in users}) if notification.texts else {}
        found = [
            recipient(user, audience, category, mandatory=mandatory, locale=chosen.get(user.locale)) for user in users
        ]
        if notification.disabled:
            found = [replace(each, suppressed=Reason.ACTION_DISABLED, overridden=False) for each in found]
        return found

    def _known(self, selections: Sequence[Selection], at: datetime) -> dict[str, User]:
        """Every user of the selections: read before, read now, or made now."""
        known = {user.id: user for selection in selections for user in selection.members}
        others = {user for selection in selections for user in selection.users}.difference(known)
        if others:
            known.update((user.id, user) for user in self._members.among(sorted(others)))
        for selection in selections:
            community = selection.notification.community
            unknown = {user: User(user, community) for user in selection.users if user not in known}
            self._users.mention(unknown, community, at)
            known.update(unknown)
        return known


def _choices(texts: Texts, locales: Iterable[str | None]) -> Mapping[str | None, str | None]:
    """For each locale that a profile names, the one of the template that its user gets: few, whatever their number."""
    return {locale: texts.choose(locale) if locale else None for locale in locales}


def _entered(page: Sequence[Recipient]) -> Entered:
    unmuted = [recipient for recipient in page if recipient.suppressed is None]
    locales = {recipient.user: recipient.locale for recipient in unmuted if recipient.locale is not None}
    return Entered(tuple(recipient.user for recipient in unmuted), locales)
