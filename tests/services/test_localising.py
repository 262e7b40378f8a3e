"""From a template to what each device gets, in its locale."""

from typing import Any

import pytest

from notify_server.domain.action import Action
from notify_server.domain.device import Platform
from notify_server.domain.notification import Channel
from notify_server.domain.template import Content, Source, Variable, VariableType
from notify_server.services.enrolment import Installation
from tests.builders import NOON, a_target
from tests.services.scene import Scene

CONTENT = Content(
    "en",
    {
        locale: Source(title)
        for locale, title in (("en", "Hello {{ name }}"), ("de", "Hallo {{ name }}"), ("fr", "Salut {{ name }}"))
    },
    {"name": Variable(VariableType.STRING)},
    "greetings",
)
ADA = {"name": "Ada"}


def register(scene: Scene, user: str, locale: str | None = None, device: str = "phone") -> None:
    installation = Installation(Platform.ANDROID, a_target(f"{user}:{device}"), locale=locale)
    scene.services.enrolment.register(user, device, installation)


def send(scene: Scene, *users: str, content: Content = CONTENT, **draft: Any) -> str:
    scene.services.templates.put("hello", content)
    return scene.accept(*users, message=None, template="hello", variables=draft.pop("variables", ADA), **draft)


def titles(scene: Scene) -> dict[str, str]:
    return {row["target"]: row["message"]["notification"]["title"] for row in scene.fcm.messages(outcome="accepted")}


@pytest.mark.parametrize("size", [1, 700])
def test_each_device_gets_the_locale_of_its_user_or_else_its_own_or_the_default(scene: Scene, size: int) -> None:
    """With company, the audience is expanded page by page; else at once."""
    people = scene.services.people
    for user, locale in (("german", "de-AT"), ("french", "FR"), ("italian", "it")):
        people.put(user, {"locale": locale})
        register(scene, user, "en")
    register(scene, "unknown", "de_CH")
    register(scene, "unknown", "fr-CA", "tablet")
    register(scene, "silent")
    send(scene, "german", "french", "italian", "unknown", "silent", *(f"u{n}" for n in range(size)))
    scene.work()
    assert titles(scene) == {
        "german:phone": "Hallo Ada",
        "french:phone": "Salut Ada",
        "italian:phone": "Hello Ada",
        "unknown:phone": "Hallo Ada",
        "unknown:tablet": "Salut Ada",
        "silent:phone": "Hello Ada",
    }


def test_a_group_is_served_alike(scene: Scene) -> None:
    for number in range(12):
        scene.services.people.put(f"u{number}", {"groups": ["g"], "locale": ["de", "en", "fr"][number % 3]})
        register(scene, f"u{number}")
    notification = send(scene, groups=("g",))
    scene.work()
    assert sorted(titles(scene).values()) == ["Hallo Ada"] * 4 + ["Hello Ada"] * 4 + ["Salut Ada"] * 4
    assert scene.violations(notification) == []


def test_the_entry_keeps_its_locale_whatever_the_profile_says_later(scene: Scene) -> None:
    scene.services.people.put("u", {"locale": "de"})
    notification = send(scene, "u")
    scene.work()
    assert scene.entry(notification, "u")["locale"] == "de"
    scene.services.people.put("u", {"locale": "fr"})
    register(scene, "u", "fr")  # the batch of a new device reads the locale from the entry
    scene.work()
    assert titles(scene) == {"u:phone": "Hallo Ada"}


def test_a_resend_and_a_second_worker_say_the_same(scene: Scene) -> None:
    scene.services.people.put("u", {"locale": "de"})
    register(scene, "u")
    notification = send(scene, "u")
    scene.expand(scene.worker())
    scene.clock.forward(60)
    scene.upkeep.reap()
    scene.work()
    scene.services.resending.request(notification, None)
    scene.clock.forward(1)
    assert titles(scene) == {"u:phone": "Hallo Ada"}


def test_a_notification_keeps_the_version_that_it_used(scene: Scene) -> None:
    register(scene, "u")
    notification = send(scene, "u")
    scene.services.templates.put("hello", Content("en", {"en": Source("Changed")}))
    scene.work()
    assert titles(scene) == {"u:phone": "Hello Ada"}
    texts = scene.services.inspection.get(notification).notification.texts
    assert texts is not None
    assert (texts.template, texts.version) == ("hello", 1)


def test_a_users_own_fields_are_theirs_alone(scene: Scene) -> None:
    content = Content(
        "en", {"en": Source('For "{{ user.id }}" of {{ user.community }}'), "de": Source("Für {{ user.id }}")}
    )
    scene.services.people.put("a", {"community": 'school "1"\\'})
    scene.services.people.put("ä", {"locale": "de"})
    for user in ("a", "b", "ä"):
        register(scene, user)
    register(scene, "a", device="tablet")
    send(scene, "a", "b", "ä", content=content, variables={})
    scene.work()
    assert titles(scene) == {
        "a:phone": 'For "a" of school "1"\\',
        "a:tablet": 'For "a" of school "1"\\',
        "b:phone": 'For "b" of ',
        "ä:phone": "Für ä",
    }


def test_a_disabled_action_ends_with_everybody_suppressed_and_nothing_sent(scene: Scene) -> None:
    scene.services.templates.put("hello", CONTENT)
    scene.services.actions.put(Action("greet", "hello", (Channel.PUSH,), NOON, notification_enabled=False))
    register(scene, "u")
    notification = scene.accept("u", "v", message=None, action="greet", variables=ADA, channels=None)
    scene.work()
    assert scene.standing(notification) == dict.fromkeys("uv", ("suppressed", "action_disabled"))
    assert (scene.accepted(), scene.state(notification)) == ([], "done")
    register(scene, "v")
    scene.work()
    assert scene.accepted() == []
