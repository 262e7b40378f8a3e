import json
from dataclasses import asdict, fields, replace
from hashlib import sha256
from typing import Any

import pytest
from prometheus_client import REGISTRY

from notify_server.bootstrap import build_services
from notify_server.domain.notification import (
    Attachment,
    Audience,
    Channel,
    Message,
    Notification,
    Priority,
    ResendPolicy,
    State,
)
from notify_server.domain.template import Content, Source, Variable, VariableType
from notify_server.errors import Conflict, InvalidInput
from notify_server.services.acceptance import Acceptance, Draft
from notify_server.storage.documents import object_id
from notify_server.storage.notifications import Notifications
from notify_server.storage.signals import COLLECTION
from tests.builders import NOON, after, at_once
from tests.service import until
from tests.services.scene import HELLO, Scene

FULL = Draft(
    Message("Title", "Body", "https://example.org/i.png", "https://example.org/", {"booking_id": "1"}),
    Audience(("u1",), ("choir",), ("school",), everyone=True),
    "booking",
    "school-1",
    (Channel.PUSH, Channel.REALTIME, Channel.EMAIL),
    Priority.HIGH,
    60,
    after(600),
    ResendPolicy(10, 1),
    mandatory=True,
    payload='{"a": 1}',
    push_after=5,
    email_after=7,
    reply_to="desk@example.org",
    attachments=(Attachment("a.txt", "text/plain", b"1"),),
)
SECRET = b"k" * 32
PLAIN = Draft(HELLO, Audience(("u1",)))


@pytest.fixture
def acceptance(scene: Scene) -> Acceptance:
    return scene.services.acceptance


def stored(scene: Scene) -> int:
    return scene.database["notifications"].count_documents({})


def test_an_accepted_notification_is_everything_that_was_asked_for(acceptance: Acceptance, scene: Scene) -> None:
    notification = acceptance.accept(FULL, "backend", None)
    asked = {field.name for field in fields(Draft)} - {"template", "variables"}
    assert all(getattr(notification, name) == getattr(FULL, name) for name in asked)
    assert (notification.created_at, notification.state) == (NOON, State.SCHEDULED)
    assert scene.services.inspection.get(notification.id).notification == replace(
        notification, audience=replace(FULL.audience, users=()), attachments=()
    )
    assert Notifications(scene.database).attachments(notification.id) == FULL.attachments


def test_an_id_goes_by_the_clock_that_everything_goes_by(acceptance: Acceptance, scene: Scene) -> None:
    first = acceptance.accept(PLAIN, "backend", None)  # at noon, which this machine's clock does not say
    scene.clock.forward(3600)
    second = acceptance.accept(PLAIN, "backend", None)
    for notification in (first, second):
        assert object_id(notification.id).generation_time == notification.created_at
    [(listed, _)] = Notifications(scene.database).page({"from": after(1), "to": after(3601)}, None, 9)
    assert listed.id == second.id


@pytest.mark.parametrize("send_at", [None, after(-1), NOON])
def test_what_is_not_to_be_sent_later_is_accepted_now(acceptance: Acceptance, send_at: Any) -> None:
    notification = acceptance.accept(replace(PLAIN, send_at=send_at), "backend", None)
    assert (notification.state, notification.send_at) == (State.ACCEPTED, None)
    assert notification.expires_at == after(86_400)


def test_the_same_key_and_payload_give_the_same_notification(acceptance: Acceptance, scene: Scene) -> None:
    first = acceptance.accept(PLAIN, "backend", "k1")
    scene.clock.forward(60)
    again = acceptance.accept(PLAIN, "backend", "k1")
    assert again == replace(first, audience=Audience())
    assert stored(scene) == 1


def test_the_same_key_with_another_payload_is_a_conflict(acceptance: Acceptance, scene: Scene) -> None:
    acceptance.accept(PLAIN, "backend", "k1")
    with pytest.raises(Conflict, match="Idempotency-Key"):
        acceptance.accept(replace(PLAIN, ttl=60), "backend", "k1")
    assert stored(scene) == 1


