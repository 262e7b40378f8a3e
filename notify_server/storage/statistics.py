"""The collection `statistics`: roll-ups, one for each day and month of a dimension. Written by increments alone.

`_id`: {g: grain, k: kind, v: key, c: category or null, p: "2026-11-26" or "2026-11"}, in this order: a period is one
range of it. A day and a month have `t`, counts by status and reason, and `s`, how long devices took (domain/tally.py).
A day has besides `q`, counts by status for each quarter of an hour in UTC, by its number; the rest of the quarters'
tallies is `h` of a document of its own, of grain `part`, as it is large and only read for parts of days.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from pymongo import UpdateOne
from pymongo.client_session import ClientSession

from notify_server.domain.periods import day_start
from notify_server.domain.statistics import Dimension, Labels, Part, canonical
from notify_server.domain.tally import Tally, is_status, is_time, quarter, quarter_start, total
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, Store

COLLECTION = "statistics"
_SPARSE = 2  # days for each that is wanted, from which on they are looked up one by one: a range reads them all
ARCHIVE = "archive"  # the share of notifications that were retired, in the same form


class Grain(StrEnum):
    """What one document is for."""

    MONTH = "month"
    DAY = "day"
    PART = "part"


BY_QUARTERS = ((Grain.DAY, "q"), (Grain.PART, "h"))  # where quarters of an hour are: counts by status, and the rest


@dataclass(frozen=True, slots=True)
class Period:
    """What was entered in a month, a day or a quarter of an hour that begins at `at` (UTC)."""

    at: datetime
    tally: Tally


@dataclass(frozen=True, slots=True)
class _Days:
    """From `first` to `last`, or those `among` them alone."""

    first: date
    last: date
    among: Collection[date] | None = None

    def keys(self, grain: Grain, of: Dimension) -> Document:
        """What the `_id` of their roll-ups is: a range, but for a few days far between."""
        if self.among is not None and len(self.among) * _SPARSE <= (self.last - self.first).days:
            return {"$in": [key_of(grain, of, day) for day in self.among]}
        return {"$gte": key_of(grain, of, self.first), "$lte": key_of(grain, of, self.last)}


@translated
class Statistics:
    """Reads roll-ups, and adds to them."""

    def __init__(self, database: Store, collection: str = COLLECTION) -> None:
        self._all = database[collection]

    def months(
        self, of: Dimension, first: date, last: date, *, times: bool, session: ClientSession | None = None
    ) -> list[Period]:
        """The months from that of `first` to that of `last` in which anything was entered, in order.

        How long devices took is read where `times` are asked for.
        """
        found = self._range(Grain.MONTH, of, _Days(first, last), ("t", "s") if times else ("t",), session)
        return [Period(_start(f"{document['_id']['p']}-01"), _whole(document)) for document in found]

    def days(
        self, of: Dimension, first: date, last: date, *, times: bool, session: ClientSession | None = None
    ) -> list[Period]:
        """The same of the days in UTC from `first` to `last`, both included."""
        found = self._range(Grain.DAY, of, _Days(first, last), ("t", "s") if times else ("t",), session)
        return [Period(_start(document["_id"]["p"]), _whole(document)) for document in found]

    def quarters(
        self, of: Dimension, first: date, last: date, *, rest: bool, session: ClientSession | None = None
    ) -> list[Period]:
        """Quarters of an hour of the days in UTC from `first` to `last`, in order: by status, or with the `rest`.

        Quarters of which nothing is known are left out.
        """
        tallies: dict[datetime, list[Tally]] = {}
        for grain, field in BY_QUARTERS[: 1 + rest]:
            for document in self._range(grain, of, _Days(first, last), (field,), session):
                for at, tally in quarters_of(document, field):
                    tallies.setdefault(at, []).append(tally)
        return [Period(at, parts[0] if len(parts) == 1 else total(parts)) for at, parts in sorted(tallies.items())]

    def some_quarters(
        self, of: Dimension, days: Collection[date], numbers: Iterable[int], session: ClientSession | None = None
    ) -> Iterator[Period]:
        """Of these days in UTC, the quarters of an hour with these numbers, by status; and some of days in between."""
        wanted = _Days(min(days), max(days), days)
        for document in self._range(Grain.DAY, of, wanted, tuple(f"q.{number}" for number in numbers), session):
            yield from (Period(at, tally) for at, tally in quarters_of(document, "q"))

    def add(self, changes: Iterable[tuple[Labels, Part]], session: ClientSession | None = None) -> int:
        """Add to the roll-ups what parts of notifications have gained. Returns how many documents that changed."""
        writes = [UpdateOne({"_id": key}, {"$inc": inc}, upsert=True) for key, inc in increments(changes)]
        if writes:
            self._all.bulk_write(writes, ordered=False, session=session)
        return len(writes)

    def _range(
        self, grain: Grain, of: Dimension, days: _Days, fields: tuple[str, ...], session: ClientSession | None
    ) -> Iterator[Document]:
        kept = canonical(of)
        if kept is None:
            return
        found = self._all.find({"_id": days.keys(grain, kept)}, dict.fromkeys(fields, 1), session=session)
        yield from found.sort("_id", 1)


def key_of(grain: Grain, of: Dimension, at: date) -> Document:
    """The `_id` of a roll-up; the order of its fields is part of it."""
    return {"g": grain.value, "k": of.kind.value, "v": of.key, "c": of.category, "p": period_name(grain, at)}


def period_name(grain: Grain, at: date) -> str:
    """How an `_id` names the month or the day of `at`."""
    return f"{at:%Y-%m}" if grain is Grain.MONTH else f"{at:%Y-%m-%d}"


def increments(changes: Iterable[tuple[Labels, Part]]) -> Iterator[tuple[Document, Mapping[str, int]]]:
    """By `_id`, what has to be added to each field; what adds up to nothing is left out."""
    together: dict[tuple[Grain, Dimension, str], dict[str, int]] = {}
    keys: dict[tuple[Grain, Dimension, str], Document] = {}
    for labels, part in changes:
        fields = [(grain, list(names)) for grain, names in _fields(part).items() if names]
        for dimension in labels.dimensions(part.group):
            for grain, named in fields:
                key = key_of(grain, dimension, part.quarter)
                place = grain, dimension, key["p"]
                keys[place] = key
                sums = together.setdefault(place, {})
                for name, count in named:
                    sums[name] = sums.get(name, 0) + count
    for place, sums in together.items():
        if changed := {name: count for name, count in sums.items() if count}:
            yield keys[place], changed


def _fields(part: Part) -> Mapping[Grain, list[tuple[str, int]]]:
    """What a part adds to which field of which document."""
    number = quarter(part.quarter)
    whole = [(f"{'s' if is_time(name) else 't'}.{name}", count) for name, count in part.tally.items()]
    statuses = [(f"q.{number}.{name}", count) for name, count in part.tally.items() if is_status(name)]
    rest = [(f"h.{number}.{name}", count) for name, count in part.tally.items() if not is_status(name)]
    return {Grain.MONTH: whole, Grain.DAY: [*whole, *statuses], Grain.PART: rest}


def _whole(document: Document) -> Tally:
    return {name: count for field in ("t", "s") for name, count in document.get(field, {}).items() if count}


def quarters_of(document: Document, field: str) -> Iterator[tuple[datetime, Tally]]:
    """What `field` of the roll-up of a day holds, by when each quarter of an hour begins."""
    day = _start(document["_id"]["p"])
    return ((quarter_start(day, int(number)), tally) for number, tally in document.get(field, {}).items())


def _start(day: str) -> datetime:
    return day_start(date.fromisoformat(day))
