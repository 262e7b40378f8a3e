import json
from typing import Any

import pytest

from notify_server.channels.fcm.encoding import encode
from notify_server.domain.device import Target, TargetType
from notify_server.domain.notification import Message
from notify_server.domain.user import User
from notify_server.domain.user_fields import UserField, mark
from notify_server.errors import InvalidInput
from tests.channels.fcm.conftest import NOW, a_notification
from tests.fcm_simulator import SimulatorProcess


@pytest.mark.parametrize("kind", list(TargetType))
@pytest.mark.parametrize("value", ["plain", 'quo"te\\', "ü\n", ""])
def test_a_body_is_json_with_exactly_that_target(kind: TargetType, value: str) -> None:
    message = json.loads(encode(a_notification(), NOW).body(Target(kind, value)))["message"]
    assert {name: message[name] for name in ("token", "fid") if name in message} == {kind.value: value}
    assert message["notification"] == {"title": "Booking confirmed", "body": "Monday 9:00"}


def test_two_targets_differ_in_nothing_else() -> None:
    encoded = encode(a_notification(), NOW)
    first, second = (json.loads(encoded.body(Target(TargetType.TOKEN, value)))["message"] for value in "ab")
    assert (first.pop("token"), second.pop("token")) == ("a", "b")
    assert first == second


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"message": Message("T", data={"from": "x"})}, "message.data.from"),
        ({"message": Message("T", image="nowhere")}, "message.image"),
        ({"message": Message("T" * 5000)}, "message"),
        ({"message": Message("T", data={"k": 1})}, "message.data"),
        ({"message": Message(title=7)}, "message.title"),
        ({"ttl": -5}, "ttl"),
    ],
)
def test_what_fcm_would_refuse_names_its_field(fields: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        encode(a_notification(**fields), NOW)
    assert list(refused.value.errors) == [path]


def test_the_simulator_draws_the_line_at_the_same_byte(fcm: SimulatorProcess) -> None:
    room = next(n for n in range(4096, 0, -1) if _fits(n))
    largest = json.loads(encode(_sized(room), NOW).body(Target(TargetType.FID, "f")))["message"]
    assert fcm.send(largest).status_code == 200
    largest["notification"]["body"] += "x"
    assert fcm.send(largest).status_code == 400


def _sized(length: int) -> Any:
    return a_notification(message=Message("T", "b" * length))


def _fits(length: int) -> bool:
    try:
        encode(_sized(length), NOW)
    except InvalidInput:
        return False
    return True


def test_a_users_own_fields_stand_in_their_message_whatever_they_hold() -> None:
    title = f"For {mark(UserField.ID)}, {mark(UserField.COMMUNITY)}{mark(UserField.EMAIL)}"
    encoded = encode(a_notification(message=Message(title, data={"k": "v"})), NOW)
    user = User('a"b\\', 'schöl "1" {{ user.email }}')
    message = json.loads(encoded.filled(user).body(Target(TargetType.FID, "f")))["message"]
    assert message["notification"]["title"] == 'For a"b\\, schöl "1" {{ user.email }}'
    again = json.loads(encoded.filled(User("z")).body(Target(TargetType.FID, "f")))["message"]
    assert again["notification"]["title"] == "For z, "
    assert {**message, "notification": None} == {**again, "notification": None}
