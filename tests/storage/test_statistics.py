from datetime import UTC, date, datetime
from itertools import starmap

import pytest

from notify_server.domain.statistics import ALL, Dimension, Kind, Labels, Part
from notify_server.storage.documents import Store
from notify_server.storage.statistics import ARCHIVE, Grain, Period, Statistics, key_of
from tests.builders import NOON, after

DAY = date(2026, 11, 20)
NEWS = Labels("news", "school")
TALLY = {"failed": 2, "failed:unregistered": 2, "read": 1, "received@700": 1, "read@900": 1}
DAY_START = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def statistics(database: Store) -> Statistics:
    return Statistics(database)


def test_a_part_is_in_its_month_its_day_and_its_quarter(statistics: Statistics) -> None:
    statistics.add([(NEWS, Part(NOON, None, TALLY)), (NEWS, Part(after(900), None, {"sent": 1}))])
    both = TALLY | {"sent": 1}
    assert statistics.months(ALL, DAY, DAY, times=True) == [Period(DAY_START.replace(day=1), both)]
    assert statistics.days(ALL, DAY, DAY, times=True) == [Period(DAY_START, both)]
    assert statistics.quarters(ALL, DAY, DAY, rest=True) == [Period(NOON, TALLY), Period(after(900), {"sent": 1})]


def test_without_times_and_rest_little_is_read(statistics: Statistics) -> None:
    statistics.add([(NEWS, Part(NOON, None, TALLY))])
    plain = {"failed": 2, "failed:unregistered": 2, "read": 1}
    assert statistics.months(ALL, DAY, DAY, times=False)[0].tally == plain
    assert statistics.days(ALL, DAY, DAY, times=False)[0].tally == plain
    assert statistics.quarters(ALL, DAY, DAY, rest=False)[0].tally == {"failed": 2, "read": 1}


@pytest.mark.parametrize(
    "of",
    [
        ALL,
        *starmap(
            Dimension,
            [
                (Kind.ALL, "", "news"),
                (Kind.CATEGORY, "news"),
                (Kind.COMMUNITY, "school"),
                (Kind.COMMUNITY, "school", "news"),
            ],
        ),
    ],
)
def test_each_dimension_is_read_by_itself(statistics: Statistics, of: Dimension) -> None:
    statistics.add([(NEWS, Part(NOON, None, {"sent": 3})), (NEWS, Part(NOON, "chess", {"sent": 2}))])
    assert [period.tally for period in statistics.days(of, DAY, DAY, times=False)] == [{"sent": 3}]


def test_nothing_is_of_two_categories(statistics: Statistics) -> None:
    statistics.add([(NEWS, Part(NOON, "chess", {"sent": 2}))])
    assert statistics.days(Dimension(Kind.GROUP, "chess", "news"), DAY, DAY, times=False)[0].tally == {"sent": 2}
    assert statistics.days(Dimension(Kind.GROUP, "chess", "sport"), DAY, DAY, times=False) == []
    assert statistics.days(Dimension(Kind.CATEGORY, "news", "sport"), DAY, DAY, times=False) == []


def test_what_is_added_may_take_away(statistics: Statistics, database: Store) -> None:
    statistics.add([(NEWS, Part(NOON, None, {"pending": 1}))])
    assert statistics.add([(NEWS, Part(NOON, None, {"pending": -1, "sent": 1}))]) == 8
    assert statistics.days(ALL, DAY, DAY, times=False) == [Period(DAY_START, {"sent": 1})]
    assert statistics.add([(NEWS, Part(NOON, None, {"sent": 1})), (NEWS, Part(NOON, None, {"sent": -1}))]) == 0


def test_a_range_has_both_its_ends_and_no_other_key(statistics: Statistics) -> None:
    for key in ("a", "b", "c"):
        for day in (19, 20, 21, 22):
            at = datetime(2026, 11, day, 8, tzinfo=UTC)
            statistics.add([(Labels(key, None), Part(at, None, {"sent": day}))])
    found = statistics.days(Dimension(Kind.CATEGORY, "b"), DAY, date(2026, 11, 21), times=False)
    assert [period.tally["sent"] for period in found] == [20, 21]


@pytest.mark.parametrize("days", [[DAY, date(2026, 11, 24)], [DAY, date(2026, 11, 21)]], ids=["far between", "close"])
def test_some_quarters_are_those_of_some_days(statistics: Statistics, days: list[date]) -> None:
    for day in range(20, 25):
        for hour in (8, 9):
            at = datetime(2026, 11, day, hour, tzinfo=UTC)
            statistics.add([(NEWS, Part(at, None, {"sent": day, "sent@9": 1}))])
    found = [period for period in statistics.some_quarters(ALL, days, [32, 35]) if period.at.date() in days]
    assert found == [Period(datetime(day.year, day.month, day.day, 8, tzinfo=UTC), {"sent": day.day}) for day in days]


def test_the_archive_has_the_same_form(database: Store) -> None:
    Statistics(database, ARCHIVE).add([(NEWS, Part(NOON, None, TALLY))])
    assert Statistics(database).days(ALL, DAY, DAY, times=True) == []
    assert Statistics(database, ARCHIVE).days(ALL, DAY, DAY, times=True) == [Period(DAY_START, TALLY)]


def test_a_key_has_its_fields_in_order() -> None:
    assert list(key_of(Grain.MONTH, ALL, DAY).items()) == [
        ("g", "month"),
        ("k", "all"),
        ("v", ""),
        ("c", None),
        ("p", "2026-11"),
    ]
    assert key_of(Grain.PART, ALL, DAY)["p"] == "2026-11-20"
