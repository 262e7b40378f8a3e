"""Erasing people: nothing is sent to them any more, and nothing about them stays.

The erasure is written first, under a keyed hash, with the id as long as there is work. Devices and profile go next, so
that whatever still runs finds nobody to send to. The rest is found by the registry entries, which go last: killed
anywhere and repeated, it ends complete. What is being expanded or sent at that moment is left to the scheduler.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from notify_server.domain.erasure import Erasure
from notify_server.errors import NotFound
from notify_server.services.clock import Clock
from notify_server.storage.audit import Audit
from notify_server.storage.erasures import Erasures
from notify_server.storage.traces import Traces

log = structlog.get_logger()

KINDS = ("devices", "entries", "mails", "profiles")  # what an erasure counts
_PAGE = 500  # entries removed by one transaction
_AT_ONCE = 20  # pages that a request waits for
_IN_A_RUN = 50  # pages of one person in one run of the scheduler
_PEOPLE = 100  # in one run


@dataclass(frozen=True, slots=True)
class Proof:
    """What was removed of a person, who is called `pseudonym` in the audit log, and whether that was all."""

    pseudonym: str
    at: datetime
    erased: Mapping[str, int]
    complete: bool


class Erasing:
    """Erases, and completes erasures. Any number of processes may do both at once."""

    def __init__(self, erasures: Erasures, traces: Traces, audit: Audit, clock: Clock) -> None:
        self._erasures = erasures
        self._traces = traces
        self._audit = audit
        self._clock = clock

    def erase(self, user: str) -> Proof:
        """Erase a person; done again before it is complete, it goes on and says how far it is. Raises NotFound."""
        begun = self._erasures.find(user)
        if (begun is None or begun.complete) and not self._is_known(user):
            raise NotFound(f"There is no user {user!r}.")
        erasure = self._erasures.begin(user, self._clock())
        self._traces.remove_person(erasure)
        ended = self._sweep(erasure, _AT_ONCE)
        removed = {kind: ended.removed.get(kind, 0) for kind in KINDS}
        log.info("person erased", pseudonym=ended.pseudonym, complete=ended.complete, **removed)
        return Proof(ended.pseudonym, ended.at, removed, ended.complete)

    def _is_known(self, user: str) -> bool:
        return self._traces.present(user) or bool(self._audit.about(user, None, 1))

    def complete_erasures(self) -> int:
        """Go on where a process died, and with what had to be left. Returns how many were completed."""
        completed = 0
        for erasure in self._erasures.running(_PEOPLE):
            if "profiles" not in erasure.removed:
                self._traces.remove_person(erasure)
            ended = self._sweep(erasure, _IN_A_RUN)
            completed += ended.complete
            if ended.complete:
                log.info("erasure completed", pseudonym=ended.pseudonym)
        return completed

    def _sweep(self, erasure: Erasure, pages: int) -> Erasure:
        """Remove what can be removed at this moment. Returns the erasure as it is then."""
        self._traces.unname(erasure)
        over = self._sweep_entries(erasure, pages)
        settled = self._traces.remove_echo(erasure, self._clock())
        self._audit.rename(erasure.user or "", erasure.pseudonym)
        return self._erasures.complete(erasure) if over and settled else self._erasures.get(erasure)

    def _sweep_entries(self, erasure: Erasure, pages: int) -> bool:
        """Whether every entry is gone that is to go."""
        after: Any = None
        stayed = False
        for _ in range(pages):
            swept = self._traces.sweep(erasure, after, _PAGE, self._clock())
            after, stayed = swept.last, stayed or swept.stayed
            if after is None:
                return not stayed
        return False
