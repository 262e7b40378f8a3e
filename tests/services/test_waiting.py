import pytest

from notify_server.domain.batch import Batch
from notify_server.domain.registry import Event, Note, Reason
from notify_server.services.waiting import still_waiting
from notify_server.storage.documents import Store, new_id
from notify_server.storage.registry import Arrivals, Registry
from tests.builders import NOON, a_batch, after, recipients

N1, N2 = new_id(), new_id()
EVERYBODY = ("cancelled", "pending", "read", "sent")


def both(*users: str) -> dict[str, tuple[str, ...]]:
    """The entries of these users in both notifications."""
    return {N1: users, N2: users}


@pytest.fixture
def registry(database: Store) -> Registry:
    """Two notifications to users whose entries stand where their names say."""
    made = Registry(database)
    made.insert([Arrivals(n, None, recipients(*EVERYBODY)) for n in (N1, N2)], NOON)
    made.move(Event.CANCEL, both("cancelled"), Note(NOON, Reason.CANCELLED_BY_BACKEND))
    made.move(Event.SEND, both("sent", "read"), Note(NOON))
    made.move(Event.READ, both("read"), Note(NOON))
    return made


def entries(database: Store, notification: str) -> dict[str, tuple[str, int, int]]:
    """Status, resends, and lines of history of each entry."""
    found = [entry for entry in database["registry"].find() if str(entry["_id"]["n"]) == notification]
    return {e["_id"]["u"]: (e["status"], e["resends"], len(e["history"])) for e in found}


def waiting(registry: Registry, *batches: Batch) -> list[tuple[str, ...]]:
    return [found.users for found in still_waiting(registry, batches, after(60))]


def test_who_is_pending_waits_in_each_batch_of_theirs(registry: Registry) -> None:
    batches = [a_batch(N1, *EVERYBODY), a_batch(N2, "pending", "sent"), a_batch(N2, "read", part="1"), a_batch()]
    assert waiting(registry, *batches) == [("pending",), ("pending",), (), ()]


def test_who_waits_for_a_device_is_reached_by_the_batch_of_that_device_alone(registry: Registry) -> None:
    registry.hold({N1: ["pending"]}, Note(NOON, Reason.NO_DEVICE))
    batches = [a_batch(N1, *EVERYBODY), a_batch(N2, *EVERYBODY), Batch.awaited(N1, "pending", NOON)]
    found = still_waiting(registry, batches, after(60))
    assert [waiting.users for waiting in found] == [("pending",)] * 3
    assert [sorted(waiting.parked) for waiting in found] == [["pending"], [], []]


def test_who_is_sent_waits_only_where_the_retry_is_narrowed_to_devices_of_theirs(registry: Registry) -> None:
    narrowed = a_batch(N1, *EVERYBODY, devices={"sent": ("tablet",), "read": ("tablet",)})
    assert waiting(registry, narrowed, a_batch(N2, *EVERYBODY)) == [("pending", "sent"), ("pending",)]


def test_what_another_notification_is_narrowed_to_makes_no_difference(registry: Registry) -> None:
    batches = [a_batch(N1, "sent", devices={"sent": ("tablet",)}), a_batch(N2, "sent", devices={"other": ("tablet",)})]
    assert waiting(registry, *batches) == [("sent",), ()]


def test_who_has_not_confirmed_waits_again_where_the_batch_was_recalled(registry: Registry, database: Store) -> None:
    batches = [a_batch(N1, *EVERYBODY, resends=1), a_batch(N2, *EVERYBODY)]
    assert waiting(registry, *batches) == [("pending", "sent"), ("pending",)]
    assert entries(database, N1)["sent"] == ("pending", 1, 3)
    assert entries(database, N2)["sent"] == ("sent", 0, 2)


def test_resends_of_different_numbers_are_begun_each_with_its_own(registry: Registry, database: Store) -> None:
    assert waiting(registry, a_batch(N1, "sent", resends=1), a_batch(N2, "sent", resends=2)) == [("sent",), ("sent",)]
    assert (entries(database, N1)["sent"], entries(database, N2)["sent"]) == (("pending", 1, 3), ("pending", 2, 3))


def test_a_resend_that_a_crash_repeats_is_begun_once(registry: Registry, database: Store) -> None:
    batch = a_batch(N1, "sent", resends=1)
    assert [waiting(registry, batch) for _ in range(2)] == [[("sent",)]] * 2
    assert entries(database, N1)["sent"] == ("pending", 1, 3)
    registry.move(Event.SEND, {N1: ["sent"]}, Note(NOON))
    assert waiting(registry, batch) == [()]
    assert entries(database, N1)["sent"] == ("sent", 1, 4)
