"""What is answered late: it is waited for on the side, while those that sent it go on with other work.

One answer that FCM takes seconds for would hold up a page of 500, and with a few of a thousand like that every
dispatcher would do nothing but wait. So the entries of all others are written at once, and the batch, which stays
leased, is settled with the late ones.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from threading import Condition

from notify_server.domain.batch import SIZE
from notify_server.domain.dispatch import Dispatch
from notify_server.domain.outcome import Kind, Outcome
from notify_server.services.answers import Answers
from notify_server.services.outlet import Send

_MOST = SIZE  # messages: what a crash may send twice grows by no more than one more page


@dataclass(frozen=True, slots=True)
class Portion:
    """Some recipients of the send at `place`, with their devices, which stand at `positions` among all of that one."""

    send: Send
    place: int
    positions: Sequence[int]

    @classmethod
    def of(cls, send: Send, place: int) -> "Portion":
        """All of it."""
        return cls(send, place, range(len(send.devices)))

    def dispatch(self, answers: Sequence[Outcome | None]) -> Dispatch:
        """What came of it, by the answers for all devices of the send."""
        outcomes = [found for at in self.positions if (found := answers[at]) is not None]
        send = self.send
        return Dispatch(send.batch, send.ready.notification, send.users, send.devices, outcomes)

    def divided(self, answers: Sequence[Outcome | None]) -> "tuple[Portion, Portion]":
        """Those for whom it is certain how it ended, and the others, by the answers so far for all of the send."""
        everybody = {user for user, _, _ in self.send.devices}
        open_ = {
            user
            for (user, _, _), answer in zip(self.send.devices, answers, strict=True)
            if answer is None or answer.kind is Kind.RETRY
        }
        return self._of(everybody - open_), self._of(set(self.send.users) - everybody | open_)

    def _of(self, users: Set[str]) -> "Portion":
        positions = [at for at, (user, _, _) in enumerate(self.send.devices) if user in users]
        devices = [self.send.devices[at] for at in positions]
        theirs = tuple(user for user in self.send.users if user in users)
        return Portion(replace(self.send, users=theirs, devices=devices), self.place, positions)


@dataclass(frozen=True, slots=True, eq=False)
class Overdue:
    """Portions that wait for the same answers, each of them of another batch."""

    answers: Answers
    portions: Sequence[Portion]

    @property
    def messages(self) -> int:
        """How many there are, those included that were answered, but not for good."""
        return sum(len(portion.positions) for portion in self.portions)


class Late:
    """Keeps what is overdue, so many messages at most. Safe for many threads."""

    def __init__(self, most: int = _MOST) -> None:
        self._room = most
        self._all: list[Overdue] = []
        self._called = False
        self._changed = Condition()

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self._all)

    def has_room(self, answers: Sequence[Sequence[Outcome | None]]) -> bool:
        """Whether what is open among these can be added."""
        missing = sum(each.count(None) for each in answers)
        return not missing or missing + sum(overdue.messages for overdue in self._all) <= self._room

    def add(self, overdue: Overdue) -> None:
        """Wait for it as well."""
        with self._changed:
            self._all.append(overdue)
        overdue.answers.when_over(self._look)

    def take(self, timeout: float) -> list[Overdue]:
        """What all answers have come of by now; where there is nothing, wait for `timeout` seconds, or until `wake`."""
        with self._changed:
            self._changed.wait_for(lambda: self._called or any(each.answers.over for each in self._all), timeout)
            self._called = False
            over = [each for each in self._all if each.answers.over]
            self._all = [each for each in self._all if each not in over]
            return over

    def wake(self) -> None:
        """Let `take` return."""
        with self._changed:
            self._called = True
            self._changed.notify_all()

    def _look(self) -> None:
        with self._changed:
            self._changed.notify_all()
