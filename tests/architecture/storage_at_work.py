"""Every method of storage/ at work on one database."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from notify_server.domain.action import Action
from notify_server.domain.audience import Recipient
from notify_server.domain.audit import Change, Kind, Party
from notify_server.domain.batch import Batch, Rank, Stage
from notify_server.domain.inbox import VISIBLE, Place
from notify_server.domain.mail import MailRecord, mail_id
from notify_server.domain.notification import Audience, Channel, Notification, Priority, State
from notify_server.domain.pace import Limits
from notify_server.domain.registry import Event, Note, Reason, Status
from notify_server.domain.statistics import ALL, Dimension, Labels, Part
from notify_server.domain.statistics import Kind as Figures
from notify_server.domain.template import Content, Source
from notify_server.domain.texts import Mail
from notify_server.domain.user import Mutable
from notify_server.storage import mails as mail_store
from notify_server.storage.actions import Actions
from notify_server.storage.audit import Audit
from notify_server.storage.backlog import Backlog
from notify_server.storage.batches import Batches, Settled
from notify_server.storage.blocked_addresses import BlockedAddresses
from notify_server.storage.changes import Changes
from notify_server.storage.clients import Clients, Secret
from notify_server.storage.counts import LEASE, Counts
from notify_server.storage.devices import Contact, Devices
from notify_server.storage.documents import Store, object_id
from notify_server.storage.entries import Entries
from notify_server.storage.erasures import Erasures
from notify_server.storage.expansions import Expansions
from notify_server.storage.groups import Groups
from notify_server.storage.hash_keys import HashKeys
from notify_server.storage.inbox import Inbox, Selection
from notify_server.storage.inbox_pages import InboxPages, Walk
from notify_server.storage.joint import Joint
from notify_server.storage.journal import Journal
from notify_server.storage.leases import Leases
from notify_server.storage.mail_pages import MailPages
from notify_server.storage.mails import Mails, content_id
from notify_server.storage.members import Members
from notify_server.storage.notifications import Idempotency, Notifications
from notify_server.storage.paces import Paces
from notify_server.storage.personal import Personal
from notify_server.storage.receipts import Receipt, Receipts
from notify_server.storage.recount import Recount
from notify_server.storage.registry import Arrivals, Registry
from notify_server.storage.resends import Again, Request, Resends
from notify_server.storage.retirements import Retirements
from notify_server.storage.rollup_check import RollupCheck
from notify_server.storage.sequenced import Sequenced
from notify_server.storage.sequences import NewPage, Sequences
from notify_server.storage.sessions import Session, Sessions
from notify_server.storage.settings import Settings
from notify_server.storage.snapshots import Snapshots
from notify_server.storage.statistics import Statistics
from notify_server.storage.subjects import Subjects
from notify_server.storage.subscriptions import Subscriptions
from notify_server.storage.tallies import Tallies
from notify_server.storage.templates import Templates
from notify_server.storage.traces import Traces
from notify_server.storage.users import Users
from notify_server.storage.workers import Workers
from tests.architecture.figures_at_work import read_figures
from tests.builders import NOON, a_batch, a_device, a_notification, after, recipients

USERS = [f"u{number:03}" for number in range(300)]
MANY = tuple(f"g{number:03}" for number in range(150))


class Recorded:
    """A collection that notes which of its methods were called."""

    def __init__(self, store: Any, called: set[str]) -> None:
        self._store = store
        self._called = called

    def __getattr__(self, name: str) -> Any:
        self._called.add(f"{type(self._store).__name__}.{name}")
        return getattr(self._store, name)


class Work:
    """Does all that storage/ can do, as services ask for it, with enough data to make an index worth choosing."""

    def __init__(self, database: Store) -> None:
        self.called: set[str] = set()
        self.database = database

        def watch(store: Any) -> Any:
            return Recorded(store, self.called)

        self._watch = watch
        self.batches, self.backlog = watch(Batches(database)), watch(Backlog(database))
        self.devices = watch(Devices(database))
        self.entries, self.registry = watch(Entries(database)), watch(Registry(database))
        self.expansions, self.notifications = watch(Expansions(database)), watch(Notifications(database))
        self.users, self.members, self.groups = (
            watch(Users(database)),
            watch(Members(database)),
            watch(Groups(database)),
        )
        self.clients, self.leases, self.receipts = (
            watch(Clients(database)),
            watch(Leases(database)),
            watch(Receipts(database)),
        )
        self.resends, self.sessions = watch(Resends(database)), watch(Sessions(database))
        self.mails, self.mail_pages, self.joint = (
            watch(Mails(database)),
            watch(MailPages(database)),
            watch(Joint(database)),
        )
        self.blocked, self.settings = watch(BlockedAddresses(database)), watch(Settings(database))
        self.inbox, self.subscriptions = watch(Inbox(database)), watch(Subscriptions(database))
        self.inbox_pages = watch(InboxPages(database))
        self.erasures, self.hash_keys = watch(Erasures(database)), watch(HashKeys(database))
        self.traces = watch(Traces(database, self.erasures))
        self.audit, self.personal = watch(Audit(database)), watch(Personal(database))
        self.sequences, self.sequenced = watch(Sequences(database)), watch(Sequenced(database))
        self.templates, self.actions = watch(Templates(database)), watch(Actions(database))
        self.paces, self.workers = watch(Paces(database)), watch(Workers(database))
        self.mailers = watch(Workers(database, Channel.EMAIL))
        self.changes, self.journal = watch(Changes(database)), watch(Journal(database))
        self.recount, self.subjects, self.counts = (
            watch(Recount(database)),
            watch(Subjects(database)),
            watch(Counts(database, size=40)),
        )
        self.tallies, self.statistics = watch(Tallies(database)), watch(Statistics(database))
        self.rollups, self.snapshots = watch(RollupCheck(database)), watch(Snapshots(database))
        self.retirements = watch(Retirements(database))
        self.made = [self._notification(number) for number in range(60)]
        self.first: Notification = self.made[0]

    def _notification(self, number: int) -> Notification:
        made = a_notification(
            category=f"c{number % 7}",
            community=f"school{number % 5}",
            client=f"c{number % 11}",
            state=State.SCHEDULED if number % 9 == 8 else State.ACCEPTED,
            priority=list(Priority)[number % 2],
            ttl=1 + number,
        )
        self.notifications.add(made, Idempotency("backend", f"k{number}", "f") if number % 2 else None)
        return made

    def all(self) -> None:
        """Do everything."""
        for part in (self._users, self._devices, self._registry, self._notifications, self._expansions, self._batches):
            part()
        self._sequences()
        self._others()
        self._templates()
        read_figures(self.database, self._watch)
        self._people()
        self._figures()

    def _users(self) -> None:
        self.users.mention(USERS, "school1", NOON)
        self.users.put("u000", {"community": "school0"}, NOON)
        self.users.get("u000")
        self.users.beginning_with("u00", 9)
        self.users.among(USERS[:9])
        for number, group in enumerate(MANY):
            self.groups.put(group, None, NOON)
            self.groups.add(group, USERS[number : number + 3])
        self.groups.get("g000")
        self.groups.remove("g000", USERS[:2])
        for audience in (
            Audience(everyone=True),
            Audience(groups=MANY[:3], communities=("school0",)),
            Audience(groups=MANY, communities=MANY),
        ):
            self.members.page(audience, "u001", 50)
        self.members.among(USERS[:9])
        self.members.of_group("g001", "", 9)
        self.members.count("g001")
        self.groups.delete("g001")

    def _devices(self) -> None:
        for user in USERS:
            self.devices.register(a_device(user))
        self.devices.register(a_device("u001", "tablet", "u000:phone"))
        self.devices.of_user("u001")
        self.devices.find("u001", "phone")
        for number in range(9):
            self.devices.register(a_device("u299", f"d{number}"))
        self.devices.bound("u299", 5, NOON)
        self.devices.bound("u299", 2, NOON)
        self.devices.localised(USERS[:50])
        self.devices.locales(USERS[:50])
        gone = [owned for owned in self.devices.targets(USERS[:50]) if owned[0] == "u003"]
        self.devices.deactivate({Reason.UNREGISTERED: gone}, NOON)
        self.devices.delete("u001", "phone")
        self.devices.confirm([Contact("u001", "tablet", after(9))], timedelta(seconds=9))
        self.devices.remove_silent(after(1), 9)

    def _registry(self) -> None:
        n = self.first.id
        pages = [Arrivals(notification.id, None, recipients(*USERS[:100])) for notification in self.made[:20]]
        self.registry.insert([*pages, Arrivals(n, None, [Recipient("muted", (), Reason.MUTED_GROUP)])], NOON)
        self.registry.move(Event.SEND, {n: USERS[:50], self.made[1].id: USERS[:9]}, Note(NOON))
        self.registry.resend({n: USERS[:10]}, NOON, 1)
        self.registry.hold({n: USERS[60:70]}, Note(NOON, Reason.NO_DEVICE))
        self.registry.standing({n: USERS[:50], self.made[1].id: USERS[:9]}, [Status.PENDING, Status.SENT])
        self.registry.locales({n: USERS[:50]})
        self.registry.waiting("u060", Reason.NO_DEVICE)
        self.receipts.known("u020", [n])
        for event in (Event.RECEIVE, Event.READ):
            self.receipts.record("u020", [Receipt(n, event, NOON, None)])
        self._inbox(n)
        self._inbox_pages()
        self.entries.of_notification(n, None, "u010", 9)
        self.entries.of_notification(n, "pending", None, 9)
        self.entries.of_user("u010", n, 9)
        self.entries.of_user("u010", None, 9)
        self.entries.find(n, "u010")
        self.entries.counts(n)
        self.entries.count(n, Status.SENT)
        self.registry.pending(n, "u010", 9)
        self.registry.unconfirmed(n, NOON, "u010", 9)
        self.registry.unconfirmed_among(n, NOON, USERS[:9])
        self.registry.count_unconfirmed(n, None)
        self.registry.count_unconfirmed(n, USERS[:9])
        self.registry.move_all(Event.EXPIRE, n, Note(NOON, Reason.TTL_OVER))
        self.entries.erased(n)

    def _inbox(self, n: str) -> None:
        for places, filters in ((VISIBLE, {}), ([Place.READ], {}), (VISIBLE, {"groups": "g", "category": "c"})):
            self.inbox.page("u010", places, filters, None, 9)
            self.inbox.page("u010", places, filters, n, 9)
        self.inbox.find("u010", n)
        self.inbox.unread("u010")
        self.inbox.unread_of(["u010", "u011"])
        list(self.inbox.unread_alike("u010"))
        self.inbox.accepted_in("u010", NOON)
        for read in (True, False):
            self.inbox.mark_one("u010", n, Note(NOON), read=read)
        for selection in (Selection(["g"], ["c"], NOON, [n]), Selection()):
            self.inbox.mark_read("u010", selection, Note(NOON))
        for kind in Mutable:
            self.subscriptions.mute("u060", kind, "x", 9, NOON)
            self.subscriptions.under_way("u060", kind, "x", NOON)
            self.subscriptions.unmute("u060", kind, "x", NOON)
        self.subscriptions.suppress("u060", [n], Reason.MUTED_GROUP, NOON)

    def _inbox_pages(self) -> None:
        for user in ("u010", None):
            for places in (VISIBLE, [Place.READ]):
                for newest_first in (True, False):
                    self.inbox_pages.page(Walk(user, places, newest_first), 3, 9)
                    self.inbox_pages.count(Walk(user, places, newest_first))

    def _notifications(self) -> None:
        self.notifications.get(self.first.id)
        self.notifications.mails(self.first.id)
        self.notifications.add_all([(a_notification(), None), (a_notification(), None)])
        self.notifications.among([self.first.id, self.made[1].id])
        self.notifications.by_idempotency("backend", "k1")
        for filters in (
            {},
            {"category": "c3"},
            {"community": "school2"},
            {"state": "scheduled"},
            {"category": "c1", "community": "school1", "state": "accepted"},
            {"from": NOON, "to": after(1)},
        ):
            self.notifications.page(filters, self.made[50].id, 9)
        self.notifications.cancel(self.made[-2].id)
        self.notifications.mails(self.first.id)
        self.notifications.attachments(self.first.id)
        self.notifications.unswept(9)
        self.notifications.swept(self.made[-2].id)

    def _expansions(self) -> None:
        claims = self.expansions.claim("one", NOON, after(30), 9)
        ids = [claim.notification.id for claim in claims]
        for notification in ids[:5]:
            self.expansions.advance(notification, "one", ("", "u1"), 1, last=True)
        self.expansions.complete([(ids[7], "u1", 1), (ids[8], "u1", 1)], "one")
        self.expansions.renew([ids[6]], "one", after(60))
        self.expansions.progress(ids[:3])
        self.expansions.unfinished(9)
        self.expansions.finish(ids[:1])
        self.expansions.expired(after(9999), 9)
        self.expansions.close(ids[1])
        self.expansions.reap(after(30))
        self.expansions.resign("one", NOON)
        self.expansions.next_release()
        self.expansions.release(NOON)
        self.expansions.oldest_due(NOON)

    def _batches(self) -> None:
        for notification in self.made:
            for stage, channel in zip(Stage, (Channel.PUSH, Channel.PUSH, Channel.REALTIME), strict=True):
                self.batches.add(a_batch(notification.id, page=stage.value, stage=stage, channel=channel))
        self.batches.add(a_batch(self.first.id, page=Stage.DISPATCH.value))
        self.batches.add_all([a_batch(self.first.id, page=str(number)) for number in range(9)])
        leased: list[Batch] = self.batches.lease(Channel.PUSH, "one", NOON, after(30))
        self.batches.find(leased[0].key)
        self.batches.call(leased[0])
        self.batches.awaited(self.first.id, ["u1", "u2"])
        self.batches.holds("one", leased[0])
        self.batches.let_go([a_batch(self.first.id).key], "one", NOON)
        self.batches.give_back(leased[0], "one", after(30))
        self.batches.renew([batch.key for batch in leased], "one", after(30))
        split = [a_batch(leased[3].key.notification, part="1")]
        settled = [
            Settled(leased[1]),
            Settled(leased[2], replace(leased[2], owner=None)),
            Settled(leased[3], None, split),
        ]
        self.batches.settle(settled, "one")
        self.backlog.reap(after(30))
        self.batches.resign("one", NOON)
        self.backlog.recall(NOON)
        self.backlog.dispatching([notification.id for notification in self.made[:5]])
        self.backlog.oldest_due(Channel.PUSH, NOON)
        self.backlog.announced(1, 9)
        self.backlog.held(self.first.id, NOON)
        self.backlog.queued(self.first.id, 9)
        self.backlog.left(self.first.id)
        self.backlog.recall_settled(self.made[8].id, [10, 20], NOON, NOON)
        self._resends()
        self.backlog.withdraw(self.made[9].id, "u5", NOON)
        self.backlog.drop(self.first.id)

    def _resends(self) -> None:
        requests = [Request(made.id, None, "token", NOON, 9) for made in self.made[10:40]]
        for request in requests:
            self.resends.add(request)
        self.resends.add(requests[0])
        self.batches.add(a_batch(requests[0].notification, "u2", page="u1", stage=Stage.CONFIRM))
        self.resends.waiting(9)
        self.resends.requested(requests[0].notification)
        self.resends.queue(Again(requests[0], {"u1": 0, "u2": 0}, "u2"), NOON, Rank.BULK)
        self.resends.finish(requests[0])

    def _sequences(self) -> None:
        live = [a_notification(channels=(Channel.REALTIME,)) for _ in range(40)]
        for number, made in enumerate(live):
            self.notifications.add(made, None)
            self.database["notifications"].update_one({"_id": object_id(made.id)}, {"$set": {"owner": "one"}})
            users = USERS[number : number + 20]
            announcement = a_batch(made.id, *users, channel=Channel.REALTIME, stage=Stage.ANNOUNCE)
            page = NewPage("", [announcement], Arrivals(made.id, None, recipients(*users)))
            self.sequences.enter([page], "one", NOON)
        self.sequences.last()
        n = live[20].id
        self.sequenced.among({n: USERS[20:30]})
        self.sequenced.beyond_pending(n, USERS[20:30])
        self.sequenced.number("u025", n)
        self.sequenced.between("u025", 10, 30, 5)
        self.sequenced.since("u025", after(-1), 30, 5)
        self.sequenced.emitted({n: USERS[20:30]}, Note(NOON), push_follows=True)
        self.registry.unsent({n: USERS[20:30]})
        self.registry.may_be_pushed(n)
        self.registry.hold({n: USERS[20:30]}, Note(NOON, Reason.NO_DEVICE), told=True)
        self.registry.pushed({n: USERS[20:30]}, Note(NOON))
        self.registry.pushed({n: USERS[20:30]}, Note(NOON, Reason.UNREGISTERED))
        self.backlog.announced(10, 9)

    def _templates(self) -> None:
        content = Content("en", {"en": Source("T")})
        for name in MANY:
            self.templates.add(name, content, None, NOON)
            self.actions.put(Action(name, name, (Channel.PUSH,), NOON))
        self.templates.newest("g003")
        self.templates.get("g003", 1)
        self.templates.listed("g003", 9)
        self.templates.versions("g003", None, 9)
        self.templates.versions("g003", 3, 9)
        self.actions.find("g003")
        self.actions.listed("g003", 9)

    def _people(self) -> None:
        self._mails()
        self.personal.profile("u070")
        list(self.personal.mails("u070"))
        self.personal.devices("u070")
        self.personal.page("u070", None)
        self.personal.page("u070", self.made[30].id)
        list(self.personal.waiting("u070"))
        self._audit()
        self.hash_keys.get("fingerprints")
        self.erasures.pseudonym("u070")
        self.traces.present("u070")
        erasure = self.erasures.begin("u070", after(1))
        self.erasures.again(NOON, [("u070", NOON)])
        self.erasures.running(9)
        for user in USERS[:100]:
            self.erasures.begin(user, NOON)
        self.traces.remove_person(erasure)
        self.traces.unname(erasure)
        self.database["notifications"].update_many(
            {"_id": {"$gt": object_id(self.made[3].id)}}, {"$set": {"expanded": True, "recipients": 1}}
        )
        for ids in (self.made[5].id, None):
            self.traces.sweep(erasure, ids and object_id(ids), 9, after(99))
        self.traces.remove_echo(erasure, after(999))
        self.erasures.complete(erasure)
        self.erasures.get(erasure)
        self.erasures.find("u070")

    def _mails(self) -> None:
        said = Mail("s", "t")
        for number, made in enumerate(self.made):
            name, users = content_id(made.id, said), [*USERS[number : number + 20], "u070"]
            self.mails.say([(name, said)], after(60))
            self.mails.enter([_a_mail(made.id, user, number, name) for user in users])
        n, user = self.made[20].id, USERS[25]
        mail = mail_id(n, user)
        self.mails.among({n: USERS[20:30]})
        self.mails.find(mail)
        self.mails.content(content_id(n, said))
        self.mails.awaiting(user)
        self.mails.record([mail_store.Recorded(mail, Status.SENT, NOON, 1, {"reason": None})])
        self.mails.move(mail, Event.RECEIVE, NOON)
        self.mails.resend({n: USERS[20:30]}, 1, NOON)
        self.mails.cancel(n, [USERS[26]], NOON)
        self.mails.expire(after(5))
        for filters in (
            {},
            {"recipient": user},
            {"action": "a1"},
            {"status": "pending"},
            {"from": NOON, "to": after(9)},
        ):
            self.mail_pages.page(filters, None, 9)
            self.mail_pages.page(filters, mail, 9)
        for address in USERS:
            self.blocked.block(address, Reason.BOUNCED, None, NOON)
        self.blocked.among(USERS[:9])
        self.blocked.allow(USERS[0])
        self._joint(n)
        for name in USERS[:20]:
            self.settings.put(name, {}, 0, NOON)
        self.settings.put(USERS[0], {}, 1, NOON)
        self.settings.get(USERS[0])

    def _joint(self, n: str) -> None:
        who, note = {n: USERS[20:30]}, Note(NOON, Reason.DEFERRED, "mail: deferred")
        for push_follows in (True, False):
            self.joint.unmailed(who, note, push_follows=push_follows)
            self.joint.mailed(who, note, push_follows=push_follows)
            self.joint.unmailable(Event.FAIL, who, note, alone=not push_follows)
        self.joint.unpushable(who, note)
        self.joint.reopen(who, 1)
        self.joint.reported(Event.RECEIVE, n, USERS[24], note, alone=True)
        self.joint.reported(Event.RECEIVE, n, USERS[23], note, alone=False)
        for at, user in enumerate(USERS[25:29]):
            self.joint.bounced(n, user, "mail bounced", NOON, alone=at % 2 == 0)

    def _figures(self) -> None:
        names = [made.id for made in self.made]
        with self.journal.entering(names[:3]), self.journal.changing(names[3:5]), self.journal.changing_all(names[0]):
            marks = self.changes.marks(9)
        self.changes.settle([(mark, names[:1]) for mark in marks])
        self.leases.hold(LEASE, "one", NOON, after(9999))
        self.leases.extend(LEASE, "one", after(9999))
        self.leases.owner(LEASE)
        self.counts.count_brief(names[5:30], "one", NOON)
        for number in range(-1, 3):
            self.counts.count_chunk(names[0], number, "one", NOON)
        self._counted(names)
        self.counts.forget(names[6], "one")
        self.changes.settle([(mark, mark.notifications) for mark in self.changes.marks()])
        self.counts.retire(names[10:30], "one", NOON)
        self.database["notifications"].update_many(
            {"_id": {"$gt": object_id(names[40])}}, {"$set": {"state": State.DONE.value, "open": False}}
        )
        self.retirements.over(after(99_999), 9)
        self.retirements.retired(9)
        self.retirements.remove_entries(names[10], "", 9)
        self.retirements.remove(names[10])

    def _counted(self, names: list[str]) -> None:
        """Reads of what was counted."""
        for of in (ALL, Dimension(Figures.COMMUNITY, "school1", "c1")):
            self.statistics.months(of, NOON, NOON, times=True)
            self.statistics.days(of, NOON, NOON, times=False)
            self.statistics.quarters(of, NOON, NOON, rest=True)
            list(self.statistics.some_quarters(of, [NOON, after(9 * 86_400)], [3, 4]))
        part = Part(NOON, None, {"sent": 1})
        self.statistics.add([(Labels("c1", "school1"), part)])
        chunks = self.tallies.page(None, 9)
        self.tallies.page((chunks[3].notification, chunks[3].number), 9)
        self.tallies.of(names[:9])
        self.tallies.whole(names[:9])
        self.tallies.parts(names[0])
        self.tallies.holding("u100", names[:9])
        self.tallies.among([(names[0], 0), (names[0], 1)])
        self.subjects.of(names[:9])
        self.subjects.page(names[3], 9)
        self.recount.of(names[:3])
        self.recount.between(names[0], "u010", None)
        self.recount.between(names[0], "u010", "u020")
        self.recount.boundary(names[0], "u010", 20)
        with self.snapshots.session() as session:
            self.changes.marks(session=session)
        with self.database.client.start_session() as session, session.start_transaction():
            self.tallies.replace(chunks[:3], session)
            self.tallies.remove(names[20:22], session)
            self.subjects.keep_erased({names[0]: [part]}, {names[0]: 1}, session)
            self.subjects.recounted(names[0], [1], session)
            self.subjects.retire(names[50:51], NOON, session)
        self._rollups()
        self.tallies.drop(chunks[0])

    def _rollups(self) -> None:
        list(self.rollups.begin())
        list(self.rollups.add([(Labels("c1", "school1"), Part(NOON, None, {"sent": 1}))]))
        for unequal in filter(None, self.rollups.unequal()):
            self.rollups.correct(unequal)
        self.rollups.end()

    def _audit(self) -> None:
        for number in range(40):
            actor, about = Party(Kind.CLIENT, f"c{number}"), Party(Kind.USER, f"u{number:03}")
            line = self.audit.begin(Change(actor, f"users.{number % 7}", None, about), after(number), timedelta(days=1))
            self.audit.end(line, 200, None)
        for filters in (
            {},
            {"actor": ["c1"], "from": NOON, "to": after(30)},
            {"actor": ["c1"]},
            {"object": ["u001"]},
            {"action": ["users.1"]},
            {"actor": ["c1"], "object": ["u001"], "action": ["users.1"]},
            {"object": [self.first.id]},
        ):
            self.audit.page(filters, None, 9)
            self.audit.page(filters, line, 9)
        self.audit.about("u001", None, 9)
        self.audit.rename("u001", "p")

    def _others(self) -> None:
        for number in range(20):
            self.clients.add(f"client{number}", "name", [], Secret("hash"), NOON)
        self.clients.rotate(self.clients.find("client1"), Secret("other"), after(30), NOON)
        self.clients.listed()
        self.clients.listed("client1", 9)
        self.clients.used("client1", NOON)
        self.clients.revoke("client1", NOON)
        for number in range(20):
            self.sessions.add(Session(f"digest{number}", "client1", "proof", NOON, after(60)))
        self.sessions.find("digest1", NOON)
        self.sessions.extend("digest1", after(90))
        self.sessions.end("digest2")
        self.leases.hold("scheduler", "one", NOON, after(30))
        self.leases.release("scheduler", "one")
        self.paces.get(Channel.PUSH)
        self.paces.change(Channel.PUSH, lambda pace: pace.busy(Limits(1000.0, 60.0), NOON, 0.5))
        self.paces.change(Channel.PUSH, lambda pace: pace.busy(Limits(1000.0, 60.0), after(1), 0.5))
        for number in range(20):
            self.workers.report(f"w{number}", NOON, after(3 if number % 2 else -3), sending=number % 3 == 0)
        for number in range(20):
            self.mailers.report(f"w{number}", NOON, after(3 if number % 2 else -3), sending=number % 3 == 0)
        self.mailers.sending(NOON)
        self.mailers.alive(NOON)
        self.workers.sending(NOON)
        self.workers.alive(NOON)
        self.workers.leave("w1")


def _a_mail(notification: str, user: str, number: int, content: str) -> MailRecord:
    return MailRecord(
        id=mail_id(notification, user),
        notification=notification,
        user=user,
        status=list(Status)[number % len(Status)],
        created_at=NOON,
        expires_at=after(number),
        ends_at=after(3600),
        reason=Reason.NO_ADDRESS if number % 3 else None,
        action=f"a{number % 7}",
        content=content,
    )
