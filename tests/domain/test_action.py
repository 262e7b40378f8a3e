from dataclasses import replace

from notify_server.domain.action import Action
from notify_server.domain.notification import Channel
from tests.builders import NOON

ALL = (Channel.EMAIL, Channel.PUSH, Channel.REALTIME)
ACTION = Action("sold", "ticket", ALL, NOON)


def test_what_is_switched_off_leaves_its_channels_out_in_their_order():
    assert ACTION.enabled(ALL) == ALL
    assert replace(ACTION, mail_enabled=False).enabled(ALL) == (Channel.PUSH, Channel.REALTIME)
    assert replace(ACTION, notification_enabled=False).enabled(ALL) == (Channel.EMAIL,)
    assert replace(ACTION, notification_enabled=False, mail_enabled=False).enabled(ALL) == ()
