from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from notify_server.domain.coverage import Coverage, Cut, Grain, cover, cuts, dates, grain, reach
from notify_server.domain.periods import QUARTER, Period

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(*parts: int) -> datetime:
    return datetime(2026, *parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "covered"),
    [
        (at(3, 1), at(5, 1), Coverage(months=[(date(2026, 3, 1), date(2026, 4, 30))])),
        (at(3, 2), at(3, 9), Coverage(days=[(date(2026, 3, 2), date(2026, 3, 8))])),
        (at(3, 2, 10, 15), at(3, 2, 11), Coverage(edges=[Period(at(3, 2, 10, 15), at(3, 2, 11))])),
        (
            at(3, 30, 10),
            at(5, 2, 1),
            Coverage(
                [(date(2026, 4, 1), date(2026, 4, 30))],
                [(date(2026, 3, 31), date(2026, 3, 31)), (date(2026, 5, 1), date(2026, 5, 1))],
                [Period(at(3, 30, 10), at(3, 31)), Period(at(5, 2), at(5, 2, 1))],
            ),
        ),
    ],
)
def test_months_where_there_are_whole_ones_then_days_then_parts(
    start: datetime, end: datetime, covered: Coverage
) -> None:
    assert cover(Period(start, end)) == covered


def test_every_period_is_covered_once() -> None:
    rng = Random(1)  # noqa: S311 - not a secret
    for _ in range(300):
        start = START + rng.randrange(40_000) * QUARTER
        period = Period(start, start + rng.choice((1, 7, 96, 500, 30_000)) * rng.randrange(1, 4) * QUARTER)
        found = cover(period)
        spans = [Period(_begin(first), _begin(last) + timedelta(days=1)) for first, last in found.months + found.days]
        grains = [Grain.MONTH] * len(found.months) + [Grain.DAY] * len(found.days) + [Grain.QUARTER] * len(found.edges)
        assert list(found.runs()) == list(zip(grains, spans + found.edges, strict=True))
        spans = sorted(spans + found.edges, key=lambda span: span.start)
        assert [span.start for span in spans] == [period.start, *(span.end for span in spans[:-1])]
        assert spans[-1].end == period.end
        assert all(first.day == 1 and (last + timedelta(days=1)).day == 1 for first, last in found.months)
        assert all(edge.start.date() == dates(edge)[1] for edge in found.edges)


def _begin(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


@pytest.mark.parametrize(
    ("end", "now", "reached"),
    [
        (at(3, 9, 10, 15), at(3, 9, 10, 7), at(4, 1)),
        (at(3, 9, 10, 15), at(3, 9, 10, 15), at(3, 9, 10, 15)),
        (at(4, 1), at(3, 31, 23, 59), at(4, 1)),
        (at(4, 1, 0, 15), at(3, 9), at(5, 1)),
        (at(2, 1, 0, 15), at(3, 9), at(2, 1, 0, 15)),
        (datetime(2027, 1, 1, tzinfo=UTC), at(12, 31, 23, 59), datetime(2027, 1, 1, tzinfo=UTC)),
    ],
)
def test_what_is_not_over_is_read_to_the_end_of_its_month(end: datetime, now: datetime, reached: datetime) -> None:
    assert reach(Period(START, end), now) == Period(START, reached)


def test_the_grain_is_the_coarsest_in_which_no_time_lies_within() -> None:
    assert grain([at(1, 1), at(2, 1)]) is Grain.MONTH
    assert grain([at(1, 1), at(2, 2)]) is Grain.DAY
    assert grain([at(1, 2), at(2, 1, 0, 15)]) is Grain.QUARTER


def test_a_day_that_is_cut_counts_where_more_of_it_is() -> None:
    period = Period(at(3, 1), at(3, 9))
    found = cuts(period, [at(3, 2), at(3, 3, 22), at(3, 4, 5), at(3, 5, 9), at(3, 5, 20)])
    assert found == {
        at(3, 3).date(): Cut(at(3, 3), at(3, 3, 22), at(3, 4)),
        at(3, 4).date(): Cut(at(3, 4, 23, 45), at(3, 4), at(3, 4, 5)),
        at(3, 5).date(): Cut(at(3, 5), at(3, 5, 9), at(3, 6)),
    }
    assert [moment in found[at(3, 3).date()] for moment in (at(3, 3, 21, 45), at(3, 3, 22), at(3, 4))] == [
        False,
        True,
        False,
    ]


def test_at_the_ends_of_a_period_a_day_counts_within_it() -> None:
    period = Period(at(3, 1, 20), at(3, 3, 1))
    assert cuts(period, [period.start]) == {
        at(3, 1).date(): Cut(at(3, 1, 23, 45), at(3, 1), at(3, 1, 20)),
        at(3, 3).date(): Cut(at(3, 3), at(3, 3, 1), at(3, 4)),
    }
    short = Period(at(3, 1, 10), at(3, 1, 11))
    assert cuts(short, [short.start]) == {at(3, 1).date(): Cut(short.start, at(3, 1), at(3, 2))}


def test_the_days_that_a_period_touches() -> None:
    assert dates(Period(at(3, 1, 23, 45), at(3, 3))) == (date(2026, 3, 1), date(2026, 3, 2))
    assert dates(Period(at(3, 1), at(3, 3, 0, 15))) == (date(2026, 3, 1), date(2026, 3, 3))
