"""The export of the registry, held against the registry itself: tests/statistics_world.py."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from typing import Any

import pytest

from notify_server.bootstrap import build_services
from notify_server.config import Config
from notify_server.domain.registry import Status
from notify_server.errors import InvalidInput
from notify_server.services.registry_export import Place, RegistryExport
from notify_server.storage.documents import Document, Store, object_id
from notify_server.storage.notifications import Notifications
from notify_server.storage.registry_walk import PAGE, RegistryWalk, Selection
from tests.builders import StoppedClock
from tests.statistics_world import World

NOW = datetime(2026, 12, 3, 10, 7, tzinfo=UTC)
BEGIN = datetime(2026, 9, 1, tzinfo=UTC)
EVER = datetime.min.replace(tzinfo=UTC)


@pytest.fixture(scope="module")
def world(shared_database: Store) -> World:
    """Brief and large notifications, one that is not expanded, and one that was accepted long before it was due."""
    rng = Random(7)  # noqa: S311 - not a secret
    made = World(shared_database, rng, tuple(f"u:{number:04}" for number in range(2500)))
    for number in range(60):
        made.notify(BEGIN + timedelta(minutes=rng.randrange(80 * 24 * 60)), 1 if number % 3 else 300)
    large = [made.notify(BEGIN + timedelta(days=days), 2500) for days in (5, 60)]
    shared_database["notifications"].update_one(
        {"_id": object_id(large[0])}, {"$set": {"expanded": False, "recipients": 500}}
    )
    made.notify(BEGIN + timedelta(days=50), 1200)
    scheduled = made.notify(NOW - timedelta(days=9), 20)
    early = BEGIN - timedelta(days=200)
    _accepted_early(made, scheduled, early)
    return made


def _accepted_early(world: World, notification: str, at: datetime) -> None:
    """As if it had been accepted at `at` already, for the time at which its entries were made."""
    database, n = world.database, object_id(notification)
    document = database["notifications"].find_one({"_id": n})
    assert document is not None
    new = object_id(f"{int(at.timestamp()):08x}{notification[8:]}")
    database["notifications"].insert_one(document | {"_id": new, "created_at": at, "send_at": document["created_at"]})
    entries = list(database["registry"].find({"_id.n": n}))
    database["registry"].insert_many([entry | {"_id": {"n": new, "u": entry["_id"]["u"]}} for entry in entries])
    database["registry"].delete_many({"_id.n": n})
    database["notifications"].delete_one({"_id": n})
    world.notifications[str(new)] = replace(world.notifications.pop(notification), id=str(new))


@pytest.fixture(scope="module")
def export(shared_database: Store, mongodb_uri: str, database_name: str) -> RegistryExport:
    config = Config(mongodb_uri=mongodb_uri, database=database_name)
    return build_services(config, shared_database, StoppedClock(NOW)).registry_export


def read(export: RegistryExport, filters: dict[str, Any], place: Place | None = None) -> Iterator[Any]:
    return export.records(export.selection(filters, place), place)


def names(records: list[Any]) -> list[tuple[str, str]]:
    return [(record["notification_id"], record["user_id"]) for record, _ in records if record["kind"] == "entry"]


def expected(world: World, filters: dict[str, Any]) -> list[tuple[str, str]]:
    which = {name: str(value) for name, value in filters.items() if name not in ("start", "end")}
    found = world.entries(filters.get("start", EVER), filters.get("end", NOW), **which)
    return sorted((str(entry["_id"]["n"]), entry["_id"]["u"]) for _, entry in found)


FILTERS: list[dict[str, Any]] = [
    {},
    {"start": NOW - timedelta(days=10)},
    {"start": datetime(1970, 1, 1, tzinfo=UTC)},
    {"start": BEGIN + timedelta(days=4, hours=23, minutes=59), "end": BEGIN + timedelta(days=5, minutes=20)},
    {"end": BEGIN + timedelta(days=30)},
    {"category": "booking"},
    {"community": "school-1"},
    {"group": "choir"},
    {"status": Status.READ},
    {"status": Status.SUPPRESSED, "category": "news", "start": BEGIN + timedelta(days=20)},
    {"group": "class-101", "community": "school-2", "status": Status.RECEIVED},
]


@pytest.mark.parametrize("filters", FILTERS, ids=str)
def test_every_entry_that_is_asked_for_comes_once_in_one_order(
    export: RegistryExport, world: World, filters: dict[str, Any]
) -> None:
    first, *entries, last = read(export, filters)
    assert names(entries) == expected(world, filters) != []
    assert first[0]["kind"] == "export"
    assert last == ({"kind": "end", "complete": True, "entries": len(entries)}, None)


@pytest.mark.parametrize("filters", FILTERS[::3], ids=str)
def test_after_a_cut_it_goes_on_exactly_where_it_ended(
    export: RegistryExport, world: World, filters: dict[str, Any]
) -> None:
    whole = expected(world, filters)
    rng = Random(3)  # noqa: S311
    found: list[tuple[str, str]] = []
    place = None
    while True:
        part = list(islice(read(export, filters, place), rng.randrange(2, 900)))
        found += names(part)
        if part[-1][0]["kind"] == "end":
            break
        place = next((place for _, place in reversed(part) if place), place)
    assert found == whole


def test_what_changes_between_two_parts_changes_nothing_of_the_order(export: RegistryExport, world: World) -> None:
    part = list(islice(read(export, {}), 400))
    for notification in sorted(world.notifications)[:5]:
        world.change(notification)
    place = part[-1][1]
    assert place is not None
    assert names(part) + names(list(read(export, {}, place))) == expected(world, {})


def test_the_end_stays_what_it_was_at_the_first_request(export: RegistryExport, world: World) -> None:
    place = Place(min(world.notifications), "", NOW - timedelta(days=30))
    assert names(list(read(export, {}, place))) == expected(world, {"end": NOW - timedelta(days=30)})


def test_an_entry_is_told_as_json_with_what_its_notification_is_about(export: RegistryExport, world: World) -> None:
    notification = next(n for n, made in world.notifications.items() if made.category and made.community)
    _, (record, place), *_ = read(export, {"notification": notification})
    assert json.loads(json.dumps(record)) == record
    [entry] = world.database["registry"].find({"_id": {"n": object_id(notification), "u": record["user_id"]}})
    made = world.notifications[notification]
    assert (record["category"], record["community"]) == (made.category, made.community)
    assert record["groups"] == entry["groups"]
    assert (record["status"], record["reason"], record["attempts"]) == (entry["status"], entry["reason"], 1)
    times = {name: entry[name] for name in ("pending_at", "sent_at", "received_at", "read_at")}
    for name, at in {**times, "entered_at": entry["history"][0]["at"]}.items():
        assert (record[name] and datetime.fromisoformat(record[name])) == at
    assert [line["status"] for line in record["history"]] == [line["status"] for line in entry["history"]]
    assert place == Place(notification, record["user_id"], NOW)


def test_of_a_notification_that_is_not_there_nothing_is_promised(export: RegistryExport) -> None:
    for name in ("0" * 24, "none"):
        with pytest.raises(InvalidInput, match="notification: There is no notification"):
            export.selection({"notification": name}, None)


class Sized(RegistryWalk):
    """Notes how many entries each read has found."""

    def __init__(self, database: Store) -> None:
        super().__init__(database)
        self.sizes: list[int] = []

    def together(self, selection: Selection, notifications: Sequence[str]) -> list[Document]:
        return self._noted(super().together(selection, notifications))

    def page(self, selection: Selection, notification: str, after: str) -> list[Document]:
        return self._noted(super().page(selection, notification, after))

    def _noted(self, found: list[Document]) -> list[Document]:
        self.sizes.append(len(found))
        return found


def test_small_notifications_are_read_together_and_large_ones_in_pages(shared_database: Store, world: World) -> None:
    walk = Sized(shared_database)
    export = RegistryExport(walk, Notifications(shared_database), StoppedClock(NOW))
    assert len(list(read(export, {}))) == len(expected(world, {})) + 2
    assert max(walk.sizes) == PAGE
    assert len(walk.sizes) < len(world.notifications) / 2
