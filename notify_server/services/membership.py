"""Groups and who is in them."""

from collections.abc import Iterator, Sequence

from notify_server.errors import NotFound
from notify_server.services.clock import Clock
from notify_server.storage.documents import Document
from notify_server.storage.groups import Groups
from notify_server.storage.members import Members
from notify_server.storage.users import Users

_CHUNK = 1000  # users written at once


class Membership:
    """Makes, fills, replaces and removes groups. Members that do not exist yet are made."""

    def __init__(self, groups: Groups, members: Members, users: Users, clock: Clock) -> None:
        self._groups = groups
        self._members = members
        self._users = users
        self._clock = clock

    def replace(self, group: str, community: str | None, members: Sequence[str] | None) -> bool:
        """Set the community, and the members where given: others leave. True when the group is new."""
        new = self._groups.put(group, community, self._clock())
        if members is not None:
            self._leave_all_but(group, set(members))
            self._join(group, community, sorted(set(members)))
        return new

    def change(self, group: str, add: Sequence[str], remove: Sequence[str]) -> tuple[int, int]:
        """Let users join and leave; returns how many did. A group that is not known is made."""
        try:
            community = self._groups.get(group)["community"]
        except NotFound:
            community = None
            self._groups.put(group, None, self._clock())
        removed = sum(self._groups.remove(group, chunk) for chunk in _chunks(sorted(set(remove))))
        return self._join(group, community, sorted(set(add))), removed

    def get(self, group: str, after: str, limit: int) -> tuple[Document, list[str]]:
        """The group with its `member_count`, and a page of its members in id order. Raises NotFound."""
        found = self._groups.get(group) | {"member_count": self._members.count(group)}
        return found, self._members.of_group(group, after, limit)

    def delete(self, group: str) -> None:
        """Remove the group; its members stay users. Raises NotFound."""
        if not self._groups.delete(group):
            raise NotFound(f"There is no group {group!r}.")

    def _join(self, group: str, community: str | None, users: Sequence[str]) -> int:
        joined = 0
        for chunk in _chunks(users):
            known = {user.id for user in self._members.among(chunk)}
            self._users.mention([user for user in chunk if user not in known], community, self._clock())
            joined += self._groups.add(group, chunk)
        return joined

    def _leave_all_but(self, group: str, staying: set[str]) -> None:
        cursor = ""
        while page := self._members.of_group(group, cursor, _CHUNK):
            self._groups.remove(group, [user for user in page if user not in staying])
            cursor = page[-1]


def _chunks(users: Sequence[str]) -> Iterator[Sequence[str]]:
    return (users[start : start + _CHUNK] for start in range(0, len(users), _CHUNK))
