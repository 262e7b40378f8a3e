"""What the channel says of some sends, as it comes: by send and device, whatever their messages and limits."""

from collections.abc import Callable, Sequence
from time import monotonic

from notify_server import metrics
from notify_server.domain.notification import Channel
from notify_server.domain.outcome import ACCEPTED, Kind, Outcome
from notify_server.domain.push import Sending
from notify_server.domain.registry import Reason

Waits = Sequence[float | None]  # of each device of a send: seconds until its limit allows more; None: it was sent to


class Answers:
    """For one thread at a time. `parts` says how many messages of `sending` belong to each send; it was begun at
    `began`, by `ticks`.

    `observe` hears once what the channel said of the messages: of all, or, where some of them are late, and others
    were accepted, of those that are not. `complete`: everything was there when it was looked last.
    """

    def __init__(  # noqa: PLR0913 - each by name
        self,
        sending: Sending,
        *,
        parts: Sequence[int],
        waits: Sequence[Waits],
        observe: Callable[[Sequence[Outcome]], None],
        began: float,
        ticks: Callable[[], float] = monotonic,
    ) -> None:
        self._sending = sending
        self._parts = parts
        self._waits = waits
        self._observe = observe
        self._ticks = ticks
        self._began = began
        self._heard = False
        self.complete = False

    @property
    def over(self) -> bool:
        """Whether nothing more is waited for."""
        return self._sending.over

    def when_over(self, call: Callable[[], None]) -> None:
        """As Sending has it."""
        self._sending.when_over(call)

    def most(self) -> list[list[Outcome | None]]:
        """Wait for the answers; for a few that are late, no longer than it pays: None stands for each of these."""
        found = self._sending.most()
        known = _known(found)
        if self._look(found, known) or ACCEPTED in known:
            self._hear(known)
        return self._placed(found)

    def all(self) -> list[list[Outcome | None]]:
        """Wait for every answer: None is not among them."""
        found = self._sending.all()
        self._hear(self._unheard(found))
        return self._placed(found)

    def late(self) -> tuple[list[list[Outcome | None]], Sequence[Outcome]]:
        """The same, and what `observe` would hear: it is for the caller to tell it, of several together."""
        found = self._sending.all()
        unheard = self._unheard(found)
        self._heard = True
        return self._placed(found), unheard

    def _unheard(self, found: Sequence[Sequence[Outcome | None]]) -> Sequence[Outcome]:
        known = _known(found)
        self._look(found, known)
        return () if self._heard else known

    def _look(self, found: Sequence[Sequence[Outcome | None]], known: Sequence[Outcome]) -> bool:
        """Whether it is complete; its time is measured when it has just become so."""
        complete = len(known) == sum(map(len, found))
        if complete and not self.complete and known:
            metrics.SEND_SECONDS.labels(Channel.PUSH.value).observe(self._ticks() - self._began)
        self.complete = complete
        return complete

    def _hear(self, outcomes: Sequence[Outcome]) -> None:
        if not self._heard:
            self._observe(outcomes)
            self._heard = True

    def _placed(self, found: Sequence[Sequence[Outcome | None]]) -> list[list[Outcome | None]]:
        messages = iter(found)
        answered = ([outcome for _ in range(parts) for outcome in next(messages)] for parts in self._parts)
        return [_with_waits(waits, each) for waits, each in zip(self._waits, answered, strict=True)]


def _known(found: Sequence[Sequence[Outcome | None]]) -> list[Outcome]:
    return [outcome for each in found for outcome in each if outcome is not None]


def _with_waits(waits: Waits, answered: Sequence[Outcome | None]) -> list[Outcome | None]:
    """The outcome of every device in its place: an answer, or the wait until its limit allows more."""
    answers = iter(answered)
    return [next(answers) if wait is None else Outcome(Kind.RETRY, Reason.DEVICE_RATE, wait) for wait in waits]
