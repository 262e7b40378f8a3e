"""Sockets cut at random, gateways killed: every socket ends with every notification, once and in order."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from notify_server.domain.notification import Channel
from notify_server.domain.registry import Status
from notify_server.storage.documents import object_id
from tests.faults.scene import Scene, names
from tests.fcm_simulator import free_port
from tests.processes.raw_socket import RawSocket
from tests.service import Process, until

NOTIFICATIONS = 100
SOCKETS, FULL_SOCKETS = 100, 1000  # of each gateway, here and at full size
LIVED, FULL_LIVED = (0.1, 1.5), (1.0, 10.0)  # seconds until a socket is cut, at random: some 300 cuts a second
PAUSE = 0.04  # seconds between two notifications
WITHIN = 120.0  # seconds
LIVE = (Channel.REALTIME,)
LAST_WORDS = 25  # notifications: a second, in which a gateway that dies may have noted nothing
EMITTED = "emitted to an open socket"


@dataclass
class Phone:
    """A user's app that remembers what it has seen, and always comes back, wherever a gateway answers."""

    user: str
    token: str
    ports: list[int]
    lived: tuple[float, float]
    seen: list[str] = field(default_factory=list)
    connected: bool = False

    async def live(self, over: Callable[[], bool], rng: random.Random) -> None:
        """Be connected, be cut off, and come back, until it is over; at the end too."""
        while not over():
            try:
                async with RawSocket(rng.choice(self.ports), self._auth()) as socket, asyncio.timeout(self._stay(rng)):
                    self.connected = True
                    async for _, origin in socket.received():
                        self.seen.append(origin["id"])
            except (TimeoutError, OSError, ConnectionClosed, InvalidHandshake):
                await asyncio.sleep(rng.uniform(0.0, 0.2))

    def _auth(self) -> dict[str, str]:
        return {"token": self.token} | ({"since": self.seen[-1]} if self.seen else {})

    def _stay(self, rng: random.Random) -> float:
        """What has seen nothing has nothing to come back to: it waits for the first notification."""
        return rng.uniform(*self.lived) if self.seen else WITHIN


@dataclass
class Crowd:
    """The phones, and what they have to see."""

    phones: list[Phone]
    expected: int = 1

    def over(self) -> bool:
        """Whether every phone has seen as many as there are."""
        return all(len(phone.seen) >= self.expected for phone in self.phones)

    async def await_all(self, count: int) -> None:
        """Wait until every phone has seen so many."""
        await self.await_each(lambda phone: len(phone.seen) >= count)

    async def await_each(self, condition: Callable[[Phone], bool]) -> None:
        """Wait until every phone meets the condition."""
        async with asyncio.timeout(WITHIN):
            while not all(map(condition, self.phones)):
                await asyncio.sleep(0.05)


@pytest.fixture
def sockets(pytestconfig: pytest.Config) -> int:
    return FULL_SOCKETS if pytestconfig.getoption("--full") else SOCKETS


@pytest.fixture
def lived(pytestconfig: pytest.Config) -> tuple[float, float]:
    return FULL_LIVED if pytestconfig.getoption("--full") else LIVED


def gateway(scene: Scene, port: int) -> Process:
    return scene.service.start("realtime", realtime_port=port).ready("realtime started")


def in_order(scene: Scene, user: str) -> list[str]:
    """The notifications of a user in the order in which they were announced."""
    found = scene.database.registry.find({"_id.u": user, "sequence": {"$exists": True}}, {"sequence": 1})
    return [str(entry["_id"]["n"]) for entry in found.sort("sequence", 1)]


def unnoted(scene: Scene, crowd: Crowd) -> int:
    """How many entries are not `sent`, though everybody has seen everything.

    Those that the victim told of right before its death may be left: nobody else knows that it had told them.
    """
    last = range(1 + NOTIFICATIONS // 2 - LAST_WORDS, 2 + NOTIFICATIONS // 2)
    noted = [object_id(seen) for number, seen in enumerate(crowd.phones[0].seen) if number not in last]
    theirs = {"_id.n": {"$in": noted}, "status": {"$in": [status.value for status in Status if status != Status.SENT]}}
    return scene.database.registry.count_documents(theirs)


@pytest.mark.timeout(300)
def test_every_socket_ends_with_every_notification_once_and_in_order(
    scene: Scene, sockets: int, lived: tuple[float, float]
) -> None:
    ports = [free_port(), free_port()]
    victim, _ = [gateway(scene, port) for port in ports]
    scene.service.start("worker").ready("worker started")
    users = names(2 * sockets, "listener")
    mint = scene.services.user_tokens.mint
    crowd = Crowd([Phone(user, mint(user)[0], ports, lived) for user in users], expected=1 + NOTIFICATIONS)

    async def send() -> None:
        for number in range(NOTIFICATIONS):
            payload = None if number % 3 else f'{{"n":{number}}}'
            await asyncio.to_thread(scene.accept, users=users, channels=LIVE, payload=payload)
            await asyncio.sleep(PAUSE)
            if number == NOTIFICATIONS // 2:
                victim.kill()

    async def run() -> None:
        rng = random.Random(7)  # noqa: S311 - not a secret
        lives = [asyncio.create_task(phone.live(crowd.over, rng)) for phone in crowd.phones]
        await crowd.await_each(lambda phone: phone.connected)
        await asyncio.to_thread(scene.accept, users=users, channels=LIVE)
        await crowd.await_all(1)
        await send()
        await crowd.await_all(crowd.expected)
        await asyncio.sleep(1.0)  # in which a repeat would come
        for life in lives:
            life.cancel()
        await asyncio.gather(*lives, return_exceptions=True)

    asyncio.run(run())
    wrong = {phone.user: phone.seen for phone in crowd.phones if phone.seen != in_order(scene, phone.user)}
    assert wrong == {}
    assert {len(phone.seen) for phone in crowd.phones} == {1 + NOTIFICATIONS}
    until(lambda: unnoted(scene, crowd) == 0, "all are noted but what the victim had no time for", WITHIN)
    unemitted = {"_id.u": {"$in": users}, "status": "sent", "history.detail": {"$ne": EMITTED}}
    assert scene.database.registry.count_documents(unemitted) == 0
    for seen in crowd.phones[0].seen:
        scene.sound(scene.evidence(seen), figures=seen == crowd.phones[0].seen[-1])
