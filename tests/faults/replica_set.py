"""A replica set of three real mongods, whose members can be killed, suspended and started again."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pymongo import MongoClient, errors

from notify_server.storage import mongod
from tests.fcm_simulator import free_port
from tests.mongod import CACHE
from tests.service import until

ELECTION = 2000  # milliseconds without a primary until the others elect one; the default of 10,000 keeps tests waiting
_HEARTBEAT = 500  # milliseconds
_LOOK = 1000  # milliseconds that one look at a member may take


class Member:
    """One mongod of the set."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        data = directory / "data"
        data.mkdir(parents=True)
        binary = mongod.find(mongod.candidates())
        self._command = mongod.command(binary, data, directory / "mongod.log", self.port, CACHE)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, for the first time or again, and wait for nothing."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, process_group=0)

    def kill(self) -> None:
        """End it as a crash would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(60)
        self._process = None

    def pause(self) -> None:
        """Let it stand still: it answers nobody, and its connections stay open."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on: until it hears of the others it takes itself for what it was."""
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """End it however it stands."""
        if self._process is not None:
            self.kill()

    def ask(self, command: str | dict[str, Any]) -> dict[str, Any]:
        """Its own answer to an administrative command. Raises PyMongoError."""
        client: MongoClient[dict[str, Any]] = MongoClient(
            self.address, directConnection=True, serverSelectionTimeoutMS=_LOOK, socketTimeoutMS=20 * _LOOK
        )
        with client:
            return client.admin.command(command)

    def state(self) -> str:
        """PRIMARY, SECONDARY, another state of a member, or nothing where it does not answer."""
        with contextlib.suppress(errors.PyMongoError):
            hello = self.ask("hello")
            return "PRIMARY" if hello["isWritablePrimary"] else "SECONDARY" if hello.get("secondary") else "OTHER"
        return ""

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)


class ReplicaSet:
    """Three members, all of which vote and hold data; use it as a context manager."""

    def __init__(self, directory: Path) -> None:
        self.members = [Member(directory / f"member-{number}") for number in range(3)]

    @property
    def uri(self) -> str:
        """Where clients find the set."""
        return f"mongodb://{','.join(member.address for member in self.members)}/?replicaSet={mongod.REPLICA_SET}"

    def __enter__(self) -> Self:
        for member in self.members:
            member.start()
        first = self.members[0]
        until(lambda: all(member.state() == "OTHER" for member in self.members), "the members answer")
        configured = [{"_id": number, "host": member.address} for number, member in enumerate(self.members)]
        settings = {"electionTimeoutMillis": ELECTION, "heartbeatIntervalMillis": _HEARTBEAT}
        first.ask({"replSetInitiate": {"_id": mongod.REPLICA_SET, "members": configured, "settings": settings}})
        self.await_whole()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        for member in self.members:
            member.close()

    def primary(self) -> Member:
        """Wait for a primary; the one there is."""
        until(lambda: any(member.state() == "PRIMARY" for member in self.members), "there is a primary")
        return next(member for member in self.members if member.state() == "PRIMARY")

    def await_whole(self) -> None:
        """Wait until one member is the primary and the others have its data."""
        whole = ["PRIMARY", "SECONDARY", "SECONDARY"]
        until(lambda: sorted(member.state() for member in self.members) == whole, "the set is whole")
