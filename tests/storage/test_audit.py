from datetime import timedelta

import pytest

from notify_server.domain.audit import Change, Kind, Party
from notify_server.storage.audit import ACCEPTED, Audit
from notify_server.storage.documents import Store, new_id
from notify_server.storage.notifications import Notifications
from tests.builders import NOON, a_notification, after

DAY = timedelta(days=1)


@pytest.fixture
def audit(database: Store) -> Audit:
    return Audit(database)


def change(actor: str = "c1", about: str = "u1", action: str = "users.put", kind: Kind = Kind.CLIENT) -> Change:
    route = "PUT /v1/users/{user_id}"
    return Change(Party(kind, actor), action, route, Party(Kind.USER, about), ["email", "groups"], "192.0.2.7")


def ids(audit: Audit, limit: int = 9, after: str | None = None, **filters: object) -> list[str]:
    return [line.id for line in audit.page(filters, after, limit)]


def test_a_line_says_what_was_about_to_be_done_until_it_says_what_came_of_it(audit: Audit) -> None:
    identity = audit.begin(change(), NOON, DAY)
    [begun] = audit.page({}, None, 9)
    assert (begun.id, begun.at, begun.change, begun.status) == (identity, NOON, change(), None)
    audit.end(identity, 201, Party(Kind.TOKEN, "t1"))
    [ended] = audit.page({}, None, 9)
    assert (ended.status, ended.change.object) == (201, Party(Kind.TOKEN, "t1"))


def test_lines_are_newest_first_to_the_millisecond_in_stable_pages(audit: Audit) -> None:
    made = [audit.begin(change(), after(number / 1000), DAY) for number in (3, 1, 2, 5, 4)]
    newest = [made[3], made[4], made[0], made[2], made[1]]
    assert ids(audit, 2) == newest[:2]
    audit.begin(change(), after(9), DAY)
    assert ids(audit, 9, newest[1]) == newest[2:]


def test_lines_are_found_by_who_what_whom_and_when(audit: Audit) -> None:
    lines = [
        audit.begin(change("c1", "u1", "users.put"), NOON, DAY),
        audit.begin(change("c2", "u1", "users.erase"), after(1), DAY),
        audit.begin(change("c2", "u2", "users.put"), after(2), DAY),
    ]
    assert ids(audit, actor=["c2"]) == [lines[2], lines[1]]
    assert ids(audit, object=["u1", "nobody"]) == [lines[1], lines[0]]
    assert ids(audit, action=["users.put"], actor=["c2"]) == [lines[2]]
    assert [line.id for line in audit.page({"from": after(1), "to": after(2)}, None, 9)] == [lines[1]]


def test_accepted_notifications_are_lines_among_the_others(audit: Audit, database: Store) -> None:
    earlier = audit.begin(change(), NOON, DAY)
    accepted = a_notification(id=new_id(), client="c1", address="192.0.2.7", created_at=after(1))
    sent = a_notification(id=new_id(), client="command line", created_at=after(2))
    for notification in (accepted, sent):
        Notifications(database).add(notification, None)
    [second, first] = audit.page({"action": [ACCEPTED]}, None, 9)
    assert (first.at, first.change.actor, first.change.address) == (after(1), Party(Kind.CLIENT, "c1"), "192.0.2.7")
    assert (first.change.object, first.status) == (Party(Kind.NOTIFICATION, accepted.id), 202)
    assert second.change.actor == Party(Kind.COMMAND, "command line")
    assert set(ids(audit)) == {earlier, accepted.id, sent.id}
    assert set(ids(audit, actor=["c1"])) == {earlier, accepted.id}
    assert ids(audit, object=[accepted.id]) == [accepted.id]
    assert ids(audit, action=["users.put"]) == [earlier]


def test_an_erased_person_is_known_by_a_pseudonym_and_others_stay(audit: Audit, database: Store) -> None:
    audit.begin(change("person", "person", kind=Kind.USER), NOON, DAY)
    audit.begin(change("person", "another"), after(1), DAY)  # a server token of that id is no person
    assert len(audit.about("person", None, 9)) == 1
    assert audit.rename("person", "p1") == 2
    assert audit.about("person", None, 9) == []
    renamed = Party(Kind.USER, "p1", pseudonym=True)
    [kept, line] = audit.page({}, None, 9)
    assert (line.change.actor, line.change.object) == (renamed, renamed)
    assert kept.change.actor == Party(Kind.CLIENT, "person")


def test_a_line_ends_when_it_was_to_be_kept_no_longer(audit: Audit, database: Store) -> None:
    audit.begin(change(), NOON, timedelta(days=400))
    [stored] = database["audit"].find()
    assert stored["ends_at"] == NOON + timedelta(days=400)
    indexes = database["audit"].index_information()
    assert indexes["to_end"]["expireAfterSeconds"] == 0
