"""What reads figures, at work: see storage_at_work.py."""

from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any

from notify_server.domain.periods import Period
from notify_server.domain.registry import Status
from notify_server.domain.statistics import Kind
from notify_server.storage.audience_health import AudienceHealth
from notify_server.storage.documents import Store
from notify_server.storage.known import Known
from notify_server.storage.rankings import Field, Rankings
from notify_server.storage.registry_walk import RegistryWalk, Selection
from notify_server.storage.snapshots import Snapshots
from notify_server.storage.standings import Standings
from notify_server.storage.user_fates import UserFates
from tests.builders import NOON, after
from tests.statistics_world import World

Watch = Callable[[Any], Any]


def read_figures(database: Store, watch: Watch) -> None:
    """Read figures of some notifications of their own, and walk the registry."""
    world = World(database, Random(3))  # noqa: S311 - not a secret
    for number in range(30):
        world.notify(after(-number * 50_000))
    world.count(*world.notifications)
    health, known, fates = watch(AudienceHealth(database)), watch(Known(database)), watch(UserFates(database))
    list(health.devices())
    health.mutes()
    for name in ("choir", "nowhere"):
        known.group(name)
        known.community(name)
    for category in (None, "booking"):
        list(fates.of("u01", category, Period(NOON - timedelta(days=5), NOON)))
    _compare(database, watch)
    _walk(database, watch, world)


def _compare(database: Store, watch: Watch) -> None:
    rankings, days = watch(Rankings(database)), (date(2026, 11, 1), date(2026, 11, 30))
    for category in (None, "booking"):
        with Snapshots(database).session() as session:
            for kind in (Kind.GROUP, Kind.CATEGORY):
                field = Field(kind, category, session)
                list(rankings.months(field, *days, "read"))
                list(rankings.days(field, *days, "read"))
                list(rankings.quarters(field, days[0], "read"))


def _walk(database: Store, watch: Watch, world: World) -> None:
    walk, names = watch(RegistryWalk(database)), sorted(world.notifications)
    with Snapshots(database).session() as session:
        watch(Standings(database)).of(names, session)
    whole = Selection(None, NOON)
    selections = (
        whole,
        Selection(NOON - timedelta(days=5), NOON),
        Selection(None, NOON, category="booking"),
        Selection(NOON - timedelta(days=5), NOON, community="school-1", group="choir"),
        Selection(None, NOON, notification=names[0]),
        Selection(None, NOON, status=Status.READ),
    )
    for selection in selections:
        for begin in (None, names[3]):
            list(walk.heads(selection, begin))
        walk.page(selection, names[0], "u02")
        walk.together(selection, names[:5])
    walk.reaches(names[0], NOON)
