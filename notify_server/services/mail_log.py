"""The mail registry as it is read: what became of each mail, and what it said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from notify_server.domain.mail import MailRecord
from notify_server.domain.texts import Mail
from notify_server.domain.user import User
from notify_server.errors import NotFound
from notify_server.storage.blocked_addresses import BlockedAddresses
from notify_server.storage.mail_pages import MailPages
from notify_server.storage.mails import Mails
from notify_server.storage.users import Users


@dataclass(frozen=True, slots=True)
class ShownMail:
    """A mail with its message, as its reader's profile fills it now.

    None: it is not kept any more, or there never was one.
    """

    record: MailRecord
    message: Mail | None


class MailLog:
    """Answers what administrators ask of mails."""

    def __init__(self, pages: MailPages, mails: Mails, blocked: BlockedAddresses, users: Users) -> None:
        self._pages = pages
        self._mails = mails
        self._blocked = blocked
        self._users = users

    def page(self, filters: Mapping[str, Any], after: str | None, limit: int) -> Sequence[MailRecord]:
        """At most `limit` mails, newest notification first, from the one after `after`; filters as in MailPages."""
        return self._pages.page(filters, after, limit)

    def get(self, mail: str) -> ShownMail:
        """One mail. Raises NotFound."""
        found = self._mails.find(mail)
        if found is None:
            raise NotFound(f"There is no mail {mail[:64]!r}.")
        said = self._mails.content(found.content)
        return ShownMail(found, said and said.filled(self._reader(found)))

    def _reader(self, mail: MailRecord) -> User:
        """Who reads it, at the address that it went to."""
        return replace(next(iter(self._users.among([mail.user])), User(mail.user)), email=mail.address)

    def among(self, user: str, notifications: Sequence[str]) -> Mapping[str, MailRecord]:
        """The mails to one user, by notification, of those of these notifications that have one."""
        return {mail.notification: mail for mail in self._mails.among({n: [user] for n in notifications})}

    def blocked(self, address: str) -> str | None:
        """Why an address is mailed no more: reason and code; None: it is not blocked."""
        return self._blocked.among([address]).get(address)

    def allow(self, address: str) -> bool:
        """Mail a blocked address again. False where it was not blocked."""
        return self._blocked.allow(address)
