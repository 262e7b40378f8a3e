"""Roll-ups as a source of figures, and what is not counted in them yet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from notify_server.domain.coverage import Grain, cover, dates
from notify_server.domain.periods import Period
from notify_server.domain.statistics import Dimension
from notify_server.domain.tally import Tally
from notify_server.services.statistics import Counted, Entered
from notify_server.storage.snapshots import Snapshot
from notify_server.storage.statistics import Statistics


@dataclass(frozen=True, slots=True)
class RollUps:
    """The roll-ups of a dimension as they were at the moment of `session`; `late` is to be added to them."""

    stored: Statistics
    of: Dimension
    session: Snapshot
    late: Sequence[Entered] = ()

    def whole(self, period: Period) -> Iterable[Tally]:
        """As in Source: from months, days and quarters of an hour, each where it fits."""
        covered = cover(period)
        for run in covered.months:
            yield from (found.tally for found in self.stored.months(self.of, *run, times=True, session=self.session))
        for run in covered.days:
            yield from (found.tally for found in self.stored.days(self.of, *run, times=True, session=self.session))
        for edge in covered.edges:
            found = self.stored.quarters(self.of, *dates(edge), rest=True, session=self.session)
            yield from (quarter.tally for quarter in found if quarter.at in edge)
        yield from Counted(self.late).whole(period)

    def divided(self, period: Period, grain: Grain) -> Iterable[Entered]:
        """As in Source."""
        return chain(self._read(period, grain), Counted(self.late).divided(period, grain))

    def _read(self, period: Period, grain: Grain) -> Iterable[Entered]:
        first, last = dates(period)
        if grain is Grain.QUARTER:
            found = self.stored.quarters(self.of, first, last, rest=False, session=self.session)
        elif grain is Grain.DAY:
            found = self.stored.days(self.of, first, last, times=False, session=self.session)
        else:
            found = self.stored.months(self.of, first, last, times=False, session=self.session)
        return ((each.at, each.tally) for each in found if each.at in period)
