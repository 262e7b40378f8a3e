"""Beside these: tests/services/test_registry_export.py tries every filter."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from notify_server.domain.registry import Status
from notify_server.storage.documents import object_id
from notify_server.storage.registry_walk import RegistryWalk, Selection
from tests.statistics_world import World

BEGIN = datetime(2026, 10, 20, tzinfo=UTC)
END = BEGIN + timedelta(days=90)


@pytest.fixture
def walk(database):
    return RegistryWalk(database)


@pytest.fixture
def world(database):
    made = World(database, Random(9))  # noqa: S311 - not a secret
    for day in range(60):
        made.notify(BEGIN + timedelta(days=day), 10)
    return made


def heads(walk, selection, begin=None):
    return [head.id for head in walk.heads(selection, begin)]


def test_notifications_come_by_their_ids_from_any_on(walk, world):
    names = sorted(world.notifications)
    assert heads(walk, Selection(None, END)) == names
    assert heads(walk, Selection(None, END), names[7]) == names[7:]
    assert heads(walk, Selection(None, BEGIN + timedelta(days=3, hours=1)))[-1] == names[3]


def test_what_was_due_long_before_the_period_is_passed_over(walk, world):
    found = heads(walk, Selection(BEGIN + timedelta(days=50), END))
    assert sorted(world.notifications)[50] in found
    assert len(found) < 50


def test_a_large_one_is_looked_at_once_to_see_whether_it_reaches_the_period(walk, world):
    name = min(world.notifications)
    last = max(at for at, _ in world.entries(BEGIN, END, notification=name))
    assert walk.reaches(name, last)
    assert not walk.reaches(name, last + timedelta(minutes=2))
    world.database["registry"].delete_many({"_id.n": object_id(name)})
    assert not walk.reaches(name, BEGIN)


@pytest.mark.parametrize("status", [None, Status.READ])
def test_entries_come_in_one_order_together_and_alone(walk, world, status):
    names = sorted(world.notifications)[:5]
    selection = Selection(None, END, status=status)
    together = [(str(entry["_id"]["n"]), entry["_id"]["u"]) for entry in walk.together(selection, names)]
    alone = [(name, entry["_id"]["u"]) for name in names for entry in walk.page(selection, name, "")]
    assert together == alone == sorted(alone) != []
    name, user = alone[1]
    assert [entry["_id"]["u"] for entry in walk.page(selection, name, user)] == [
        other for each, other in alone if each == name and other > user
    ]
