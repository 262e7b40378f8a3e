from notify_server.api.schemas.operations import ReadinessSchema, StatusSchema
from notify_server.domain.pace import Condition
from notify_server.domain.registry import Reason
from notify_server.services.health import ChannelHealth
from tests.builders import NOON, after


def test_a_probe_is_told_one_word():
    assert StatusSchema().dump({"status": "ready", "more": 1}) == {"status": "ready"}


def test_readiness_tells_how_each_channel_does():
    paused = ChannelHealth(Condition.PAUSED, Reason.UNAVAILABLE, NOON, after(10), 0.0, 1.0)
    assert ReadinessSchema().dump({"status": "ready", "channels": {"push": paused}}) == {
        "status": "ready",
        "channels": {
            "push": {
                "state": "paused",
                "reason": "unavailable",
                "since": "2026-11-20T12:00:00.000Z",
                "until": "2026-11-20T12:00:10.000Z",
                "rate": 0.0,
            }
        },
    }
