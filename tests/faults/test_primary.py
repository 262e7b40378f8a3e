"""A replica set of three loses its primary under load: it is killed, asked to step down, or a zombie for a while.

Or it keeps its primary, and the others no longer write what that one writes.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import sleep

import pytest

from notify_server.storage import migrations
from tests.faults.api import Api
from tests.faults.conftest import EVERYONE
from tests.faults.replica_set import ELECTION, Member, ReplicaSet
from tests.faults.scene import SLOW, SLOWER, WINDOW, Scene, names, populate, scene_at
from tests.service import until

WORKERS = 2
PEOPLE = names(EVERYONE)
READERS = 3  # people of each notification that is posted meanwhile
ZOMBIE = 2.5 * ELECTION / 1000  # seconds for which a suspended primary is away: the others have elected one by then


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplicaSet]:
    with ReplicaSet(tmp_path_factory.mktemp("replicas")) as replicas:
        yield replicas


@pytest.fixture
def scene(replicas, fcm, tmp_path, rows) -> Iterator[Scene]:
    """A scene on that set; the driver tries to find a primary for five seconds, and leases outlast an election."""
    replicas.await_whole()
    scene = scene_at(replicas.uri, "faults", fcm, tmp_path, lease=4.0, worker_threads=2, web_processes=1)
    scene.rows = rows
    if migrations.run(scene.database):
        populate(scene.database, PEOPLE, {"all": EVERYONE})
    yield scene
    scene.close()


def readers(number: int) -> list[str]:
    """Of the notification that is posted as number so and so, each time others: FCM lets a device have 240 messages
    a minute, and what is beyond that waits until the minute is over, whatever becomes of the database.
    """
    start = READERS * number % (EVERYONE - READERS)
    return PEOPLE[start : start + READERS]


class Backend:
    """Posts one notification after another until it is told to stop; each POST is repeated until it is answered."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._over = Event()
        self._pool = ThreadPoolExecutor(1)
        self.accepted: list[str] = []  # notifications, in the order of their numbers
        self._posting = self._pool.submit(self._post)

    def stop(self) -> None:
        """Answer for the last one; raises what went wrong."""
        self._over.set()
        self._posting.result()
        self._pool.shutdown()

    def _post(self) -> None:
        while not self._over.is_set():
            number = len(self.accepted)
            self.accepted.append(self._api.insist(f"key-{number}", users=readers(number)))
            sleep(0.01)


def killed(replicas: ReplicaSet, primary: Member) -> Callable[[], None]:
    primary.kill()
    return primary.start


def stepped_down(replicas: ReplicaSet, primary: Member) -> Callable[[], None]:
    primary.ask({"replSetStepDown": 10, "secondaryCatchUpPeriodSecs": 5, "force": True})
    return lambda: None


def zombie(replicas: ReplicaSet, primary: Member) -> Callable[[], None]:
    """It comes back while the load is still on, and takes itself for the primary until it hears better."""
    primary.pause()
    sleep(ZOMBIE)
    primary.resume()
    return lambda: None


@pytest.fixture
def hold(replicas) -> Iterator[Callable[[list[Member]], None]]:
    """Lets members write nothing, though they are up and answer, until it is called with none."""
    held: list[Member] = []

    def hold(members: list[Member]) -> None:
        while held:
            held.pop().ask("fsyncUnlock")
        for member in members:
            member.ask({"fsync": 1, "lock": True})
            held.append(member)

    yield hold
    hold([])


@pytest.mark.full
def test_what_no_majority_confirms_is_refused_in_time_and_costs_nobody_once_it_does_again(scene, replicas, hold):
    api = Api(scene)
    processes = [scene.service.start(command) for command in ("web", *["worker"] * WORKERS, "scheduler")]
    for process in processes[1:]:
        process.ready(f"{process.command} started")
    api.await_ready()
    scene.fcm.behave(latency=SLOW)
    notification = scene.accept(groups=["all"])
    until(lambda: scene.count(notification, status="sent") > EVERYONE / 8, "a part is sent")
    primary = replicas.primary()
    hold([member for member in replicas.members if member is not primary])
    assert [api.post("key", users=readers(0)).status_code for _ in range(2)] == [503, 503]
    assert scene.count(notification, status="sent") < EVERYONE
    until(lambda: all("database unavailable" in process.events() for process in processes[1:]), "everybody notices")
    assert replicas.primary() is primary
    scene.begin()
    hold([])
    posted = api.insist("key", users=readers(0))
    api.close()
    scene.await_done(notification, posted)
    scene.end()
    evidence = scene.evidence(posted)
    scene.sound(evidence)
    assert evidence.having("sent") == readers(0)
    assert scene.database.notifications.count_documents({}) == 2
    evidence = scene.sent_to_all("secondaries write nothing for a while", notification, PEOPLE)
    assert evidence.duplicates <= WORKERS * WINDOW
    assert all(process.alive for process in processes)


@pytest.mark.parametrize(
    "fault",
    [killed, *(pytest.param(fault, marks=pytest.mark.full) for fault in (stepped_down, zombie))],
    ids=lambda fault: fault.__name__,
)
def test_a_primary_lost_under_load_costs_nobody_and_no_accepted_notification(scene, replicas, fault):
    api = Api(scene)
    processes = [scene.service.start(command) for command in ("web", *["worker"] * WORKERS, "scheduler")]
    for process in processes[1:]:
        process.ready(f"{process.command} started")
    api.await_ready()
    scene.fcm.behave(latency=SLOWER)
    backend = Backend(api)
    notification = scene.accept(groups=["all"])
    until(lambda: scene.count(notification, status="sent") > EVERYONE / 8, "a part is sent")
    primary = replicas.primary()
    before = len(backend.accepted)
    scene.begin()
    repair = fault(replicas, primary)
    assert scene.count(notification, status="sent") < EVERYONE
    until(lambda: len(backend.accepted) > before + 3, "notifications are accepted again")
    backend.stop()
    api.close()
    scene.await_done(notification, *backend.accepted)
    scene.end()
    repair()
    replicas.await_whole()
    log = scene.fcm.messages()
    assert len(set(backend.accepted)) == len(backend.accepted) > 3
    assert scene.database.notifications.count_documents({}) == 1 + len(backend.accepted)
    for number, posted in enumerate(backend.accepted):
        evidence = scene.evidence_in(posted, log)
        scene.sound(evidence, figures=False)  # thousands are marked: to count them took a minute
        assert evidence.having("sent") == readers(number)
    evidence = scene.sent_to_all(f"primary {fault.__name__.replace('_', ' ')} under load", notification, PEOPLE)
    assert evidence.duplicates <= WORKERS * WINDOW
    assert all(process.alive for process in processes)
