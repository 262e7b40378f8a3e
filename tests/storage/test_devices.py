from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from notify_server.domain.device import Platform, Target, TargetType
from notify_server.domain.registry import Reason
from notify_server.storage.devices import MOVED, TOO_MANY, Contact, Devices
from notify_server.storage.documents import Store
from tests.builders import NOON, a_device, a_target, after, at_once
from tests.service import until


@pytest.fixture
def devices(database: Store) -> Devices:
    return Devices(database)


def reached(devices: Devices, *users: str) -> set[tuple[str, str, str]]:
    return {(user, device, target.value) for user, device, target in devices.targets(users)}


def test_a_device_is_stored_as_it_was_registered(devices: Devices) -> None:
    device = a_device("u1", platform=Platform.IOS, app_version="1.2", locale="de-AT", confirmed_at=after(5))
    assert devices.register(device)
    assert devices.of_user("u1") == [device]


def test_a_device_that_registers_again_is_confirmed_and_keeps_its_first_time(devices: Devices) -> None:
    devices.register(a_device("u1"))
    again = a_device("u1", registered_at=after(60), confirmed_at=after(60), app_version="2")
    assert not devices.register(again)
    assert devices.of_user("u1") == [replace(again, registered_at=NOON)]


def test_a_device_that_gets_a_new_target_is_reached_by_it_alone(devices: Devices) -> None:
    devices.register(a_device("u1", target="old"))
    devices.register(a_device("u1", target="new"))
    assert reached(devices, "u1") == {("u1", "phone", "new")}


def test_a_target_counts_as_registered_when_the_device_got_it_or_came_back_to_life(devices: Devices) -> None:
    devices.register(a_device("u1", target="old"))
    devices.register(a_device("u1", target="new", registered_at=after(60)))
    assert [device.registered_at for device in devices.of_user("u1")] == [after(60)]
    devices.deactivate({Reason.UNREGISTERED: [("u1", "phone", a_target("new"))]}, after(70))
    devices.register(a_device("u1", target="new", registered_at=after(80)))
    assert [device.registered_at for device in devices.of_user("u1")] == [after(80)]


def test_what_an_app_says_is_stored_as_it_is(devices: Devices) -> None:
    said = a_device("u1", "$phone", app_version="$target", locale="$$NOW")
    devices.register(said)
    assert devices.of_user("u1") == [said]


def test_a_target_that_moves_leaves_the_old_owner(devices: Devices) -> None:
    devices.register(a_device("u1", target="shared"))
    devices.register(a_device("u2", target="shared", registered_at=after(60)))
    assert reached(devices, "u1", "u2") == {("u2", "phone", "shared")}
    [left] = devices.of_user("u1")
    assert (left.active, left.reason) == (False, MOVED)


def test_a_target_moves_between_two_devices_of_one_user(devices: Devices) -> None:
    devices.register(a_device("u1", "old phone", target="shared"))
    devices.register(a_device("u1", "new phone", target="shared"))
    assert reached(devices, "u1") == {("u1", "new phone", "shared")}


def test_a_target_that_comes_back_is_active_again(devices: Devices) -> None:
    for user in ("u1", "u2", "u1"):
        devices.register(a_device(user, target="shared"))
    assert reached(devices, "u1", "u2") == {("u1", "phone", "shared")}
    [back] = devices.of_user("u1")
    assert (back.active, back.reason) == (True, None)


def test_a_token_and_an_installation_id_that_read_alike_are_two_targets(devices: Devices) -> None:
    devices.register(a_device("u1", target="x:y"))
    devices.register(replace(a_device("u2"), target=Target(TargetType.FID, "x:y")))
    assert sorted(devices.targets(["u1", "u2"])) == [
        ("u1", "phone", Target(TargetType.TOKEN, "x:y")),
        ("u2", "phone", Target(TargetType.FID, "x:y")),
    ]


def test_of_owners_that_claim_one_target_at_once_one_has_it(devices: Devices, database: Store) -> None:
    for round_ in range(20):
        target = f"target {round_}"
        rivals = [a_device(f"u{number}", f"d{round_}", target) for number in range(3)]
        at_once(*(lambda device=device: devices.register(device) for device in rivals))
        assert len([user for user, _, value in reached(devices, "u0", "u1", "u2") if value == target]) == 1
    assert database["devices"].count_documents({}) == 60


def test_one_device_registered_twice_at_once_is_one(devices: Devices, database: Store) -> None:
    for round_ in range(20):
        device = a_device("u1", f"d{round_}")
        assert sorted(at_once(*(lambda device=device: devices.register(device) for _ in range(2)))) == [False, True]
    assert database["devices"].count_documents({"active": True}) == 20


def test_the_targets_of_many_users_are_those_of_their_active_devices(devices: Devices) -> None:
    for device in (a_device("u1"), a_device("u1", "tablet"), a_device("u2"), a_device("u3")):
        devices.register(device)
    devices.deactivate({Reason.UNREGISTERED: [("u1", "tablet", a_target("u1:tablet"))]}, NOON)
    assert reached(devices, "u1", "u2", "nobody") == {("u1", "phone", "u1:phone"), ("u2", "phone", "u2:phone")}
    assert devices.targets([]) == []


