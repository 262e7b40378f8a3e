from typing import Any

import pytest

from notify_server.domain.action import Action
from notify_server.domain.notification import Channel, Message
from notify_server.domain.template import Content, Source, Variable, VariableType
from notify_server.errors import InvalidInput
from notify_server.services.composition import Composed, Composition, Order, under
from tests.builders import NOON
from tests.services.scene import Scene

CONTENT = Content(
    "en",
    {"en": Source("Hello {{ name }}", text="Text"), "de": Source("Hallo {{ name }}", text="Text")},
    {"name": Variable(VariableType.STRING)},
    "greetings",
)
ADA = {"name": "Ada"}


@pytest.fixture
def composition(scene: Scene) -> Composition:
    scene.services.templates.put("hello", CONTENT)
    return Composition(scene.services.templates, scene.services.actions)


def set_action(composition: Composition, *channels: Channel, **fields: Any) -> None:
    composition.actions.put(Action("greet", "hello", channels or (Channel.PUSH, Channel.EMAIL), NOON, **fields))


def test_a_message_is_sent_as_it_is(composition: Composition) -> None:
    message = Message("Hello")
    assert composition.compose(Order(message)) == Composed(message, (Channel.PUSH,))
    order = Order(message, channels=(Channel.REALTIME,), category="c")
    assert composition.compose(order) == Composed(message, (Channel.REALTIME,), "c")


def test_a_template_says_it_in_each_locale_and_gives_the_category(composition: Composition) -> None:
    made = composition.compose(Order(template="hello", variables=ADA))
    assert made.texts is not None
    assert (made.texts.template, made.texts.version) == ("hello", 1)
    assert made.texts.of("de").title == "Hallo Ada"
    assert (made.message.title, made.category, made.channels, made.mails) == (
        "Hello Ada",
        "greetings",
        (Channel.PUSH,),
        {},
    )


def test_a_payloads_own_category_and_channels_go_first(composition: Composition) -> None:
    set_action(composition, category="of-action")
    assert composition.compose(Order(action="greet", variables=ADA)).category == "of-action"
    order = Order(action="greet", variables=ADA, category="mine", channels=(Channel.EMAIL,))
    made = composition.compose(order)
    assert (made.category, made.channels, sorted(made.mails)) == ("mine", (Channel.EMAIL,), ["de", "en"])


@pytest.mark.parametrize("of_action", [True, False])
@pytest.mark.parametrize("own", [True, False, None])
def test_a_payload_says_whether_it_is_mandatory_or_else_its_action_does(
    composition: Composition, of_action: bool, own: bool | None
) -> None:
    set_action(composition, mandatory=of_action)
    made = composition.compose(Order(action="greet", variables=ADA, mandatory=own))
    assert made.mandatory is (of_action if own is None else own)
    assert composition.compose(Order(template="hello", variables=ADA, mandatory=own)).mandatory is bool(own)
    assert composition.compose(Order(Message("Hi"), mandatory=own)).mandatory is bool(own)


@pytest.mark.parametrize(
    ("switches", "channels"),
    [
        ({}, (Channel.PUSH, Channel.EMAIL)),
        ({"mail_enabled": False}, (Channel.PUSH,)),
        ({"notification_enabled": False}, (Channel.EMAIL,)),
    ],
)
def test_what_is_switched_off_leaves_its_channels_out(
    composition: Composition, switches: dict[str, bool], channels: tuple[Channel, ...]
) -> None:
    set_action(composition, **switches)
    made = composition.compose(Order(action="greet", variables=ADA))
    assert (made.channels, made.disabled) == (channels, False)
    assert bool(made.mails) is (Channel.EMAIL in channels)


def test_an_action_that_is_switched_off_is_disabled_and_keeps_its_channels(composition: Composition) -> None:
    set_action(composition, notification_enabled=False, mail_enabled=False)
    made = composition.compose(Order(action="greet", variables=ADA))
    assert (made.disabled, made.channels) == (True, (Channel.PUSH, Channel.EMAIL))


def test_a_payload_that_asks_for_what_is_switched_off_alone_is_disabled(composition: Composition) -> None:
    set_action(composition, mail_enabled=False)
    assert composition.compose(Order(action="greet", variables=ADA, channels=(Channel.EMAIL,))).disabled


@pytest.mark.parametrize(
    ("order", "path"),
    [
        (Order(template="bye"), "template"),
        (Order(action="bye"), "action"),
        (Order(template="hello"), "variables.name"),
        (Order(action="greet", variables={"name": "x", "age": 3}), "variables.age"),
        (Order(template="hello", variables={"name": "x" * 2000}), "template"),
        (Order(action="greet", variables={"name": "x" * 2000}), "action"),
    ],
)
def test_what_is_unknown_or_cannot_be_shown_is_named(composition: Composition, order: Order, path: str) -> None:
    set_action(composition)
    with pytest.raises(InvalidInput) as refusal:
        composition.compose(order)
    assert refusal.value.errors.keys() == {path}


def test_faults_of_parts_are_told_of_what_named_the_template() -> None:
    errors = {"message": ["Too long."], "message.link": ["Elsewhere."], "variables.a": ["Is missing."], "ttl": ["0."]}
    assert under("action", errors, "de: ") == {
        "action": ["de: message: Too long.", "de: message.link: Elsewhere."],
        "variables.a": ["Is missing."],
        "ttl": ["0."],
    }
