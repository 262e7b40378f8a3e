import asyncio
import json
from typing import Any

from notify_server.bootstrap import build_gateway
from notify_server.config import Config
from notify_server.domain.registry import Status
from notify_server.storage.documents import Store, new_id
from notify_server.storage.registry import Arrivals, Registry
from notify_server.storage.updates import Update
from tests.builders import NOON, StoppedClock, recipients
from tests.gateway.harness import Harness


def heard(config: Config, database: Store, *updates: Update) -> dict[str, list[Any]]:
    """What two sockets of ada and one of grace are told of these updates."""
    harness = Harness(build_gateway(config, database, StoppedClock()))
    names = {"phone": "ada", "tablet": "ada", "other": "grace"}

    async def run() -> None:
        for name, user in names.items():
            harness.open(name, user)
        counting = asyncio.create_task(harness.updating.run())
        for update in updates:
            await harness.updating.hear(update)
        await asyncio.sleep(0.5)
        counting.cancel()

    asyncio.run(run())
    return {name: [json.loads(text[2:]) for text in harness.sent(name)] for name in names}


def test_all_but_the_origin_are_told_and_each_user_is_counted_once(config: Config, database: Store) -> None:
    one, two = new_id(), new_id()
    Registry(database).insert([Arrivals(one, None, recipients("ada"))], NOON)
    told = heard(
        config,
        database,
        Update("ada", {one: Status.RECEIVED}, origin="phone"),
        Update("ada", {two: Status.READ}, is_read=True),
    )
    counts = ["notification:counts", {"unread": 1}]
    second = ["notification:updated", {"id": two, "status": "read", "is_read": True}]
    assert told["phone"] == [second, counts]
    assert told["tablet"] == [["notification:updated", {"id": one, "status": "received"}], second, counts]
    assert told["other"] == []


def test_many_that_were_marked_at_once_are_one_event(config: Config, database: Store) -> None:
    named = {"groups": ["choir"], "categories": None, "before": None}
    told = heard(config, database, Update("grace", marked=named), Update("stranger", marked=named))
    assert told["other"] == [
        ["notification:marked", {"status": "read", **named}],
        ["notification:counts", {"unread": 0}],
    ]
    assert told["phone"] == []
