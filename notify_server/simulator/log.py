"""The log of every request, in columns: a million messages to one notification take a few hundred megabytes."""

from array import array
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson

from notify_server.simulator.outcomes import WORDS, Outcome
from notify_server.simulator.schema import TARGETS
from notify_server.simulator.validation import Request

_TYPES = ("", *TARGETS)


class MessageLog:
    """What came, what became of it, and the sums. Rows are optional, sums are always kept."""

    def __init__(self, name_prefix: str, *, keeps_rows: bool) -> None:
        self.keeps_rows = keeps_rows
        self._name_prefix = name_prefix
        self._at = array("q")  # microseconds since 1970
        self._serial = array("q")  # of the message name; 0 for none
        self._types = bytearray()
        self._outcomes = bytearray()
        self._unanswered = bytearray()
        self._targets: list[str] = []
        self._messages: list[bytes] = []
        self._sums = [0] * len(Outcome)
        self._accepted_targets: set[str] = set()
        self._seen: dict[str, set[str]] = {}
        self._duplicates = 0
        self._unanswered_count = 0
        self._first = 0
        self._last = 0

    def name(self, serial: int) -> str:
        """The name of the message with that serial number, as FCM answers it."""
        return f"{self._name_prefix}{serial:016x}"

    def add(
        self,
        at: int,
        request: Request,
        outcome: Outcome,
        *,
        serial: int = 0,
        answered: bool = True,
    ) -> None:
        """Count a request that came `at` microseconds since 1970, and keep its row where `keeps_rows`.

        `serial` is the message's, if it got a name; `answered` is false where an accepted message's answer is
        withheld or late.
        """
        self._sums[outcome] += 1
        self._first = self._first or at
        self._last = at
        if not answered:
            self._unanswered_count += 1
        if outcome is Outcome.ACCEPTED:
            self._accept(request.target, request.content.notification_id)
        if self.keeps_rows:
            self._keep(at, request, outcome, serial, answered)

    def _keep(self, at: int, request: Request, outcome: Outcome, serial: int, answered: bool) -> None:
        self._at.append(at)
        self._serial.append(serial)
        self._types.append(_TYPES.index(request.target_type))
        self._outcomes.append(outcome)
        self._unanswered.append(not answered)
        self._targets.append(request.target)
        self._messages.append(request.content.raw)

    def _accept(self, target: str, notification_id: str | None) -> None:
        self._accepted_targets.add(target)
        if notification_id is None:
            return
        seen = self._seen.setdefault(notification_id, set())
        if target in seen:
            self._duplicates += 1
        else:
            seen.add(target)

    def counts(self) -> dict[str, Any]:
        """The sums: `targets` are distinct, `duplicates` are beyond the first for one target and notification_id."""
        return {
            "requests": sum(self._sums),
            "accepted": self._sums[Outcome.ACCEPTED],
            "by_outcome": {word: count for word, count in zip(WORDS, self._sums, strict=True) if count},
            "targets": len(self._accepted_targets),
            "duplicates": self._duplicates,
            "unanswered": self._unanswered_count,
            "first_at": _rfc3339(self._first) if self._first else None,
            "last_at": _rfc3339(self._last) if self._last else None,
        }

    def lines(self, outcome: str | None = None, target_prefix: str = "") -> Iterator[bytes]:
        """The rows that match, oldest first, each as one line of JSON."""
        wanted = WORDS.index(outcome) if outcome is not None else None
        for row in range(len(self._at)):
            if wanted is not None and self._outcomes[row] != wanted:
                continue
            if self._targets[row].startswith(target_prefix):
                yield self._line(row)

    def _line(self, row: int) -> bytes:
        serial = self._serial[row]
        content = {
            "at": _rfc3339(self._at[row]),
            "target": self._targets[row] or None,
            "type": _TYPES[self._types[row]] or None,
            "message": orjson.Fragment(self._messages[row]),
            "name": self.name(serial) if serial else None,
            "outcome": WORDS[self._outcomes[row]],
            "answered": not self._unanswered[row],
        }
        return orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE)


def _rfc3339(at: int) -> str:
    moment = datetime.fromtimestamp(at // 1_000_000, UTC).replace(microsecond=at % 1_000_000)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
