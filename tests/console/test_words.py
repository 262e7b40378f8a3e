import pytest

from notify_server.console import words
from notify_server.domain.registry import Reason, Status


@pytest.mark.parametrize("status", Status)
def test_every_status_has_words(status):
    for said in (words.STATUSES[status], words.MAIL_STATUSES[status]):
        assert said.short
        assert said.means.endswith(".")


def test_of_an_entry_its_reason_is_told_first_of_all():
    assert words.of("pending", "no_device").short == "Not sent yet: no device"
    assert words.of("pending", "quota_exceeded").short == "Not sent yet: FCM's quota exceeded"
    assert words.of("pending", None) is words.WAITING
    assert words.of("sent", None) is words.STATUSES[Status.SENT]
    assert words.of("failed", "unregistered").do


def test_of_a_mail_it_is_what_the_mail_service_said():
    assert words.of_mail("pending", "quota_exceeded").short == "Not sent yet: the mail service's quota exceeded"
    assert words.of_mail("failed", "bad_address").short == "Not delivered: no such mailbox"
    assert words.of_mail("received", None).short == "Delivered"


@pytest.mark.parametrize(
    ("channel", "reason", "short"),
    [
        ("push", None, "FCM cannot be reached"),
        ("push", Reason.CREDENTIAL_REFUSED, "FCM refuses our credential"),
        ("email", None, "Mail service unavailable"),
        ("email", Reason.CREDENTIAL_REFUSED, "The mail service refuses our credential"),
        ("email", Reason.TLS_FAILED, "No encrypted connection to the mail service"),
    ],
)
def test_a_pause_is_told_by_its_channel(channel, reason, short):
    assert words.why_paused(channel, reason).short == short
