"""The routes over the figures, which tests/services/test_figures.py holds against recounts."""

import csv
import io
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from notify_server.services.server_tokens import Scope
from notify_server.storage.users import Users
from tests.api.caller import refused
from tests.statistics_world import CHANNELS, STATUSES, World, channels, counts, point

BEGIN = datetime(2026, 10, 20, tzinfo=UTC)
PERIOD = "from=2026-10-20T00:00:00Z&to=2026-11-03T00:00:00Z"
RATES = {"delivery_rate", "read_rate"}
TIMES = {f"{word}_seconds_to_{verb}" for word in ("median", "p90") for verb in ("receive", "read")}


@pytest.fixture
def world(database):
    """Two weeks, in which Vienna puts its clocks back."""
    made = World(database, Random(4))  # noqa: S311 - not a secret
    for _ in range(20):
        made.notify(BEGIN + timedelta(minutes=made.rng.randrange(13 * 24 * 60)))
    made.count()
    Users(database).mention(made.users, None, BEGIN)
    return made


def test_totals_reasons_and_a_series_of_a_period(backend, world):
    answer = backend.get(f"/v1/statistics?{PERIOD}")
    assert answer.status_code == 200
    found = answer.json
    assert found["totals"].keys() == {"recipients", *STATUSES} | RATES | TIMES
    assert found["totals"]["recipients"] == 120 == sum(found["totals"][status] for status in STATUSES)
    assert (found["from"], found["to"]) == ("2026-10-20T00:00:00.000Z", "2026-11-03T00:00:00.000Z")
    assert (found["interval"], found["timezone"], found["previous"]) == ("day", "UTC", None)
    assert [row["at"][:10] for row in found["series"]] == [row["period"] for row in found["series"]]
    assert len(found["series"]) == 14
    assert sum(row["recipients"] for row in found["series"]) == 120
    assert found["series"][0].keys() == {"at", "period", "recipients", *STATUSES} | RATES
    assert all(row.keys() == {"status", "reason", "count"} for row in found["reasons"])
    assert [row.pop("channel") for row in found["channels"]] == list(CHANNELS)
    assert (found["channels"][0]["received"], found["channels"][1]["failed"]) == (None, None)
    said = channels(entry for _, entry in world.entries(BEGIN, BEGIN + timedelta(days=14)))
    assert found["channels"][2] == {
        name: said["email", name] for name in ("sent", "received", "read", "failed", "bounced", "suppressed")
    }
    assert datetime.fromisoformat(found["as_of"]) > datetime.now(UTC) - timedelta(minutes=1)


@pytest.mark.parametrize(
    ("path", "which"),
    [
        ("/groups/choir", {"group": "choir"}),
        ("/communities/school-1", {"community": "school-1"}),
        ("/categories/booking", {"category": "booking"}),
        ("/users/u03", {"user": "u03"}),
    ],
)
def test_each_subject_has_its_own(backend, world, path, which):
    found = backend.get(f"/v1/statistics{path}?{PERIOD}&timezone=Europe/Vienna&interval=week").json
    expected = counts(entry for _, entry in world.entries(BEGIN, BEGIN + timedelta(days=14), **which))
    assert {name: found["totals"][name] for name in expected} == pytest.approx(expected, abs=1e-6)
    assert [row["period"] for row in found["series"]] == ["2026-W43", "2026-W44", "2026-W45"]
    assert [row["at"] for row in found["series"]] == [
        "2026-10-20T00:00:00.000Z",
        "2026-10-25T23:00:00.000Z",
        "2026-11-01T23:00:00.000Z",
    ]


def test_a_day_of_twenty_five_hours_has_as_many_points(backend, world):
    found = backend.get(
        "/v1/statistics?from=2026-10-25T00:00:00%2B02:00&to=2026-10-26T00:00:00%2B01:00"
        "&timezone=Europe/Vienna&interval=hour"
    ).json
    names = [row["period"] for row in found["series"]]
    assert len(set(names)) == 25
    assert names[2:4] == ["2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00"]


