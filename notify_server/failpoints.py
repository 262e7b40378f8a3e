"""Where the tests of faults let a process die: between any two writes. A test device, and inert unless it is ordered.

NOTIFY_FAILPOINT=delivery.sent kills the process with SIGKILL when it first passes the step of that name,
NOTIFY_FAILPOINT=delivery.sent:3 when it passes it for the third time. `STEPS` lists what there is. A step is passed
once for a page, a load, a job or a mail, never once for a recipient of a push.
"""

import os
import signal
from threading import Lock

import structlog

from notify_server.errors import ConfigurationError

log = structlog.get_logger()

VARIABLE = "NOTIFY_FAILPOINT"
STEPS = (
    "acceptance.stored",  # the notification is stored, nobody has been told
    "enrolment.registered",  # the device is stored, what waited for it is not queued
    "people.addressed",  # a user has an address, and what waited to be mailed is not queued
    "expansion.claimed",
    "expansion.batch",  # the page is fixed, and has no entries
    "expansion.users",  # unknown users are made, and have no entries
    "expansion.entries",  # the page has its entries, and the cursor stands before it
    "expansion.cursor",  # the cursor has passed the page, and nobody has been handed it
    "together.batches",  # the same, where small audiences are expanded together
    "together.entries",
    "together.cursor",
    "sequencing.written",  # a realtime page is written, and its transaction open
    "sequencing.committed",  # it is announced, nobody has been told, and the cursor stands before it
    "delivery.leased",  # batches are leased from the queue
    "delivery.resends",  # a resend has begun: entries are pending again
    "delivery.sending",  # all is read, and nothing sent
    "delivery.sent",  # the channel has answered, and nothing is written
    "delivery.late",  # entries say what was answered, and some answers are still to come
    "settlement.devices",  # dead devices are inactive
    "settlement.entries",  # the entries say what the outcomes were
    "settlement.rescue",  # who got a device meanwhile is queued
    "settlement.batches",  # the batches are gone, or have become what follows
    "delivery.completing",  # all is settled, and the notification not yet done
    "mailing.entered",  # mails have their lines in the registry, and none is sent; these are passed once for a load
    "mailing.mail",  # passed once for a mail, as the next two: it is about to be sent
    "mailing.answered",  # the mail service has answered, and nothing is written
    "mailing.recorded",  # what it said is stored
    "mailing.sent",  # all mails of a load are sent, and no entry says so
    "mailing.entries",  # the entries say so, and the batches are still there
    "mailing.batches",  # the batches are gone
    "scheduler.leading",  # the lead is taken
    "release.released",  # scheduled notifications are accepted, nobody has been told
    "resend.recalled",  # batches are due for their resend, nobody has been told
    "expire.entries",  # entries are expired, and their batches still there
    "expire.batches",  # the batches are gone, and the notification still open
    "reap.done",  # unfinished notifications are done, and leases still carry dead names
    "reap.batches",  # batches are reaped, and notifications are not
    "counting.tallies",  # tallies are replaced, the roll-ups are not, and the transaction is open
    "counting.written",  # both are, and it is open still
    "counting.committed",  # what was counted is stored, and its marks are there
    "retirement.counted",  # it was counted for the last time, is in the archive, and the transaction open
    "retirement.archived",  # its tallies are in the archive, its entries are there
    "retirement.entries",  # some of its entries are gone
    "retirement.left",  # all of them are, and the notification is there
    "announcement.read",  # a gateway knows whom to tell
    "announcement.emitted",  # it has told them, and not noted it
    "replay.read",  # a gateway knows what a socket has missed
)


class Failpoint:
    """At most one step at which this process dies."""

    def __init__(self) -> None:
        self._step = ""
        self._left = 0
        self._lock = Lock()

    def arm(self, order: str) -> None:
        """Die at the step that `order` names, "step" or "step:times"; never, where it is empty.

        Raises ConfigurationError where there is no such step.
        """
        step, _, times = order.partition(":")
        if order and (step not in STEPS or order.endswith(":") or not (times or "1").isdecimal() or times == "0"):
            raise ConfigurationError([f"{VARIABLE}: No such failpoint; there are: {', '.join(STEPS)}."])
        self._step, self._left = step, int(times or "1")

    def passes(self, step: str) -> None:
        """Called at each step: the process ends here if that was ordered."""
        if self._step == step:
            with self._lock:
                self._left -= 1
                if self._left == 0:
                    log.critical("failpoint reached", step=step)
                    os.kill(os.getpid(), signal.SIGKILL)


_failpoint = Failpoint()
passes = _failpoint.passes


def arm() -> None:
    """Read the environment's order. Raises ConfigurationError where it names no step."""
    _failpoint.arm(os.environ.get(VARIABLE, ""))
