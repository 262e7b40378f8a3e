"""One status for two channels, whichever of them comes first."""

import pytest

from notify_server.domain.registry import Event, Note, Reason
from notify_server.storage.documents import new_id
from notify_server.storage.joint import Joint
from notify_server.storage.registry import Arrivals, Registry
from notify_server.storage.sequenced import Sequenced
from tests.builders import NOON, after, recipients

SENT = Note(after(1), None, "mail, attempt 1: accepted", 1)
DEAD = Note(after(1), Reason.BAD_ADDRESS, "mail, attempt 1: bad_address", 1)
WAITS = Note(after(1), Reason.DEFERRED, "mail, attempt 1: deferred", 1)
UNPUSHABLE = Note(after(2), Reason.UNREGISTERED, "attempt 1: unregistered", 1)


class Desk:
    def __init__(self, database):
        self.joint, self.registry = Joint(database), Registry(database)
        self.sequenced = Sequenced(database)
        self.n = new_id(NOON)
        self.registry.insert([Arrivals(self.n, None, recipients("a"))], NOON)
        self.who = {self.n: ["a"]}
        self._all = database["registry"]

    def entry(self):
        return self._all.find_one({"_id.u": "a"})

    def stands(self):
        entry = self.entry()
        assert entry["history"][-1]["status"] == entry["status"]
        return entry["status"], entry["reason"]

    def details(self):
        return [line["detail"] for line in self.entry()["history"]]


@pytest.fixture
def desk(database):
    return Desk(database)


def test_a_mail_alone_moves_its_entry(desk):
    desk.joint.unmailed(desk.who, WAITS, push_follows=False)
    assert desk.stands() == ("pending", "deferred")
    desk.joint.mailed(desk.who, SENT, push_follows=False)
    assert desk.stands() == ("sent", None)
    assert desk.entry()["attempts"] == 2
    assert desk.entry()["sent_at"] == after(1)


@pytest.mark.parametrize(("event", "status"), [(Event.FAIL, "failed"), (Event.DISABLE, "suppressed")])
def test_a_mail_alone_that_cannot_be_sent_ends_its_entry(desk, event, status):
    desk.joint.unmailable(event, desk.who, DEAD, alone=True)
    assert desk.stands() == (status, "bad_address")


def test_what_is_repeated_after_a_crash_is_written_once(desk):
    for _ in range(2):
        desk.joint.mailed(desk.who, SENT, push_follows=True)
    assert desk.details() == [None, "mail, attempt 1: accepted"]
    assert desk.entry()["attempts"] == 1


def test_an_entry_that_is_read_by_then_stays_read_and_its_history_tells_of_the_mail(desk):
    desk.registry.move(Event.READ, desk.who, Note(after(1), detail="device phone"))
    desk.joint.mailed(desk.who, SENT, push_follows=False)
    assert desk.stands() == ("read", None)
    assert desk.details()[-1] == "mail, attempt 1: accepted"


def test_push_follows_a_mail_and_keeps_its_own_reason(desk):
    desk.registry.hold(desk.who, Note(after(1), Reason.NO_DEVICE, "no device"))
    desk.joint.mailed(desk.who, SENT, push_follows=True)
    assert desk.stands() == ("sent", "no_device")
    assert desk.registry.unsent(desk.who) == {(desk.n, "a"): "no_device"}
    desk.registry.pushed(desk.who, Note(after(2), None, "attempt 1: accepted", 1))
    assert desk.stands() == ("sent", None)


@pytest.mark.parametrize("mail_first", [True, False])
def test_an_entry_fails_when_both_channels_have_and_tells_the_reason_of_push(desk, mail_first):
    def mail():
        desk.joint.unmailable(Event.FAIL, desk.who, DEAD, alone=False)

    def push():
        desk.joint.unpushable(desk.who, UNPUSHABLE)

    first, second = (mail, push) if mail_first else (push, mail)
    first()
    first()
    assert desk.stands()[0] == "pending"
    second()
    assert desk.stands() == ("failed", "unregistered")
    assert desk.entry()["attempts"] == 2


def test_push_that_fails_after_the_mail_got_through_leaves_it_sent(desk):
    desk.joint.mailed(desk.who, SENT, push_follows=True)
    desk.joint.unpushable(desk.who, UNPUSHABLE)
    assert desk.stands() == ("sent", None)
    assert desk.registry.unsent(desk.who) == {}


