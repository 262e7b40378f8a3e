import asyncio
from dataclasses import replace
from typing import Any

from notify_server.bootstrap import build_gateway
from notify_server.config import Config
from notify_server.domain.registry import Status
from notify_server.gateway.server import Channels
from notify_server.gateway.sockets import Socket
from notify_server.processes.listening import listening
from notify_server.storage import signals, updates
from notify_server.storage.documents import Store, new_id
from notify_server.storage.signals import EVERYTHING, Signals, Work
from notify_server.storage.updates import Update, Updates
from tests.gateway.conftest import SECRET
from tests.gateway.harness import Line
from tests.gateway.serving import serving


def test_signals_and_updates_come_to_the_event_loop(config: Config, database: Store) -> None:
    for collection in (signals.COLLECTION, updates.COLLECTION):
        database[collection].insert_one({})

    async def run() -> None:
        channels = Channels(build_gateway(config, database), 0.1)
        line: Any = Line()
        channels.sockets.add(Socket("s", line, "ada", 0))
        threads = listening(database, asyncio.get_running_loop(), channels)
        for thread in threads:
            thread.start()
        Signals(database).send(EVERYTHING - {Work.ANNOUNCEMENT})
        Signals(database).send({Work.ANNOUNCEMENT})
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


def test_the_sockets_of_a_person_who_is_erased_end_and_no_others(config: Config, database: Store) -> None:
    database[updates.COLLECTION].insert_one({})
    with serving(replace(config, jwt_secret=SECRET), database) as served:
        served.services.people.put("ada", {})
        phone, other = served.join("ada"), served.join("grace")
        threads = listening(database, served.loop, served.channels)
        for thread in threads:
            thread.start()
        served.services.erasing.erase("ada")
        closing, closed = phone.events()
        assert closing == ["gateway:closing", {"reason": "user erased", "reconnect_in_ms": 30_000}]
        assert (closed.code, closed.reason) == (4410, "user erased")
        assert other.call(1, "receipt", {"notification_id": "x", "status": "read"})["ok"] is False  # answered
        for thread in threads:
            thread.stop()
        for thread in threads:
            thread.join()
    assert "ada" not in str(list(database[updates.COLLECTION].find()))
