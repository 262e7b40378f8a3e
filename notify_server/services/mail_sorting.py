"""Who of some leased batches gets a mail, what it says, and who gets none, and why: each read is done once for all."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from notify_server.domain import plain_html, user_fields
from notify_server.domain.batch import Batch
from notify_server.domain.mail import Answer, Letter, MailRecord, Service, mail_id
from notify_server.domain.mailing import BLOCKED, DISABLED, WITHOUT_ADDRESS
from notify_server.domain.notification import Notification
from notify_server.domain.outcome import ACCEPTED, Kind, Outcome
from notify_server.domain.registry import Reason, Status
from notify_server.domain.texts import Mail
from notify_server.domain.user import User
from notify_server.services.load import Load, who
from notify_server.services.texts import Mails as Texts
from notify_server.services.unsubscribing import Links
from notify_server.storage.blocked_addresses import BlockedAddresses
from notify_server.storage.joint import Joint
from notify_server.storage.mails import Mails, content_id
from notify_server.storage.notifications import Notifications
from notify_server.storage.registry import Registry
from notify_server.storage.users import Users

_UNREAD = (Status.PENDING, Status.SENT, Status.RECEIVED)
_DELIVERED = {Status.SENT, Status.RECEIVED, Status.READ}
_UNDELIVERED = {Status.FAILED, Status.SUPPRESSED}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A mail that is to be sent now: to whom, and what it says, kept as `content`.

    `mail` is the same object for all who read the same; where it shows fields of theirs, `reader` is who reads it.
    """

    user: str
    letter: Letter
    mail: Mail
    content: str
    reader: User | None = None

    @property
    def subject(self) -> str:
        """The subject as they read it."""
        return self.mail.subject if self.reader is None else user_fields.fill(self.mail.subject, self.reader)


@dataclass(slots=True)
class Parcel:
    """Some users of a batch: its `sheets` are to be sent, the `answers` of others are known already."""

    batch: Batch
    notification: Notification
    users: tuple[str, ...]
    sheets: list[Sheet] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    fresh: dict[str, Answer] = field(default_factory=dict)  # those of the answers that no mail has recorded
    locales: Mapping[tuple[str, str], str] = field(default_factory=dict)  # in the entries, by (notification, user)
    said: dict[str | None, tuple[Mail, str]] = field(default_factory=dict)  # by locale: mails, and their names

    @property
    def unsent(self) -> list[str]:
        """Who was to be sent to, and was not: nothing is known of them."""
        return [sheet.user for sheet in self.sheets if sheet.user not in self.answers]

    def locale(self, user: str) -> str | None:
        """In which locale of the template they read it, by push, inbox and socket as well; None: without a template."""
        texts = self.notification.texts
        return None if texts is None else texts.choose(self.locales.get((self.notification.id, user)))


@dataclass(frozen=True, slots=True)
class Sources:
    """Where it is read, and written that there is a mail."""

    registry: Registry
    joint: Joint
    users: Users
    notifications: Notifications
    mails: Mails
    blocked: BlockedAddresses


