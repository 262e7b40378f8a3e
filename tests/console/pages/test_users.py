import pytest

from notify_server.domain.device import Platform
from notify_server.domain.registry import Event, Note, Reason
from notify_server.domain.user import Mutable
from notify_server.services.enrolment import Installation
from notify_server.storage.registry import Registry
from tests.builders import a_target
from tests.console.conftest import now
from tests.console.visitor import said


@pytest.fixture
def known(services):
    for user in ("anna", "annabel", "bert"):
        services.people.put(user, {"community": "c1", "groups": ["g1"]})


def test_the_whole_id_leads_to_the_user_and_its_beginning_to_a_choice(admin, known):
    assert admin.get("/users?user=anna").location == "/console/users/anna"
    assert admin.get("/users?user=anna&notification=x").location == "/console/users/anna?notification=x"
    text = said(admin.get("/users?user=ann"))
    assert "anna annabel" in text
    assert "bert" not in text


def test_nobody_is_told_what_that_means(admin, known):
    assert "nothing was ever addressed to this one" in said(admin.get("/users?user=zoe"))
    assert admin.get("/users/zoe").status_code == 404
    assert admin.get("/users/a%0Ab").status_code == 404
    assert "Must not contain slashes" in said(admin.get("/users?user=a/b"))


def test_an_entry_is_told_in_words_with_what_to_do_and_its_history(admin, known, notify, database):
    identity = notify("anna", title="Room changed")
    Registry(database).move(
        Event.FAIL, {identity: ["anna"]}, Note(now(), Reason.UNREGISTERED, "every device is gone", 1)
    )
    text = said(admin.get(f"/users/anna?notification={identity.upper()}"))
    assert "Room changed Not delivered: the app is gone Every device of the user was dead" in text
    assert "What to do: Nothing; the devices are inactive now" in text
    assert "every device is gone" in text
    assert "1 attempt " in text


def test_who_was_not_in_the_audience_is_told_so(admin, known, notify):
    identity = notify("bert", title="For Bert")
    text = said(admin.get(f"/users/anna?notification={identity}"))
    assert "For Bert No entry This user was not in its audience" in text
    assert "it is not expanded yet: it is accepted" in text
    assert admin.get("/users/anna?notification=6b007bddabf10665a8c867db").status_code == 404


def test_without_a_notification_all_entries_are_there(admin, known, notify):
    for number in range(25):
        notify("anna", title=f"Number {number}.")
    first = admin.get("/users/anna")
    older = first.text.partition('">Older</a>')[0].rpartition('href="/console')[2].replace("&amp;", "&")
    found = [
        f"Number {number}." in said(first) or f"Number {number}." in said(admin.get(older)) for number in range(25)
    ]
    assert all(found)
    assert "Not sent yet" in said(first)


def test_devices_and_what_is_muted_are_there(admin, known, services):
    services.enrolment.register("anna", "phone", Installation(Platform.IOS, a_target("secret-target"), "2.4.0"))
    services.enrolment.register("bert", "tablet", Installation(Platform.IOS, a_target("secret-target")))
    services.subscriptions.mute("anna", Mutable.CATEGORIES, "news")
    page = admin.get("/users/anna")
    assert "Muted categories news" in said(page)
    assert "phone ios, app 2.4.0 inactive Its target has shown up under another device" in said(page)
    assert "secret-target" not in page.text
    assert "No device. What is sent to this user waits" in said(admin.get("/users/annabel"))
