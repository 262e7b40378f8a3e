"""Every figure, held against a plain recount of random registries: tests/statistics_world.py."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import ceil
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from notify_server.bootstrap import build_figures
from notify_server.domain.intervals import Interval
from notify_server.domain.periods import ceiling
from notify_server.domain.tally import step
from notify_server.errors import InvalidInput, NotFound
from notify_server.services.figures import Figures
from notify_server.services.statistics import Question, Report
from notify_server.storage.documents import Store, object_id
from notify_server.storage.users import Users
from tests.builders import StoppedClock
from tests.statistics_world import (
    COMMUNITIES,
    GROUPS,
    Entry,
    World,
    channels,
    counts,
    point,
    reasons,
    seconds,
    series,
)

NOW = datetime(2027, 1, 15, 10, 7, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
ZONES = (
    "UTC",
    "Europe/Vienna",
    "America/New_York",
    "Asia/Kathmandu",  # 5:45 ahead
    "Australia/Lord_Howe",  # half an hour of daylight saving
    "Pacific/Chatham",  # 12:45 ahead, and daylight saving
    "America/Havana",  # clocks go forward at midnight: there is none
    "Africa/Cairo",
)
CHANGES = [datetime(2026, *day, tzinfo=UTC) for day in ((3, 8), (3, 29), (4, 5), (4, 24), (10, 4), (10, 25), (11, 1))]


@pytest.fixture(scope="module")
def world(shared_database: Store) -> World:
    """A year of notifications, many of them on days on which clocks are changed somewhere; all of it is counted."""
    rng = Random(18)  # noqa: S311 - not a secret
    made = World(shared_database, rng)
    year = datetime(2026, 1, 1, tzinfo=UTC)
    times = [year + timedelta(minutes=rng.randrange(365 * 24 * 60)) for _ in range(120)]
    times += [day + timedelta(minutes=rng.randrange(-600, 1500)) for day in CHANGES for _ in range(12)]
    for at in times:
        made.notify(at)
    Users(shared_database).mention(made.users, None, NOW)
    made.count()
    return made


@pytest.fixture(scope="module")
def figures(shared_database: Store) -> Figures:
    return build_figures(shared_database, StoppedClock(NOW))[0]


def about_right(found: float | None, exact: Sequence[float], share: float) -> bool:
    """Whether `found` is in the same step as the nearest rank; None where there is nothing."""
    if found is None:
        return not exact
    rank = exact[ceil(share * len(exact)) - 1]
    return step(timedelta(seconds=found)) == step(timedelta(seconds=rank))


def held_against(report: Report, entries: list[tuple[datetime, Entry]]) -> None:
    """Fails unless every figure of `report` is that of `entries`."""
    plain = [entry for _, entry in entries]
    totals = dict(report.totals)
    for share, word in ((0.5, "median"), (0.9, "p90")):
        for name, verb in (("received_at", "receive"), ("read_at", "read")):
            assert about_right(totals.pop(f"{word}_seconds_to_{verb}"), seconds(plain, name), share)
    assert totals == pytest.approx(counts(plain), abs=1e-6)
    assert {(row["status"], row["reason"]): row["count"] for row in report.reasons} == reasons(plain)
    assert [row["count"] for row in report.reasons] == sorted(reasons(plain).values(), reverse=True)
    told = {(row["channel"], name): count for row in report.channels for name, count in row.items() if count}
    assert {pair: count for pair, count in told.items() if pair[1] != "channel"} == channels(plain)
    expected = series(entries, report.interval, report.timezone)
    shown = [{k: v for k, v in row.items() if k not in ("at", "period")} for row in report.series if row["recipients"]]
    assert [row["period"] for row in report.series if row["recipients"]] == sorted(
        expected, key=_order(entries, report)
    )
    assert shown == [pytest.approx(expected[r["period"]], abs=1e-6) for r in report.series if r["recipients"]]
    well_divided(report)


def _order(entries: list[tuple[datetime, Entry]], report: Report) -> Callable[[str], datetime]:
    first: dict[str, datetime] = {}
    for at, _ in entries:
        name = point(at, report.interval, report.timezone)
        first[name] = min(at, first.get(name, at))
    return lambda name: first[name]


def well_divided(report: Report) -> None:
    """Points follow each other without gaps, and each is named for where it begins and ends."""
    starts = [row["at"] for row in report.series]
    assert starts[0] == report.period.start
    assert all(one < other for one, other in pairwise([*starts, report.period.end]))
    for row, end in zip(report.series, [*starts[1:], report.period.end], strict=True):
        names = {point(at, report.interval, report.timezone) for at in (row["at"], end - QUARTER)}
        assert names == {row["period"]}


def questions(rng: Random) -> Iterator[Question]:
    """Periods of any length, in every zone, divided in every way that makes no hundreds of points."""
    for zone in ZONES:
        for interval, longest in ((Interval.HOUR, 6), (Interval.DAY, 60), (Interval.WEEK, 400), (Interval.MONTH, 400)):
            near = rng.choice(CHANGES) - timedelta(days=rng.randrange(longest)) + rng.randrange(96) * QUARTER
            yield Question(near, near + timedelta(days=rng.randrange(1, longest)), interval, zone)
            day = near.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0)
            yield Question(day, day + timedelta(days=rng.randrange(1, longest)), interval, zone)


SUBJECTS: dict[str, tuple[Callable[[Figures, str, Question], Report], tuple[str, ...]]] = {
    "group": (Figures.group, GROUPS),
    "community": (Figures.community, COMMUNITIES),
    "category": (Figures.category, ("booking", "news")),
    "user": (Figures.user, ("u01", "u17")),
}


@pytest.mark.parametrize("category", [None, "booking"])
def test_every_figure_of_everything_is_that_of_a_plain_recount(figures: Figures, world: World, category: Any) -> None:
    which = {"category": category} if category else {}
    for question in questions(Random(1)):  # noqa: S311
        report = figures.overview(
            Question(question.start, question.end, question.interval, question.timezone, category)
        )
        held_against(report, list(world.entries(report.period.start, report.period.end, **which)))


@pytest.mark.parametrize("kind", SUBJECTS)
@pytest.mark.parametrize("category", [None, "booking"])
def test_and_so_is_that_of_each_subject(figures: Figures, world: World, kind: str, category: Any) -> None:
    ask, keys = SUBJECTS[kind]
    rng = Random(2)  # noqa: S311
    for number, question in enumerate(questions(rng)):
        key = keys[number % len(keys)]
        asked = Question(question.start, question.end, question.interval, question.timezone, category)
        report = ask(figures, key, asked)
        entries = world.entries(report.period.start, report.period.end, **{kind: key})
        held_against(report, [(at, e) for at, e in entries if category is None or e["category"] == category])


@pytest.mark.parametrize("interval", [Interval.DAY, Interval.WEEK, Interval.MONTH])
@pytest.mark.parametrize("zone", ZONES)
def test_until_now_and_later_it_is_right_too(world: World, zone: str, interval: Interval) -> None:
    """Whatever is younger than now has not happened yet, so the clock stands where the youngest entry was entered."""
    every = list(world.entries(datetime(2026, 1, 1, tzinfo=UTC), NOW))
    now = max(at for at, _ in every) + timedelta(seconds=1)
    until_now = build_figures(world.database, StoppedClock(now))[0]
    for end in (None, now + timedelta(minutes=15), now + timedelta(days=40)):
        start = now - timedelta(days=100)
        report = until_now.overview(Question(start, end, interval, zone, compare=True))
        held_against(report, [(at, entry) for at, entry in every if at >= report.period.start])
        assert report.period.end == ceiling(end or now)


def test_a_period_is_the_whole_quarters_around_what_was_asked(figures: Figures) -> None:
    start = datetime(2026, 3, 29, 1, 7, tzinfo=UTC)
    report = figures.overview(Question(start, start + timedelta(minutes=1), Interval.HOUR))
    assert report.period.start == start.replace(minute=0)
    assert report.period.end == start.replace(minute=15)


def test_by_default_it_is_the_last_thirty_days_today_among_them(figures: Figures) -> None:
    report = figures.overview(Question(timezone="Asia/Kathmandu"))
    assert report.period.start.astimezone(ZoneInfo("Asia/Kathmandu")).isoformat() == "2026-12-17T00:00:00+05:45"
    assert report.period.end == datetime(2027, 1, 15, 10, 15, tzinfo=UTC)
    assert len(report.series) == 30
    assert report.as_of == NOW
    assert report.previous is None


@pytest.mark.parametrize(
    ("start", "end", "before"),
    [
        ("2026-11-01T00:00+01:00", "2026-12-01T00:00+01:00", "2026-10-01T00:00+02:00"),  # months
        ("2026-10-26T00:00+01:00", "2026-11-02T00:00+01:00", "2026-10-19T00:00+02:00"),  # days
        ("2026-10-26T12:00+01:00", "2026-10-27T12:00+01:00", "2026-10-25T12:00+01:00"),  # a length of time
    ],
)
def test_the_period_before_is_as_many_months_or_days_or_as_long(
    figures: Figures, world: World, start: str, end: str, before: str
) -> None:
    times = [datetime.fromisoformat(text) for text in (start, end)]
    report = figures.overview(Question(*times, timezone="Europe/Vienna", compare=True))
    assert report.previous is not None
    assert (report.previous.period.start, report.previous.period.end) == (datetime.fromisoformat(before), times[0])
    found = counts(entry for _, entry in world.entries(datetime.fromisoformat(before), times[0]))
    assert report.previous.totals == pytest.approx(report.previous.totals | found, abs=1e-6)


def test_of_a_user_the_period_before_is_compared_too(figures: Figures, world: World) -> None:
    asked = Question(datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC), compare=True)
    report = figures.user("u01", asked)
    assert report.previous is not None
    found = counts(entry for _, entry in world.entries(report.previous.period.start, report.period.start, user="u01"))
    assert found["recipients"] > 0
    assert report.previous.totals == pytest.approx(report.previous.totals | found, abs=1e-6)


def test_what_is_marked_and_small_is_counted_for_the_answer(figures: Figures, world: World) -> None:
    late = sorted(world.notifications)[:40]
    before = {kind: ask(figures, keys[0], YEAR).totals for kind, (ask, keys) in SUBJECTS.items()}
    for notification in late:
        world.change(notification)
    world.mark(*late, at=NOW - timedelta(seconds=3))
    stored = list(world.database["statistics"].find())
    for kind, (ask, keys) in SUBJECTS.items():
        report = ask(figures, keys[0], YEAR)
        held_against(report, list(world.entries(report.period.start, report.period.end, **{kind: keys[0]})))
        assert report.totals != before[kind]
        assert report.as_of == NOW
    assert list(world.database["statistics"].find()) == stored
    world.database["changes"].delete_many({})
    world.count()


YEAR = Question(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC), Interval.MONTH)


def test_what_is_marked_and_large_dates_the_answer_and_small_ones_are_counted_all_the_same(
    figures: Figures, world: World
) -> None:
    small, large = sorted(world.notifications)[50:52]
    world.database["notifications"].update_one({"_id": object_id(large)}, {"$set": {"recipients": 20_001}})
    before = figures.overview(YEAR).totals
    world.change(large)
    world.mark(large, at=NOW - timedelta(seconds=40))
    report = figures.overview(YEAR)
    assert (report.totals, report.as_of) == (before, NOW - timedelta(seconds=40))
    world.change(small)
    world.mark(small, at=NOW - timedelta(seconds=70))
    report = figures.overview(YEAR)
    assert report.totals != before
    assert report.as_of == NOW - timedelta(seconds=40)
    other = {"booking": "news", "news": "booking"}.get(str(world.notifications[large].category), "booking")
    assert figures.category(other, YEAR).as_of == NOW, "it does not concern other categories"
    world.database["notifications"].update_one({"_id": object_id(large)}, {"$set": {"recipients": 6}})
    world.database["changes"].delete_many({})
    world.count()


@pytest.mark.parametrize("marked", [False, True])
def test_a_notification_has_its_figures_its_funnel_and_its_curve(figures: Figures, world: World, marked: bool) -> None:
    for notification in sorted(world.notifications)[::17]:
        if marked:
            world.change(notification)
            world.mark(notification, at=NOW)
        course = figures.notification(notification, Question(interval=Interval.HOUR, timezone="Asia/Kathmandu"))
        every = list(world.entries(datetime.min.replace(tzinfo=UTC), NOW, notification=notification))
        held_against(course.report, every)
        plain = [entry for _, entry in every]
        assert course.funnel == {
            "recipients": len(plain),
            "sent": sum(e["status"] in ("sent", "received", "read") or e["reason"] == "unconfirmed" for e in plain),
            "received": sum(e["status"] in ("received", "read") for e in plain),
            "read": sum(e["status"] == "read" for e in plain),
        }
        for number in course.curve:
            for name in ("received", "read"):
                assert number[name] == sum(time < number["seconds"] for time in seconds(plain, f"{name}_at"))
        if course.curve:
            assert course.curve[-1]["read"] == course.funnel["read"]
    world.database["changes"].delete_many({})
    world.count()


def test_a_notification_that_is_being_removed_has_no_figures_any_more(figures: Figures, world: World) -> None:
    notification = max(world.notifications)
    which = {"_id": object_id(notification)}
    world.database["notifications"].update_one(which, {"$set": {"retired_at": NOW}})
    with pytest.raises(NotFound, match="any more"):
        figures.notification(notification, Question())
    world.database["notifications"].update_one(which, {"$unset": {"retired_at": ""}})


@pytest.mark.parametrize("marked", [False, True])
def test_an_id_in_capitals_names_the_same_notification(figures: Figures, world: World, marked: bool) -> None:
    notification = next(name for name in sorted(world.notifications) if name != name.upper())
    if marked:
        world.mark(notification, at=NOW)
    asked = Question(interval=Interval.HOUR)
    assert figures.notification(notification.upper(), asked) == figures.notification(notification, asked)
    world.database["changes"].delete_many({})


def test_a_notification_may_be_narrowed_too(figures: Figures, world: World) -> None:
    notification = next(name for name, made in world.notifications.items() if made.category == "booking")
    assert figures.notification(notification, Question(category="booking")).funnel["recipients"] == 6
    assert figures.notification(notification, Question(category="news")).funnel["recipients"] == 0
    later = Question(start=NOW - timedelta(days=1))
    assert figures.notification(notification, later).funnel["recipients"] == 0


def test_of_people_who_were_erased_the_entries_stay_in_the_figures(figures: Figures, world: World) -> None:
    """Their parts are kept with the notification: also while it is counted for the answer."""
    notification = sorted(world.notifications)[90]
    before = figures.overview(YEAR).totals, figures.notification(notification, Question()).funnel
    parts = [chunk["parts"] for chunk in world.database["tallies"].find({"_id.n": object_id(notification)})]
    world.database["notifications"].update_one({"_id": object_id(notification)}, {"$set": {"erased_parts": parts[0]}})
    kept = list(world.database["registry"].find({"_id.n": object_id(notification)}))
    world.database["registry"].delete_many({"_id.n": object_id(notification)})
    world.mark(notification, at=NOW)
    assert (figures.overview(YEAR).totals, figures.notification(notification, Question()).funnel) == before
    world.database["changes"].delete_many({})
    world.count()
    assert (figures.overview(YEAR).totals, figures.notification(notification, Question()).funnel) == before
    world.database["registry"].insert_many(kept)
    world.database["notifications"].update_one({"_id": object_id(notification)}, {"$unset": {"erased_parts": ""}})
    world.count()


def test_a_category_that_nobody_has_used_has_zeros(figures: Figures) -> None:
    report = figures.category("unheard-of", YEAR)
    assert report.totals["recipients"] == 0
    assert report.totals["read_rate"] is None
    assert [row["recipients"] for row in report.series] == [0] * 12
    assert figures.category("booking", Question(YEAR.start, YEAR.end, category="news")).totals["recipients"] == 0


@pytest.mark.parametrize("kind", ["group", "community", "user"])
def test_what_is_not_there_is_not_found_and_what_has_no_entries_has_zeros(
    figures: Figures, shared_database: Store, world: World, kind: str
) -> None:
    ask = SUBJECTS[kind][0]
    with pytest.raises(NotFound):
        ask(figures, "nowhere", YEAR)
    Users(shared_database).put("lonely", {"groups": ["quiet"], "community": "quiet"}, NOW)
    name = "lonely" if kind == "user" else "quiet"
    assert ask(figures, name, YEAR).totals["recipients"] == 0
    shared_database["users"].delete_one({"_id": "lonely"})


def test_what_was_counted_once_is_known_also_when_it_is_gone(figures: Figures, world: World) -> None:
    later = Question(NOW - timedelta(hours=1), NOW)
    assert figures.group("choir", later).totals["recipients"] == 0
    assert figures.community("school-2", later).totals["recipients"] == 0


def test_a_question_without_an_answer_is_refused_by_field(figures: Figures) -> None:
    with pytest.raises(InvalidInput, match="to: Must be later than from"):
        figures.overview(Question(YEAR.end, YEAR.start))
    with pytest.raises(InvalidInput, match="interval: The period has more than 10,000"):
        figures.overview(Question(YEAR.start - timedelta(days=365), YEAR.end, Interval.HOUR))
    with pytest.raises(NotFound):
        figures.notification("0" * 24, Question())
