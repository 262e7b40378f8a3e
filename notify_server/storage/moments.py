"""Moments: sessions whose reads all see the database as it was at the first of them."""

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.client_session import ClientSession

from notify_server.storage.documents import Store

Session = ClientSession


@contextmanager
def moment(database: Store) -> Iterator[Session]:
    """A session for reads alone (MongoDB manual, "Read Concern snapshot"); it may last for minutes, not for longer."""
    with database.client.start_session(snapshot=True) as session:
        yield session