def test_dead_targets_are_deactivated_with_their_reason_and_kept(devices: Devices, database: Store) -> None:
    for user in ("u1", "u2", "u3"):
        devices.register(a_device(user))
    dead = {
        Reason.UNREGISTERED: [("u1", "phone", a_target("u1:phone"))],
        Reason.SENDER_MISMATCH: [("u2", "phone", a_target("u2:phone"))],
    }
    assert devices.deactivate(dead, after(5)) == 2
    assert devices.deactivate(dead, after(6)) == 0
    assert {user: devices.of_user(user)[0].reason for user in ("u1", "u2", "u3")} == {
        "u1": "unregistered",
        "u2": "sender_mismatch",
        "u3": None,
    }
    assert database["devices"].count_documents({"active": False, "deactivated_at": after(5)}) == 2


@pytest.mark.parametrize("again", [a_device("u1", target="new"), a_device("u2", target="old")], ids=["new", "moved"])
def test_a_device_that_has_another_target_by_now_is_spared(devices: Devices, again: Any) -> None:
    devices.register(a_device("u1", target="old"))
    devices.register(again)
    devices.deactivate({Reason.UNREGISTERED: [("u1", "phone", a_target("old"))]}, NOON)
    assert reached(devices, "u1", "u2") == {(again.user, "phone", again.target.value)}
    assert devices.of_user("u1")[0].reason == (None if again.user == "u1" else MOVED)


def test_devices_are_listed_in_the_order_of_registration_active_or_not(devices: Devices) -> None:
    for minute, device in enumerate(("c", "a", "b")):
        devices.register(a_device("u1", device, registered_at=after(60 * minute)))
    devices.deactivate({Reason.UNREGISTERED: [("u1", "a", a_target("u1:a"))]}, NOON)
    assert [(device.id, device.active) for device in devices.of_user("u1")] == [("c", True), ("a", False), ("b", True)]


def test_a_deleted_device_is_gone_and_its_target_is_free(devices: Devices) -> None:
    devices.register(a_device("u1", target="t"))
    assert devices.delete("u1", "phone")
    assert not devices.delete("u1", "phone")
    assert devices.register(a_device("u2", target="t"))
    assert reached(devices, "u1", "u2") == {("u2", "phone", "t")}


def test_nobody_deletes_the_device_of_another(devices: Devices) -> None:
    devices.register(a_device("u1"))
    assert not devices.delete("u2", "phone")
    assert len(devices.of_user("u1")) == 1


def test_a_contact_confirms_an_active_device_that_was_not_confirmed_lately(devices: Devices) -> None:
    for device in (a_device("u1", "old"), a_device("u1", "fresh", confirmed_at=after(60)), a_device("u1", "dead")):
        devices.register(device)
    devices.deactivate({Reason.UNREGISTERED: [("u1", "dead", a_target("u1:dead"))]}, NOON)
    contacts = [Contact("u1", device, after(90)) for device in ("old", "fresh", "dead", "unknown")]
    devices.confirm(contacts, timedelta(seconds=60))

    def confirmed() -> dict[str, object]:
        return {device.id: device.confirmed_at for device in devices.of_user("u1")}

    until(lambda: confirmed()["old"] == after(90), "nobody waits for the write")
    assert confirmed() == {"old": after(90), "fresh": after(60), "dead": NOON}


def test_silent_devices_are_removed_in_parts_whatever_their_state(devices: Devices) -> None:
    for number in range(5):
        devices.register(a_device("u1", f"d{number}", confirmed_at=after(number)))
    assert [devices.remove_silent(after(3), 2) for _ in range(3)] == [2, 1, 0]
    assert {device.id for device in devices.of_user("u1")} == {"d3", "d4"}


def test_beyond_the_most_those_confirmed_longest_ago_are_deactivated(devices: Devices) -> None:
    for number in (3, 1, 4, 2, 5):
        devices.register(a_device("u1", f"d{number}", confirmed_at=after(number)))
    devices.register(a_device("u2", "d0"))
    devices.bound("u1", 3, after(9))
    assert {device.id: device.reason for device in devices.of_user("u1")} == {
        "d1": TOO_MANY,
        "d2": TOO_MANY,
        "d3": None,
        "d4": None,
        "d5": None,
    }
    assert len(devices.targets(["u1", "u2"])) == 4


def test_of_inactive_devices_no_more_than_the_most_are_kept(devices: Devices) -> None:
    for number in range(9):
        devices.register(a_device("u1", f"d{number}", confirmed_at=after(number)))
        devices.bound("u1", 3, after(number))
    devices.bound("u1", 3, after(9))  # those of the last time count now
    assert [(device.id, device.active) for device in sorted(devices.of_user("u1"), key=lambda d: d.id)] == [
        (f"d{number}", number > 5) for number in range(3, 9)
    ]


def test_a_device_is_found_by_its_user_and_id(devices: Devices) -> None:
    device = a_device("u1")
    devices.register(device)
    assert devices.find("u1", "phone") == device
    assert devices.find("u2", "phone") is None
