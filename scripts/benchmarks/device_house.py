"""What the benchmark `device` is about: a registry full of entries, and phones that ask for them."""

from datetime import UTC, datetime
from typing import Any

from pymongo import WriteConcern

from notify_server.bootstrap import build_services
from notify_server.domain.audience import Recipient
from notify_server.domain.notification import Audience, Message, Notification
from notify_server.storage.documents import new_id
from notify_server.storage.notification_document import to_document
from notify_server.storage.registry import Arrivals, Registry
from scripts.benchmarks.installation import Installation
from scripts.benchmarks.keep_alive import KeepAlive

USERS = 20_000
EACH = 50  # entries of each user, and receipts of one request
NOTIFICATIONS = 10_000  # all of them in the inbox of READER
READER = "reader"
_TOGETHER = 40  # notifications of one insert
_GROUPS = ("class-101", "class-102", "choir", "parents")


class House:
    """The entries, and who has which."""

    def __init__(self, running: Installation) -> None:
        self.running = running
        self.notifications = [new_id() for _ in range(NOTIFICATIONS)]
        fast = running.database.client.get_database(running.database.name, write_concern=WriteConcern(w=1))
        now = datetime.now(UTC)
        documents = [to_document(_notification(number, name, now)) for number, name in enumerate(self.notifications)]
        fast["notifications"].insert_many(documents)
        registry, arrivals = Registry(fast), [self._arrivals(number) for number in range(NOTIFICATIONS)]
        for start in range(0, NOTIFICATIONS, _TOGETHER):
            registry.insert(arrivals[start : start + _TOGETHER], now)

    def _arrivals(self, number: int) -> Arrivals:
        """Notification `number` goes to the reader, and to every user who has it among their EACH."""
        groups = (_GROUPS[number % len(_GROUPS)],)
        step = NOTIFICATIONS // EACH
        users = range(number // EACH, USERS, step)
        named = [Recipient(f"user-{user:05d}", groups) for user in users]
        return Arrivals(self.notifications[number], f"category-{number % 5}", [*named, Recipient(READER, groups)])

    def of_user(self, user: int) -> list[str]:
        """The notifications of one user."""
        first = user % (NOTIFICATIONS // EACH) * EACH
        return self.notifications[first : first + EACH]


def _notification(number: int, name: str, now: datetime) -> Notification:
    message = Message("Timetable", "Monday begins at nine.", data={"screen": "timetable"})
    return Notification(name, message, Audience(groups=_GROUPS), now, category=f"category-{number % 5}")


class Phone:
    """A keep-alive connection with the token of a user."""

    def __init__(self, running: Installation, user: str) -> None:
        self._tokens = build_services(running.config, running.database).user_tokens
        self._connection = KeepAlive(running.config.port)
        self.log_in(user)

    def log_in(self, user: str) -> None:
        """Go on as another user."""
        self._token = self._tokens.mint(user)[0]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer. Raises RuntimeError unless it is 200."""
        return self._connection.call(method, path, self._token, body, well=(200,))
