"""The whole state of one simulator."""

import asyncio
import time

from notify_server.simulator import answers, behaviour
from notify_server.simulator.answers import Answer
from notify_server.simulator.behaviour import Behaviour
from notify_server.simulator.devices import Devices
from notify_server.simulator.faults import Draws
from notify_server.simulator.log import MessageLog
from notify_server.simulator.quota import Quota
from notify_server.simulator.tokens import Tokens
from notify_server.simulator.validation import Reader
from notify_server.simulator.waits import Waits


class Simulation:
    """A project's FCM. It belongs to one event loop: nothing in it may be called from another thread."""

    def __init__(self, project: str) -> None:
        self.project = project
        self.behaviour = behaviour.parse({})
        self.tokens = Tokens()
        self.devices = Devices()
        self.reader = Reader()
        self.stopping = asyncio.Event()
        self._serial = time.time_ns()  # so that a simulator started anew hands out new names
        self.clear()

    def behave(self, wanted: Behaviour) -> None:
        """Behave like this from the next request on."""
        self.behaviour = wanted
        self.log.keeps_rows = wanted.log

    def clear(self) -> None:
        """Forget every message: the log, the sums, what targets were told and what became of them."""
        prefix = f"projects/{self.project}/messages/0:"
        self.log = MessageLog(prefix, keeps_rows=self.behaviour.log)
        self.waits = Waits()
        self.draws = Draws()
        self.quota = Quota()
        self.unregistered: set[str] = set()

    def next_serial(self) -> int:
        """The serial number of the next accepted message: never the same twice."""
        self._serial += 1
        return self._serial

    def grant(self, form: bytes) -> Answer:
        """Answer a POST to the token endpoint."""
        fraction, _ = self.draws.fractions(self.behaviour.seed, "/token")
        if fraction < self.behaviour.token_unavailable:
            return answers.UNAVAILABLE
        return self.tokens.grant(form, self.behaviour.token_lifetime)

    async def stop(self) -> None:
        """Let go of stalled requests and of the devices."""
        self.stopping.set()
        await self.devices.close()
