"""The routes over the top lists, which tests/services/test_rankings.py holds against recounts."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from notify_server.storage.devices import Devices
from tests.api.caller import refused
from tests.builders import a_device
from tests.statistics_world import World

PERIOD = "from=2026-10-20T10:15:00Z&to=2026-11-01T00:00:00Z"


@pytest.fixture
def world(database):
    made = World(database, Random(4))  # noqa: S311 - not a secret
    for hour in range(60):
        made.notify(datetime(2026, 10, 21, tzinfo=UTC) + timedelta(hours=3 * hour))
    made.count()
    return made


def test_groups(backend, world):
    found = backend.get(f"/v1/statistics/top/groups?{PERIOD}").json
    assert {row["group"] for row in found["groups"]} == {"class-101", "class-102", "choir"}
    assert found["from"] == "2026-10-20T10:15:00.000Z"
    rates = [row["read_rate"] for row in found["groups"]]
    assert rates == sorted(rates, reverse=True)
    lowest = backend.get(f"/v1/statistics/top/groups?{PERIOD}&order=asc&limit=1&least=2").json["groups"]
    assert lowest == found["groups"][-1:]


def test_categories(backend, world, database):
    database["users"].insert_one({"_id": "u01", "muted": {"groups": [], "categories": ["news"]}})
    found = backend.get(f"/v1/statistics/top/categories?{PERIOD}").json["categories"]
    assert [(row["category"], row["muted_by"]) for row in found] == [("news", 1), ("booking", 0)]
    assert all(row["recipients"] >= row["suppressed"] for row in found)


def test_reasons(backend, world):
    found = backend.get(f"/v1/statistics/top/reasons?{PERIOD}&category=booking&limit=2").json["reasons"]
    whole = backend.get(f"/v1/statistics/categories/booking?{PERIOD}").json["reasons"]
    assert found == whole[:2] != []


def test_devices(backend, database):
    Devices(database).register(a_device("u1"))
    database["devices"].update_one({}, {"$set": {"active": False, "reason": "unregistered"}})
    Devices(database).register(a_device("u2"))
    assert backend.get("/v1/statistics/top/devices").json == {
        "platforms": [
            {"platform": "android", "active": 1, "dead": 1, "reasons": [{"reason": "unregistered", "count": 1}]}
        ]
    }


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("groups?limit=0", "limit"),
        ("groups?limit=201", "limit"),
        ("groups?least=0", "least"),
        ("groups?order=up", "order"),
        ("categories?order=asc", "order"),
        ("reasons?interval=day", "interval"),
        ("reasons?from=2026-10-20T00:00:00Z&to=2026-10-19T00:00:00Z", "to"),
    ],
)
def test_a_bad_question_is_refused_by_field(backend, path, field):
    refused(backend.get(f"/v1/statistics/top/{path}"), 422, field)
