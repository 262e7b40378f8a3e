"""kill -9 between any two writes: each process dies once at every step, and another one takes over."""

import signal
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace

import httpx
import pytest
from bson import ObjectId

from notify_server.bootstrap import build_services
from notify_server.domain.notification import Audience, Channel, Message, ResendPolicy
from notify_server.domain.registry import Status
from notify_server.domain.statistics import ALL
from notify_server.domain.tally import total
from notify_server.failpoints import STEPS
from notify_server.services.acceptance import Draft
from notify_server.services.reception import Report
from notify_server.storage.statistics import ARCHIVE, Statistics
from tests.counted import differences
from tests.faults.api import Api
from tests.faults.scene import WINDOW, Scene, names, populate
from tests.fcm_simulator import free_port
from tests.processes.realtime import App
from tests.service import Process, until

LATER = {"expansion.batch", "expansion.users", "expansion.entries", "expansion.cursor", "delivery.sent"}
FROM_QUEUE = ["delivery.leased", "delivery.resends"]
LATE = "delivery.late"  # tried in test_fcm_late.py
BROADCAST = [
    s for s in STEPS if s.startswith(("expansion.", "delivery.", "settlement.")) and s not in (*FROM_QUEUE, LATE)
]
TOGETHER = [s for s in STEPS if s.startswith("together.")]
EXPIRY = [s for s in STEPS if s.startswith("expire.")]
REAPING = [s for s in STEPS if s.startswith("reap.")]
GATEWAY = [s for s in STEPS if s.startswith("announcement.")]
SEQUENCING = [s for s in STEPS if s.startswith("sequencing.")]
COUNTING = [s for s in STEPS if s.startswith("counting.")]
RETIREMENT = [s for s in STEPS if s.startswith("retirement.")]
OTHERS = ["acceptance.stored", "enrolment.registered", "scheduler.leading", "release.released", "resend.recalled"]
OTHERS += ["replay.read", LATE]
MAILING = [s for s in STEPS if s.startswith("mailing.")] + ["people.addressed"]  # tried in test_mail.py
EVERY_DAY = {"expansion.entries", "delivery.sent", "settlement.entries", "together.entries", "delivery.leased"}
EVERY_DAY |= {"scheduler.leading", "expire.entries", "reap.batches", GATEWAY[0], SEQUENCING[1], COUNTING[1]}
EVERY_DAY |= {"retirement.archived"}
_serial = count()


def each(steps: Iterable[str]) -> pytest.MarkDecorator:
    """A case for each of `steps`: those of EVERY_DAY always, the others at full size."""
    rest = pytest.mark.full
    cases = [pytest.param(step, marks=() if step in EVERY_DAY else rest) for step in steps]
    return pytest.mark.parametrize("step", cases)


@dataclass(frozen=True)
class Sides:
    """Recipients beside the crowd: their devices are dead, or they have none."""

    gone: list[str]
    bare: list[str]


@pytest.fixture
def scene(make_scene: Callable[..., Scene], pytestconfig: pytest.Config) -> Scene:
    """Leases are short, so that nobody waits; at full size time is measured, and a start is to be short beside them."""
    return make_scene(lease=2.0 if pytestconfig.getoption("--full") else 1.0)


@pytest.fixture
def sides(scene: Scene) -> Sides:
    """New ones each time, since a dead device stays dead, and a user is unknown only once."""
    serial = next(_serial)
    sides = Sides(names(50, f"gone-{serial}"), names(50, f"bare-{serial}"))
    populate(scene.database, sides.gone, {})
    scene.fcm.behave(prefixes={f"gone-{serial}": {"unregistered": 1.0}})
    return sides


@pytest.fixture
def api(scene: Scene) -> Iterator[Api]:
    api = Api(scene)
    yield api
    api.close()


def await_failpoint(scene: Scene, process: Process) -> None:
    """Wait until it has been reached: that is when the fault happens."""
    until(lambda: "failpoint reached" in process.events(), f"{process.command} reaches its failpoint")
    scene.begin()


def await_death(scene: Scene, process: Process) -> None:
    """Wait until the process has killed itself at its failpoint."""
    await_failpoint(scene, process)
    assert process.wait() == -signal.SIGKILL


def take_over(scene: Scene) -> None:
    """Processes that do not die."""
    for command in ("worker", "scheduler"):
        scene.service.start(command)


def test_every_step_has_its_death_here():
    of_workers, of_schedulers = [*BROADCAST, *TOGETHER, *FROM_QUEUE], [*EXPIRY, *REAPING, *COUNTING, *RETIREMENT]
    assert sorted([*of_workers, *of_schedulers, *GATEWAY, *SEQUENCING, *MAILING, *OTHERS]) == sorted(STEPS)


