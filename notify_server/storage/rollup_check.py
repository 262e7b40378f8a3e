"""Roll-ups made anew from tallies and archive in a collection of their own, and compared with those that are kept."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pymongo import UpdateOne

from notify_server.domain.statistics import Labels, Part
from notify_server.domain.tally import difference
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, Store
from notify_server.storage.statistics import ARCHIVE, COLLECTION, Statistics

CHECK = "statistics_check"
_PAGE = 500  # roll-ups read at once
_PARTS = 5_000  # added at once


@dataclass(frozen=True, slots=True)
class Unequal:
    """A roll-up, by its `_id`, that is not what tallies and archive add up to: the fields that differ."""

    key: Document
    found: Mapping[str, int]
    expected: Mapping[str, int]


@translated
class RollupCheck:
    """For one process at a time, and while nobody counts."""

    def __init__(self, database: Store) -> None:
        self._all = database[COLLECTION]
        self._archive = database[ARCHIVE]
        self._check = database[CHECK]
        self._expected = Statistics(database, CHECK)

    def begin(self) -> Iterator[None]:
        """Begin with what the archive has; None after each page of it, so that time can be told."""
        self._check.drop()
        found = self._archive.find({}, hint="_id_", batch_size=_PAGE).sort("_id", 1)
        while page := list(islice(found, _PAGE)):
            self._check.insert_many(page, ordered=False)
            yield

    def add(self, parts: Sequence[tuple[Labels, Part]]) -> Iterator[None]:
        """Add parts of notifications; None after so many of them, so that time can be told."""
        for start in range(0, len(parts), _PARTS):
            self._expected.add(parts[start : start + _PARTS])
            yield

    def unequal(self) -> Iterator[Unequal | None]:
        """Each roll-up that differs, in order; None after each page that was compared, so that time can be told."""
        kept, made = _Stream(self._all), _Stream(self._check)
        compared = 0
        while kept.place is not None or made.place is not None:
            place = min(each.place for each in (kept, made) if each.place is not None)
            found, expected = kept.take(place), made.take(place)
            if differing := sorted(difference(expected, found)):
                sides = ({name: side.get(name, 0) for name in differing} for side in (found, expected))
                yield Unequal(_key(place), *sides)
            compared += 1
            if compared % _PAGE == 0:
                yield None

    def correct(self, unequal: Unequal) -> None:
        """Add what is missing, which may be less than nothing: what is counted meanwhile stays."""
        more = difference(unequal.expected, unequal.found)
        self._all.bulk_write([UpdateOne({"_id": unequal.key}, {"$inc": more}, upsert=True)])

    def end(self) -> int:
        """Remove what was made. Returns how many roll-ups that were."""
        made = self._check.estimated_document_count()
        self._check.drop()
        return made


class _Stream:
    """The documents of a collection in the order of their ids; `place` is that of the next one, None after the last."""

    def __init__(self, collection: Any) -> None:
        self._found = iter(collection.find({}, hint="_id_", batch_size=_PAGE).sort("_id", 1))
        self.place: tuple[Any, ...] | None = None
        self._next()

    def take(self, place: tuple[Any, ...]) -> Mapping[str, int]:
        """The fields of the document at `place`, and go on; none, where the next one comes later."""
        if self.place != place:
            return {}
        fields = _flat(self._document)
        self._next()
        return fields

    def _next(self) -> None:
        document = next(self._found, None)
        self._document: Document = document or {}
        self.place = None if document is None else _place(document["_id"])


def _place(key: Document) -> tuple[Any, ...]:
    """What sorts as MongoDB sorts these ids: null before any text, and text by its bytes."""
    return key["g"], key["k"], key["v"].encode(), key["c"] is not None, (key["c"] or "").encode(), key["p"]


def _key(place: tuple[Any, ...]) -> Document:
    grain, kind, value, narrowed, category, period = place
    return {"g": grain, "k": kind, "v": value.decode(), "c": category.decode() if narrowed else None, "p": period}


def _flat(document: Document) -> Mapping[str, int]:
    fields: dict[str, int] = {}
    for field in ("t", "s"):
        fields |= {f"{field}.{name}": count for name, count in document.get(field, {}).items()}
    for field in ("q", "h"):
        for number, tally in document.get(field, {}).items():
            fields |= {f"{field}.{number}.{name}": count for name, count in tally.items()}
    return {name: count for name, count in fields.items() if count}