def test_a_mail_that_gets_through_after_push_has_failed_makes_it_sent(desk):
    desk.joint.unpushable(desk.who, UNPUSHABLE)
    assert desk.stands() == ("pending", "unregistered")
    desk.joint.mailed(desk.who, SENT, push_follows=True)
    assert desk.stands() == ("sent", None)


@pytest.mark.parametrize("event", [Event.RECEIVE, Event.READ])
def test_what_is_reported_of_a_mail_is_in_the_history_once_also_where_a_device_was_faster(desk, event):
    desk.joint.mailed(desk.who, SENT, push_follows=True)
    desk.registry.move(Event.READ, desk.who, Note(after(2), detail="device phone"))
    for at in (3, 4):
        desk.joint.reported(event, desk.n, "a", Note(after(at), detail="mail opened"), alone=False)
    assert desk.stands() == ("read", None)
    assert desk.entry()["read_at"] == after(2)
    assert desk.details()[-2:] == ["device phone", "mail opened"]


@pytest.mark.parametrize("before", ["pending", "unpushed", "pushed"])
def test_a_mail_that_was_delivered_says_nothing_of_push(desk, before):
    """Else nobody would be sent the push, or sent it again, who has not confirmed it."""
    if before != "pending":
        desk.joint.mailed(desk.who, SENT, push_follows=True)
    if before == "pushed":
        desk.registry.pushed(desk.who, Note(after(2), None, "attempt 1: accepted for 1 of 1 devices", 1))
    stood = desk.stands()
    for _ in range(2):
        desk.joint.reported(Event.RECEIVE, desk.n, "a", Note(after(3), detail="mail delivered"), alone=False)
    assert desk.stands() == stood
    assert desk.details().count("mail delivered") == 1
    desk.joint.reported(Event.RECEIVE, desk.n, "a", Note(after(4), detail="mail delivered once more"), alone=True)
    assert desk.stands() == ("received", None)


