"""Top lists, held against a plain recount: tests/statistics_world.py."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from notify_server.bootstrap import build_figures
from notify_server.domain.device import Platform
from notify_server.domain.user import Mutable
from notify_server.services.rankings import Choice, TopLists
from notify_server.services.statistics import Question
from notify_server.storage.devices import Devices
from notify_server.storage.documents import Store
from notify_server.storage.users import Users
from tests.builders import StoppedClock, a_device
from tests.profile import profiled
from tests.statistics_world import GROUPS, World, counts, reasons

NOW = datetime(2026, 12, 3, 10, 7, tzinfo=UTC)
BEGIN = datetime(2026, 9, 20, tzinfo=UTC)
PERIODS = [
    (BEGIN, NOW),
    (datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)),
    (datetime(2026, 9, 29, 10, 15, tzinfo=UTC), datetime(2026, 12, 1, 18, 45, tzinfo=UTC)),
    (datetime(2026, 10, 5, 10, 15, tzinfo=UTC), datetime(2026, 10, 5, 23, 45, tzinfo=UTC)),
    (datetime(2026, 10, 5, 10, 15, tzinfo=UTC), datetime(2026, 10, 6, 8, 45, tzinfo=UTC)),
]


@pytest.fixture(scope="module")
def world(shared_database: Store) -> World:
    """Some weeks of notifications; the newest ten have changed since they were counted, and are marked."""
    rng = Random(5)  # noqa: S311 - not a secret
    made = World(shared_database, rng)
    for _ in range(80):
        made.notify(BEGIN + timedelta(minutes=rng.randrange(70 * 24 * 60)))
    for hour in range(48):
        made.notify(datetime(2026, 10, 5, tzinfo=UTC) + timedelta(hours=hour), 3)
    made.count()
    late = sorted(made.notifications)[-10:]
    for notification in late:
        made.change(notification)
    made.mark(*late, at=NOW)
    return made


@pytest.fixture(scope="module")
def rankings(shared_database: Store) -> TopLists:
    return build_figures(shared_database, StoppedClock(NOW))[1]


@pytest.mark.parametrize("category", [None, "booking"])
@pytest.mark.parametrize(("start", "end"), PERIODS)
def test_groups_by_read_rate(rankings: TopLists, world: World, start: datetime, end: datetime, category: str) -> None:
    top = rankings.groups(Question(start, end, category=category), Choice(20))
    which = {"category": category} if category else {}
    span = top.period.start, top.period.end
    expected = {group: counts(e for _, e in world.entries(*span, group=group, **which)) for group in GROUPS}
    expected = {group: found for group, found in expected.items() if found["read_rate"] is not None}
    assert {row["group"]: {k: v for k, v in row.items() if k != "group"} for row in top.rows} == {
        group: pytest.approx(found, abs=1e-6) for group, found in expected.items()
    }
    rates = [row["read_rate"] for row in top.rows]
    assert rates == sorted(rates, reverse=True)


def test_the_lowest_and_only_those_with_enough_recipients(rankings: TopLists, world: World) -> None:
    question = Question(BEGIN, NOW)
    every = rankings.groups(question, Choice(20)).rows
    assert rankings.groups(question, Choice(20, lowest=True)).rows == every[::-1]
    assert rankings.groups(question, Choice(1)).rows == every[:1]
    most = max(row["recipients"] for row in every)
    assert [row["recipients"] for row in rankings.groups(question, Choice(20, least=most)).rows] == [most]
    assert rankings.groups(question, Choice(20, least=most + 1)).rows == []


def test_several_lists_come_of_one_reading(rankings: TopLists, world: World, shared_database: Store) -> None:
    question, choices = Question(BEGIN, NOW), (Choice(20), Choice(2, lowest=True), Choice(20, least=10_000))
    with profiled(shared_database, "statistics") as asked:
        lists = rankings.group_lists(question, *choices)
    once = len(asked)
    with profiled(shared_database, "statistics") as asked:
        assert lists == [rankings.groups(question, choice) for choice in choices]
    assert len(asked) == 3 * once


def test_each_run_of_roll_ups_has_a_moment_of_its_own_with_what_was_late_then(
    rankings: TopLists, world: World, shared_database: Store
) -> None:
    with profiled(shared_database, "changes") as looked:
        rankings.groups(Question(*PERIODS[2]), Choice(20))
    assert len(looked) == 4, "the edges, the days before whole months, and these"


def test_until_now_no_quarters_are_read(rankings: TopLists, world: World, shared_database: Store) -> None:
    with profiled(shared_database, "statistics") as asked:
        rankings.groups(Question(datetime(2026, 10, 1, tzinfo=UTC)), Choice(20))
    assert [query["command"]["pipeline"][0]["$match"]["_id.g"] for query in asked] == ["month"]


def test_categories_by_those_who_have_muted_them(rankings: TopLists, world: World, shared_database: Store) -> None:
    Users(shared_database).mention(world.users, None, NOW)
    for user, categories in ((world.users[0], ["news", "unused"]), (world.users[1], ["news"])):
        shared_database["users"].update_one({"_id": user}, {"$set": {f"muted.{Mutable.CATEGORIES}": categories}})
    for start, end in PERIODS:
        top = rankings.categories(Question(start, end), Choice(20))
        rows = {row["category"]: row for row in top.rows}
        assert [rows[name]["muted_by"] for name in ("news", "unused")] == [2, 1]
        assert top.rows[0]["category"] == "news"
        for category in ("news", "booking"):
            entries = [e for _, e in world.entries(top.period.start, top.period.end, category=category)]
            row = rows.get(category, {"recipients": 0, "suppressed": 0})
            assert row["recipients"] == len(entries)
            assert row["suppressed"] == reasons(entries)["suppressed", "muted_category"]
    [only] = rankings.categories(Question(BEGIN, NOW, category="booking"), Choice(20)).rows
    assert (only["category"], only["muted_by"]) == ("booking", 0)


def test_reasons_by_how_many_they_concern(rankings: TopLists, world: World) -> None:
    top = rankings.reasons(Question(BEGIN, NOW, category="news"), Choice(3))
    entries = [entry for _, entry in world.entries(top.period.start, top.period.end, category="news")]
    expected = reasons(entries)
    assert len(top.rows) == 3
    assert all(expected[row["status"], row["reason"]] == row["count"] for row in top.rows)
    assert [row["count"] for row in top.rows] == sorted(expected.values(), reverse=True)[:3]


def test_devices_by_their_dead_targets(rankings: TopLists, shared_database: Store) -> None:
    devices = Devices(shared_database)
    for number in range(6):
        platform = (Platform.IOS, Platform.ANDROID)[number % 2]
        devices.register(a_device(f"u{number}", platform=platform))
    dead = {"u0": "unregistered", "u2": "unregistered", "u4": "moved", "u1": "unregistered"}
    for user, reason in dead.items():
        shared_database["devices"].update_one({"_id.u": user}, {"$set": {"active": False, "reason": reason}})
    assert rankings.devices() == [
        {
            "platform": "ios",
            "active": 0,
            "dead": 3,
            "reasons": [{"reason": "unregistered", "count": 2}, {"reason": "moved", "count": 1}],
        },
        {"platform": "android", "active": 2, "dead": 1, "reasons": [{"reason": "unregistered", "count": 1}]},
    ]
