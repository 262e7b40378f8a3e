from datetime import timedelta

import pytest

from notify_server.bootstrap import build_hygiene
from notify_server.domain.registry import Status
from notify_server.services.hygiene import EVERY, OFTEN, Contacts
from notify_server.services.reception import Report
from notify_server.storage.devices import Devices
from notify_server.storage.documents import Store
from tests.builders import NOON, StoppedClock, a_device, a_target, after
from tests.service import until
from tests.services.scene import Scene

HOUR = OFTEN.total_seconds()


def confirmed(database: Store, user: str = "u1", device: str = "phone") -> object:
    found = database["devices"].find_one({"_id": {"u": user, "d": device}})
    assert found is not None
    return found["confirmed_at"]


@pytest.fixture
def contacts(database: Store, clock: StoppedClock) -> Contacts:
    Devices(database).register(a_device("u1"))
    return Contacts(Devices(database), clock)


def test_a_contact_confirms_a_device_at_most_once_an_hour(
    database: Store, contacts: Contacts, clock: StoppedClock
) -> None:
    clock.forward(HOUR)
    contacts.heard("u1", {"phone", "unknown"})
    until(lambda: confirmed(database) == after(HOUR), "the first contact is noted")
    database["devices"].update_many({}, {"$set": {"confirmed_at": NOON}})
    clock.forward(HOUR - 1)
    contacts.heard("u1", {"phone"})
    clock.forward(1)
    contacts.heard("u1", {"phone"})
    until(lambda: confirmed(database) != NOON, "the next one is noted after an hour")
    assert confirmed(database) == after(2 * HOUR)


def test_a_device_that_another_process_has_confirmed_is_left_alone(
    database: Store, contacts: Contacts, clock: StoppedClock
) -> None:
    clock.forward(HOUR - 1)
    contacts.heard("u1", {"phone"})
    Devices(database).register(a_device("u1", "tablet"))
    clock.forward(HOUR)
    contacts.heard("u1", {"tablet"})
    until(lambda: confirmed(database, device="tablet") != NOON, "what came later is written")
    assert confirmed(database) == NOON


def test_contacts_of_one_second_are_written_together_each_with_its_time(
    database: Store, contacts: Contacts, clock: StoppedClock
) -> None:
    for device in ("tablet", "watch"):
        Devices(database).register(a_device("u1", device))
    clock.forward(HOUR)
    contacts.heard("u1", {"phone"})
    until(lambda: confirmed(database) == after(HOUR), "the first is written at once")
    for device in ("tablet", "watch"):
        clock.forward(0.4)
        contacts.heard("u1", {device})
    assert confirmed(database, device="tablet") == NOON
    clock.forward(0.4)
    contacts.heard("u1", set())
    until(lambda: confirmed(database, device="watch") == after(HOUR + 0.8), "the others with whoever speaks next")
    assert confirmed(database, device="tablet") == after(HOUR + 0.4)


def test_many_contacts_wait_for_no_second(database: Store, contacts: Contacts, clock: StoppedClock) -> None:
    clock.forward(HOUR)
    contacts.heard("u1", {"unknown"})
    contacts.heard("u1", {"phone", *(f"unknown {number}" for number in range(999))})
    until(lambda: confirmed(database) == after(HOUR), "a thousand are written")


def test_a_receipt_that_names_its_device_is_a_contact(scene: Scene) -> None:
    scene.register("a")
    notification = scene.accept("a")
    scene.work()
    scene.clock.forward(2 * HOUR)
    scene.services.reception.report("a", [Report(notification, Status.RECEIVED, device="phone")])
    until(lambda: confirmed(scene.database, "a") == scene.clock(), "the receipt confirms the device")


def test_a_device_is_stale_after_the_days_set_and_is_still_sent_to(scene: Scene) -> None:
    scene.register("a")
    days = timedelta(days=scene.config.device_stale_days)
    scene.clock.now += days
    assert [device.stale for device in scene.services.enrolment.listed("a")] == [False]
    scene.clock.forward(1)
    assert [device.stale for device in scene.services.enrolment.listed("a")] == [True]
    scene.accept("a")
    scene.work()
    assert scene.accepted() == ["a:phone"]
    scene.register("a")
    assert [device.stale for device in scene.services.enrolment.listed("a")] == [False]


def test_silent_devices_are_removed_once_a_day_and_the_others_kept(scene: Scene) -> None:
    hygiene = build_hygiene(scene.config, scene.database, scene.clock)
    scene.register("old")
    scene.clock.forward(60)
    scene.register("young")
    scene.clock.now = NOON + timedelta(days=scene.config.device_remove_days)
    assert hygiene.remove_devices() == 0
    scene.clock.forward(60)
    assert hygiene.remove_devices() == 0  # it has looked today
    assert build_hygiene(scene.config, scene.database, scene.clock).remove_devices() == 1
    scene.clock.now += EVERY
    assert hygiene.remove_devices() == 1
    assert scene.database["devices"].count_documents({}) == 0


def test_more_silent_devices_than_one_write_removes_are_all_removed(scene: Scene) -> None:
    devices = Devices(scene.database)
    device = a_device("u1", confirmed_at=NOON - timedelta(days=271))
    devices.register(device)
    kept = scene.database["devices"].find_one({})
    assert kept is not None
    scene.database["devices"].insert_many(
        [kept | {"_id": {"u": "u1", "d": f"d{n}"}, "target": f"token:t{n}"} for n in range(2500)]
    )
    devices.register(a_device("u2", target=a_target("t").value))
    assert build_hygiene(scene.config, scene.database, scene.clock).remove_devices() == 2501
    assert len(devices.of_user("u2")) == 1
