import re
from dataclasses import replace
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


def test_an_erased_person_is_known_by_a_pseudonym_to_whom_something_was_done_and_others_stay(audit: Audit) -> None:
    audit.begin(change("c1", "person"), NOON, DAY)
    audit.begin(change("person", "another"), after(1), DAY)  # a server token of that id is no person
    assert len(audit.about("person", None, 9)) == 1
    assert audit.rename("person", "p1") == 1
    assert audit.about("person", None, 9) == []
    [kept, line] = audit.page({}, None, 9)
    assert line.change == replace(change("c1"), object=Party(Kind.USER, "p1", pseudonym=True))
    assert kept.change == change("person", "another")


def test_what_an_erased_person_did_is_tied_to_nobody(audit: Audit, database: Store) -> None:
    actor = Party(Kind.USER, "person")
    objects = [Party(Kind.DEVICE, "my phone"), Party(Kind.GROUP, "chess"), Party(Kind.CATEGORY, "news"), actor, None]
    for second, about in enumerate(objects):
        made = Change(actor, "me.changed", "PUT /v1/me", about, ["platform"], "192.0.2.7")
        audit.begin(made, after(second), DAY)
    assert audit.rename("person", "p1") == 5
    assert not re.search("person|my phone|chess|news|192|p1", str(list(database["audit"].find())))
    lines = audit.page({}, None, 9)[::-1]
    for line, about in zip(lines, objects, strict=True):
        assert line.change.actor == Party(Kind.USER, line.id, pseudonym=True)
        assert line.change.object == (about and Party(about.kind, line.id, pseudonym=True))
        assert (line.change.address, line.change.fields) == (None, ["platform"])


def test_an_erasure_that_is_begun_does_not_make_a_person_known(audit: Audit) -> None:
    erasing = audit.begin(change(action="users.erase"), NOON, DAY)
    assert audit.about("u1", None, 9) == []
    audit.end(erasing, 503, None)
    assert [line.id for line in audit.about("u1", None, 9)] == [erasing]


def test_a_line_ends_when_it_was_to_be_kept_no_longer(audit: Audit, database: Store) -> None:
    audit.begin(change(), NOON, timedelta(days=400))
    [stored] = database["audit"].find()
    assert stored["ends_at"] == NOON + timedelta(days=400)
    indexes = database["audit"].index_information()
    assert indexes["to_end"]["expireAfterSeconds"] == 0
