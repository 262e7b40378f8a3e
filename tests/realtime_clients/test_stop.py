"""A gateway that is stopped, and its clients: they come back by themselves and have missed nothing."""

from notify_server.bootstrap import Services
from notify_server.config import Config
from tests.processes.realtime import RealtimeProcess
from tests.realtime_clients.conftest import KINDS, Announce
from tests.realtime_clients.documented import Documented


def test_clients_are_sent_away_and_come_back_to_the_next_process(
    settings: Config, services: Services, announce: Announce, documented: Documented
) -> None:
    user = "user-of-the-stop"
    with RealtimeProcess(settings) as process:
        token = services.user_tokens.mint(user)[0]
        apps = [kind(f"http://127.0.0.1:{process.port}", token) for kind in KINDS.values()]
        for app in apps:
            app.next("connect")
        announce(user)
        for app in apps:
            app.next("notification:new")
        assert process.stop() == 0
        output = process.output
    assert [line for line in output.splitlines() if "Traceback" in line or '"level": "error"' in line] == []
    for app in apps:
        _, closing = app.next("gateway:closing")
        assert documented.faults("closing", closing) == []
        assert closing[0]["reason"] == "server stopping"
        event, reason = app.next()
        assert (event, reason[0].partition(" ")[0]) == ("disconnect", "transport")  # not "server": they come back
    missed = announce(user)
    with RealtimeProcess(settings, port=process.port):
        for app in apps:
            app.next("connect")
            assert app.next("notification:new")[1][1]["id"] == missed
            app.close()
