"""Taking a notification back: what is not being sent at this moment is stopped.

The state is written first. Who sends a batch has leased it before and reads the state after, so whoever is in no
leased batch once the state is written will not be sent to any more, and is cancelled here. The outcome of what is
leased stands. What is left then, such as a retry, is swept by the scheduler until nothing is.
"""

from collections.abc import Collection
from dataclasses import dataclass

import structlog

from notify_server.domain.notification import Channel, Notification, State
from notify_server.domain.registry import Event, Note, Reason, Status
from notify_server.errors import Conflict
from notify_server.services.clock import Clock
from notify_server.storage.backlog import Backlog
from notify_server.storage.entries import Entries
from notify_server.storage.expansions import Expansions
from notify_server.storage.mails import Mails
from notify_server.storage.notifications import Notifications
from notify_server.storage.registry import Registry
from notify_server.storage.resends import Resends
from notify_server.storage.signals import AUDIENCES, Signals

log = structlog.get_logger()

_PAGE = 1000  # entries cancelled by one write
_AT_ONCE = 20  # pages that a request waits for
_IN_A_RUN = 50  # pages of one notification in one run of the scheduler, so that others get their turn
_NOTIFICATIONS = 100  # swept in one run
_NOTE = "the backend took it back"


@dataclass(frozen=True, slots=True)
class Stores:
    """Where the parts of a notification are."""

    notifications: Notifications
    expansions: Expansions
    backlog: Backlog
    registry: Registry
    entries: Entries
    resends: Resends
    mails: Mails


@dataclass(frozen=True, slots=True)
class Cancelled:
    """How far a cancellation is, in recipients.

    `stopped` will not get it; who has got it, and is only not sent it again, is not among them. `in_flight` are being
    sent to at this moment: FCM decides whether they got it. `remaining` will be stopped within seconds. Where the
    audience is not `expanded`, more recipients will be.
    """

    id: str
    stopped: int
    in_flight: int
    remaining: int
    expanded: bool
    state: State = State.CANCELLED


class Cancellation:
    """Cancels, and sweeps up behind cancellations. Any number of processes may do both at once."""

    def __init__(self, stores: Stores, signals: Signals, clock: Clock) -> None:
        self._stores = stores
        self._signals = signals
        self._clock = clock

    def cancel(self, notification: str) -> Cancelled:
        """Stop what can be stopped; done again, it says how far that is.

        Raises NotFound, and Conflict where nothing is left to be stopped.
        """
        found, _ = self._stores.notifications.get(notification)
        if found.state is not State.CANCELLED:
            self._cancel(found)
        self._sweep(notification, _AT_ONCE)
        return self._report(notification)

    def sweep(self) -> int:
        """Cancel what is left of cancelled notifications. Returns how many recipients were stopped."""
        notifications = self._stores.notifications.unswept(_NOTIFICATIONS)
        return sum(self._sweep(notification, _IN_A_RUN) for notification in notifications)

    def _cancel(self, found: Notification) -> None:
        if self._clock() >= found.expires_at:
            raise Conflict("Its time to live is over: nothing of it can be stopped any more.")
        if found.state is State.DONE and not self._may_be_sent(found):
            raise Conflict("Every recipient has been dealt with: nothing of it can be stopped any more.")
        if not self._stores.notifications.cancel(found.id):
            again, _ = self._stores.notifications.get(found.id)
            if again.state is not State.CANCELLED:
                raise Conflict("It has been closed: nothing of it can be stopped any more.")
        self._signals.send(AUDIENCES)
        log.info("notification cancelled", notification_id=found.id, state=found.state.value)

    def _may_be_sent(self, found: Notification) -> bool:
        """Whether it may still be sent to anybody, be it once more."""
        stores, notification = self._stores, found.id
        if stores.registry.pending(notification, "", 1):
            return True
        if set(found.channels) > {Channel.PUSH} and stores.registry.may_be_pushed(notification):
            return True
        again = stores.resends.requested(notification) or stores.backlog.left(notification)
        return again and bool(stores.registry.unconfirmed(notification, self._clock(), "", 1))

    def _sweep(self, notification: str, pages: int) -> int:
        """Cancel at most so many pages of entries. Returns how many entries."""
        stores, now = self._stores, self._clock()
        expansion = stores.expansions.progress([notification])[notification]
        held = stores.backlog.held(notification, now)
        stores.backlog.withdraw(notification, None if expansion.expanded else expansion.cursor, now)
        stores.mails.cancel(notification, sorted(held), now)
        stopped, complete = self._stop(notification, held, pages)
        if expansion.expanded and not held and complete:
            stores.notifications.swept(notification)
        if stopped:
            log.info("recipients of a cancelled notification stopped", notification_id=notification, count=stopped)
        return stopped

    def _stop(self, notification: str, held: Collection[str], pages: int) -> tuple[int, bool]:
        """Cancel those pending who are not `held`: how many, and whether none is left."""
        note = Note(self._clock(), Reason.CANCELLED_BY_BACKEND, _NOTE)
        stopped, after = 0, ""
        for _ in range(pages):
            pending = self._stores.registry.pending(notification, after, _PAGE)
            if free := [user for user in pending if user not in held]:
                stopped += self._stores.registry.move(Event.CANCEL, {notification: free}, note)
            if len(pending) < _PAGE:
                return stopped, True
            after = pending[-1]
        return stopped, False

    def _report(self, notification: str) -> Cancelled:
        stores = self._stores
        held = stores.backlog.held(notification, self._clock())
        in_flight = len(stores.registry.standing({notification: sorted(held)}, [Status.PENDING])) if held else 0
        return Cancelled(
            id=notification,
            stopped=stores.entries.count(notification, Status.CANCELLED),
            in_flight=in_flight,
            remaining=max(stores.entries.count(notification, Status.PENDING) - in_flight, 0),
            expanded=stores.expansions.progress([notification])[notification].expanded,
        )
