import asyncio

from notify_server.bootstrap import build_gateway
from notify_server.config import Config
from notify_server.domain.registry import Status
from notify_server.gateway.server import Channels
from notify_server.gateway.sockets import Socket
from notify_server.processes.listening import listening
from notify_server.storage import signals, updates
from notify_server.storage.documents import Store, new_id
from notify_server.storage.signals import Signals
from notify_server.storage.updates import Update, Updates


def test_signals_and_updates_come_to_the_event_loop(config: Config, database: Store) -> None:
    for collection in (signals.COLLECTION, updates.COLLECTION):
        database[collection].insert_one({})

    async def run() -> None:
        channels = Channels(build_gateway(config, database), 0.1)
        channels.sockets.add(Socket("s", "t", "ada", 0))
        threads = listening(database, asyncio.get_running_loop(), channels)
        for thread in threads:
            thread.start()
        Signals(database).send()
        for user in ("nobody here", "ada"):
            Updates(database).send(Update(user, {new_id(): Status.READ}))
        async with asyncio.timeout(20):
            await channels.announcing._woken.wait()
            await channels.updating._woken.wait()
        assert channels.updating._changed == {"ada"}
        for thread in threads:
            thread.stop()
        for thread in threads:
            await asyncio.to_thread(thread.join)

    asyncio.run(run())
