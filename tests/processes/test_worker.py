import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from threading import enumerate as threads
from typing import Any

import pytest

from notify_server.bootstrap import Services, build_engine, build_services
from notify_server.channels.fcm.transport import open_transport
from notify_server.domain.batch import Rank
from notify_server.domain.device import Platform, Target, TargetType
from notify_server.domain.notification import Audience, Channel, Message, Priority
from notify_server.domain.pace import Pace
from notify_server.domain.registry import Reason
from notify_server.errors import DatabaseUnavailable
from notify_server.processes.worker import Worker
from notify_server.services.acceptance import Draft
from notify_server.services.enrolment import Installation
from notify_server.storage import migrations
from notify_server.storage.paces import Paces
from tests.fcm_simulator import SimulatorProcess
from tests.invariants import Evidence, violations
from tests.service import Service, until
from tests.services.hesitant import Hesitant
from tests.services.interruption import Interrupted, away

SECRET = Message(title="A secret", body="Nobody logs this")
NEVER = 600.0  # seconds: longer than any test waits
NEVER_OVER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorProcess]:
    with SimulatorProcess() as running:
        yield running


@pytest.fixture
def fcm(simulator: SimulatorProcess) -> SimulatorProcess:
    simulator.behave()
    simulator.clear()
    return simulator


@pytest.fixture
def service(mongodb_uri, database, fcm, tmp_path) -> Iterator[Service]:
    with Service(mongodb_uri, database.name, fcm, tmp_path) as service:
        yield service


