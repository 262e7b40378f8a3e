"""What figures are kept of: dimensions, and the parts in which a notification's entries count towards them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from notify_server.domain.tally import Tally, total


class Kind(StrEnum):
    """By what entries are told apart."""

    ALL = "all"
    COMMUNITY = "community"
    CATEGORY = "category"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Dimension:
    """Entries of one community, category or group (`key`), or all of them; of one category alone, where it is given."""

    kind: Kind
    key: str = ""
    category: str | None = None


ALL = Dimension(Kind.ALL)


@dataclass(frozen=True, slots=True)
class Part:
    """Those entries of a notification that were entered in the quarter of an hour that begins at `quarter` (UTC).

    All of them, or those who were reached through `group`.
    """

    quarter: datetime
    group: str | None
    tally: Tally


@dataclass(frozen=True, slots=True)
class Labels:
    """What a notification counts towards, beside the groups of its entries."""

    category: str | None
    community: str | None

    def dimensions(self, group: str | None) -> Iterator[Dimension]:
        """Where one of its parts counts: one of a group there alone, the whole everywhere else."""
        if group is not None:
            yield from self._narrowed(Kind.GROUP, group)
            return
        yield ALL
        if self.category is not None:
            yield Dimension(Kind.CATEGORY, self.category)
        if self.community is not None:
            yield from self._narrowed(Kind.COMMUNITY, self.community)

    def _narrowed(self, kind: Kind, key: str) -> Iterator[Dimension]:
        yield Dimension(kind, key)
        if self.category is not None:
            yield Dimension(kind, key, self.category)


def canonical(dimension: Dimension) -> Dimension | None:
    """The dimension under which these entries are kept; None: there can be none, as they would be of two categories."""
    if dimension.category is None or dimension.kind in {Kind.COMMUNITY, Kind.GROUP}:
        return dimension
    if dimension.kind is Kind.ALL:
        return Dimension(Kind.CATEGORY, dimension.category)
    return Dimension(Kind.CATEGORY, dimension.key) if dimension.key == dimension.category else None


def community_of(community: str | None, audience: Sequence[str]) -> str | None:
    """Whose figures a notification belongs to: `community`, or else the only community of its audience."""
    return audience[0] if community is None and len(audience) == 1 else community


def merged(parts: Iterable[Part]) -> list[Part]:
    """One part for each quarter and group; what adds up to nothing is left out."""
    together: dict[tuple[datetime, str | None], list[Tally]] = {}
    for part in parts:
        together.setdefault((part.quarter, part.group), []).append(part.tally)
    sums = ((quarter, group, total(tallies)) for (quarter, group), tallies in together.items())
    return [Part(quarter, group, tally) for quarter, group, tally in sums if tally]


def change(new: Iterable[Part], old: Iterable[Part]) -> list[Part]:
    """What has to be added to `old` to make `new`."""
    return merged((*new, *(Part(part.quarter, part.group, _negative(part.tally)) for part in old)))


def _negative(tally: Tally) -> Mapping[str, int]:
    return {name: -count for name, count in tally.items()}