def test_the_keys_of_two_clients_do_not_meet(acceptance: Acceptance, scene: Scene) -> None:
    acceptance.accept(PLAIN, "backend", "k1")
    acceptance.accept(replace(PLAIN, ttl=60), "another", "k1")
    assert stored(scene) == 2


def test_a_key_used_many_times_at_once_makes_one_notification(acceptance: Acceptance, scene: Scene) -> None:
    for round_ in range(10):
        made = at_once(*(lambda key=str(round_): acceptance.accept(PLAIN, "backend", key) for _ in range(4)))
        assert len({notification.id for notification in made}) == 1
    assert stored(scene) == 10


def test_of_two_payloads_that_race_for_a_key_one_is_refused(acceptance: Acceptance, scene: Scene) -> None:
    def accept(ttl: int, key: str) -> Notification | None:
        try:
            return acceptance.accept(replace(PLAIN, ttl=ttl), "backend", key)
        except Conflict:
            return None

    for round_ in range(10):
        made = at_once(*(lambda ttl=ttl, key=str(round_): accept(ttl, key) for ttl in (60, 61)))
        assert sum(notification is None for notification in made) == 1
    assert stored(scene) == 10


@pytest.mark.parametrize("field", fields(Draft), ids=lambda field: field.name)
def test_every_field_is_in_the_fingerprint(field: Any) -> None:
    changed = "x" if field.name in {"template", "action"} else None
    other: Draft = replace(FULL, **dict[str, Any]({field.name: changed}))
    assert other.fingerprint(SECRET) != FULL.fingerprint(SECRET)


