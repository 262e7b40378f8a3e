"""Whatever happens to entries, and however it falls together with counting: in the end the figures are the registry's.

Marks, writes and counts go by one watch, which hypothesis moves: marks run out in the midst of all, two leaders count
in turns, one of them forgets what it has seen, a writer stands still between its mark and its write.
"""

from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from notify_server.bootstrap import build_counting, build_erasing, build_retirement
from notify_server.config import Config
from notify_server.domain.audience import Recipient
from notify_server.domain.registry import Event, Note, Reason
from notify_server.services.counting import Counting, Ticks
from notify_server.storage.documents import Store, new_id, object_id
from notify_server.storage.inbox import Inbox, Selection
from notify_server.storage.joint import Joint
from notify_server.storage.notifications import Notifications
from notify_server.storage.receipts import Receipt, Receipts
from notify_server.storage.registry import Arrivals, Registry
from notify_server.storage.sequenced import Sequenced
from notify_server.storage.subscriptions import Subscriptions
from tests.builders import NOON, StoppedClock, a_notification
from tests.counted import Leaps, differences

USERS = [f"u{number}" for number in range(8)]
some_users = st.lists(st.sampled_from(USERS), min_size=1, max_size=8, unique=True)
one_user = st.sampled_from(USERS)
moments = st.sampled_from([1, 4, 6, 11, 40, 90, 200])  # seconds: less and more than marks hold
DAYS = 2
LONG_AGO = NOON - timedelta(days=9)


