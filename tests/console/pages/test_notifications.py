import re

import pytest

from notify_server.domain.notification import Audience, Message
from notify_server.domain.registry import Event, Note, Reason
from notify_server.storage.registry import Registry
from tests.console.conftest import now
from tests.console.visitor import said


def test_nothing_yet_leads_to_a_test(admin):
    assert "Nothing has been sent yet. Send a test" in said(admin.get("/notifications"))


def test_the_list_is_narrowed_by_its_form(admin, notify):
    notify("u1", title="About booking", category="booking", community="c1")
    notify("u2", title="About news", category="news")
    assert {"About booking", "About news"} <= set(re.findall("About [a-z]+", said(admin.get("/notifications"))))
    for address, expected in (("category=news", "About news"), ("community=c1", "About booking")):
        found = re.findall("About [a-z]+", said(admin.get(f"/notifications?{address}")))
        assert set(found) == {expected}
    today = f"{now():%Y-%m-%d}"
    assert "About news" in said(admin.get(f"/notifications?from={today}&to={today}&state=accepted"))
    assert "No notification is like that." in said(admin.get("/notifications?to=2001-01-01"))


def test_a_filter_that_makes_no_sense_is_told_at_its_field(admin, notify):
    notify("u1", title="About booking")
    page = admin.get("/notifications?from=yesterday")
    assert 'value="yesterday"' in page.text
    assert 'aria-describedby="from-hint from-fault"' in page.text
    assert "Not a valid date." in said(page)
    assert "About booking" not in page.text


def test_the_list_goes_on_page_by_page(admin, notify):
    made = [notify("u1", title=f"Number {number}.", category="a&b") for number in range(51)]
    seen, path = [], "/notifications?category=a%26b"
    while path:
        page = admin.get(path)
        seen += re.findall(r"/notifications/([0-9a-f]{24})", page.text)
        older = re.search(r'<a href="/console([^"]+)">Older</a>', page.text)
        path = older and older[1].replace("&amp;", "&")
    assert sorted(seen) == sorted(made)
    assert "Back to the newest" in page.text


@pytest.mark.parametrize(
    ("audience", "shown"),
    [
        (Audience(everyone=True), "everyone"),
        (Audience(groups=("g1", "g2", "g3", "g4")), "group g1, group g2, group g3 and 1 more"),
        (Audience(groups=("g1",), communities=("c1",)), "group g1, community c1"),
        (Audience(users=("u1",)), "users by name"),
    ],
)
def test_the_audience_is_told_in_words(admin, notify, audience, shown):
    notify(audience=audience)
    assert shown in said(admin.get("/notifications"))


def test_a_message_without_a_title_is_named_by_what_it_has(admin, notify):
    notify("u1", message=Message(body="A body alone"))
    notify("u1", message=Message(data={"key": "value"}))
    text = said(admin.get("/notifications"))
    assert "A body alone" in text
    assert "Data only" in text


@pytest.fixture
def mixed(notify, database):
    """A notification of five, who stand in different places."""
    identity = notify("u1", "u2", "u3", "u4", "u5", title="Mixed", category="news")
    registry = Registry(database)
    registry.move(Event.SEND, {identity: ["u1", "u2", "u3"]}, Note(now(), attempts=1))
    registry.move(Event.RECEIVE, {identity: ["u2", "u3"]}, Note(now()))
    registry.move(Event.READ, {identity: ["u3"]}, Note(now()))
    registry.move(Event.FAIL, {identity: ["u4"]}, Note(now(), Reason.UNREGISTERED))
    return identity


def test_the_page_shows_how_far_it_is(admin, mixed):
    text = said(admin.get(f"/notifications/{mixed}"))
    assert "Recipients 5 100.0 % Sent 3 60.0 % Received 2 40.0 % Read 1 20.0 %" in text
    assert "The app is gone" in text
    assert all(user in text for user in ("u1", "u2", "u3", "u4", "u5"))


def test_the_script_of_the_page_is_told_the_same(admin, mixed):
    found = admin.get(f"/notifications/{mixed}/live", accept="application/json").json
    assert [(step["name"], step["count"]) for step in found["steps"]] == [
        ("recipients", 5), ("sent", 3), ("received", 2), ("read", 1),
    ]  # fmt: skip
    assert found["counts"]["failed"] == found["counts"]["pending"] == 1
    assert found["moving"] is True
    assert found["curve"][-1][1:] == [2, 1]


@pytest.mark.parametrize("marked", [True, False])
def test_an_id_in_capitals_leads_to_the_same_page(admin, mixed, database, marked):
    if not marked:
        assert database["changes"].delete_many({}).deleted_count
    for path in (f"/notifications/{mixed.upper()}", f"/notifications/{mixed.upper()}/live"):
        page = admin.get(path, accept="*/*")
        assert page.status_code == 200
    assert page.json["steps"] == admin.get(f"/notifications/{mixed}/live", accept="*/*").json["steps"]


def test_one_that_all_have_read_does_not_move_any_more(admin, notify, database):
    identity = notify("u1")
    Registry(database).move(Event.READ, {identity: ["u1"]}, Note(now()))
    database["notifications"].update_many({}, {"$set": {"state": "done"}})
    assert "data-moving" not in admin.get(f"/notifications/{identity}").text
    assert admin.get(f"/notifications/{identity}/live", accept="application/json").json["moving"] is False


def test_recipients_are_narrowed_and_go_on_page_by_page(admin, notify, mixed):
    narrowed = said(admin.get(f"/notifications/{mixed}?status=failed"))
    assert "u4" in narrowed
    assert "u5" not in narrowed
    many = notify(*(f"user-{number:03}" for number in range(60)))
    page = admin.get(f"/notifications/{many}")
    more = re.search(r'<a href="/console([^"]+)">More recipients</a>', page.text)[1].replace("&amp;", "&")
    assert "user-059" in admin.get(more.partition("#")[0]).text
    assert "Nobody stands there." in said(admin.get(f"/notifications/{many}?status=read"))


def test_before_it_is_expanded_the_page_says_so(admin, notify):
    assert "Nobody has been entered yet." in said(
        admin.get(f"/notifications/{notify(audience=Audience(groups=('g',)))}")
    )
