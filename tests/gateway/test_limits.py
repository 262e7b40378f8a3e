from dataclasses import replace

from notify_server.config import Config
from notify_server.domain.rate import Rate
from notify_server.gateway.limits import DEFAULTS, End, Refusal, limits_of, refusal


def test_the_configured_limits_are_taken() -> None:
    config = replace(Config(), realtime_connections=7, realtime_event_rate=2.0, realtime_event_burst=3)
    limits = limits_of(config)
    assert (limits.connections, limits.per_user, limits.events) == (7, 20, Rate(2.0, 3))
    assert limits_of(Config()) == DEFAULTS
    assert limits_of(replace(Config(), realtime_unproved_connections=5)).unproved == 5


def test_every_reason_has_a_code_for_the_close_of_a_websocket() -> None:
    assert {end: end.code for end in End} == {
        End.TOO_SLOW: 1013,
        End.TOO_MANY_EVENTS: 1008,
        End.MALFORMED: 1008,
        End.NOT_CONNECTED: 1008,
        End.STOPPING: 1012,
        End.TOKEN_ENDED: 4401,
        End.ERASED: 4410,
        End.FAILED: 1011,
    }
    assert End.TOO_MANY_EVENTS.reconnect_in_ms > End.TOO_SLOW.reconnect_in_ms > 0


def test_who_is_refused_is_told_when_to_try_again() -> None:
    for reason in (Refusal.USER_FULL, Refusal.PROCESS_FULL):
        message, data = refusal(reason)
        assert message.startswith("too many connections")
        assert data["reason"] == "too_many_connections"
        assert data["retry_in_ms"] >= 1000
