import pytest

from notify_server.channels.mail.smtp_answer import Step, accepted, refused
from notify_server.domain.outcome import Kind
from notify_server.domain.registry import Reason

DEAD, RETRY, REJECTED = Kind.TARGET_DEAD, Kind.RETRY, Kind.REJECTED


@pytest.mark.parametrize(
    ("step", "code", "text", "kind", "reason"),
    [
        (Step.RCPT, 550, b"5.1.1 no such user", DEAD, Reason.BAD_ADDRESS),
        (Step.RCPT, 550, b"5.2.1 mailbox disabled", DEAD, Reason.BAD_ADDRESS),
        (Step.RCPT, 550, b"5.1.10 no such domain", DEAD, Reason.BAD_ADDRESS),
        (Step.RCPT, 550, b"5.1.0 address rejected", REJECTED, Reason.MAIL_REJECTED),
        (Step.RCPT, 550, b"relay not permitted", REJECTED, Reason.BAD_ADDRESS),
        (Step.RCPT, 551, b"user not local", REJECTED, Reason.BAD_ADDRESS),
        (Step.RCPT, 553, b"no such user", REJECTED, Reason.BAD_ADDRESS),
        (Step.RCPT, 550, b"5.1.7 bad sender", RETRY, Reason.SENDER_REFUSED),
        (Step.RCPT, 553, b"5.1.8 sender's domain not found", RETRY, Reason.SENDER_REFUSED),
        (Step.RCPT, 530, b"authentication required", RETRY, Reason.CREDENTIAL_REFUSED),
        (Step.RCPT, 535, b"5.7.0 log in first", RETRY, Reason.CREDENTIAL_REFUSED),
        (Step.RCPT, 550, b"5.7.8 log in first", RETRY, Reason.CREDENTIAL_REFUSED),
        (Step.RCPT, 550, b"5.7.1 relaying denied", REJECTED, Reason.MAIL_REJECTED),
        (Step.RCPT, 552, b"5.2.2 mailbox full", REJECTED, Reason.MAIL_REJECTED),
        (Step.RCPT, 450, b"4.7.1 greylisted", RETRY, Reason.DEFERRED),
        (Step.RCPT, 451, b"try later", RETRY, Reason.DEFERRED),
        (Step.RCPT, 421, b"4.3.2 shutting down", RETRY, Reason.UNAVAILABLE),
        (Step.MAIL, 451, b"4.3.0 try later", RETRY, Reason.UNAVAILABLE),
        (Step.MAIL, 450, b"4.7.1 too many messages", RETRY, Reason.QUOTA_EXCEEDED),
        (Step.MAIL, 530, b"5.7.0 Authentication required", RETRY, Reason.CREDENTIAL_REFUSED),
        (Step.MAIL, 553, b"5.7.1 not your address", RETRY, Reason.SENDER_REFUSED),
        (Step.DATA, 421, b"4.7.0 too many", RETRY, Reason.QUOTA_EXCEEDED),
        (Step.DATA, 452, b"4.3.1 no space", RETRY, Reason.UNAVAILABLE),
        (Step.DATA, 552, b"5.3.4 too big", REJECTED, Reason.MAIL_REJECTED),
        (Step.DATA, 550, b"5.1.1 said late", REJECTED, Reason.MAIL_REJECTED),
        (Step.AUTH, 535, b"5.7.8 bad credentials", RETRY, Reason.CREDENTIAL_REFUSED),
        (Step.AUTH, 454, b"4.7.0 temporary", RETRY, Reason.UNAVAILABLE),
        (Step.CONNECT, 421, b"4.7.0 too many connections", RETRY, Reason.UNAVAILABLE),
        (Step.CONNECT, 554, b"no SMTP here", RETRY, Reason.UNAVAILABLE),
        (Step.CONNECT, 421, b"busy", RETRY, Reason.UNAVAILABLE),
    ],
)
def test_a_reply_means_what_its_code_and_its_place_say(step, code, text, kind, reason):
    answer = refused(step, code, text)
    assert (answer.outcome.kind, answer.outcome.reason) == (kind, reason)


def test_only_codes_are_kept_of_what_a_server_says():
    assert refused(Step.RCPT, 550, b"5.1.1 <ada@example.org>: unknown").detail == "550 5.1.1"
    assert refused(Step.RCPT, 550, b"ada@example.org is unknown").detail == "550"
    assert refused(Step.RCPT, 550, b"5.1.1x").detail == "550"


def test_an_accepted_mail_has_the_servers_id():
    assert accepted("Q1").provider_id == "Q1"
    assert accepted(None).outcome.kind is Kind.ACCEPTED
