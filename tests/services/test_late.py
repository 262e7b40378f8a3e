"""What is answered late: the others do not wait for it, and it is settled once it is answered, whatever happens."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from notify_server.bootstrap import Engine
from notify_server.domain.notification import Channel, ResendPolicy
from notify_server.domain.outcome import ACCEPTED, Kind, Outcome
from notify_server.domain.push import PushTransport, Sending, Sent
from notify_server.domain.registry import Reason
from notify_server.errors import DatabaseUnavailable
from notify_server.services.answers import Answers
from notify_server.services.late import Late, Overdue, Portion
from notify_server.services.messages import Ready
from notify_server.services.outlet import Send
from tests.builders import NOON, a_batch, a_notification, a_target
from tests.counted import COUNTED
from tests.fcm_simulator import SimulatorProcess
from tests.services.hesitant import Hesitant
from tests.services.interruption import Interrupted, Killed, away, die
from tests.services.scene import LEASE, Scene

BUSY = Outcome(Kind.RETRY, Reason.UNAVAILABLE)
GONE = Outcome(Kind.TARGET_DEAD, Reason.UNREGISTERED)


@pytest.fixture
def send(transport: PushTransport) -> Send:
    """To a with a phone and a tablet, b with a phone, and c without a device; z is in the batch, and was sent to."""
    notification = a_notification()
    ready = Ready(notification, transport.encode(notification, NOON), NOON)
    devices = [("a", "phone", a_target("a1")), ("b", "phone", a_target("b1")), ("a", "tablet", a_target("a2"))]
    return Send(a_batch(notification.id, *"abcz"), ready, ("a", "b", "c"), devices)


def some_answers(sending: Sending) -> Answers:
    return Answers(sending, parts=[1], waits=[[None] * 3], observe=lambda _: None, began=0.0)


def overdue(transport: Hesitant, send: Send) -> Overdue:
    """Sent, and waited for."""
    sending = transport.begin([(send.ready.encoded, [target for _, _, target in send.devices])])
    answers = some_answers(sending)
    assert None in answers.most()[0]
    return Overdue(answers, [Portion.of(send, 0)], 3)


def test_a_portion_is_dispatched_with_its_own_answers(send: Send) -> None:
    dispatch = Portion.of(send, 3).dispatch([ACCEPTED, BUSY, ACCEPTED])
    assert (dispatch.batch, dispatch.users, dispatch.devices) == (send.batch, send.users, send.devices)
    assert dispatch.outcomes == [ACCEPTED, BUSY, ACCEPTED]


@pytest.mark.parametrize("tablet", [None, BUSY])
def test_of_whom_one_device_may_still_be_answered_otherwise_nothing_is_certain(send: Send, tablet: Any) -> None:
    answers: list[Outcome | None] = [ACCEPTED, ACCEPTED, tablet]
    certain, rest = Portion.of(send, 0).divided(answers)
    now = certain.dispatch(answers)
    assert (now.batch, now.users, now.devices, now.outcomes) == (send.batch, ("b",), [send.devices[1]], [ACCEPTED])
    then = rest.dispatch([ACCEPTED, ACCEPTED, GONE])
    assert (then.batch, then.users, then.stranded()) == (send.batch, ("a", "c"), ["c"])
    assert (then.devices, then.outcomes) == ([send.devices[0], send.devices[2]], [ACCEPTED, GONE])


def test_who_was_written_to_have_failed_is_no_business_of_what_follows(send: Send) -> None:
    answers: list[Outcome | None] = [None, GONE, GONE]
    certain, rest = Portion.of(send, 0).divided(answers)
    assert certain.dispatch(answers).users == ("b",)
    assert rest.dispatch([ACCEPTED, GONE, GONE]).elsewhere == {"b"}


def test_of_users_with_some_devices_left_nothing_is_certain(send: Send) -> None:
    """Their entries are `sent` already: they could not tell that these devices have it now."""
    batch = replace(send.batch, devices={"b": ("phone",)})
    certain, rest = Portion.of(replace(send, batch=batch), 0).divided([ACCEPTED, ACCEPTED, ACCEPTED])
    assert (certain.send.users, rest.send.users) == (("a",), ("b", "c"))


def test_exposed_is_what_fcm_may_have_accepted(send: Send) -> None:
    portion = Portion.of(send, 0)
    assert portion.exposed([None, BUSY, ACCEPTED]) == 2
    assert portion.exposed([GONE, BUSY, BUSY]) == 0


def within(seconds: float, action: Callable[[], list[Overdue]]) -> list[Overdue]:
    """What `action` returns; AssertionError where it takes longer."""
    found: list[list[Overdue]] = []
    thread = threading.Thread(target=lambda: found.append(action()), daemon=True)
    thread.start()
    thread.join(seconds)
    assert found, "it waits for longer"
    return found[0]


def test_what_is_late_can_be_taken_once_it_is_answered(
    transport: PushTransport, fcm: SimulatorProcess, send: Send
) -> None:
    late, hesitant = Late(), Hesitant(transport, "b1".__eq__)
    hesitant.holds = True
    first = overdue(hesitant, send)
    late.add(first)
    assert (late.take(0), bool(late)) == ([], True)
    threading.Timer(0.05, hesitant.answer).start()
    assert within(30.0, lambda: late.take(3600.0)) == [first]
    assert (late.take(0), bool(late)) == ([], False)
    assert len(fcm.messages()) == 3


def test_room_is_for_so_many_messages_until_they_are_let_go_of() -> None:
    late = Late(most=4)
    assert late.reserve(3)
    assert not late.reserve(2)
    assert late.reserve(1)
    assert late.reserve(0)
    late.release(3)
    assert not late.reserve(4)
    assert late.reserve(3)


def test_who_waits_for_it_can_be_woken() -> None:
    late = Late()
    threading.Timer(0.05, late.wake).start()
    assert within(30.0, lambda: late.take(3600.0)) == []


def test_a_sending_that_is_over_is_taken_at_once(send: Send) -> None:
    late = Late()
    late.add(Overdue(some_answers(Sent([[ACCEPTED] * 3])), [Portion.of(send, 0)], 3))
    [found] = within(30.0, lambda: late.take(3600.0))
    assert found.answers.all() == [[ACCEPTED] * 3]


@pytest.fixture
def hesitant(transport: PushTransport) -> Hesitant:
    """Phones of everybody whose name begins with an l, and tablets, are answered late."""
    return Hesitant(transport, lambda target: target.startswith("l") or target.endswith("tablet"))


@pytest.fixture
def engine(scene: Scene, hesitant: Hesitant) -> Engine:
    """A worker that sends by it, to users a, b and late with a phone each."""
    for user in ("a", "b", "late"):
        scene.register(user)
    return scene.worker(transport=hesitant)


def left(scene: Scene, notification: str) -> list[tuple[str, list[str], str | None]]:
    """Stage, users and owner of each batch of a notification, those of most users first."""
    found = [(batch["stage"], batch["users"], batch["owner"]) for batch in scene.batches(notification)]
    return sorted(found, key=lambda each: -len(each[1]))


def test_the_others_are_settled_at_once_and_who_is_late_as_soon_as_that_is_known(
    scene: Scene, engine: Engine, hesitant: Hesitant
) -> None:
    hesitant.holds = True
    notification = scene.accept("a", "b", "late", "none")
    scene.work(engine)
    assert scene.standing(notification) == {
        "a": ("sent", None),
        "b": ("sent", None),
        "late": ("pending", None),
        "none": ("pending", None),
    }
    ours = engine.leasing.holder.owner
    assert left(scene, notification) == [("dispatch", ["a", "b", "late", "none"], ours)]
    assert scene.state(notification) == "dispatching"
    engine.delivery.settle_late(0)
    assert scene.standing(notification)["late"] == ("pending", None)
    hesitant.answer()
    engine.delivery.settle_late(60.0)
    assert scene.standing(notification) == dict.fromkeys(("a", "b", "late"), ("sent", None)) | {
        "none": ("pending", "no_device")
    }
    assert left(scene, notification) == [("confirm", ["a", "b", "late"], None)]
    assert scene.state(notification) == "done"
    assert sorted(scene.accepted()) == ["a:phone", "b:phone", "late:phone"]
    assert scene.violations(notification) == []


def test_each_late_answer_ends_in_its_status(scene: Scene, engine: Engine) -> None:
    for user in ("lost", "low"):
        scene.register(user)
    scene.register("a", "tablet")
    scene.fcm.behave(prefixes={"lost": {"unregistered": 1}, "low": {"unavailable": 1}, "a:t": {"unavailable": 1}})
    notification = scene.accept("a", "b", "late", "lost", "low")
    scene.work(engine)
    assert scene.standing(notification) == {"b": ("sent", None)} | dict.fromkeys(
        ("a", "late", "lost", "low"), ("pending", None)
    )
    engine.delivery.finish()
    assert scene.standing(notification) == {
        "a": ("sent", None),
        "b": ("sent", None),
        "late": ("sent", None),
        "lost": ("failed", "unregistered"),
        "low": ("pending", "unavailable"),
    }
    scene.fcm.behave()
    scene.clock.forward(60)
    scene.work(engine)
    engine.delivery.finish()
    assert Counter(scene.accepted()) == {"a:phone": 1, "a:tablet": 1, "b:phone": 1, "late:phone": 1, "low:phone": 1}
    assert scene.violations(notification) == []


def test_its_lease_is_kept_while_it_is_waited_for(scene: Scene, engine: Engine, hesitant: Hesitant) -> None:
    hesitant.holds = True
    notification = scene.accept("a", "late")
    alone = scene.accept("late")
    scene.work(engine)
    for _ in range(3):
        engine.leasing.renew()
        scene.clock.forward(LEASE / 2)
    scene.work(scene.worker())
    hesitant.answer()
    engine.delivery.finish()
    assert Counter(scene.accepted()) == {"a:phone": 1, "late:phone": 2}
    for each in (notification, alone):
        assert scene.standing(each)["late"] == ("sent", None)
        assert scene.violations(each) == []
    engine.leasing.renew()
    assert engine.leasing.holder.batches.keys() == set()


def test_a_dead_workers_late_recipients_are_sent_it_again_and_no_others(scene: Scene, engine: Engine) -> None:
    notification = scene.accept("a", "b", "late")
    scene.work(engine)
    scene.clock.forward(LEASE)
    scene.work(scene.worker())
    assert Counter(scene.accepted()) == {"a:phone": 1, "b:phone": 1, "late:phone": 2}
    engine.delivery.finish()  # it was not dead, but asleep
    assert scene.standing(notification) == dict.fromkeys(("a", "b", "late"), ("sent", None))
    history = scene.entry(notification, "late")["history"]
    assert [line["status"] for line in history] == ["pending", "sent"]
    assert scene.violations(notification) == []


def test_a_cancel_counts_who_is_late_as_in_flight(scene: Scene, engine: Engine) -> None:
    notification = scene.accept("a", "late")
    scene.work(engine)
    cancelled = scene.services.cancellation.cancel(notification)
    assert (cancelled.stopped, cancelled.in_flight) == (0, 1)
    engine.delivery.finish()
    assert scene.standing(notification) == dict.fromkeys(("a", "late"), ("sent", None))  # FCM has it
    assert scene.services.cancellation.sweep() == 0
    assert left(scene, notification) == []
    assert scene.violations(notification) == []


def test_a_worker_may_die_before_any_operation_and_nobody_is_lost(scene: Scene, hesitant: Hesitant) -> None:
    for user in ("a", "late", "low"):
        scene.register(user)
    for moment in count():
        scene.fcm.clear()
        scene.fcm.behave(prefixes={"low": {"unavailable": 1}})
        notification = scene.accept("a", "late", "low", "none")
        [page] = scene.expand()
        scene.engine.leasing.release([page])
        database = Interrupted(scene.database, moment, die)
        dying = scene.worker(database, hesitant)
        try:
            scene.work(dying)
            dying.delivery.finish()
        except Killed:
            scene.clock.forward(LEASE)
        scene.fcm.behave()
        scene.work(scene.worker())
        scene.clock.forward(60)
        scene.work(scene.worker())
        assert scene.standing(notification) == dict.fromkeys(("a", "late", "low"), ("sent", None)) | {
            "none": ("pending", "no_device")
        }
        assert max(Counter(scene.accepted()).values()) <= 2
        assert scene.violations(notification) == []
        if not database.happened:
            break
        for name in ("notifications", "registry", "batches", *COUNTED):
            scene.database[name].delete_many({})
    assert moment > 15


def test_what_the_database_was_away_for_is_sent_again_when_its_lease_is_over(scene: Scene, hesitant: Hesitant) -> None:
    for user in ("a", "late"):
        scene.register(user)
    database = Interrupted(scene.database, 10**6, away)
    engine = scene.worker(database, hesitant)
    notification = scene.accept("a", "late")
    scene.work(engine)
    database.at(0)
    with pytest.raises(DatabaseUnavailable):
        engine.delivery.settle_late(0)
    assert engine.leasing.holder.batches.keys() == set()
    assert engine.delivery._late.reserve(500)
    scene.clock.forward(LEASE)
    scene.work(scene.worker())
    assert scene.standing(notification) == dict.fromkeys(("a", "late"), ("sent", None))
    assert Counter(scene.accepted()) == {"a:phone": 1, "late:phone": 2}
    assert scene.violations(notification) == []


@pytest.mark.parametrize("error", [DatabaseUnavailable, ValueError])
def test_the_end_comes_whatever_cannot_be_settled(scene: Scene, hesitant: Hesitant, error: type[Exception]) -> None:
    def fail() -> None:
        raise error

    for user in ("late", "later"):
        scene.register(user)
    database = Interrupted(scene.database, 10**6, fail)
    engine = scene.worker(database, hesitant)
    first = scene.accept("late")
    scene.work(engine)
    database.at(0)
    engine.delivery.finish()
    second = scene.accept("later")
    scene.work(engine)
    engine.delivery.finish()
    assert (scene.standing(first), scene.standing(second)) == ({"late": ("pending", None)}, {"later": ("sent", None)})


def test_who_failed_ahead_and_was_reached_by_mail_is_not_pushed_again(scene: Scene, engine: Engine) -> None:
    scene.address("a", "b", "late")
    scene.fcm.behave(prefixes={"b": {"unregistered": 1}})
    notification = scene.accept("a", "b", "late", channels=(Channel.PUSH, Channel.EMAIL))
    scene.work(engine)
    engine.delivery.finish()
    assert ("confirm", ["a", "late"], None) in left(scene, notification)


def test_of_a_partial_retry_those_are_sent_it_again_who_count_as_exposed(scene: Scene, engine: Engine) -> None:
    for user in ("a", "b", "late"):
        scene.register(user, "mobile")
    scene.fcm.behave(prefixes={f"{user}:mobile": {"unavailable": 1} for user in ("a", "b", "late")})
    notification = scene.accept("a", "b", "late")
    scene.work(engine)
    engine.delivery.finish()
    scene.fcm.behave()
    scene.clock.forward(60)
    scene.work(engine)
    assert not engine.delivery._late.reserve(500 - 2)
    engine.delivery.finish()
    assert engine.delivery._late.reserve(500)
    assert Counter(scene.accepted()) == {
        f"{user}:{device}": 1 for user in ("a", "b", "late") for device in ("phone", "mobile")
    }
    assert scene.violations(notification) == []


def test_a_resend_asked_for_meanwhile_reaches_who_was_written_ahead(scene: Scene, engine: Engine) -> None:
    notification = scene.accept("a", "late", resend=ResendPolicy(times=0))
    scene.work(engine)
    scene.clock.forward(1)
    assert scene.services.resending.request(notification, None) == 1
    assert scene.services.resending.queue() == 0
    scene.clock.forward(1)
    engine.delivery.finish()
    assert scene.services.resending.queue() == 1
    scene.work(engine)
    engine.delivery.finish()
    assert Counter(scene.accepted()) == {"a:phone": 2, "late:phone": 1}
    assert scene.violations(notification) == []
