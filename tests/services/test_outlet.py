from collections.abc import Callable
from dataclasses import replace

import pytest

from notify_server.domain.batch import Rank
from notify_server.domain.notification import Channel, Message
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
from tests.services.test_allowance import Ticks

DEAD = Outcome(Kind.TARGET_DEAD, Reason.UNREGISTERED)
TOO_OFTEN = Outcome(Kind.RETRY, Reason.DEVICE_RATE, 60.0)
Sending = Callable[..., Send]


@pytest.fixture
def governor(database: Store, clock: StoppedClock) -> Governor:
    """10 messages a second, of which a stopped monotonic clock brings none: only what is urgent can borrow."""
    shared = Shared(Paces(database), Workers(database))
    return Governor(shared, Limits(10.0, 0.0), Holder("one", 30.0, clock), lambda: 0.0)


class Sender:
    """An outlet as a delivery uses it. Two messages a minute and device."""

    def __init__(self, outlet: Outlet) -> None:
        self.outlet = outlet

    def send(self, sends: list[Send], probe: str | None = None) -> list[list[Outcome | None]] | None:
        permit = self.outlet.permit(sends, probe)
        return None if permit is None else self.outlet.send(sends, permit, NOON).all()


@pytest.fixture
def outlet(transport: PushTransport, governor: Governor, fcm: SimulatorProcess) -> Sender:
    assert fcm.counts()["requests"] == 0
    return Sender(Outlet(transport, governor, DeviceLimits(minute=3, hour=6)))


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


def test_each_device_has_its_outcome_in_its_place(outlet: Sender, a_send: Sending, fcm: SimulatorProcess) -> None:
    fcm.behave(prefixes={"dead": {"unregistered": 1}})
    sends = [a_send("a", "dead-1"), a_send(), a_send("dead-2", "b")]
    assert outlet.send(sends) == [[ACCEPTED, DEAD], [], [DEAD, ACCEPTED]]
    got = {(row["target"], row["message"]["data"]["notification_id"]) for row in fcm.messages()}
    ids = [send.ready.notification.id for send in sends]
    assert got == {("a", ids[0]), ("dead-1", ids[0]), ("dead-2", ids[2]), ("b", ids[2])}


def test_a_device_beyond_its_limit_waits_and_the_others_do_not(
    outlet: Sender, a_send: Sending, fcm: SimulatorProcess
) -> None:
    assert outlet.send([a_send("a"), a_send("a")]) == [[ACCEPTED], [ACCEPTED]]
    assert outlet.send([a_send("b", "a", "c"), a_send("a")]) == [[ACCEPTED, TOO_OFTEN, ACCEPTED], [TOO_OFTEN]]
    assert targets(fcm) == ["a", "a", "b", "c"]


def test_what_is_beyond_a_limit_is_not_paid_for(
    outlet: Sender, governor: Governor, a_send: Sending, fcm: SimulatorProcess
) -> None:
    governor.refund(4)
    assert outlet.send([a_send("a", "a", "a", "a", rank=Rank.BULK)]) == [[ACCEPTED, ACCEPTED, TOO_OFTEN, TOO_OFTEN]]
    assert outlet.send([a_send("b", "c", rank=Rank.BULK)]) == [[ACCEPTED, ACCEPTED]]
    assert waits_in_vain(outlet, governor, a_send("d", rank=Rank.BULK))
    assert targets(fcm) == ["a", "a", "b", "c"]


def test_who_has_no_device_costs_nothing(outlet: Sender, governor: Governor, a_send: Sending) -> None:
    governor.stop()
    assert outlet.send([a_send(), a_send()]) == [[], []]


def test_a_worker_that_stops_sends_nothing_more(
    outlet: Sender, governor: Governor, a_send: Sending, fcm: SimulatorProcess
) -> None:
    governor.stop()
    assert outlet.send([a_send("a")]) is None
    assert targets(fcm) == []


def test_a_load_is_urgent_only_where_all_of_it_is_small(
    outlet: Sender, governor: Governor, a_send: Sending, fcm: SimulatorProcess
) -> None:
    assert outlet.send([a_send("b", rank=Rank.URGENT), a_send("c")]) == [[ACCEPTED], [ACCEPTED]]
    assert waits_in_vain(outlet, governor, a_send("d"), a_send("e", rank=Rank.HIGH))
    assert targets(fcm) == ["b", "c"]


def test_a_probe_waits_for_nothing_and_is_paid_for_later(
    outlet: Sender, governor: Governor, a_send: Sending, fcm: SimulatorProcess
) -> None:
    governor.refund(1)
    assert outlet.send([a_send("a", "b", rank=Rank.BULK)], "probe") == [[ACCEPTED, ACCEPTED]]
    assert waits_in_vain(outlet, governor, a_send("c", rank=Rank.BULK))


def test_after_a_pause_a_probe_tells_whether_the_channel_works(
    outlet: Sender, governor: Governor, a_send: Sending, clock: StoppedClock
) -> None:
    governor.observe([Outcome(Kind.RETRY, Reason.CREDENTIAL_REFUSED)])
    assert outlet.send([a_send("a")]) is None
    clock.forward(10)
    probe = outlet.outlet.probe()
    assert probe
    assert outlet.send([a_send("a")]) is None
    assert outlet.send([a_send("a")], probe) == [[ACCEPTED]]
    assert outlet.send([a_send("b")]) == [[ACCEPTED]]


@pytest.mark.parametrize(("seconds", "stale"), [(0.0, False), (0.1, False), (0.3, True)])
def test_a_permit_says_whether_it_was_waited_for(
    transport: PushTransport, governor: Governor, a_send: Sending, seconds: float, stale: bool
) -> None:
    permit = Outlet(transport, governor, DeviceLimits(), Ticks(step=seconds)).permit([a_send("a")])
    assert permit is not None
    assert (permit.messages, permit.stale) == (1, stale)


def waits_in_vain(outlet: Sender, governor: Governor, *sends: Send) -> bool:
    """Whether these would have to wait; this stops the governor."""
    waited, _ = at_once(lambda: outlet.send(list(sends)), governor.stop)
    return waited is None


def test_the_pace_learns_from_the_answers(
    outlet: Sender, a_send: Sending, fcm: SimulatorProcess, database: Store
) -> None:
    fcm.behave(quota=1)
    refused = Outcome(Kind.RETRY, Reason.QUOTA_EXCEEDED)
    assert outlet.send([a_send(*"abcde")]) == [[refused] * 5]
    assert Paces(database).get(Channel.PUSH).throttled_at == NOON


def test_each_run_of_devices_gets_its_message_and_each_device_has_its_outcome_in_its_place(
    outlet: Sender, a_send: Sending, transport: PushTransport, fcm: SimulatorProcess
) -> None:
    fcm.behave(prefixes={"dead": {"unregistered": 1}})
    plain, other = a_send("x"), a_send("a", "dead-1", "b", "b", "b", "b", "dead-2")
    german = transport.encode(replace(other.ready.notification, message=Message("Hallo")), NOON)
    split = replace(other, runs=[(other.ready.encoded, 2), (german, 5)])
    expected = [ACCEPTED, DEAD, ACCEPTED, ACCEPTED, TOO_OFTEN, TOO_OFTEN, DEAD]
    assert outlet.send([plain, split]) == [[ACCEPTED], expected]
    titles = {row["target"]: row["message"]["notification"]["title"] for row in fcm.messages(outcome="accepted")}
    assert titles == {"x": "Booking confirmed", "a": "Booking confirmed", "b": "Hallo"}