class TestBounce:
    DETAIL = "mail bounced (5.1.1)"

    def test_a_mail_alone_has_failed(self, desk):
        desk.joint.mailed(desk.who, SENT, push_follows=False)
        desk.joint.bounced(desk.n, "a", self.DETAIL, after(9), alone=True)
        assert desk.stands() == ("failed", "bounced")

    def test_also_where_its_server_had_taken_it(self, desk):
        desk.joint.mailed(desk.who, SENT, push_follows=False)
        desk.registry.move(Event.RECEIVE, desk.who, Note(after(2), detail="mail delivered"))
        desk.joint.bounced(desk.n, "a", self.DETAIL, after(9), alone=True)
        assert desk.stands() == ("failed", "bounced")

    def test_a_report_that_its_server_had_taken_it_may_come_later(self, desk):
        desk.joint.mailed(desk.who, SENT, push_follows=False)
        desk.joint.bounced(desk.n, "a", self.DETAIL, after(9), alone=True)
        for _ in range(2):
            desk.joint.reported(Event.RECEIVE, desk.n, "a", Note(after(10), detail="mail delivered"), alone=True)
        assert desk.stands() == ("failed", "bounced")
        assert desk.details()[-2:] == [self.DETAIL, "mail delivered"]
        desk.registry.move(Event.RECEIVE, desk.who, Note(after(11), detail="device phone"))
        assert desk.stands() == ("received", None)

    def test_push_takes_over_where_it_may_follow(self, desk):
        desk.registry.hold(desk.who, Note(after(1), Reason.NO_DEVICE, "no device"))
        desk.joint.mailed(desk.who, SENT, push_follows=True)
        desk.joint.bounced(desk.n, "a", self.DETAIL, after(9), alone=False)
        assert desk.stands() == ("pending", "no_device")
        desk.joint.unpushable(desk.who, UNPUSHABLE)
        assert desk.stands() == ("failed", "unregistered")

    @pytest.mark.parametrize("reached", ["push", "socket", "receipt"])
    def test_what_reached_the_user_otherwise_counts(self, desk, reached):
        desk.joint.mailed(desk.who, SENT, push_follows=True)
        if reached == "push":
            desk.registry.pushed(desk.who, Note(after(2), None, "attempt 1: accepted for 1 of 1 devices", 1))
        elif reached == "socket":
            note = Note(after(2), detail="emitted to an open socket", attempts=1)
            desk.sequenced.emitted(desk.who, note, push_follows=True)
        else:
            desk.registry.move(Event.RECEIVE, desk.who, Note(after(2), detail="device phone"))
        before = desk.stands()
        for _ in range(2):
            desk.joint.bounced(desk.n, "a", self.DETAIL, after(9), alone=False)
        assert desk.stands() == before
        assert desk.details().count(self.DETAIL) == 1

    @pytest.mark.parametrize("push", ["accepted", "failed"])
    def test_push_that_came_after_the_mail_was_delivered_counts_where_it_was_accepted(self, desk, push):
        desk.joint.mailed(desk.who, SENT, push_follows=True)
        desk.registry.move(Event.RECEIVE, desk.who, Note(after(2), detail="mail delivered"))
        if push == "accepted":
            desk.registry.pushed(desk.who, Note(after(3), None, "attempt 1: accepted for 1 of 1 devices", 1))
        else:
            desk.joint.unpushable(desk.who, UNPUSHABLE)
            desk.registry.pushed(desk.who, UNPUSHABLE)
        desk.joint.bounced(desk.n, "a", self.DETAIL, after(9), alone=False)
        assert desk.stands() == (("received", None) if push == "accepted" else ("failed", "bounced"))

    def test_before_we_know_that_it_was_sent_a_mail_alone_has_failed_and_stays_so(self, desk):
        for _ in range(2):
            desk.joint.bounced(desk.n, "a", self.DETAIL, after(9), alone=True)
        desk.joint.mailed(desk.who, SENT, push_follows=False)
        assert desk.stands() == ("failed", "bounced")
        assert desk.details() == [None, self.DETAIL]

    @pytest.mark.parametrize("push", ["follows", "is over"])
    def test_before_we_know_that_it_was_sent_push_still_decides(self, desk, push):
        if push == "is over":
            desk.joint.unpushable(desk.who, UNPUSHABLE)
        desk.joint.bounced(desk.n, "a", self.DETAIL, after(9), alone=False)
        desk.joint.mailed(desk.who, SENT, push_follows=True)
        assert desk.stands()[0] == ("pending" if push == "follows" else "failed")
        if push == "follows":
            desk.joint.unpushable(desk.who, UNPUSHABLE)
        assert desk.stands() == ("failed", "unregistered")

    def test_the_bounce_of_a_mail_that_is_sent_again_is_that_of_both(self, desk):
        desk.joint.mailed(desk.who, SENT, push_follows=False)
        desk.registry.resend(desk.who, after(3), 1)
        desk.joint.reopen(desk.who, 1)
        desk.joint.bounced(desk.n, "a", self.DETAIL, after(9), alone=True)
        desk.joint.mailed(desk.who, SENT, push_follows=False)
        assert desk.stands() == ("failed", "bounced")


def test_a_mail_that_was_sent_in_the_moment_in_which_its_recipient_muted_it_is_sent(desk):
    desk.registry.move(Event.MUTE, desk.who, Note(after(1), Reason.MUTED_CATEGORY))
    desk.joint.mailed(desk.who, SENT, push_follows=False)
    assert desk.stands() == ("sent", None)


@pytest.mark.parametrize("alone", [True, False])
def test_what_was_sent_before_is_not_undone_by_a_resend_that_fails(desk, alone):
    desk.registry.move(Event.SEND, desk.who, Note(after(1), None, "attempt 1: accepted for 1 of 1 devices", 1))
    desk.registry.resend(desk.who, after(3), 1)
    desk.joint.reopen(desk.who, 1)
    assert desk.stands()[0] == "pending"
    desk.joint.unmailable(Event.FAIL, desk.who, DEAD, alone=alone)
    if not alone:
        desk.joint.unpushable(desk.who, UNPUSHABLE)
    assert desk.stands() == ("sent", None)


def test_a_mail_that_cannot_be_sent_leaves_the_entry_to_an_open_socket(desk):
    """A notification by realtime and mail: it stays in the inbox, and may be read there until it expires."""
    desk.joint.unmailable(
        Event.DISABLE, desk.who, Note(after(1), Reason.MAIL_DISABLED, "mail: mail_disabled"), alone=False
    )
    assert desk.stands()[0] == "pending"
    desk.registry.move(Event.READ, desk.who, Note(after(2), detail="device phone"))
    assert desk.stands() == ("read", None)
