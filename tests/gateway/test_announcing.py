"""What of announcing needs no socket; the rest is in tests/processes/test_realtime.py and test_replay.py."""

import asyncio

from prometheus_client import REGISTRY

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


def test_who_is_told_of_new_ones_is_told_once_how_many_are_unread(scene: Scene) -> None:
    harness = Harness(build_gateway(scene.config, scene.database, scene.clock))

    async def run() -> None:
        await harness.replaying.open(harness.open("s", "ada"), None)
        for _ in range(3):
            scene.accept("ada", channels=LIVE)
        scene.expand()
        running = [asyncio.create_task(loop) for loop in (harness.announcing.run(0.01), harness.updating.run())]
        async with asyncio.timeout(10):
            while len(harness.sent("s")) < 4:
                await asyncio.sleep(0.01)
        for task in running:
            task.cancel()

    asyncio.run(run())
    assert harness.sent("s")[3:] == ['42["notification:counts",{"unread":3}]']


def test_sent_is_noted_and_counted_only_of_what_was_queued_for_a_socket(scene: Scene) -> None:
    gateway = build_gateway(scene.config, scene.database, scene.clock)
    harness = Harness(gateway)
    users = ("broken", "gone", "held", "live", "seen")
    harness.lines["broken"].takes_most = 0
    before = counted()
    notification = scene.accept(*users, channels=LIVE)
    scene.expand()

    def sent() -> set[str]:
        return {user for user, (status, _) in scene.standing(notification).items() if status == "sent"}

    async def run() -> None:
        sockets = {user: harness.open(user, user) for user in users}
        for user in users:
            if user != "held":
                await harness.replaying.open(sockets[user], None)
        sockets["seen"].after = 99
        noting = asyncio.create_task(harness.noting.run())
        reached = harness.announcing._reached(gateway.announcements.following(0))
        harness.sockets.remove("gone")
        await harness.announcing._tell(gateway.announcements.read(reached))
        await harness.noting.finish()
        assert (sent(), counted() - before) == ({"live"}, 1)
        await harness.replaying.open(sockets["held"], None)
        await harness.noting.finish()
        assert (sent(), counted() - before) == ({"held", "live"}, 2)
        noting.cancel()

    asyncio.run(run())


def counted() -> float:
    return REGISTRY.get_sample_value("notify_realtime_events_emitted_total", {"event": "notification:new"}) or 0.0
