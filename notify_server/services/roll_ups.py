"""Roll-ups as a source of figures, and what is not counted in them yet."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain

from notify_server.domain.coverage import Cut, Grain, cover, cuts, dates, grain, reach
from notify_server.domain.periods import Period
from notify_server.domain.statistics import Dimension
from notify_server.domain.tally import QUARTERS, Tally, quarter
from notify_server.services.statistics import Counted, Entered
from notify_server.storage.snapshots import Snapshot
from notify_server.storage.statistics import Statistics

_MANY = 2  # points of a series in a day, above which each quarter of an hour is read


@dataclass(frozen=True, slots=True)
class RollUps:
    """The roll-ups of a dimension as they were `now`, at the moment of `session`; `late` is to be added to them."""

    stored: Statistics
    of: Dimension
    session: Snapshot
    now: datetime
    late: Sequence[Entered] = ()

    def whole(self, period: Period) -> Iterable[Tally]:
        """As in Source: from months, days and quarters of an hour, each where it fits."""
        whole = reach(period, self.now)
        covered = cover(whole)
        for run in covered.months:
            yield from (found.tally for found in self.stored.months(self.of, *run, times=True, session=self.session))
        for run in covered.days:
            yield from (found.tally for found in self.stored.days(self.of, *run, times=True, session=self.session))
        for edge in covered.edges:
            found = self.stored.quarters(self.of, *dates(edge), rest=True, session=self.session)
            yield from (part.tally for part in found if part.at in edge)
        yield from Counted(self.late).whole(whole)

    def divided(self, period: Period, starts: Sequence[datetime]) -> Iterable[Entered]:
        """As in Source."""
        whole = reach(period, self.now)
        return chain(self._divided(whole, starts), Counted(self.late).divided(whole, starts))

    def _divided(self, period: Period, starts: Sequence[datetime]) -> Iterable[Entered]:
        first, last = dates(period)
        needed = grain((*starts, period.end))
        if needed is Grain.MONTH:
            found = self.stored.months(self.of, first, last, times=False, session=self.session)
        elif needed is Grain.DAY:
            found = self.stored.days(self.of, first, last, times=False, session=self.session)
        elif len(starts) > _MANY * ((last - first).days + 1):
            found = self.stored.quarters(self.of, first, last, rest=False, session=self.session)
        else:
            return self._by_days(period, cuts(period, starts))
        return ((each.at, each.tally) for each in found if each.at in period)

    def _by_days(self, period: Period, cut: Mapping[date, Cut]) -> Iterable[Entered]:
        """Whole days, and of those that are cut the quarters that count elsewhere, or not at all."""
        for day in self.stored.days(self.of, *dates(period), times=False, session=self.session):
            anchor = cut[day.at.date()].anchor if day.at.date() in cut else day.at
            yield anchor, day.tally
        numbers = {number for each in cut.values() for number in _numbers(each)}
        for part in self.stored.some_quarters(self.of, cut, sorted(numbers), self.session):
            whole = cut.get(part.at.date())
            if whole is not None and part.at in whole:
                yield whole.anchor, {name: -count for name, count in part.tally.items()}
                if part.at in period:
                    yield part.at, part.tally


def _numbers(cut: Cut) -> range:
    return range(quarter(cut.first), quarter(cut.end) or QUARTERS)
