import pytest

from notify_server.domain.notification import Channel, Message
from notify_server.errors import InvalidInput
from notify_server.services import mailable
from tests.services.scene import Scene


def test_a_mail_says_something():
    mailable.check(Message("title"))
    mailable.check(Message(body="body"))
    with pytest.raises(InvalidInput, match="message: Needs a title or a body"):
        mailable.check(Message(data={"a": "b"}))


def test_it_is_asked_of_what_goes_by_mail_alone(scene: Scene) -> None:
    silent = Message(data={"a": "b"})
    scene.accept("a", message=silent)
    with pytest.raises(InvalidInput):
        scene.accept("a", message=silent, channels=(Channel.PUSH, Channel.EMAIL))
