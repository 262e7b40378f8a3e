"""Roll-ups of every group, or every category, side by side."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pymongo.client_session import ClientSession

from notify_server.domain.statistics import Kind
from notify_server.domain.tally import Tally, is_status
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, Store
from notify_server.storage.statistics import BY_QUARTERS, COLLECTION, Grain, period_name, quarters_of

_INDEX = "by_period"


@dataclass(frozen=True, slots=True)
class Field:
    """Whose roll-ups: those of every `kind`, of one category alone where it is given, without times of devices."""

    kind: Kind
    category: str | None
    session: ClientSession


@translated
class Rankings:
    """Reads `statistics` by period rather than by key."""

    def __init__(self, database: Store) -> None:
        self._all = database[COLLECTION]

    def months(self, field: Field, first: date, last: date, *names: str) -> Iterator[tuple[str, Tally]]:
        """By key, the counts of these `names` from the month of `first` to that of `last`."""
        return self._sums(field, Grain.MONTH, (first, last), names)

    def days(self, field: Field, first: date, last: date, *names: str) -> Iterator[tuple[str, Tally]]:
        """The same of the days in UTC from `first` to `last`."""
        return self._sums(field, Grain.DAY, (first, last), names)

    def quarters(self, field: Field, day: date, *names: str) -> Iterator[tuple[str, datetime, Tally]]:
        """By key and quarter of an hour of one day in UTC, the same counts."""
        rest = not all(map(is_status, names))
        for grain, name in BY_QUARTERS[: 1 + rest]:
            found = self._all.find(_in(field, grain, (day, day)), {name: 1}, hint=_INDEX, session=field.session)
            for document in found:
                for at, tally in quarters_of(document, name):
                    yield document["_id"]["v"], at, {each: tally[each] for each in names if each in tally}

    def _sums(
        self, field: Field, grain: Grain, dates: tuple[date, date], counted: tuple[str, ...]
    ) -> Iterator[tuple[str, Tally]]:
        # Fields of the sums are numbered: names of a tally may hold colons, which are none of a field's business here.
        sums = {f"s{number}": {"$sum": f"$t.{name}"} for number, name in enumerate(counted)}
        stages: list[Mapping[str, Any]] = [{"$match": _in(field, grain, dates)}, {"$group": {"_id": "$_id.v"} | sums}]
        for row in self._all.aggregate(stages, hint=_INDEX, session=field.session):
            yield row["_id"], {name: row[f"s{number}"] for number, name in enumerate(counted)}


def _in(field: Field, grain: Grain, dates: tuple[date, date]) -> Document:
    first, last = (period_name(grain, at) for at in dates)
    return {
        "_id.g": grain.value,
        "_id.k": field.kind.value,
        "_id.c": field.category,
        "_id.p": {"$gte": first, "$lte": last},
    }