class MailSorting:
    """Safe for many threads."""

    def __init__(self, sources: Sources, texts: Texts, links: Links, kept: timedelta) -> None:
        self._sources = sources
        self._texts = texts
        self._links = links
        self._kept = kept

    def sort(self, load: Load, service: Service, now: datetime) -> list[Parcel]:
        """Sort open batches, or those users of theirs that pages name; every mail has its line in the registry then."""
        if not load:
            return []
        pages = [(page.batch, page.batch.users if page.recipients is None else page.recipients) for page in load]
        self._begin_resends(pages, now)
        ids = sorted({page.batch.key.notification for page in load})
        notifications = {found.id: found for found in self._sources.notifications.among(ids)}
        wanted = self._wanted(pages, notifications)
        users = {user.id: user for user in self._sources.users.among(sorted({user for _, user in wanted}))}
        known, locales = self._known(wanted), self._locales(wanted, notifications)
        addresses = {user.email for user in users.values() if user.email}
        blocked = self._sources.blocked.among(addresses) if service is not Service.DISABLED else {}
        parcels = []
        for batch, some in pages:
            parcel = Parcel(batch, notifications[batch.key.notification], some, locales=locales)
            theirs = [user for user in some if (parcel.notification.id, user) in wanted]
            for user in theirs:
                self._place(parcel, users.get(user) or User(user), known.get((parcel.notification.id, user)), service)
            self._block(parcel, blocked)
            self._enter(parcel, users, known, now)
            parcels.append(parcel)
        return parcels

    def _begin_resends(self, pages: Sequence[tuple[Batch, Sequence[str]]], now: datetime) -> None:
        """Sent → pending, for whoever is mailed again by request: first the entry, then the mail."""
        for batch, some in pages:
            if not batch.resends:
                continue
            users = {batch.key.notification: some}
            self._sources.registry.resend(users, now, batch.resends)
            self._sources.joint.reopen(users, batch.resends)
            begun = self._sources.registry.standing(users, [Status.PENDING])
            waiting = [user for _, user in begun]
            self._sources.mails.resend({batch.key.notification: waiting}, batch.resends, now)

    def _wanted(
        self, pages: Sequence[tuple[Batch, Sequence[str]]], notifications: Mapping[str, Notification]
    ) -> set[tuple[str, str]]:
        """(notification, user) of who is to be mailed as their entries stand: unmuted, and not over."""
        found: set[tuple[str, str]] = set()
        for waited in (False, True):
            some = [(b, u) for b, u in pages if (notifications[b.key.notification].email_after is not None) is waited]
            if some:
                statuses = _UNREAD if waited else (*_UNREAD, Status.READ)
                parts = who((batch.key.notification, users) for batch, users in some)
                found.update(self._sources.registry.standing(parts, statuses))
        return found

    def _known(self, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], MailRecord]:
        by_notification: dict[str, list[str]] = defaultdict(list)
        for notification, user in wanted:
            by_notification[notification].append(user)
        found = self._sources.mails.among(by_notification)
        return {(record.notification, record.user): record for record in found}

    def _locales(
        self, wanted: set[tuple[str, str]], notifications: Mapping[str, Notification]
    ) -> Mapping[tuple[str, str], str]:
        """The locales that entries name, of notifications that are said in several."""
        texts = {identity: found.texts for identity, found in notifications.items()}
        several = {identity for identity, said in texts.items() if said is not None and len(said.locales) > 1}
        parts = who((notification, [user]) for notification, user in wanted if notification in several)
        return self._sources.registry.locales(parts) if parts else {}

    def _place(self, parcel: Parcel, user: User, record: MailRecord | None, service: Service) -> None:
        """Into the sheets, or to the answers."""
        if record is not None and record.status is not Status.PENDING:
            if (answer := _recorded(record)) is not None:
                parcel.answers[user.id] = answer
            return
        parked = record is not None and record.reason is Reason.NO_ADDRESS and not parcel.batch.is_awaited
        if service is Service.DISABLED:
            parcel.fresh[user.id] = DISABLED
        elif not user.email or parked:
            parcel.fresh[user.id] = WITHOUT_ADDRESS
        else:
            notification = parcel.notification
            identity = mail_id(notification.id, user.id)
            link = self._links.to(notification, user.id)
            letter = Letter(user.email, identity, record.resends if record else 0, link)
            mail, name = self._say(parcel, parcel.locale(user.id))
            reader = user if notification.texts is not None and notification.texts.fields else None
            parcel.sheets.append(Sheet(user.id, letter, mail, name, reader))

    def _say(self, parcel: Parcel, locale: str | None) -> tuple[Mail, str]:
        """What it says in this locale, and its name; without a template simple HTML as well."""
        notification = parcel.notification
        if locale not in parcel.said:
            mail = self._texts.of(notification, locale)
            if notification.texts is None:
                mail = replace(mail, html=plain_html.page(mail.text, notification.message.link))
            parcel.said[locale] = mail, content_id(notification.id, mail)
        return parcel.said[locale]

    def _block(self, parcel: Parcel, blocked: Mapping[str, str]) -> None:
        if not blocked:
            return
        for sheet in [sheet for sheet in parcel.sheets if sheet.letter.to in blocked]:
            parcel.sheets.remove(sheet)
            parcel.fresh[sheet.user] = Answer(BLOCKED.outcome, blocked[sheet.letter.to])

    def _enter(
        self,
        parcel: Parcel,
        users: Mapping[str, User],
        known: Mapping[tuple[str, str], MailRecord],
        now: datetime,
    ) -> None:
        """Store what is said, then the mails of those that have none: before anything is sent."""
        notification = parcel.notification
        ends_at = max(now, notification.expires_at) + self._kept
        sheets = {sheet.user: sheet for sheet in parcel.sheets}
        said = {sheet.content: sheet.mail for sheet in parcel.sheets}
        self._sources.mails.say(list(said.items()), ends_at)
        self._sources.mails.enter(
            [
                _record(parcel, users.get(user) or User(user), sheets.get(user), (now, ends_at))
                for user in (*sheets, *parcel.fresh)
                if (notification.id, user) not in known
            ]
        )
        parcel.answers.update(parcel.fresh)


def _recorded(record: MailRecord) -> Answer | None:
    """What a dead owner of the batch was told, or the mail service has reported since; None: it is over otherwise."""
    if record.status in _DELIVERED:
        return Answer(ACCEPTED, record.detail, record.provider_id)
    if record.status in _UNDELIVERED:
        return Answer(Outcome(Kind.REJECTED, record.reason), record.detail)
    return None


def _record(
    parcel: Parcel,
    user: User,
    sheet: Sheet | None,
    times: tuple[datetime, datetime],
) -> MailRecord:
    """The line of a mail that is made now and goes then."""
    now, ends_at = times
    notification, texts = parcel.notification, parcel.notification.texts
    return MailRecord(
        id=mail_id(notification.id, user.id),
        notification=notification.id,
        user=user.id,
        status=Status.PENDING,
        created_at=now,
        expires_at=notification.expires_at,
        ends_at=ends_at,
        address=user.email,
        category=notification.category,
        action=notification.action,
        template=None if texts is None else texts.template,
        locale=parcel.locale(user.id),
        content=None if sheet is None else sheet.content,
        subject=None if sheet is None else sheet.subject,
    )
