"""What of announcing needs no socket; the rest is in tests/processes/test_realtime.py and test_replay.py."""

import asyncio

from notify_server.bootstrap import build_gateway
from notify_server.domain.notification import Channel
from tests.gateway.harness import Harness
from tests.services.scene import Scene

LIVE = (Channel.REALTIME,)


def test_what_was_announced_before_it_began_is_not_told(scene: Scene) -> None:
    harness = Harness(build_gateway(scene.config, scene.database, scene.clock))
    scene.accept("ada", channels=LIVE)
    scene.expand()

    async def run() -> None:
        await harness.announcing.begin(0.05)
        await harness.replaying.open(harness.open("s", "ada"), None)
        running = asyncio.create_task(harness.announcing.run(0.01))
        await asyncio.sleep(0.2)
        assert harness.sent("s") == []
        scene.accept("ada", channels=LIVE)
        scene.expand()
        harness.announcing.wake()
        async with asyncio.timeout(10):
            while not harness.sent("s"):
                await asyncio.sleep(0.01)
        running.cancel()

    asyncio.run(run())
    assert len(harness.sent("s")) == 1
    assert harness.announcing.position == 2


def test_sockets_of_one_user_are_told_the_same_text(scene: Scene) -> None:
    harness = Harness(build_gateway(scene.config, scene.database, scene.clock))

    async def run() -> None:
        for name, user in (("s1", "ada"), ("s2", "ada"), ("s3", "grace"), ("s4", "other")):
            await harness.replaying.open(harness.open(name, user), None)
        scene.accept("ada", "grace", channels=LIVE)
        scene.expand()
        running = asyncio.create_task(harness.announcing.run(0.01))
        async with asyncio.timeout(10):
            while not harness.sent("s3"):
                await asyncio.sleep(0.01)
        running.cancel()

    asyncio.run(run())
    assert harness.sent("s1") == harness.sent("s2") == harness.sent("s3")
    assert harness.sent("s4") == []