@each(BROADCAST)
def test_a_worker_that_dies_in_a_broadcast_leaves_nobody_out(scene, people, crowd, sides, step):
    notification = scene.accept(groups=["crowd"], users=sorted([*sides.gone, *sides.bare]))
    victim = scene.service.start("worker", failpoint=f"{step}:2" if step in LATER else step)
    await_death(scene, victim)
    take_over(scene)
    scene.await_done(notification)
    evidence = scene.evidence(notification)
    scene.record(f"worker killed at {step}", evidence, crowd)
    scene.sound(evidence)
    assert sorted(evidence.having("sent")) == crowd
    waiting = set(evidence.having("pending"))
    assert set(sides.bare) <= waiting <= {*sides.bare, *sides.gone}  # what is known dead is no device to a successor
    assert waiting.union(evidence.having("failed")) == {*sides.bare, *sides.gone}
    assert evidence.duplicates <= WINDOW


@each(TOGETHER)
def test_a_worker_that_dies_with_many_small_audiences_leaves_nobody_out(scene, people, sides, step):
    audiences = {
        scene.accept(users=sorted([*people[i : i + 15], sides.bare[i]])): people[i : i + 15] for i in range(25)
    }
    await_death(scene, scene.service.start("worker", failpoint=step))
    take_over(scene)
    scene.await_done(*audiences)
    scene.end()
    log = scene.fcm.messages()
    for notification, reached in audiences.items():
        evidence = scene.evidence_in(notification, log)
        scene.sound(evidence)
        assert evidence.having("sent") == reached
        assert evidence.duplicates == 0
    scene.record(f"worker killed at {step} ({len(audiences)} notifications)", evidence, reached, window=0)


@each(FROM_QUEUE)
def test_a_worker_that_dies_when_it_takes_a_resend_leaves_nobody_out(scene, people, crowd, step):
    notification = scene.accept(groups=["crowd"], resend=ResendPolicy(after=1, times=1))
    first = scene.service.start("worker")
    scene.await_done(notification)
    assert first.stop() == 0
    victim = scene.service.start("worker", failpoint=step)
    scene.service.start("scheduler")
    await_death(scene, victim)
    scene.service.start("worker")
    until(lambda: scene.database.batches.count_documents({}) == 0, "nothing is left")
    evidence = scene.sent_to_all(f"worker killed at {step}", notification, crowd, sends=2)
    assert {entry["resends"] for entry in evidence.entries} == {1}
    assert evidence.duplicates == len(crowd)


def test_a_notification_that_was_stored_is_accepted_once_though_nobody_was_answered(scene, people, crowd, api):
    victim = scene.service.start("web", failpoint="acceptance.stored", web_processes=1)
    api.await_ready()
    with pytest.raises(httpx.TransportError):
        api.post("once", groups=["crowd"])
    await_failpoint(scene, victim)
    notification = api.insist("once", groups=["crowd"])
    assert scene.database.notifications.count_documents({}) == 1
    take_over(scene)
    scene.await_done(notification)
    evidence = scene.sent_to_all("web process killed at acceptance.stored", notification, crowd, window=0)
    assert evidence.duplicates == 0


def test_what_waits_for_a_device_is_served_though_its_registration_was_cut_off(scene, sides, api):
    user, (*others,) = sides.bare[0], sides.bare[1:]
    notification = scene.accept(users=sides.bare)
    take_over(scene)
    scene.await_done(notification)
    victim = scene.service.start("web", failpoint="enrolment.registered", web_processes=1)
    api.await_ready()
    headers = {"authorization": f"Bearer {scene.services.user_tokens.mint(user)[0]}"}
    device = {"platform": "android", "token": f"{user}:late"}
    with pytest.raises(httpx.TransportError):
        api.client.put("/v1/me/devices/phone", json=device, headers=headers)
    await_failpoint(scene, victim)
    assert victim.stop() == 0  # it lives on, and began a new process that would die in the same way
    scene.service.start("web", web_processes=1)
    api.await_ready()
    assert api.client.put("/v1/me/devices/phone", json=device, headers=headers).status_code == 200
    until(lambda: scene.count(notification, status="sent") == 1, "the device is served")
    until(lambda: scene.database.batches.count_documents({"stage": "dispatch"}) == 0, "and its batch settled")
    evidence = scene.evidence(notification)
    scene.record("web process killed at enrolment.registered", evidence, [user], window=0)
    scene.sound(evidence)
    assert evidence.having("pending") == others
    assert evidence.duplicates == 0


