from dataclasses import replace

import pytest

from notify_server.api.app import create_app
from notify_server.bootstrap import build_services
from notify_server.services.unsubscribing import Links
from notify_server.storage.hash_keys import HashKeys
from tests.api.caller import Caller, refused
from tests.builders import a_notification

PATH = "/v1/unsubscribe"
ONE_CLICK = {"data": "List-Unsubscribe=One-Click", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}


@pytest.fixture
def link(database):
    """Makes the last part of the link in a mail."""
    links = Links(HashKeys(database), "https://notify.example.org")

    def make(user="a", category="booking"):
        return links.to(a_notification(category=category), user).rpartition("/")[2]

    return make


@pytest.fixture
def nobody(caller):
    """A mail program, without a token."""
    return caller("")


def muted(backend, device_of, user="a"):
    return device_of(user).get("/v1/me/subscriptions").json["muted"]["categories"]


def test_one_click_mutes_the_category(nobody, backend, device_of, link, database):
    backend.put("/v1/users/a", {"email": "a@example.org"})
    answer = nobody.post(f"{PATH}/{link()}", **ONE_CLICK)
    assert answer.status_code == 200
    assert muted(backend, device_of) == ["booking"]
    assert nobody.post(f"{PATH}/{link()}", **ONE_CLICK).status_code == 200
    line = database["audit"].find_one({"action": "unsubscribe.click"})
    assert (line["actor"]["id"], line["object"]["id"], line["status"]) == ("a", "booking", 200)


def test_a_link_that_is_only_followed_changes_nothing(nobody, backend, device_of, link):
    backend.put("/v1/users/a", {"email": "a@example.org"})
    page = nobody.get(f"{PATH}/{link()}")
    assert '<form method="post">' in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert muted(backend, device_of) == []


FORGERIES = [
    lambda link: link[:-9] + ("B" if link[-9] == "A" else "A") + link[-8:],
    lambda _: "x",
    lambda link: link + "A",
    lambda _: "é",
]


@pytest.mark.parametrize("forge", FORGERIES)
def test_a_link_that_is_not_ours_does_nothing_and_tells_nothing(nobody, backend, device_of, link, forge):
    backend.put("/v1/users/a", {"email": "a@example.org"})
    for method in (nobody.get, nobody.post):
        refused(method(f"{PATH}/{forge(link())}"), 404)
    assert muted(backend, device_of) == []


def test_a_link_names_nobody_and_is_answered_alike_for_who_is_gone(nobody, backend, link, database):
    made = link("ada-lovelace")
    assert "ada" not in made
    answer = nobody.post(f"{PATH}/{made}", **ONE_CLICK)
    backend.put("/v1/users/ada-lovelace", {"email": "a@example.org"})
    assert answer.text == nobody.post(f"{PATH}/{made}", **ONE_CLICK).text
    backend.delete("/v1/users/ada-lovelace")
    nobody.post(f"{PATH}/{made}", **ONE_CLICK)
    assert database["users"].find_one({"_id": "ada-lovelace"}) is None


def test_a_link_of_another_installation_is_not_ours(config, database, bare_database, contract):
    foreign = Links(HashKeys(bare_database), "https://other.example.org").to(a_notification(category="c"), "a")
    services = build_services(replace(config), database)
    nobody = Caller(create_app(config, services), contract, "")
    refused(nobody.post(f"{PATH}/{foreign.rpartition('/')[2]}", **ONE_CLICK), 404)
