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
from notify_server.domain.outcome import ACCEPTED, Kind, Outcome
from notify_server.services.answers import Answers
from notify_server.services.outlet import Send

_MOST = SIZE  # messages: what a crash may send twice grows by no more than one more page
_COMPANY = 0.05  # seconds: what ends a moment later is taken together with what has ended


@dataclass(frozen=True, slots=True)
class Portion:
    """Some recipients of the send at `place`, with their devices, which stand at `positions` among all of that one.

    `failed` are others, of whom it is written already that push cannot reach them.
    """

    send: Send
    place: int
    positions: Sequence[int]
    failed: Set[str] = frozenset()

    @classmethod
    def of(cls, send: Send, place: int) -> "Portion":
        """All of it."""
        return cls(send, place, range(len(send.devices)))

    def dispatch(self, answers: Sequence[Outcome | None]) -> Dispatch:
        """What came of it, by the answers for all devices of the send."""
        outcomes = [found for at in self.positions if (found := answers[at]) is not None]
        send = self.send
        return Dispatch(send.batch, send.ready.notification, send.users, send.devices, outcomes, self.failed)

    def divided(self, answers: Sequence[Outcome | None]) -> "tuple[Portion, Portion]":
        """Those for whom it is certain how it ended, and the others, by the answers so far for all of the send.

        Of users of whom only some devices are tried again the entry does not tell which: they are among the others.
        """
        everybody, failed = {user for user, _, _ in self.send.devices}, set[str]()
        waiting = set(self.send.batch.devices or ())
        sent = set[str]()
        for (user, _, _), answer in zip(self.send.devices, answers, strict=True):
            if answer is None or answer.kind is Kind.RETRY:
                waiting.add(user)
            elif answer.kind is Kind.ACCEPTED:
                sent.add(user)
            else:
                failed.add(user)
        rest = self._of(set(self.send.users) - everybody | waiting)
        return self._of(everybody - waiting), replace(rest, failed=failed - waiting - sent)

    def exposed(self, answers: Sequence[Outcome | None]) -> int:
        """How many messages of it are sent again if we die now, though FCM may have accepted them."""
        return sum(answers[at] is None or answers[at] is ACCEPTED for at in self.positions)

    def _of(self, users: Set[str]) -> "Portion":
        positions = [at for at, (user, _, _) in enumerate(self.send.devices) if user in users]
        devices = [self.send.devices[at] for at in positions]
        theirs = tuple(user for user in self.send.users if user in users)
        return Portion(replace(self.send, users=theirs, devices=devices), self.place, positions)


@dataclass(frozen=True, slots=True, eq=False)
class Overdue:
    """Portions that wait for the same answers, each of them of another batch; so many messages are `exposed`."""

    answers: Answers
    portions: Sequence[Portion]
    exposed: int


class Late:
    """Keeps what is overdue. Safe for many threads.

    No more than `most` messages are exposed by what it keeps or was promised room for, until that is let go of.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._room = most
        self._all: list[Overdue] = []
        self._changed = Condition()
        self._called = False

    def __bool__(self) -> bool:
        """Whether it keeps anything."""
        return bool(self._all)

    def reserve(self, messages: int) -> bool:
        """Make room for so many; False where there is not enough of it."""
        with self._changed:
            if messages > self._room:
                return False
            self._room -= messages
            return True

    def release(self, messages: int) -> None:
        """They are settled, or given up."""
        with self._changed:
            self._room += messages

    def add(self, overdue: Overdue) -> None:
        """Keep it, in the room that was made for it."""
        with self._changed:
            self._all.append(overdue)
        overdue.answers.when_over(self._look)

    def take(self, timeout: float) -> list[Overdue]:
        """What all answers have come of; where there is nothing, wait for `timeout` seconds, or until `wake`.

        Its room is not free before it is released.
        """
        with self._changed:
            if self._changed.wait_for(lambda: self._called or self._over(), timeout) and self._over():
                self._changed.wait_for(lambda: self._called or len(self._over()) == len(self._all), _COMPANY)
            self._called = False
            over = self._over()
            self._all = [each for each in self._all if each not in over]
            return over

    def wake(self) -> None:
        """Let `take` return."""
        with self._changed:
            self._called = True
            self._changed.notify_all()

    def _over(self) -> list[Overdue]:
        return [each for each in self._all if each.answers.over]

    def _look(self) -> None:
        with self._changed:
            self._changed.notify_all()