def test_the_period_before_is_there_when_it_is_asked_for(backend, world):
    found = backend.get("/v1/statistics?from=2026-10-27T00:00:00Z&to=2026-11-03T00:00:00Z&compare=previous").json
    assert found["previous"]["from"] == "2026-10-20T00:00:00.000Z"
    assert found["previous"]["totals"]["recipients"] + found["totals"]["recipients"] == 120


def test_a_notification_has_a_funnel_and_a_curve(backend, world):
    notification = max(world.notifications)
    found = backend.get(f"/v1/statistics/notifications/{notification}").json
    assert found["funnel"]["recipients"] == found["totals"]["recipients"] == 6
    assert found["funnel"].keys() == {"recipients", "sent", "received", "read"}
    assert found["curve"][-1]["received"] >= found["curve"][-1]["read"] == found["funnel"]["read"]
    assert sum(row["recipients"] for row in found["series"]) == 6
    capitals = backend.get(f"/v1/statistics/notifications/{notification.upper()}").json
    assert {**capitals, "as_of": None} == {**found, "as_of": None}
    refused(backend.get(f"/v1/statistics/notifications/{'0' * 24}"), 404)
    refused(backend.get("/v1/statistics/notifications/none"), 404)


@pytest.mark.parametrize("path", ["", "/groups/choir", "/users/u03", "/categories/none", "/notifications/{}"])
def test_the_series_comes_as_csv_where_that_is_wanted(backend, world, path):
    asked = f"/v1/statistics{path}?{PERIOD}".format(min(world.notifications))
    series = backend.get(asked).json["series"]
    answer = backend.get(asked, headers={"Accept": "text/csv"})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    shown = [{k: "" if v is None else str(v) for k, v in row.items()} for row in series]
    assert rows == shown != []
    assert list(rows[0]) == ["at", "period", "recipients", *STATUSES, "delivery_rate", "read_rate"]


def test_who_takes_anything_gets_json(backend, world):
    for accept in ("*/*", "text/html,*/*;q=0.8", "text/csv;q=0.5, application/json", "image/png"):
        assert backend.get("/v1/statistics", headers={"Accept": accept}).mimetype == "application/json"


def test_either_scope_will_do(caller, services):
    for scope in (Scope.STATISTICS, Scope.READ):
        token = services.server_tokens.create("analyst", [scope])
        assert caller(token).get("/v1/statistics").status_code == 200
    refused(caller(services.server_tokens.create("other", [Scope.SEND])).get("/v1/statistics"), 403)


def test_what_was_accepted_just_now_is_in_the_answer(backend, notify, database):
    notification = notify("u1", "u2", category="booking", community="school-1")
    Users(database).mention(["u1", "u2"], None, BEGIN)
    World(database, Random(1)).mark(notification, at=datetime.now(UTC))  # noqa: S311
    for path in ("", "/communities/school-1", "/categories/booking", "/users/u1", f"/notifications/{notification}"):
        found = backend.get(f"/v1/statistics{path}").json
        assert found["totals"]["recipients"] == (1 if "users" in path else 2)
        assert found["series"][-1]["pending"] > 0


@pytest.mark.parametrize("path", ["/users/nobody", "/groups/none", "/communities/none"])
def test_what_is_not_there_is_not_found(backend, path):
    refused(backend.get(f"/v1/statistics{path}"), 404)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-10-20T00:00:00Z&to=2026-10-20T00:00:00Z", "to"),
        ("from=yesterday", "from"),
        ("to=2026-10-20", "to"),
        ("interval=year", "interval"),
        ("from=2020-01-01T00:00:00Z&interval=hour", "interval"),
        ("timezone=Vienna", "timezone"),
        ("compare=next", "compare"),
        ("category=a/b", "category"),
        ("group=choir", "group"),
    ],
)
def test_a_bad_question_is_refused_by_field(backend, query, field):
    refused(backend.get(f"/v1/statistics?{query}"), 422, field)


def test_a_point_is_named_as_the_recount_names_it(backend, world):
    for interval in ("hour", "day", "week", "month"):
        query = f"{PERIOD}&interval={interval}&timezone=Asia/Kathmandu"
        for row in backend.get(f"/v1/statistics?{query}").json["series"]:
            assert row["period"] == point(datetime.fromisoformat(row["at"]), interval, "Asia/Kathmandu")
