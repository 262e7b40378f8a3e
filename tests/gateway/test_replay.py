"""The seam: whatever is announced while a socket is being told what it has missed, it gets all of it once, in order."""

import asyncio
import json
import threading
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notify_server.bootstrap import Gateway, build_gateway
from notify_server.domain.notification import Channel
from notify_server.services.clock import Clock
from tests.gateway.harness import Harness
from tests.services.scene import Scene

LIVE = (Channel.REALTIME,)


@pytest.fixture
def gateway(scene: Scene) -> Gateway:
    return build_gateway(scene.config, scene.database, scene.clock)


def told(texts: list[str]) -> list[str]:
    """The ids of the new notifications among what was sent."""
    return [json.loads(text[2:])[2]["id"] for text in texts if text.startswith('42["notification:new"')]


class Seam:
    """Sockets open and notifications are announced, in steps of the loop that a test interleaves."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.announced: list[str] = []

    def announce(self) -> str:
        notification = self._scene.accept("ada", channels=LIVE)
        self._scene.expand()
        self.announced.append(notification)
        return notification


class Gate:
    """A clock at which those wait who ask while it is shut."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.shut = False
        self.waiting = 0
        self.free = threading.Event()

    def __call__(self) -> datetime:
        if self.shut:
            self.waiting += 1
            self.free.wait(30)
        return self._clock()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    missed=st.integers(0, 4),
    behind=st.booleans(),
    pauses=st.lists(st.sampled_from([0.0, 0.0, 0.002, 0.01]), min_size=1, max_size=6),
)
def test_no_gap_and_no_repeat_however_announcing_and_opening_meet(
    scene: Scene, gateway: Gateway, missed: int, pauses: list[float], *, behind: bool
) -> None:
    seam, harness = Seam(scene), Harness(gateway)

    async def run() -> list[str]:
        await harness.announcing.begin(0.05)
        since = seam.announce()
        for _ in range(missed):
            seam.announce()
        loop = asyncio.create_task(harness.announcing.run(0.01))
        noting = asyncio.create_task(harness.noting.run())
        if not behind:
            await asyncio.sleep(0.05)  # the gateway is up to date when the socket opens
        socket = harness.open("s", "ada")
        opening = asyncio.create_task(harness.replaying.open(socket, since))
        for pause in pauses:
            await asyncio.sleep(pause)
            await asyncio.to_thread(seam.announce)
            harness.announcing.wake()
        await opening
        async with asyncio.timeout(10):
            while len(told(harness.sent("s"))) < missed + len(pauses):
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.03)
        loop.cancel()
        noting.cancel()
        return told(harness.sent("s"))

    assert asyncio.run(run()) == seam.announced[1:]


def test_a_socket_that_was_ahead_is_told_again_of_nothing(scene: Scene, gateway: Gateway) -> None:
    seam, harness = Seam(scene), Harness(gateway)

    async def run() -> None:
        await harness.announcing.begin(0.05)
        announced = [seam.announce() for _ in range(3)]
        socket = harness.open("s", "ada")  # this gateway has announced none of them; another one has
        await harness.replaying.open(socket, announced[1])
        loop = asyncio.create_task(harness.announcing.run(0.01))
        await asyncio.sleep(0.3)
        loop.cancel()

    asyncio.run(run())
    assert told(harness.sent("s")) == seam.announced[2:]


def test_the_summary_says_how_many_there_are_and_the_socket_is_live(scene: Scene, gateway: Gateway) -> None:
    seam, harness = Seam(scene), Harness(gateway)
    first, _, _ = seam.announce(), seam.announce(), seam.announce()

    async def run() -> None:
        await harness.announcing.begin(0.05)
        socket = harness.open("s", "ada")
        await harness.replaying.open(socket, first)
        assert socket.held is None

    asyncio.run(run())
    summary, *rest = harness.sent("s")
    assert json.loads(summary[2:]) == ["notification:replay", {"count": 2, "cut": False}]
    assert told(rest) == seam.announced[1:]


def test_a_replay_breaks_off_where_the_connection_ends(scene: Scene, gateway: Gateway) -> None:
    seam, harness = Seam(scene), Harness(gateway)
    first = seam.announce()
    for _ in range(120):  # more than are read together
        scene.accept("ada", channels=LIVE)
    scene.expand()
    harness.lines["s"].takes_most = 1 + 60  # the summary, and these

    async def run() -> None:
        noting = asyncio.create_task(harness.noting.run())
        await harness.announcing.begin(0.05)
        await harness.replaying.open(harness.open("s", "ada"), first)
        await harness.noting.finish()
        noting.cancel()

    asyncio.run(run())
    assert 60 <= len(told(harness.sent("s"))) <= 100  # the rest was not even read
    assert scene.database["registry"].count_documents({"status": "sent"}) == 60


def test_replays_that_hang_hold_up_no_announcement_and_no_count(scene: Scene) -> None:
    gate = Gate(scene.clock)
    seam, harness = Seam(scene), Harness(build_gateway(scene.config, scene.database, gate))
    first, _ = seam.announce(), seam.announce()

    async def run() -> None:
        await harness.announcing.begin(0.05)
        await harness.replaying.open(harness.open("live", "ada"), None)
        loops = (harness.announcing.run(0.01), harness.noting.run(), harness.updating.run())
        running = [asyncio.create_task(loop) for loop in loops]
        gate.shut = True
        opening = [harness.replaying.open(harness.open(f"s{n}", "ada"), first) for n in range(40)]
        opened = asyncio.gather(*opening)
        await asyncio.sleep(0.5)
        assert gate.waiting >= 2
        assert sum("notification:replay" in str(harness.sent(f"s{n}")) for n in range(40)) <= 8  # at once
        gate.shut = False  # for those that come now; those that wait go on waiting
        fresh = seam.announce()
        harness.announcing.wake()
        try:
            async with asyncio.timeout(5):
                while told(harness.sent("live")) != [fresh]:
                    await asyncio.sleep(0.01)
                while '42["notification:counts"' not in str(harness.sent("live")):
                    await asyncio.sleep(0.01)
                await harness.noting.finish()
        finally:
            gate.free.set()
        await opened
        assert told(harness.sent("s39")) == seam.announced[1:]
        for task in running:
            task.cancel()

    asyncio.run(run())


def test_nothing_is_asked_for_a_socket_without_since(scene: Scene, gateway: Gateway) -> None:
    harness = Harness(gateway)
    socket = harness.open("s", "ada")
    asyncio.run(harness.replaying.open(socket, None))
    assert (socket.held, harness.sent("s")) == (None, [])
