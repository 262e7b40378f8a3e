import pytest

from notify_server.domain.notification import Audience, Channel
from notify_server.domain.registry import Event, Note, Reason
from notify_server.storage.joint import Joint
from notify_server.storage.paces import Paces
from notify_server.storage.registry import Registry
from notify_server.storage.workers import Workers
from tests.console.conftest import now
from tests.console.visitor import said


def test_of_nothing_it_leads_to_a_test(admin):
    text = said(admin.get("/"))
    assert "Nothing was entered in this period. Send a test to begin." in text
    assert "No worker is running" in text


@pytest.fixture
def sent(notify, database):
    users = [f"u{number}" for number in range(5)]
    identity = notify(*users, title="Hello all", category="news", audience=Audience(tuple(users)))
    registry = Registry(database)
    registry.move(Event.SEND, {identity: users[:4]}, Note(now()))
    registry.move(Event.READ, {identity: users[:1]}, Note(now()))
    return identity


def test_figures_are_those_of_the_registry(admin, sent):
    page = admin.get("/?days=7")
    text = said(page)
    assert "Recipients 5 the period before: 0" in text
    assert "Delivery rate 20.0 %" in text
    assert "Read rate 20.0 %" in text
    assert 'data-series="read"' in page.text
    assert 'data-value="3">3</td>' in page.text  # sent, today
    assert sent in page.text


def test_a_fault_in_the_form_is_told(admin, sent):
    text = said(admin.get("/?days=7&timezone=Mars"))
    assert "Must be a name of the IANA time zone database" in text
    assert "Recipients 5" in text


def test_without_the_scope_read_no_message_is_shown(signed_in, sent):
    text = said(signed_in("statistics").get("/"))
    assert "Recipients 5" in text
    assert "Hello all" not in text


def test_what_is_wrong_now_is_told_first(admin, database, sent):
    Workers(database).report("w1", now(), now().replace(year=now().year + 1), sending=True)
    assert "No worker is running" not in said(admin.get("/"))
    Paces(database).change(Channel.PUSH, lambda pace: pace.broken(Reason.CREDENTIAL_REFUSED, now()))
    assert "Push is paused: FCM refused our credential" in said(admin.get("/"))
    Paces(database).change(Channel.EMAIL, lambda pace: pace.broken(Reason.CREDENTIAL_REFUSED, now()))
    assert "Mail is paused: The mail service refused our user name" in said(admin.get("/"))


def test_channels_are_told_of_where_more_than_push_sends(admin, sent, notify, database):
    assert "By channel" not in said(admin.get("/"))
    identity = notify("u1", "u2", category="news", audience=Audience(("u1", "u2"), ("class-101",)))
    Joint(database).mailed({identity: ["u1"]}, Note(now(), detail="mail, attempt 1: accepted"), push_follows=True)
    for path in ("/", "/categories/news", f"/notifications/{identity}"):
        text = said(admin.get(path))
        assert "E-mail 1 0 0 0 0 0" in text, path
    assert "Push 4 – – 0 – – E-mail" in said(admin.get("/"))
