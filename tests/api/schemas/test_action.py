from notify_server.api.schemas.action import ActionSchema
from notify_server.domain.notification import Channel


def test_what_is_left_out_has_its_default_and_a_channel_named_twice_is_one():
    loaded = ActionSchema().load({"template": "t", "channels": ["push", "email", "push"]})
    assert (loaded.template, loaded.channels) == ("t", (Channel.PUSH, Channel.EMAIL))
    assert (loaded.notification_enabled, loaded.mail_enabled, loaded.category, loaded.pack) == (True, True, None, None)
    assert ActionSchema().load({"template": "t"}).channels == (Channel.PUSH,)
