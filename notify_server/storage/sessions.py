"""The collection `sessions`: who has signed in at the console. Of what proves it only hashes are kept."""

from dataclasses import dataclass
from datetime import datetime

from notify_server.storage.database import translated
from notify_server.storage.documents import Store


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in. `digest` is of the session's own secret; `client` signed in with the server token secret `proof`.

    Both are SHA-256 in hexadecimal. It ends at `ends_at`, unless it is extended.
    """

    digest: str
    client: str
    proof: str
    began_at: datetime
    ends_at: datetime


@translated
class Sessions:
    """Reads and writes `sessions`. Documents of those that have ended go by a TTL index."""

    def __init__(self, database: Store) -> None:
        self._all = database["sessions"]

    def add(self, session: Session) -> None:
        """Store a session that begins."""
        times = {"began_at": session.began_at, "ends_at": session.ends_at}
        self._all.insert_one({"_id": session.digest, "client": session.client, "proof": session.proof, **times})

    def find(self, digest: str, now: datetime) -> Session | None:
        """The session with this digest, unless it has ended."""
        found = self._all.find_one({"_id": digest, "ends_at": {"$gt": now}})
        if found is None:
            return None
        return Session(digest, found["client"], found["proof"], found["began_at"], found["ends_at"])

    def extend(self, digest: str, until: datetime) -> None:
        """Let a session last until then, at least; one that is gone stays so."""
        self._all.update_one({"_id": digest}, {"$max": {"ends_at": until}})

    def end(self, digest: str) -> None:
        """End a session; one that is gone stays so."""
        self._all.delete_one({"_id": digest})
