"""What lines of history say of channels."""

import re
from random import Random

import pytest

from notify_server.domain import mailing
from notify_server.domain.dispatch import Dispatch
from notify_server.domain.dispatch import plan as dispatched
from notify_server.domain.mail_event import Kind as Report
from notify_server.domain.mailing import BLOCKED, DISABLED, WITHOUT_ADDRESS
from notify_server.domain.notification import Channel
from notify_server.domain.outcome import ACCEPTED, Kind, Outcome
from notify_server.domain.registry import Reason, Status
from notify_server.domain.signs import SIGNS, is_sign, names, signs
from notify_server.services import announcement, mail_reports
from tests.builders import NOON, a_batch, a_notification, a_target


@pytest.mark.parametrize(
    ("detail", "sign"),
    [
        ("attempt 1: accepted for 1 of 2 devices", "push/sent"),
        ("attempt 12: unregistered", "push/failed"),
        ("payload_rejected", "push/failed"),
        ("emitted to an open socket", "realtime/sent"),
        ("mail, attempt 1: accepted", "email/sent"),
        ("mail, attempt 2: accepted (250)", "email/sent"),
        ("mail, attempt 1: bad_address (550 5.1.1)", "email/failed"),
        ("mail, attempt 1: mail_rejected", "email/failed"),
        ("mail: mail_disabled", "email/suppressed"),
        ("mail: address_blocked", "email/suppressed"),
        ("mail delivered to the recipient's server", "email/received"),
        ("mail opened", "email/read"),
        ("mail bounced (5.1.1)", "email/bounced"),
        ("mail dropped by its service", "email/bounced"),
        (None, None),
        ("device phone", None),
        ("attempt 1: unavailable", None),
        ("mail, attempt 1: deferred (451)", None),
        ("mail: no address; waits for one until it expires", None),
        ("resend 1: no device confirmed it", None),
    ],
)
def test_a_line_gives_the_sign_of_what_it_tells(detail: str | None, sign: str | None) -> None:
    assert signs([detail, None, detail]) == (frozenset() if sign is None else {sign})


@pytest.mark.parametrize(
    ("outcome", "sign"),
    [
        (ACCEPTED, "sent"),
        (Outcome(Kind.TARGET_DEAD, Reason.BAD_ADDRESS), "failed"),
        (Outcome(Kind.REJECTED, Reason.MAIL_REJECTED), "failed"),
        (Outcome(Kind.RETRY, Reason.DEFERRED), None),
        (Outcome(Kind.RETRY, Reason.CONNECTION_LOST), None),
        (DISABLED.outcome, "suppressed"),
        (BLOCKED.outcome, "suppressed"),
        (WITHOUT_ADDRESS.outcome, None),
    ],
)
def test_lines_are_those_that_mailing_writes(outcome: Outcome, sign: str | None) -> None:
    note = mailing._note(a_batch(channel=Channel.EMAIL), outcome, "250", NOON)
    assert signs([note.detail]) == (frozenset() if sign is None else {f"email/{sign}"})


@pytest.mark.parametrize(
    ("outcome", "sign"),
    [
        (ACCEPTED, "sent"),
        *((Outcome(Kind.TARGET_DEAD, reason), "failed") for reason in (Reason.UNREGISTERED, Reason.SENDER_MISMATCH)),
        (Outcome(Kind.TARGET_DEAD, Reason.INVALID_TARGET), "failed"),
        (Outcome(Kind.REJECTED, Reason.PAYLOAD_REJECTED), "failed"),
        (Outcome(Kind.RETRY, Reason.UNAVAILABLE), None),
    ],
)
def test_and_those_that_the_delivery_of_pushes_does(outcome: Outcome, sign: str | None) -> None:
    dispatch = Dispatch(a_batch(), a_notification(), ("u1",), [("u1", "d", a_target("t"))], [outcome])
    [move] = dispatched(dispatch, NOON, Random(1)).moves  # noqa: S311 - jitter
    assert signs([move.note.detail]) == (frozenset() if sign is None else {f"push/{sign}"})


def test_and_those_of_reports_and_sockets() -> None:
    said = {kind: signs([f"{line} (5.1.1)"]) for kind, (_, line) in mail_reports._MOVES.items()}
    assert said == {
        Report.DELIVERED: {"email/received"},
        Report.OPENED: {"email/read"},
        Report.BOUNCED: {"email/bounced"},
        Report.DROPPED: {"email/bounced"},
    }
    assert signs([announcement._DETAIL]) == {"realtime/sent"}


def test_no_line_fits_two_patterns() -> None:
    lines = ["attempt 1: accepted", "attempt 1: unregistered", "emitted", "mail, attempt 1: accepted", "mail opened"]
    assert [sum(bool(re.match(pattern, line)) for pattern in SIGNS.values()) for line in lines] == [1] * len(lines)


@pytest.mark.parametrize(
    ("status", "reason", "given", "expected"),
    [
        (Status.SENT, None, {"email/sent"}, ["email/sent", "beside/sent"]),
        (Status.READ, None, {"email/sent", "push/failed"}, ["email/sent", "push/failed", "beside/sent"]),
        (Status.SENT, None, {"push/sent", "push/failed"}, ["push/sent", "beside/sent"]),
        (Status.SENT, None, {"email/sent", "email/failed", "email/suppressed"}, ["email/sent", "beside/sent"]),
        (Status.FAILED, Reason.UNREGISTERED, {"email/failed"}, ["email/failed", "push/failed", "beside/failed"]),
        (Status.FAILED, Reason.BOUNCED, {"email/bounced"}, ["email/bounced", "email/sent", "beside/failed"]),
        (Status.READ, None, {"email/read"}, ["email/read", "email/received", "email/sent", "beside/sent"]),
        (Status.RECEIVED, None, {"email/received", "email/failed"}, ["email/received", "email/sent", "beside/sent"]),
        (Status.PENDING, Reason.UNCONFIRMED, {"push/sent"}, ["push/sent", "beside/sent"]),
        (Status.PENDING, Reason.NO_ADDRESS, set(), []),
        (Status.SUPPRESSED, Reason.MAIL_DISABLED, {"email/suppressed"}, ["email/suppressed"]),
    ],
)
def test_an_entry_counts_for_each_channel_that_had_it(status, reason, given, expected) -> None:
    found = list(names(status, reason, given))
    assert found == expected
    assert all(map(is_sign, found))
