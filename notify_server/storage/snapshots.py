"""Reading several collections as they were at one moment."""

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.client_session import ClientSession

from notify_server.storage.database import translated
from notify_server.storage.documents import Store

Snapshot = ClientSession


@translated
class Snapshots:
    """Opens snapshots: what a majority has, for five minutes (MongoDB manual, "Read Concern snapshot")."""

    def __init__(self, database: Store) -> None:
        self._client = database.client

    @contextmanager
    def session(self) -> Iterator[Snapshot]:
        """Reads in this session are of the moment of the first of them."""
        with self._client.start_session(snapshot=True) as session:
            yield session