@pytest.fixture
def credential(fcm, monkeypatch):
    """For workers in this process; those of `service` have it anyway."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(fcm.credentials_file))


@pytest.fixture
def services(config, database) -> Services:
    return build_services(config, database)


@pytest.fixture
def accept(services) -> Callable[..., str]:
    """Hands a notification over to users with a device each; its id."""

    def accept(*users: str, **draft: Any) -> str:
        for user in users:
            services.enrolment.register(user, "phone", Installation(Platform.ANDROID, device_target(user)))
        return services.acceptance.accept(Draft(SECRET, Audience(users), **draft), "tests", None).id

    return accept


def device_target(user: str) -> Target:
    return Target(TargetType.TOKEN, f"target-of-{user}-{'t' * 100}")


def state(services: Services, notification: str) -> str:
    return services.inspection.get(notification).notification.state


def test_a_worker_delivers_what_is_accepted_and_tells_nobody_what_it_says(service, services, accept, database, fcm):
    worker = service.start("worker").ready("worker started")
    notification = accept("u1", "u2")
    until(lambda: state(services, notification) == "done")
    assert services.inspection.get(notification).counts["sent"] == 2
    assert {row["target"] for row in fcm.messages(outcome="accepted")} == {
        device_target("u1").value,
        device_target("u2").value,
    }
    assert violations(Evidence(database, notification, fcm.messages())) == []
    until(lambda: {"audiences expanded", "notifications done"} <= set(worker.events()))
    assert worker.output.count(f'"notification_ids": ["{notification}"]') == 2
    assert not [secret for secret in ("A secret", "Nobody logs", "target-of", "ya29.") if secret in worker.output]


def test_an_idle_worker_is_woken_and_need_not_poll(service, services, accept):
    service.start("worker", poll=NEVER).ready("worker started")
    for user in ("u1", "u2"):
        notification = accept(user)
        until(lambda notification=notification: state(services, notification) == "done")


def test_work_that_is_there_at_the_start_is_not_missed(service, services, accept):
    notification = accept("u1")
    service.start("worker", poll=NEVER)
    until(lambda: state(services, notification) == "done")


def test_high_priority_overtakes(service, services, accept, fcm):
    users = sorted(f"low-{number}" for number in range(251))  # no two such audiences fit into one load
    low = [accept(*users) for _ in range(4)]
    high = accept("high", priority=Priority.HIGH)
    service.start("worker", worker_threads=1)
    until(lambda: all(state(services, notification) == "done" for notification in [*low, high]))
    order = [row["target"] for row in fcm.messages(outcome="accepted")]
    assert len(order) == 4 * 251 + 1
    assert order.index(device_target("high").value) <= 251  # what is sent at the same time may come first


def test_what_a_paused_channel_keeps_from_being_sent_stays_anybodys(service, services, database, fcm):
    """Where it stayed leased, it could neither expire nor be cancelled for as long as FCM is down."""
    paused = Pace(paused_until=NEVER_OVER, reason=Reason.CREDENTIAL_REFUSED, failures=1, paused_at=NEVER_OVER)
    Paces(database).change(Channel.PUSH, lambda _: paused)
    users = tuple(sorted(f"user-{number}" for number in range(1200)))  # three pages
    notification = services.acceptance.accept(Draft(SECRET, Audience(users)), "tests", None).id
    service.start("worker").ready("worker started")
    until(lambda: services.inspection.get(notification).counts["pending"] == len(users), "all are entered")
    until(lambda: database["batches"].count_documents({"owner": None}) == 3, "nobody has a page in hand")
    assert fcm.counts()["requests"] == 0


def test_an_idle_worker_stops_with_exit_code_0(service):
    worker = service.start("worker").ready("worker started")
    assert worker.stop() == 0
    assert "worker stopping" in worker.events()
    assert service.failures() == []


def test_a_second_signal_does_not_wait_for_running_sends(service, accept, fcm):
    fcm.behave(stall_after=1.0, stall_seconds=60)
    worker = service.start("worker")
    accept("u1")
    until(lambda: fcm.counts()["accepted"] == 1)
    worker.terminate()
    until(lambda: "worker stopping" in worker.events())
    worker.terminate()
    assert worker.wait() == 128 + signal.SIGTERM


def test_a_worker_started_before_the_migration_waits_and_then_works(bare_database, mongodb_uri, fcm, tmp_path):
    with Service(mongodb_uri, bare_database.name, fcm, tmp_path) as service:
        worker = service.start("worker").ready("waiting for the database")
        assert "worker started" not in worker.events()
        migrations.run(bare_database)
        services = build_services(service.config, bare_database)
        services.enrolment.register("u1", "phone", Installation(Platform.ANDROID, device_target("u1")))
        notification = services.acceptance.accept(Draft(SECRET, Audience(("u1",))), "tests", None).id
        until(lambda: state(services, notification) == "done")
        assert violations(Evidence(bare_database, notification, fcm.messages())) == []
        assert service.failures() == []
        assert worker.stop() == 0


def test_an_urgent_broadcast_in_the_queue_comes_before_a_page_of_ours(service, services, database):
    transport = open_transport(service.config)
    engine = build_engine(service.config, database, transport)
    worker = Worker(service.config, database, engine)
    users = tuple(sorted(f"user-{number}" for number in range(600)))
    for priority in (Priority.HIGH, Priority.NORMAL):
        services.acceptance.accept(Draft(SECRET, Audience(users), priority=priority), "tests", None)
    loads = [load for claim in engine.expansion.claim(list(Rank), 2) for load in engine.expansion.loads(claim)]
    for load in loads:
        if load[0].batch.rank is Rank.HIGH:
            engine.leasing.release(load)
        else:
            assert worker._handoff.offer(load, 0)
    assert worker._next()[0].batch.rank is Rank.BULK  # nobody else may have left anything in the queue
    build_engine(service.config, database, transport).governor.refresh()
    engine.governor.refresh()
    assert [worker._next()[0].batch.rank for _ in range(3)] == [Rank.HIGH, Rank.HIGH, Rank.BULK]
    transport.close()


def test_a_renewal_that_failed_is_tried_again_at_once(service, database):
    """A third of a lease later, what is in hand would be anybody's."""

    config = replace(service.config, lease=0.3)
    transport = open_transport(config)
    worker = Worker(config, database, build_engine(config, Interrupted(database, 0, away), transport))
    with pytest.raises(DatabaseUnavailable):
        worker._renew()
    assert worker._renew_in == 0.0
    worker._renew()
    assert worker._renew_in == pytest.approx(0.1)
    transport.close()


@pytest.mark.usefixtures("credential")
def test_a_stop_while_the_database_is_away_ends_though_answers_are_late(service, services, accept, database):
    """A thread that went on would keep the process alive, and the leases of what it gave up."""
    hesitant = Hesitant(open_transport(service.config), lambda target: "late" in target)
    hesitant.holds = True

    failing = Interrupted(database, 10**9, away)
    worker = Worker(service.config, database, build_engine(service.config, failing, hesitant))
    worker.start()
    try:
        notification = accept("late", "prompt")
        until(lambda: services.inspection.get(notification).counts["sent"] == 1, "who is not late is settled")
    finally:
        failing.at(0, ever_after=True)
        hesitant.answer()
        with pytest.raises(DatabaseUnavailable):
            worker.stop()
    until(lambda: not [thread for thread in threads() if thread.name in {"renewer", "late"}], "no thread goes on")
    hesitant.close()
