from collections import Counter

from notify_server.domain.device import Platform
from notify_server.storage.audience_health import AudienceHealth
from notify_server.storage.devices import Devices
from notify_server.storage.users import Users
from tests.builders import NOON, a_device


def test_devices_are_counted_by_platform_and_why_they_are_dead(database):
    for number, platform in enumerate(Platform):
        for device in range(number + 1):
            Devices(database).register(a_device(f"u{number}", f"d{device}", platform=platform))
    database["devices"].update_one({"_id.u": "u2"}, {"$set": {"active": False, "reason": "unregistered"}})
    found = Counter(
        {(platform, active, reason): n for platform, active, reason, n in AudienceHealth(database).devices()}
    )
    platforms = [platform.value for platform in Platform]
    assert found == {
        (platforms[0], True, None): 1,
        (platforms[1], True, None): 2,
        (platforms[2], True, None): 2,
        (platforms[2], False, "unregistered"): 1,
    }


def test_mutes_are_counted_by_category(database):
    Users(database).mention(["u1", "u2", "u3"], None, NOON)
    for user, muted in (("u1", ["news"]), ("u2", ["news", "offers"]), ("u3", [])):
        database["users"].update_one({"_id": user}, {"$set": {"muted.categories": muted}})
    assert AudienceHealth(database).mutes() == {"news": 2, "offers": 1}
