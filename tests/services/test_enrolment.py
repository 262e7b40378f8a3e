import pytest

from notify_server.domain.device import Platform, Target, TargetType
from notify_server.errors import NotFound
from notify_server.services.enrolment import Installation
from tests.builders import NOON, a_target, after, at_once
from tests.services.scene import Scene


def test_a_device_is_registered_with_what_the_app_says_of_itself(scene: Scene) -> None:
    target = Target(TargetType.FID, "f1")
    enrolment = scene.services.enrolment
    assert enrolment.register("u1", "phone", Installation(Platform.IOS, target, "1.2", "de"))
    [found] = enrolment.listed("u1")
    assert (found.target, found.platform, found.app_version, found.locale) == (target, Platform.IOS, "1.2", "de")
    assert (found.registered_at, found.confirmed_at, found.active) == (NOON, NOON, True)


def test_an_app_that_starts_again_confirms_its_device(scene: Scene) -> None:
    scene.register("u1")
    scene.clock.forward(60)
    assert not scene.services.enrolment.register("u1", "phone", Installation(Platform.ANDROID, a_target("u1:phone")))
    [found] = scene.services.enrolment.listed("u1")
    assert (found.registered_at, found.confirmed_at) == (NOON, after(60))


def test_an_unknown_user_is_made_without_community(scene: Scene) -> None:
    scene.register("u1")
    assert scene.services.people.get("u1").community is None


def test_a_known_user_stays_as_they_are(scene: Scene) -> None:
    scene.services.people.put("u1", {"community": "school"})
    scene.register("u1")
    assert scene.services.people.get("u1").community == "school"


def test_a_target_that_moves_serves_the_new_owner_and_nothing_goes_to_it_for_the_old_one(scene: Scene) -> None:
    scene.register("old", target="shared")
    scene.register("new", target="shared")
    notification = scene.accept("old", "new")
    scene.work()
    assert scene.standing(notification) == {"old": ("pending", "no_device"), "new": ("sent", None)}
    assert scene.accepted() == ["shared"]


def test_everything_that_waited_is_sent_to_a_new_device(scene: Scene) -> None:
    waited = [scene.accept("u1", "u2") for _ in range(3)]
    scene.work()
    scene.register("u1")
    scene.work()
    for notification in waited:
        assert scene.standing(notification) == {"u1": ("sent", None), "u2": ("pending", "no_device")}
    assert scene.accepted() == ["u1:phone"] * 3


def test_what_expired_while_it_waited_is_not_sent(scene: Scene) -> None:
    notification = scene.accept("u1", ttl=60)
    scene.work()
    scene.clock.forward(60)
    scene.register("u1")
    scene.work()
    assert scene.standing(notification) == {"u1": ("expired", "ttl_over")}
    assert scene.accepted() == []


def test_a_deleted_device_is_sent_to_no_more(scene: Scene) -> None:
    scene.register("u1")
    scene.services.enrolment.delete("u1", "phone")
    scene.accept("u1")
    scene.work()
    assert scene.services.enrolment.listed("u1") == []
    assert scene.accepted() == []


def test_a_device_that_is_not_there_is_not_found(scene: Scene) -> None:
    scene.register("u1")
    with pytest.raises(NotFound, match="There is no device 'tablet'"):
        scene.services.enrolment.delete("u1", "tablet")
    with pytest.raises(NotFound):
        scene.services.enrolment.delete("u2", "phone")


def test_a_user_has_a_bounded_number_of_active_devices_and_each_is_sent_one_message(scene: Scene) -> None:
    most = scene.config.devices_per_user
    for number in range(most + 7):
        scene.register("u1", f"d{number}")
        scene.clock.forward(1)
    inactive = [device for device in scene.services.enrolment.listed("u1") if not device.active]
    assert [(device.id, device.reason) for device in inactive] == [(f"d{number}", "too_many") for number in range(7)]
    scene.accept("u1")
    scene.work()
    assert len(scene.accepted()) == most


def test_an_inactive_device_that_comes_back_takes_the_place_of_the_oldest(scene: Scene) -> None:
    for number in range(scene.config.devices_per_user + 1):
        scene.register("u1", f"d{number}")
        scene.clock.forward(1)
    scene.register("u1", "d0")
    assert scene.services.enrolment.get("u1", "d0").active
    assert scene.services.enrolment.get("u1", "d1").reason == "too_many"


def test_registered_at_once_they_are_no_more_than_the_most(scene: Scene) -> None:
    most = scene.config.devices_per_user
    for number in range(most - 2):
        scene.register("u1", f"d{number}")
    scene.clock.forward(1)
    at_once(*(lambda number=number: scene.register("u1", f"new{number}") for number in range(8)))
    active = {device.id for device in scene.services.enrolment.listed("u1") if device.active}
    assert len(active) == most
    assert active >= {f"new{number}" for number in range(8)}