@each(["scheduler.leading", "release.released"])
def test_a_scheduler_that_dies_when_a_time_has_come_delays_at_most(scene, people, crowd, step):
    scene.service.start("worker").ready("worker started")
    send_at = datetime.now(UTC) + timedelta(seconds=0.5)
    notification = scene.accept(groups=["crowd"], send_at=send_at)
    await_death(scene, scene.service.start("scheduler", failpoint=step))
    scene.service.start("scheduler")
    scene.await_done(notification)
    evidence = scene.sent_to_all(f"scheduler killed at {step}", notification, crowd, window=0)
    assert evidence.duplicates == 0


def test_a_scheduler_that_dies_when_it_has_recalled_batches_repeats_no_resend(scene, people, crowd):
    scene.service.start("worker").ready("worker started")
    notification = scene.accept(groups=["crowd"], resend=ResendPolicy(after=1, times=1))
    await_death(scene, scene.service.start("scheduler", failpoint="resend.recalled"))
    scene.service.start("scheduler")
    until(lambda: scene.database.batches.count_documents({}) == 0, "nothing is left")
    scene.sent_to_all("scheduler killed at resend.recalled", notification, crowd, sends=2, window=0)
    log = scene.fcm.messages()
    assert len(log) == 2 * len(crowd)


@each(EXPIRY)
def test_a_scheduler_that_dies_while_it_expires_a_notification_is_followed_by_another(scene, people, sides, step):
    scene.service.start("worker").ready("worker started")
    notification = scene.accept(users=sorted([*people[:100], *sides.bare]), ttl=1)
    await_death(scene, scene.service.start("scheduler", failpoint=step))
    scene.service.start("scheduler")
    until(lambda: not scene.notification(notification)["open"], "its time is over")
    scene.await_done(notification)
    evidence = scene.evidence(notification)
    scene.record(f"scheduler killed at {step}", evidence, people[:100], window=0)
    scene.sound(evidence)
    assert evidence.having("expired") == sides.bare
    assert evidence.having("sent") == people[:100]
    assert evidence.batches == []


@each(REAPING)
def test_a_scheduler_that_dies_while_it_reaps_a_dead_worker_is_followed_by_another(scene, people, crowd, step):
    """The worker leaves a notification all of which is settled, and which only a scheduler can end."""
    notification = scene.accept(users=people[:100])
    await_death(scene, scene.service.start("worker", failpoint="delivery.completing"))
    other = scene.accept(groups=["crowd"])
    await_death(scene, scene.service.start("worker", failpoint="delivery.sending"))
    await_death(scene, scene.service.start("scheduler", failpoint=step))
    take_over(scene)
    scene.await_done(notification, other)
    scene.end()
    scene.sound(scene.evidence(notification))
    evidence = scene.sent_to_all(f"scheduler killed at {step}, after workers", other, crowd, window=0)
    assert evidence.duplicates == 0


@each(COUNTING)
def test_a_scheduler_that_dies_while_it_counts_leaves_figures_that_are_right(scene, people, sides, step):
    """Marks hold for ten seconds and the right to count for twelve: that is how long this takes.

    The notifications were accepted an hour ago: those of now would be counted in three minutes.
    """
    services = build_services(scene.service.config, scene.database, lambda: datetime.now(UTC) - timedelta(hours=1))
    audiences = Audience(users=tuple(people[:100])), Audience(users=tuple(sides.bare))
    drafts = [Draft(Message(title="Hello", body="World"), audience, category="news") for audience in audiences]
    notifications = [services.acceptance.accept(draft, "tests", None).id for draft in drafts]
    scene.service.start("worker").ready("worker started")
    await_death(scene, scene.service.start("scheduler", failpoint=step))
    scene.service.start("scheduler")
    until(lambda: scene.database.changes.count_documents({}) == 0, "everything is counted", within=90)
    assert differences(scene.database) == []
    today = datetime.now(UTC).date()
    [day] = Statistics(scene.database).days(ALL, today - timedelta(days=1), today, times=False)
    assert day.tally == {"sent": 100, "pending": 50, "pending:no_device": 50}
    for notification in notifications:
        scene.sound(scene.evidence(notification))


def _long_ago(scene) -> bool:
    """What was marked has run out and was counted: an old notification is marked by nobody for minutes."""
    scene.database.changes.delete_many({})
    return True


