import pytest

from notify_server.errors import NotFound
from notify_server.services.unsubscribing import Links
from notify_server.storage.hash_keys import HashKeys
from tests.builders import a_notification
from tests.services.scene import Scene

URL = "https://notify.example.org"


@pytest.fixture
def links(database):
    return Links(HashKeys(database), URL)


def test_a_link_says_who_and_what_to_us_alone(links):
    link = links.to(a_notification(category="booking"), "ada")
    assert link.startswith(f"{URL}/v1/unsubscribe/")
    assert "ada" not in link
    assert "booking" not in link
    assert links.read(link.rpartition("/")[2]) == ("ada", "booking")
    assert links.to(a_notification(category="booking"), "ada") != link


@pytest.mark.parametrize(("letter", "most"), [("u", 450), ("日", 1150), ("\U0001f600", 1500)])
def test_the_longest_ids_of_any_script_make_a_link_that_can_be_read(links, letter, most):
    category, user = letter * 128, letter * 127 + '"'
    link = links.to(a_notification(category=category), user)
    assert len(link) < most
    assert links.read(link.rpartition("/")[2]) == (user, category)


@pytest.mark.parametrize("fields", [{}, {"category": "c", "mandatory": True}])
def test_what_cannot_be_muted_has_no_link(links, fields):
    assert links.to(a_notification(**fields), "ada") is None


@pytest.mark.parametrize(("action", "linked"), [("password_changed", False), ("event_published", True)])
def test_mails_of_accounts_have_none(scene: Scene, action: str, linked: bool) -> None:
    scene.services.packs.install("events")
    content = scene.services.templates.get(action).content
    variables = {name: each.example for name, each in content.variables.items()}
    identity = scene.accept("ada", message=None, action=action, channels=None, variables=variables)
    notification = scene.services.inspection.get(identity).notification
    assert notification.category == content.category
    assert (Links(HashKeys(scene.database), URL).to(notification, "ada") is not None) is linked


def test_without_a_public_url_there_are_no_links(database):
    assert Links(HashKeys(database), "").to(a_notification(category="c"), "ada") is None


@pytest.mark.parametrize("token", ["", "x", "AAAA", "A" * 5000, "é", "=", "%00"])
def test_anything_else_is_not_a_link(links, token):
    with pytest.raises(NotFound):
        links.read(token)


def test_a_changed_link_is_not_one(links):
    token = links.to(a_notification(category="c"), "ada").rpartition("/")[2]
    for position in range(0, len(token), 7):
        changed = token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
        with pytest.raises(NotFound):
            links.read(changed)


def test_it_mutes_a_user_who_is_known_and_nobody_else(scene: Scene) -> None:
    unsubscribing = scene.services.unsubscribing
    token = Links(HashKeys(scene.database), URL).to(a_notification(category="c"), "ada").rpartition("/")[2]
    assert unsubscribing.read(token) is None
    scene.address("ada")
    assert unsubscribing.read(token) == ("ada", "c")
    unsubscribing.unsubscribe("ada", "c")
    assert scene.services.subscriptions.muted("ada").categories == ["c"]
