from collections.abc import Iterator
from contextlib import closing

import pytest

from notify_server.channels.fcm.call import Call
from notify_server.channels.fcm.dispatcher import Dispatcher
from notify_server.channels.fcm.encoding import encode
from notify_server.channels.fcm.multiplexer import Alarm
from notify_server.domain.outcome import ACCEPTED, Kind, Outcome
from notify_server.domain.registry import Reason
from tests.channels.fcm.conftest import NOW, a_notification, tokens
from tests.fcm_simulator import SimulatorProcess

LOST = Outcome(Kind.RETRY, Reason.CONNECTION_LOST)


@pytest.fixture
def dispatcher(fcm: SimulatorProcess) -> Iterator[Dispatcher]:
    alarm = Alarm()
    with closing(Dispatcher(1, 10.0, str(fcm.ca_file), alarm)) as made:
        yield made
    alarm.close()


def a_call(fcm: SimulatorProcess, *targets: str) -> Call:
    url = f"{fcm.url}/v1/projects/{fcm.project}/messages:send"
    headers = (f"Authorization: Bearer {fcm.access_token()}",)
    return Call(url, headers, encode(a_notification(), NOW), tokens(*targets))


def test_calls_share_the_exchanges_in_turn(dispatcher: Dispatcher, fcm: SimulatorProcess) -> None:
    first, second = a_call(fcm, *(f"a{n}" for n in range(300))), a_call(fcm, *(f"b{n}" for n in range(300)))
    dispatcher.add(first)
    dispatcher.add(second)
    dispatcher.round(0.0)
    assert first.unsent == second.unsent == 250
    while dispatcher.busy:
        dispatcher.round(None)
    assert first.outcomes == second.outcomes == [ACCEPTED] * 300


def test_it_begins_with_few_connections_and_takes_more_where_answers_are_slow(fcm: SimulatorProcess) -> None:
    fcm.behave(latency={"min": 0.1, "max": 0.1})
    alarm, call = Alarm(), a_call(fcm, *(f"a{n}" for n in range(2000)))
    with closing(Dispatcher(6, 10.0, str(fcm.ca_file), alarm)) as dispatcher:
        dispatcher.add(call)
        under_way = list[int]()
        while dispatcher.busy:
            dispatcher.round(None)
            under_way.append(2000 - call.unsent - call.outcomes.count(ACCEPTED))
    assert under_way[0] == 400
    assert max(under_way) > 400
    assert call.outcomes == [ACCEPTED] * 2000
    alarm.close()


def test_a_closed_dispatcher_leaves_nobody_waiting(fcm: SimulatorProcess) -> None:
    fcm.behave(stall_before=1, stall_seconds=60)
    alarm = Alarm()
    running, waiting = a_call(fcm, *(f"a{n}" for n in range(120))), a_call(fcm, "b")
    with closing(Dispatcher(1, 10.0, str(fcm.ca_file), alarm)) as dispatcher:
        dispatcher.add(running)
        dispatcher.add(waiting)
        dispatcher.round(0.0)
    running.wait()
    waiting.wait()
    assert (running.outcomes, waiting.outcomes) == ([LOST] * 120, [LOST])
    alarm.close()


def test_a_broken_connection_is_not_used_again(dispatcher: Dispatcher, fcm: SimulatorProcess) -> None:
    fcm.behave(drop_before=1)
    for expected in ([LOST], [LOST], [ACCEPTED]):
        if expected == [ACCEPTED]:
            fcm.behave()
        call = a_call(fcm, "a")
        dispatcher.add(call)
        while dispatcher.busy:
            dispatcher.round(None)
        assert call.outcomes == expected
