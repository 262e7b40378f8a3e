"""Notifications that are left alone for a while. One that fails is tried again ever more rarely: others go on."""

from collections.abc import Iterable

_FIRST = 10.0  # seconds until what failed is tried again; twice as long each time that it fails again, up to
_LONGEST = 3600.0


class Postponed:
    """By ticks that the caller reads, in seconds."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}
        self._failed: dict[str, int] = {}
        self._now = 0.0

    def put_off(self, name: str, until: float) -> None:
        """Leave it alone until then."""
        self._until[name] = until

    def fail(self, names: Iterable[str], now: float) -> None:
        """They could not be done: leave them alone, for longer each time."""
        for name in names:
            times = self._failed[name] = self._failed.get(name, 0) + 1
            self._until[name] = now + min(_LONGEST, _FIRST * 2.0 ** min(times - 1, 10))

    def succeed(self, names: Iterable[str]) -> None:
        """They were done: whatever they failed by before is over."""
        for name in names:
            self._failed.pop(name, None)

    def suspects(self, names: Iterable[str]) -> set[str]:
        """Those of them that failed when they were tried last."""
        return {name for name in names if name in self._failed}

    def look(self, now: float) -> None:
        """From here on it is `now`. What failed and was not tried again for long, as it is gone, is forgotten."""
        self._failed = {name: times for name, times in self._failed.items() if self._until[name] + _LONGEST > now}
        self._until = {name: until for name, until in self._until.items() if until > now or name in self._failed}
        self._now = now

    def __len__(self) -> int:
        return len(self._until)

    def __contains__(self, name: str) -> bool:
        return self._until.get(name, self._now) > self._now