class DatabaseClock:
    """The database's time as the test moves it, after one election."""

    known, election = True, "first"

    def __init__(self, clock: StoppedClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return self._clock()


class Machine(RuleBasedStateMachine):
    """Notifications of a few users, their entries' moves, and those who count."""

    def __init__(self, database: Store) -> None:
        super().__init__()
        self.database = database

    @initialize()
    def begin(self) -> None:
        self.leaps, self.clock, self.made = Leaps(), StoppedClock(), list[str]()
        self.leaders = [self._leader(), self._leader()]
        self.registry, self.receipts = Registry(self.database), Receipts(self.database)
        self.inbox, self.subscriptions = Inbox(self.database), Subscriptions(self.database)
        self.joint, self.sequenced = Joint(self.database), Sequenced(self.database)
        self.erasing = build_erasing(self.database, self.clock)
        self.retirement = build_retirement(Config(registry_days=DAYS), self.database, self.clock, self.leaps)
        stores = (self.registry, self.receipts, self.inbox, self.subscriptions, self.joint, self.sequenced)
        self.journals = [store._journal for store in stores]
        self.journals.append(self.erasing._traces._journal)
        for journal in self.journals:
            journal._ticks, journal._clock = self.leaps, DatabaseClock(self.clock)
            with journal.changing([]):
                pass
        self.wait(1000)  # now what is new is young to them

    def _leader(self) -> Counting:
        return build_counting(Config(), self.database, self.clock, Ticks(self.leaps, lambda: 0.0))

    def _pick(self, which: int) -> str:
        return self.made[which % len(self.made)]

    @rule(
        young=st.booleans(),
        users=some_users,
        groups=st.lists(st.sampled_from("xy"), unique=True),
        labels=st.tuples(st.sampled_from([None, "news"]), st.sampled_from([None, "school"])),
        mailed=st.booleans(),
    )
    def enter(
        self, young: bool, users: list[str], groups: list[str], labels: tuple[str | None, str | None], mailed: bool
    ) -> None:
        category, community = labels
        identity = new_id(self.clock.now if young else LONG_AGO)
        made = a_notification(id=identity, category=category, community=community, created_at=self.clock.now)
        Notifications(self.database).add(made, None)
        self.database["notifications"].update_one({"_id": object_id(made.id)}, {"$set": {"expanded": True}})
        recipients = [Recipient(user, groups, Reason.MUTED_GROUP if user == "u7" else None) for user in users]
        self.registry.insert([Arrivals(made.id, category, recipients, mailed)], self.clock.now)
        self.made.append(made.id)

    @precondition(lambda self: self.made)
    @rule(which=st.integers(0, 9), users=some_users, event=st.sampled_from([Event.SEND, Event.FAIL, Event.CANCEL]))
    def move(self, which: int, users: list[str], event: Event) -> None:
        reason = {Event.FAIL: Reason.UNREGISTERED, Event.CANCEL: Reason.CANCELLED_BY_BACKEND}.get(event)
        self.registry.move(event, {self._pick(which): users}, Note(self.clock.now, reason))

    @precondition(lambda self: self.made)
    @rule(which=st.integers(0, 9), users=some_users)
    def resend(self, which: int, users: list[str]) -> None:
        self.registry.resend({self._pick(which): users}, self.clock.now, 1)

    @precondition(lambda self: self.made)
    @rule(which=st.integers(0, 9), users=some_users, follows=st.booleans(), done=st.booleans())
    def mail(self, which: int, users: list[str], follows: bool, done: bool) -> None:
        if done:
            note = Note(self.clock.now, None, "mail, attempt 1: accepted", 1)
            self.joint.mailed({self._pick(which): users}, note, push_follows=follows)
        else:
            note = Note(self.clock.now, Reason.BAD_ADDRESS, "mail, attempt 1: bad_address", 1)
            self.joint.unmailable(Event.FAIL, {self._pick(which): users}, note, alone=not follows)

    @precondition(lambda self: self.made)
    @rule(
        which=st.integers(0, 9),
        user=one_user,
        what=st.sampled_from([Event.RECEIVE, Event.READ, Event.BOUNCE]),
        alone=st.booleans(),
    )
    def mail_report(self, which: int, user: str, what: Event, alone: bool) -> None:
        if what is Event.BOUNCE:
            notification, at = self._pick(which), self.clock.now
            self.joint.bounced(notification, user, "mail bounced (5.1.1)", at, alone=alone)
        else:
            said = {Event.RECEIVE: "mail delivered to the recipient's server", Event.READ: "mail opened"}
            self.joint.reported(what, self._pick(which), user, Note(self.clock.now, detail=said[what]), alone=alone)

    @precondition(lambda self: self.made)
    @rule(which=st.integers(0, 9), users=some_users)
    def push_in_vain(self, which: int, users: list[str]) -> None:
        note = Note(self.clock.now, Reason.UNREGISTERED, "attempt 1: unregistered", 1)
        self.joint.unpushable({self._pick(which): users}, note)

    @precondition(lambda self: self.made)
    @rule(which=st.integers(0, 9), users=some_users, follows=st.booleans())
    def emit(self, which: int, users: list[str], follows: bool) -> None:
        note = Note(self.clock.now, None, "emitted to an open socket", 1)
        self.sequenced.emitted({self._pick(which): users}, note, push_follows=follows)

    @precondition(lambda self: self.made)
    @rule(which=st.integers(0, 9), users=some_users)
    def push(self, which: int, users: list[str]) -> None:
        note = Note(self.clock.now, None, "attempt 1: accepted for 1 of 1 devices", 1)
        self.registry.pushed({self._pick(which): users}, note)

    @precondition(lambda self: self.made)
    @rule(which=st.integers(0, 9), users=some_users)
    def hold(self, which: int, users: list[str]) -> None:
        self.registry.hold({self._pick(which): users}, Note(self.clock.now, Reason.NO_DEVICE))

    @precondition(lambda self: self.made)
    @rule(which=st.integers(0, 9))
    def expire(self, which: int) -> None:
        self.registry.move_all(Event.EXPIRE, self._pick(which), Note(self.clock.now, Reason.TTL_OVER))

    @precondition(lambda self: self.made)
    @rule(
        which=st.sets(st.integers(0, 9), min_size=1), user=one_user, event=st.sampled_from([Event.RECEIVE, Event.READ])
    )
    def report(self, which: set[int], user: str, event: Event) -> None:
        names = {self._pick(each) for each in which}
        self.receipts.record(user, [Receipt(name, event, self.clock.now, None) for name in names])

    @rule(user=one_user)
    def read_all(self, user: str) -> None:
        self.inbox.mark_read(user, Selection(), Note(self.clock.now))

    @precondition(lambda self: self.made)
    @rule(which=st.integers(0, 9), user=one_user)
    def mute(self, which: int, user: str) -> None:
        self.subscriptions.suppress(user, [self._pick(which)], Reason.MUTED_GROUP, self.clock.now)

    @rule(user=one_user)
    def erase(self, user: str) -> None:
        if self.database["registry"].find_one({"_id.u": user}) is not None:
            self.erasing.erase(user)

    @precondition(lambda self: self.made)
    @rule(which=st.integers(0, 9), seconds=moments, leader=st.integers(0, 1))
    def stand_still(self, which: int, seconds: float, leader: int) -> None:
        """A writer that is suspended between mark and write, while others count."""
        name, journal = self._pick(which), self.journals[0]
        with journal.changing([name]):
            self.leaders[leader].count()
            self.wait(seconds)
            self.leaders[leader].count()
            sent = {"_id.n": object_id(name), "status": "sent"}
            self.database["registry"].update_many(sent, {"$set": {"status": "received", "received_at": self.clock.now}})
        # The mark after the write waits for no majority, and a snapshot shows nothing before that.
        self.database["leases"].update_one({"_id": "later"}, {"$set": {"owner": None}}, upsert=True)

    @rule(seconds=moments)
    def wait(self, seconds: float) -> None:
        self.leaps.now += seconds
        self.clock.forward(seconds)

    @rule(leader=st.integers(0, 1))
    def count(self, leader: int) -> None:
        self.leaders[leader].count()

    @rule(leader=st.integers(0, 1))
    def replace_leader(self, leader: int) -> None:
        self.leaders[leader] = self._leader()

    @rule()
    def lose_everything_in_memory(self) -> None:
        """Every process is killed and started again."""
        self.leaders = [self._leader(), self._leader()]
        for journal in self.journals:
            journal._marked, journal._steady = {}, self.leaps()

    @precondition(lambda self: self.made)
    @rule(which=st.integers(0, 9))
    def retire(self, which: int) -> None:
        """One becomes old, and the leader retires what is."""
        over = {"state": "done", "open": False, "expires_at": LONG_AGO}
        self.database["notifications"].update_one({"_id": object_id(self._pick(which))}, {"$set": over})
        self.retirement.retire()

    @invariant()
    def every_difference_is_marked(self) -> None:
        unexplained = [found for found in differences(self.database) if "waits to be counted" not in found]
        assert unexplained == []

    def teardown(self) -> None:
        """Everything comes to rest, and is counted."""
        for _ in range(6):
            self.wait(1000)
            for leader in self.leaders:
                leader.count()
        assert self.database["changes"].count_documents({}) == 0
        assert differences(self.database) == []
        for name in self.database.list_collection_names():
            if name not in {"migrations", "keys"}:
                self.database[name].delete_many({})


def test_the_figures_are_those_of_the_registry_whatever_happens(database: Store) -> None:
    often = settings(max_examples=20, stateful_step_count=30, deadline=None)
    run_state_machine_as_test(lambda: Machine(database), settings=often)
