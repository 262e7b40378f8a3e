"""Sending again because the backend asks for it: to whoever stands at sent, without a receipt.

A request is stored and answered; the scheduler queues its recipients page by page. A page moves the cursor of its
request in the same transaction, so a crash neither skips a page nor queues one twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from secrets import token_hex

import structlog

from notify_server.domain.audience import named_after
from notify_server.domain.batch import SIZE, Rank
from notify_server.domain.notification import Audience, Channel, Notification, State
from notify_server.errors import Conflict, NotFound
from notify_server.services.clock import Clock
from notify_server.storage.backlog import Backlog
from notify_server.storage.notifications import Notifications
from notify_server.storage.registry import Registry
from notify_server.storage.resends import Again, Request, Resends
from notify_server.storage.signals import Signals, Work

log = structlog.get_logger()

_REQUESTS = 100  # looked at in one run
_AHEAD = 100  # batches of one notification that may wait to be sent: workers need no more, and a cancel is quick


@dataclass(frozen=True, slots=True)
class Stores:
    """Where the parts of a resend are."""

    notifications: Notifications
    resends: Resends
    backlog: Backlog
    registry: Registry


class Resending:
    """Takes requests, and queues what they ask for. Any number of schedulers may do so at once."""

    def __init__(self, stores: Stores, signals: Signals, clock: Clock) -> None:
        self._stores = stores
        self._signals = signals
        self._clock = clock

    def request(self, notification: str, users: Sequence[str] | None) -> int:
        """Send again to those of `users` who stand at sent, or to all of them (None). Returns to how many.

        The same request, made while one still waits, is that one. Raises NotFound, and Conflict where nothing of the
        notification may be sent.
        """
        found, _ = self._stores.notifications.get(notification)
        self._refuse(found)
        named = None if users is None else tuple(sorted(set(users)))
        recipients = self._stores.registry.count_unconfirmed(notification, named)
        if not recipients:
            return 0
        request = Request(notification, named, token_hex(8), self._clock(), recipients)
        stored = self._stores.resends.add(request)
        log.info("resend requested", notification_id=notification, recipients=stored.queued)
        return stored.queued

    def queue(self) -> int:
        """Queue what requests ask for. Returns how many recipients were looked at."""
        return sum(self._carry_on(request) for request in self._stores.resends.waiting(_REQUESTS))

    def _refuse(self, found: Notification) -> None:
        if found.state is State.CANCELLED:
            raise Conflict("It is cancelled: nothing of it is sent any more.")
        if self._clock() >= found.expires_at:
            raise Conflict("Its time to live is over: nothing of it is sent any more.")
        if found.state is State.SCHEDULED:
            raise Conflict("It is scheduled: nobody has been sent it yet.")
        if _channel(found) is None:
            raise Conflict("It goes neither by push nor by mail: there is nothing to send again.")

    def _carry_on(self, request: Request) -> int:
        """Queue as many pages as workers have use for, and forget the request after the last one."""
        try:
            found, _ = self._stores.notifications.get(request.notification)
            self._refuse(found)
        except (Conflict, NotFound):
            self._stores.resends.finish(request)
            return 0
        if request.users is None and not request.cursor and _channel(found) is Channel.PUSH:
            self._recall(found, request)
        queued = self._pages(found, request)
        if queued:
            self._signals.send({Work.EMAIL if _channel(found) is Channel.EMAIL else Work.PUSH})
            log.info("recipients queued for a requested resend", notification_id=found.id, count=queued)
        return queued

    def _recall(self, found: Notification, request: Request) -> None:
        """Take the short way for batches that wait for receipts: all of one that was sent before is sent again."""
        policy = found.resend
        waits = [wait for resends in range(policy.times) if (wait := policy.wait(resends)) is not None]
        if self._stores.backlog.recall_settled(found.id, waits, request.at, self._clock()):
            self._signals.send({Work.PUSH})

    def _pages(self, found: Notification, request: Request) -> int:
        rank, queued = Rank.of(found.priority, small=request.queued < SIZE), 0
        while self._stores.backlog.queued(found.id, _AHEAD) < _AHEAD:
            page, end = self._page(request)
            if end is None:
                self._stores.resends.finish(request)
                break
            asked = Again(request, page, end, _channel(found) or Channel.PUSH)
            moved = self._stores.resends.queue(asked, self._clock(), rank)
            if moved is None:
                break
            request, queued = moved, queued + len(page)
        return queued

    def _page(self, request: Request) -> tuple[Mapping[str, int], str | None]:
        """The next users to send to, and where the page ends; None: there is no further one."""
        registry = self._stores.registry
        if request.users is None:
            page = registry.unconfirmed(request.notification, request.at, request.cursor, SIZE)
            return page, list(page)[-1] if page else None
        named = named_after(Audience(request.users), request.cursor, SIZE)
        page = registry.unconfirmed_among(request.notification, request.at, named) if named else {}
        return page, named[-1] if named else None


def _channel(found: Notification) -> Channel | None:
    """By what it is sent again: a mail only where there is no push."""
    return next((channel for channel in (Channel.PUSH, Channel.EMAIL) if channel in found.channels), None)
