"""A gateway that is stopped, and its clients: they come back by themselves and have missed nothing."""

from collections.abc import Callable

import pytest

from notify_server.bootstrap import Services
from notify_server.config import Config
from tests.processes.realtime import RealtimeProcess
from tests.realtime_clients.conftest import KINDS
from tests.realtime_clients.documented import Documented


@pytest.mark.parametrize("kind", KINDS)
def test_clients_are_sent_away_and_come_back_to_the_next_process(
    kind: str,
    settings: Config,
    services: Services,
    announce: Callable[..., str],
    documented: Documented,
) -> None:
    user = f"{kind}-of-the-stop"
    with RealtimeProcess(settings) as process:
        app = KINDS[kind](f"http://127.0.0.1:{process.port}", services.user_tokens.mint(user)[0])
        app.next("connect")
        announce(user)
        app.next("notification:new")
        assert process.stop() == 0
        output = process.output
    _, closing = app.next("gateway:closing")
    assert documented.faults("closing", closing) == []
    assert closing[0]["reason"] == "server stopping"
    event, reason = app.next()
    assert (event, reason[0].partition(" ")[0]) == ("disconnect", "transport")  # not the server: they come back then
    assert [line for line in output.splitlines() if "Traceback" in line or '"level": "error"' in line] == []
    missed = announce(user)
    with RealtimeProcess(settings, port=process.port):
        app.next("connect")
        assert app.next("notification:new")[1][1]["id"] == missed
        app.close()
