"""What a verification has to say."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from notify_server.domain.statistics import Part, merged
from notify_server.domain.tally import difference


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not what it should be, in words, and by names of counts: what was found, what was expected."""

    what: str
    found: Mapping[str, int]
    expected: Mapping[str, int]


Tell = Callable[[Difference], None]


@dataclass(slots=True)
class Verdict:
    """How much was compared, and how much of it differs.

    `unsettled` are notifications that are marked, for as long as somebody waited: they are being changed, or no
    scheduler counts them.
    """

    notifications: int = 0
    entries: int = 0
    rollups: int = 0
    differences: int = 0
    unsettled: list[str] = field(default_factory=list)


def between(what: str, found: Iterable[Part], expected: Iterable[Part]) -> Difference | None:
    """How the sums of these parts differ; None: they do not."""
    one, other = _named(found), _named(expected)
    names = sorted(difference(other, one))
    if not names:
        return None
    return Difference(what, *({name: side.get(name, 0) for name in names} for side in (one, other)))


def _named(parts: Iterable[Part]) -> Mapping[str, int]:
    return {
        f"{part.quarter:%Y-%m-%dT%H:%M} {'' if part.group is None else f'group {part.group} '}{name}": count
        for part in merged(parts)
        for name, count in part.tally.items()
    }
