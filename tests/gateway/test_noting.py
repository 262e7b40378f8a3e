import asyncio

from notify_server.bootstrap import build_gateway
from notify_server.config import Config
from notify_server.domain.notification import Channel
from notify_server.gateway.noting import Noting
from notify_server.storage.documents import Store
from notify_server.storage.registry import Arrivals, Registry
from tests.builders import NOON, StoppedClock, a_notification, recipients


def test_notes_are_written_before_it_is_finished(config: Config, database: Store) -> None:
    made = [a_notification(channels=(Channel.REALTIME,)) for _ in range(3)]
    Registry(database).insert([Arrivals(each.id, None, recipients("a", "b")) for each in made], NOON)

    async def note() -> None:
        noting = Noting(build_gateway(config, database, StoppedClock()).announcements, 0.1)
        running = asyncio.create_task(noting.run())
        for each in made:
            await noting.note([(each, ["a"])])
        await noting.note([])
        await noting.finish()
        running.cancel()

    asyncio.run(note())
    statuses = {(entry["_id"]["u"], entry["status"]) for entry in database["registry"].find()}
    assert statuses == {("a", "sent"), ("b", "pending")}
