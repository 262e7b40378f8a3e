from collections.abc import Callable

import pytest

from notify_server.domain.batch import Rank
from notify_server.domain.notification import Channel
from notify_server.domain.outcome import ACCEPTED, Kind, Outcome
from notify_server.domain.pace import Limits
from notify_server.domain.push import PushTransport
from notify_server.domain.registry import Reason
from notify_server.services.device_limits import DeviceLimits
from notify_server.services.governor import Governor, Shared
from notify_server.services.holder import Holder
from notify_server.services.messages import Ready
from notify_server.services.outlet import Outlet, Send
from notify_server.storage.documents import Store
from notify_server.storage.paces import Paces
from notify_server.storage.workers import Workers
from tests.builders import NOON, StoppedClock, a_batch, a_notification, a_target, at_once
from tests.fcm_simulator import SimulatorProcess

DEAD = Outcome(Kind.TARGET_DEAD, Reason.UNREGISTERED)
TOO_OFTEN = Outcome(Kind.RETRY, Reason.DEVICE_RATE, 60.0)
Sending = Callable[..., Send]


@pytest.fixture
def governor(database: Store, clock: StoppedClock) -> Governor:
    """10 messages a second, of which a stopped monotonic clock brings none: only what is urgent can borrow."""
    shared = Shared(Paces(database), Workers(database))
    return Governor(shared, Limits(10.0, 0.0), Holder("one", 30.0, clock), lambda: 0.0)


@pytest.fixture
def outlet(transport: PushTransport, governor: Governor, fcm: SimulatorProcess) -> Outlet:
    assert fcm.counts()["requests"] == 0
    return Outlet(transport, governor, DeviceLimits(minute=2))


@pytest.fixture
def a_send(transport: PushTransport) -> Sending:
    """A message to these targets, each of them of a user of its own."""

    def made(*targets: str, rank: Rank = Rank.PROMPT) -> Send:
        notification = a_notification()
        ready = Ready(notification, transport.encode(notification, NOON), NOON)
        devices = [(f"user of {target}", "phone", a_target(target)) for target in targets]
        users = [user for user, _, _ in devices]
        return Send(a_batch(notification.id, *users, rank=rank), ready, users, devices)

    return made


def targets(fcm: SimulatorProcess) -> list[str]:
    return sorted(row["target"] for row in fcm.messages())


def test_each_device_has_its_outcome_in_its_place(outlet: Outlet, a_send: Sending, fcm: SimulatorProcess) -> None:
    fcm.behave(prefixes={"dead": {"unregistered": 1}})
    sends = [a_send("a", "dead-1"), a_send(), a_send("dead-2", "b")]
    assert outlet.send(sends, NOON) == [[ACCEPTED, DEAD], [], [DEAD, ACCEPTED]]
    got = {(row["target"], row["message"]["data"]["notification_id"]) for row in fcm.messages()}
    ids = [send.ready.notification.id for send in sends]
    assert got == {("a", ids[0]), ("dead-1", ids[0]), ("dead-2", ids[2]), ("b", ids[2])}


def test_a_device_beyond_its_limit_waits_and_the_others_do_not(
    outlet: Outlet, a_send: Sending, fcm: SimulatorProcess
) -> None:
    assert outlet.send([a_send("a"), a_send("a")], NOON) == [[ACCEPTED], [ACCEPTED]]
    assert outlet.send([a_send("b", "a", "c"), a_send("a")], NOON) == [[ACCEPTED, TOO_OFTEN, ACCEPTED], [TOO_OFTEN]]
    assert targets(fcm) == ["a", "a", "b", "c"]


def test_where_every_device_is_beyond_its_limit_the_pace_is_not_asked(
    outlet: Outlet, governor: Governor, a_send: Sending, fcm: SimulatorProcess
) -> None:
    assert outlet.send([a_send("a"), a_send("a")], NOON) == [[ACCEPTED], [ACCEPTED]]
    governor.stop()
    assert outlet.send([a_send("a", "a")], NOON) == [[TOO_OFTEN, TOO_OFTEN]]
    assert targets(fcm) == ["a", "a"]


def test_who_has_no_device_costs_nothing(outlet: Outlet, governor: Governor, a_send: Sending) -> None:
    governor.stop()
    assert outlet.send([a_send(), a_send()], NOON) == [[], []]


def test_a_worker_that_stops_sends_nothing_more(
    outlet: Outlet, governor: Governor, a_send: Sending, fcm: SimulatorProcess
) -> None:
    governor.stop()
    assert outlet.send([a_send("a")], NOON) is None
    assert targets(fcm) == []


def test_only_what_is_sent_counts_for_the_pace(outlet: Outlet, governor: Governor, a_send: Sending) -> None:
    assert outlet.send([a_send(*"aabbc", *(["a"] * 50))], NOON) == [[ACCEPTED] * 5 + [TOO_OFTEN] * 50]
    assert outlet.send([a_send(*"defghi")], NOON) == [[ACCEPTED] * 6]  # 11 in debt: more than a second's part
    waited, _ = at_once(lambda: outlet.send([a_send("j")], NOON), governor.stop)
    assert waited is None


def test_a_load_is_urgent_only_where_all_of_it_is_small(
    outlet: Outlet, governor: Governor, a_send: Sending, fcm: SimulatorProcess
) -> None:
    assert outlet.send([a_send("a", rank=Rank.BULK)], NOON) == [[ACCEPTED]]
    assert outlet.send([a_send("b", rank=Rank.URGENT), a_send("c")], NOON) == [[ACCEPTED], [ACCEPTED]]
    mixed = [a_send("d"), a_send("e", rank=Rank.HIGH)]
    waited, _ = at_once(lambda: outlet.send(mixed, NOON), governor.stop)
    assert waited is None
    assert targets(fcm) == ["a", "b", "c"]


def test_the_pace_learns_from_the_answers(
    outlet: Outlet, a_send: Sending, fcm: SimulatorProcess, database: Store
) -> None:
    fcm.behave(quota=1)
    assert outlet.send([a_send("a")], NOON) == [[Outcome(Kind.RETRY, Reason.QUOTA_EXCEEDED)]]
    assert Paces(database).get(Channel.PUSH).throttled_at == NOON
