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
        known = self._look(found)
        if not self._heard and (self.complete or ACCEPTED in known):
            self._heard = True
            self._observe(known)
        return self._placed(found)

    def all(self) -> list[list[Outcome | None]]:
        """Wait for every answer: None is not among them."""
        heard = self._heard
        found, unheard = self.late()
        if not heard:
            self._observe(unheard)
        return found

    def late(self) -> tuple[list[list[Outcome | None]], Sequence[Outcome]]:
        """The same, and what `observe` would hear: it is for the caller to tell it, of several together."""
        found = self._sending.all()
        known = self._look(found)
        unheard, self._heard = () if self._heard else known, True
        return self._placed(found), unheard

    def _look(self, found: Sequence[Sequence[Outcome | None]]) -> list[Outcome]:
        """What is known by now; its time is measured when it has just become complete."""
        known = [outcome for each in found for outcome in each if outcome is not None]
        complete = len(known) == sum(map(len, found))
        if complete and not self.complete and known:
            metrics.SEND_SECONDS.labels(Channel.PUSH.value).observe(self._ticks() - self._began)
        self.complete = complete
        return known

    def _placed(self, found: Sequence[Sequence[Outcome | None]]) -> list[list[Outcome | None]]:
        messages = iter(found)
        answered = ([outcome for _ in range(parts) for outcome in next(messages)] for parts in self._parts)
        return [_with_waits(waits, each) for waits, each in zip(self._waits, answered, strict=True)]


def _with_waits(waits: Waits, answered: Sequence[Outcome | None]) -> list[Outcome | None]:
    """The outcome of every device in its place: an answer, or the wait until its limit allows more."""
    answers = iter(answered)
    return [next(answers) if wait is None else Outcome(Kind.RETRY, Reason.DEVICE_RATE, wait) for wait in waits]
