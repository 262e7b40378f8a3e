import pytest

from notify_server.channels.fcm.sdk import SdkTransport
from notify_server.config import Config
from notify_server.domain.device import Target, TargetType
from notify_server.domain.notification import Message
from notify_server.domain.user import User
from notify_server.domain.user_fields import UserField, mark
from notify_server.errors import InvalidInput
from tests.channels.fcm.conftest import NOW, a_notification


def test_each_target_has_a_message_of_its_own() -> None:
    transport = SdkTransport(Config())
    encoded = transport.encode(a_notification(), NOW)
    first, second = encoded.to(Target(TargetType.TOKEN, "a")), encoded.to(Target(TargetType.FID, "b"))
    assert (first.token, first.fid) == ("a", None)
    assert (second.token, second.fid) == (None, "b")
    transport.close()
    transport.close()


def test_the_sdk_refuses_what_fcm_would() -> None:
    transport = SdkTransport(Config())
    with pytest.raises(InvalidInput):
        transport.encode(a_notification(message=Message("T", data={"from": "x"})), NOW)
    transport.close()


def test_a_users_own_fields_stand_in_their_message() -> None:
    transport = SdkTransport(Config())
    encoded = transport.encode(a_notification(message=Message(f"For {mark(UserField.ID)}", "b")), NOW)
    assert encoded.filled(User("a")).to(Target(TargetType.FID, "f")).notification.title == "For a"
    assert encoded.filled(User("b")).to(Target(TargetType.FID, "f")).notification.title == "For b"
    transport.close()
