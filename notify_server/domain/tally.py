"""What registry entries add up to: counts by status and reason, and how long devices took, in steps.

A tally is a flat mapping of names to numbers, so that tallies are added and taken from each other name by name, and
stored by increments. Its names are

    sent                     entries that stand there now: one name for each status
    failed:unregistered      those of them with this reason, where it is known
    received@731, read@1402  those that were received, or read, so many steps of time after they were entered
    email/sent               those of which their history says this of a channel (domain/signs.py)
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from notify_server.domain import signs
from notify_server.domain.periods import QUARTER
from notify_server.domain.registry import Reason, Status

Tally = Mapping[str, int]

_EXACT = 128  # milliseconds that have a step of their own
_STEPS = 64  # steps of each doubling above: a time is known to one part in 128
QUARTERS = 96  # of a day


@dataclass(frozen=True, slots=True)
class Fate:
    """What a tally needs of one entry. `entered_at` is when it was made: the first line of its history.

    `signs`: what its history says of channels; None where push is the only one.
    """

    status: Status
    reason: Reason | None
    entered_at: datetime
    received_at: datetime | None
    read_at: datetime | None
    signs: Collection[str] | None = None


def names(fate: Fate) -> Iterator[str]:
    """The names under which an entry counts once each."""
    yield from standing(fate.status, fate.reason, fate.signs)
    for name, at in (("received", fate.received_at), ("read", fate.read_at)):
        if at is not None:
            yield f"{name}@{step(at - fate.entered_at)}"


def standing(status: Status, reason: Reason | None, given: Collection[str] | None) -> Iterator[str]:
    """Those of them that say where it stands and why, and what each channel has done, by the signs `given`."""
    yield status.value
    if reason:
        yield f"{status.value}:{reason.value}"
    if given is not None:
        yield from signs.names(status, reason, given)


def is_time(name: str) -> bool:
    """Whether a name of a tally counts times that devices took."""
    return "@" in name


def is_status(name: str) -> bool:
    """Whether it counts the entries of a status."""
    return "@" not in name and ":" not in name and not signs.is_sign(name)


def step(time: timedelta) -> int:
    """The step that a time falls into, none below zero: exact to the millisecond at first, then 64 a doubling."""
    return step_of(time // timedelta(milliseconds=1))


def step_of(milliseconds: int) -> int:
    """The same of so many milliseconds."""
    milliseconds = max(0, milliseconds)
    if milliseconds < _EXACT:
        return milliseconds
    doublings = milliseconds.bit_length() - _EXACT.bit_length() + 1
    return _EXACT + (doublings - 1) * _STEPS + (milliseconds >> doublings) - _STEPS


def seconds(number: int) -> float:
    """The middle of a step."""
    if number < _EXACT:
        return number / 1000
    doublings, part = divmod(number - _EXACT, _STEPS)
    low = (part + _STEPS) << (doublings + 1)
    return (low + (1 << (doublings + 1)) / 2) / 1000


def end_of_step(number: int) -> float:
    """Seconds below which every time of this step, and of those before it, lies."""
    if number < _EXACT - 1:
        return (number + 1) / 1000
    doublings, part = divmod(number + 1 - _EXACT, _STEPS)
    return ((part + _STEPS) << (doublings + 1)) / 1000


def quarter(at: datetime) -> int:
    """Which quarter of an hour of its UTC day `at` is in: 0 to 95."""
    return (at.hour * 60 + at.minute) // 15


def quarter_start(day: datetime, number: int) -> datetime:
    """When the quarter with this number of a UTC day begins."""
    return day + number * QUARTER


def total(tallies: Iterable[Tally]) -> dict[str, int]:
    """The sum of `tallies`; what adds up to nothing is left out."""
    result: dict[str, int] = {}
    for tally in tallies:
        for name, count in tally.items():
            result[name] = result.get(name, 0) + count
    return {name: count for name, count in result.items() if count}


def difference(new: Tally, old: Tally) -> dict[str, int]:
    """What has to be added to `old` to make `new`."""
    return total((new, {name: -count for name, count in old.items()}))


def quantile(tally: Tally, name: str, share: float) -> float | None:
    """Seconds within which `share` (0 to 1) of those were `name` (received, read) that ever were; None: nobody was.

    Right to one part in 128.
    """
    counts = steps(tally, name)
    rank, reached = share * sum(counts.values()), 0
    for number in sorted(counts):
        reached += counts[number]
        if reached >= rank:
            return seconds(number)
    return None


def steps(tally: Tally, name: str) -> Mapping[int, int]:
    """How many of those that ever were `name` (received, read) were so within which step."""
    prefix = f"{name}@"
    return {int(key[len(prefix) :]): count for key, count in tally.items() if key.startswith(prefix) and count}
