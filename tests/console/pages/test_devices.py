from notify_server.domain.device import Platform
from notify_server.domain.registry import Reason
from notify_server.services.enrolment import Installation
from notify_server.storage.devices import Devices
from tests.builders import a_target
from tests.console.conftest import now
from tests.console.visitor import said


def test_without_any_it_says_where_they_come_from(admin):
    assert "No device is registered yet." in said(admin.get("/devices"))


def test_they_are_counted_by_platform_with_the_reasons_of_the_dead(admin, services, database):
    for number, platform in enumerate([Platform.ANDROID, Platform.ANDROID, Platform.IOS]):
        services.enrolment.register(f"u{number}", "phone", Installation(platform, a_target(f"t{number}")))
    Devices(database).deactivate({Reason.UNREGISTERED: [("u0", "phone", a_target("t0"))]}, now())
    page = admin.get("/devices")
    text = said(page)
    assert "Can be reached 2 active devices Cannot be reached 1" in text
    assert "Android 1 1 50.0 % iOS 1 0 100.0 %" in text
    assert "Why Android devices are inactive" in text
    assert "FCM says that the app is gone from it. 1" in text
    assert "t1" not in text.split()
