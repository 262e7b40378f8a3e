"""A mongod of the tests' own: the embedded database, in a directory of theirs, to be killed at will."""

import subprocess
from pathlib import Path

from pymongo import MongoClient

from notify_server.config import Config
from notify_server.storage.database import uri_file
from notify_server.storage.documents import Document
from notify_server.storage.embedded import EmbeddedDatabase

CACHE = 0.25  # GiB


def embedded(directory: Path) -> tuple[Config, EmbeddedDatabase]:
    """The configuration of a data directory, and its database, not started."""
    config = Config(data_dir=directory)
    return config, EmbeddedDatabase(config, cache=CACHE)


def forget_journal(client: MongoClient[Document]) -> None:
    """Let a majority have what its members have in memory: for a server that outlives all that is written to it."""
    current = client.admin.command("replSetGetConfig")["config"]
    changed = {"version": current["version"] + 1, "writeConcernMajorityJournalDefault": False}
    client.admin.command("replSetReconfig", current | changed)


class Mongod:
    """A mongod that can be killed and started again on its data, as a supervisor would do it."""

    def __init__(self, directory: Path) -> None:
        self.config, self._embedded = embedded(directory)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        """Its URI while it runs."""
        return uri_file(self.config).read_text().strip()

    def start(self) -> str:
        """Start it, and return its URI."""
        self._process = subprocess.Popen(self._embedded.prepare(), stdout=subprocess.DEVNULL, process_group=0)
        process = self._process
        return self._embedded.await_ready(lambda: process.poll() is None)

    @property
    def pid(self) -> int:
        """The process id while it runs."""
        assert self._process is not None
        return self._process.pid

    def await_death(self) -> None:
        """Wait until it has ended by itself."""
        self._reap()

    def kill(self) -> None:
        """End it as a crash would: nothing is tidied up."""
        assert self._process is not None
        self._process.kill()
        self._reap()

    def stop(self) -> None:
        """End it cleanly, if it runs."""
        if self._process is not None:
            self._embedded.withdraw()
            self._process.terminate()
            self._reap()

    def _reap(self) -> None:
        assert self._process is not None
        self._process.wait(60)
        self._process = None