@each(RETIREMENT)
def test_a_scheduler_that_dies_while_it_retires_a_notification_loses_none_of_its_figures(scene, people, step):
    before = datetime.now(UTC) - timedelta(days=3)
    services = build_services(scene.service.config, scene.database, lambda: before)
    draft = Draft(Message(title="Hello", body="World"), Audience(users=tuple(people[:100])), ttl=60)
    old = services.acceptance.accept(draft, "tests", None).id
    scene.service.start("worker").ready("worker started")
    until(lambda: scene.notification(old)["expanded"], "its entries are there")
    victim = scene.service.start("scheduler", failpoint=step, registry_days=1)
    until(lambda: _long_ago(scene) and "failpoint reached" in victim.events(), "scheduler reaches its failpoint")
    scene.begin()
    assert victim.wait() == -signal.SIGKILL
    recent = scene.accept(users=people[:10])
    scene.service.start("scheduler", registry_days=1)
    until(lambda: scene.database.notifications.count_documents({}) == 1, "it is gone", within=90)
    assert scene.database.registry.count_documents({"_id.n": ObjectId(old)}) == 0
    assert scene.services.reception.report(people[0], [Report(old, Status.READ)]) == [0]
    scene.await_done(recent)
    scene.sound(scene.evidence(recent))
    archive = Statistics(scene.database, ARCHIVE).months(ALL, before.date(), datetime.now(UTC).date(), times=False)
    assert total(month.tally for month in archive) == {"expired": 100, "expired:ttl_over": 100}


@each(GATEWAY)
def test_a_gateway_that_dies_while_it_announces_leaves_everything_in_the_inbox(scene, sides, step):
    """A socket is told at most once; whoever was not told finds the notification in the registry, and can read it."""
    user, port = sides.bare[0], free_port()
    victim = scene.service.start("realtime", realtime_port=port, failpoint=step).ready("realtime started")
    auth = {"token": scene.services.user_tokens.mint(user)[0]}
    cut_off = App(SimpleNamespace(port=port), auth)
    scene.service.start("worker").ready("worker started")
    notification = scene.accept(users=sides.bare, channels=(Channel.REALTIME,))
    await_death(scene, victim)
    cut_off.close()
    scene.service.start("realtime", realtime_port=port).ready("realtime started")
    app = App(SimpleNamespace(port=port), auth)
    following = scene.accept(users=sides.bare, channels=(Channel.REALTIME,))
    assert app.received.get(timeout=20)[0]["id"] in (notification, following)
    assert app.call("receipt", {"notification_id": notification, "status": "read"})["ok"]
    until(lambda: scene.count(following, status="sent") == 1, "it is noted who was told")
    app.close()
    for each in (notification, following):
        evidence = scene.evidence(each)
        scene.sound(evidence)
        assert sorted(entry["_id"]["u"] for entry in evidence.entries) == sides.bare
    assert scene.count(notification, status="read") == 1


@each(SEQUENCING)
def test_a_worker_that_dies_while_it_announces_leaves_nothing_out_and_nothing_twice(scene, people, sides, step):
    """Once in a large audience and once among small ones; an open socket is told of each page once."""
    user, port = sides.bare[0], free_port()
    scene.service.start("realtime", realtime_port=port).ready("realtime started")
    app = App(SimpleNamespace(port=port), {"token": scene.services.user_tokens.mint(user)[0]})
    large = scene.accept(groups=["crowd"], users=sides.bare, channels=(Channel.REALTIME,))
    await_death(scene, scene.service.start("worker", failpoint=f"{step}:2"))
    small = [scene.accept(users=[user, person], channels=(Channel.REALTIME,)) for person in people[:5]]
    await_death(scene, scene.service.start("worker", failpoint=step))
    take_over(scene)
    scene.await_done(large, *small)
    told = [app.received.get(timeout=20)[1]["id"] for _ in range(6)]
    assert sorted(told) == sorted([large, *small])
    assert app.silent(1.0)
    app.close()
    numbers = [batch["sequence"] for batch in scene.database.batches.find().sort("sequence", 1)]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    for notification in (large, *small):
        scene.sound(scene.evidence(notification))


@pytest.mark.full
def test_a_gateway_that_dies_while_it_replays_is_asked_again(scene, sides):
    user, port = sides.bare[0], free_port()
    scene.service.start("worker").ready("worker started")
    missed = [scene.accept(users=[user], channels=(Channel.REALTIME,)) for _ in range(3)]
    scene.await_done(*missed)
    auth = {"token": scene.services.user_tokens.mint(user)[0], "since": "0" * 24}
    victim = scene.service.start("realtime", realtime_port=port, failpoint="replay.read")
    victim.ready("realtime started")
    cut_off = App(SimpleNamespace(port=port), auth)
    await_death(scene, victim)
    assert cut_off.received.empty()
    cut_off.close()
    scene.service.start("realtime", realtime_port=port).ready("realtime started")
    app = App(SimpleNamespace(port=port), auth)
    assert sorted(app.received.get(timeout=20)[1]["id"] for _ in missed) == sorted(missed)
    app.close()