def test_spelling_is_not_in_the_fingerprint() -> None:
    data = {"a": "1", "b": "2"}
    one = replace(PLAIN, message=replace(HELLO, data=data))
    other = replace(PLAIN, message=replace(HELLO, data=dict(reversed(data.items()))))
    assert one.fingerprint(SECRET) == other.fingerprint(SECRET)
    assert one.fingerprint(SECRET) != PLAIN.fingerprint(SECRET)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (Message("Hi", data={"google.x": "1"}), "message.data.google.x"),
        (Message("Hi", "x" * 4096), "message"),
        (Message("Hi", image="ftp://example.org/"), "message.image"),
    ],
    ids=["reserved key", "too large", "no web image"],
)
def test_what_fcm_would_refuse_is_refused_with_the_field_and_not_stored(
    acceptance: Acceptance, scene: Scene, message: Message, field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        acceptance.accept(replace(PLAIN, message=message), "backend", "k1")
    assert list(caught.value.errors) == [field]
    assert stored(scene) == 0


def test_an_accepted_notification_calls_the_workers_and_is_counted(acceptance: Acceptance, scene: Scene) -> None:
    def counted() -> float:
        return REGISTRY.get_sample_value("notify_notifications_accepted_total") or 0

    before = counted()
    acceptance.accept(PLAIN, "backend", "k1")
    acceptance.accept(PLAIN, "backend", "k1")
    assert counted() - before == 1
    until(lambda: scene.database[COLLECTION].count_documents({}), "a signal")


def test_a_fingerprint_tells_nothing_to_who_has_no_key() -> None:
    assert PLAIN.fingerprint(SECRET) != PLAIN.fingerprint(b"l" * 32)


def test_neither_key_nor_payload_can_be_guessed_from_what_a_repeat_is_known_by(
    acceptance: Acceptance, scene: Scene
) -> None:
    acceptance.accept(PLAIN, "backend", "booking-of-u1")
    stored = scene.database["notifications"].find_one({}) or {}
    payload = json.dumps(asdict(PLAIN), sort_keys=True, default=str).encode()
    guesses = {sha256(text).hexdigest() for text in (b"booking-of-u1", payload)}
    assert not guesses & set(stored["idempotency"].values())
    assert "booking-of-u1" not in str(stored)


def test_every_process_knows_a_repeat(acceptance: Acceptance, scene: Scene) -> None:
    first = acceptance.accept(PLAIN, "backend", "k1")
    other = build_services(scene.config, scene.database, scene.clock).acceptance
    assert other.accept(PLAIN, "backend", "k1").id == first.id


def test_a_template_is_rendered_once_and_stored_with_its_mails(acceptance: Acceptance, scene: Scene) -> None:
    variables = {"name": Variable(VariableType.STRING)}
    sources = {
        "en": Source("Hello {{ name }}", text="T {{ name }}"),
        "de": Source("Hallo {{ name }}", text="T {{ name }}"),
    }
    scene.services.templates.put("hello", Content("en", sources, variables))
    ordered = replace(PLAIN, message=None, template="hello", variables={"name": "Ada"}, channels=None)
    made = acceptance.accept(ordered, "backend", None)
    assert (made.channels, made.mails) == ((Channel.PUSH,), {})
    assert scene.services.inspection.get(made.id).notification == replace(made, audience=Audience())
    mailed = acceptance.accept(replace(ordered, channels=(Channel.PUSH, Channel.EMAIL)), "backend", None)
    assert Notifications(scene.database).mails(mailed.id) == mailed.mails
    assert {locale: mail.text for locale, mail in mailed.mails.items()} == {"en": "T Ada", "de": "T Ada"}
    assert scene.services.inspection.get(mailed.id).notification.mails == {}


def test_each_locale_is_asked_for_and_told_of(acceptance: Acceptance, scene: Scene) -> None:
    sources = {"en": Source("T", "b"), "de": Source("T", "ä" * 2040)}
    scene.services.templates.put("long", Content("en", sources))
    ordered = replace(PLAIN, message=None, template="long", channels=None)
    with pytest.raises(InvalidInput) as refusal:
        acceptance.accept(ordered, "backend", None)
    assert list(refusal.value.errors) == ["template"]
    assert "locales.de: " in refusal.value.errors["template"][0]
    assert acceptance.accept(replace(ordered, channels=(Channel.REALTIME,)), "backend", None)
    assert stored(scene) == 1


def test_a_link_of_a_template_leads_where_links_may(acceptance: Acceptance, scene: Scene) -> None:
    content = Content("en", {"en": Source("T")}, {"url": Variable(VariableType.STRING)}, link="{{ url }}")
    scene.services.templates.put("link", content)
    ordered = replace(PLAIN, message=None, template="link", variables={"url": "javascript:alert(1)"})
    with pytest.raises(InvalidInput) as refusal:
        acceptance.accept(ordered, "backend", None)
    assert list(refusal.value.errors) == ["template"]


def test_what_is_said_is_in_no_log(acceptance: Acceptance) -> None:
    assert "secret" not in repr(replace(PLAIN, variables={"a": "secret"}))


def test_what_no_document_holds_is_refused_by_its_field_and_takes_no_other_with_it(
    acceptance: Acceptance, scene: Scene
) -> None:
    """Notifications of one moment are stored with one write, which MongoDB would refuse as a whole."""
    large = replace(PLAIN, audience=Audience(tuple(f"{n:06}{'日' * 122}" for n in range(50_000))))
    refused: list[InvalidInput] = []

    def offer() -> None:
        with pytest.raises(InvalidInput) as caught:
            acceptance.accept(large, "backend", None)
        refused.append(caught.value)

    at_once(offer, *[lambda: acceptance.accept(PLAIN, "backend", None)] * 5)
    assert [error.errors.keys() for error in refused] == [{"users"}]
    assert stored(scene) == 5


def test_the_largest_payload_is_stored_and_read(acceptance: Acceptance, scene: Scene) -> None:
    users = tuple(f"{n:06}{'x' * 122}" for n in range(50_000))
    files = tuple(Attachment(f"{n}.pdf", "application/pdf", b"x" * 104_857) for n in range(10))
    made = acceptance.accept(
        replace(PLAIN, audience=Audience(users), channels=(Channel.PUSH, Channel.EMAIL), attachments=files), "b", None
    )
    store = Notifications(scene.database)
    assert store.attachments(made.id) == files
    assert len(scene.database["notifications"].find_one({})["audience"]["users"]) == 50_000  # type: ignore[index]
