from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from notify_server.domain.batch import Batch, BatchKey, Stage
from notify_server.domain.notification import Audience, Channel, Message, Notification, State
from notify_server.storage import migrations
from notify_server.storage.batches import Batches
from notify_server.storage.devices import Devices
from notify_server.storage.documents import Store, new_id
from notify_server.storage.erasures import Erasures
from notify_server.storage.notifications import Notifications
from notify_server.storage.resends import Request, Resends
from tests.builders import a_device
from tests.fcm_simulator import SimulatorProcess
from tests.service import Service, until

NEVER = 600.0  # seconds: longer than any test waits
NOW = datetime.now(UTC).replace(microsecond=0)
PAST = NOW - timedelta(hours=1)


@pytest.fixture(scope="module")
def fcm() -> Iterator[SimulatorProcess]:
    with SimulatorProcess() as running:
        yield running


@pytest.fixture
def service(mongodb_uri, database, fcm, tmp_path) -> Iterator[Service]:
    with Service(mongodb_uri, database.name, fcm, tmp_path, scheduler_interval=0.1) as service:
        yield service


def store(database: Store, **fields: object) -> str:
    """A notification to one user; its id."""
    made = {"message": Message(title="Hello"), "audience": Audience(("u1",)), "created_at": PAST} | fields
    notification = Notification(id=new_id(), **made)
    Notifications(database).add(notification, None)
    return notification.id


def state(database: Store, notification: str) -> str:
    return Notifications(database).get(notification)[0].state


def test_every_job_is_run(service, database):
    scheduled = store(database, state=State.SCHEDULED, send_at=PAST)
    later = store(database, state=State.SCHEDULED, send_at=NOW + timedelta(days=1))
    over = store(database, ttl=60, state=State.DISPATCHING)
    database.notifications.update_many({"created_at": PAST, "state": "dispatching"}, {"$set": {"expanded": True}})
    unconfirmed = Batch(BatchKey(scheduled, Channel.PUSH, ""), ("u1",), PAST, stage=Stage.CONFIRM)
    orphaned = Batch(BatchKey(later, Channel.PUSH, ""), ("u1",), PAST, owner="a dead worker")
    for batch in (unconfirmed, orphaned):
        Batches(database).add(batch)
    cancelled = store(database, state=State.CANCELLED)
    database.notifications.update_one({"state": "cancelled"}, {"$set": {"expanded": True, "unswept": True}})
    Resends(database).add(Request(cancelled, None, "token", PAST, 1))
    Devices(database).register(a_device("u1", confirmed_at=NOW - timedelta(days=271)))
    erasure = Erasures(database).begin("u2", NOW)
    service.start("scheduler")
    until(lambda: Devices(database).of_user("u1") == [], "remove_devices")
    until(lambda: Erasures(database).get(erasure).complete, "complete_erasures")
    until(lambda: state(database, scheduled) == "accepted", "release")
    until(lambda: Notifications(database).unswept(1) == [], "sweep")
    until(lambda: Resends(database).waiting(1) == [], "queue")
    until(lambda: Batches(database).find(unconfirmed.key).stage is Stage.DISPATCH, "resend")
    until(lambda: state(database, over) == "done", "expire")
    until(lambda: Batches(database).find(orphaned.key).owner is None, "reap")
    assert Batches(database).find(unconfirmed.key).resends == 1
    assert state(database, later) == "scheduled"
    assert service.failures() == []


def test_of_several_schedulers_one_leads_and_the_next_takes_over_at_once_when_it_stops(service, database):
    first = service.start("scheduler", lease=NEVER).ready("scheduler leads")
    second = service.start("scheduler", lease=NEVER).ready("scheduler started")
    scheduled = store(database, state=State.SCHEDULED, send_at=PAST)
    until(lambda: state(database, scheduled) == "accepted")
    assert "scheduler leads" not in second.events()
    assert first.stop() == 0
    assert second.ready("scheduler leads").stop() == 0
    assert database.leases.count_documents({}) == 0
    assert service.failures() == []


def test_what_is_scheduled_is_released_though_the_leader_stands_still(service, database):
    leader = service.start("scheduler", lease=NEVER).ready("scheduler leads")
    second = service.start("scheduler", lease=NEVER).ready("scheduler started")
    leader.pause()
    scheduled = store(database, state=State.SCHEDULED, send_at=datetime.now(UTC) + timedelta(seconds=0.5))
    second.ready("scheduled notifications released")
    assert state(database, scheduled) == "accepted"
    leader.resume()


def test_nothing_is_released_before_its_time(service, database):
    service.start("scheduler", scheduler_interval=NEVER).ready("scheduler started")
    times = {number: datetime.now(UTC) + timedelta(seconds=0.5 + number / 9) for number in range(9)}
    made = {store(database, state=State.SCHEDULED, send_at=at): at for at in times.values()}
    until(lambda: _released(database, made) == len(made))
    assert service.failures() == []


def _released(database: Store, made: dict[str, datetime]) -> int:
    """How many are released; nothing but those whose time has come."""
    released = [at for notification, at in made.items() if state(database, notification) == "accepted"]
    assert all(at <= datetime.now(UTC) for at in released)
    return len(released)


def test_the_next_takes_over_from_a_dead_leader_when_its_lease_has_run_out(service):
    first = service.start("scheduler", lease=1.0).ready("scheduler leads")
    second = service.start("scheduler", lease=1.0).ready("scheduler started")
    first.kill()
    second.ready("scheduler leads")


def test_a_leader_that_was_suspended_gives_way(service):
    first = service.start("scheduler", lease=1.0).ready("scheduler leads")
    second = service.start("scheduler", lease=1.0).ready("scheduler started")
    first.pause()
    second.ready("scheduler leads")
    first.resume()
    first.ready("scheduler no longer leads")


def test_a_scheduler_waits_for_the_migration(bare_database, mongodb_uri, fcm, tmp_path):
    with Service(mongodb_uri, bare_database.name, fcm, tmp_path, scheduler_interval=0.1) as service:
        scheduler = service.start("scheduler").ready("waiting for the database")
        migrations.run(bare_database)
        scheduler.ready("scheduler leads")
        assert scheduler.stop() == 0
