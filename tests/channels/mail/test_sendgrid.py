import base64
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from notify_server.channels.mail.sendgrid import MAIL, SendgridTransport
from notify_server.channels.mail.smtp import Limits
from notify_server.domain.mail import Address, Letter
from notify_server.domain.notification import Attachment
from notify_server.domain.registry import Reason
from notify_server.domain.texts import Mail
from tests.fcm_simulator import free_port
from tests.sendgrid_server import SendgridServer

SENDER = Address("notify@example.org", "Notify")
HELLO = Mail("Hello", "text", "<p>html</p>")
LETTER = Letter("a@example.org", "m1", unsubscribe="https://notify.example.org/v1/unsubscribe/x")


@pytest.fixture
def sendgrid(tmp_path):
    with SendgridServer(tmp_path) as running:
        yield running


@pytest.fixture
def transport(sendgrid):
    made = leading_to(sendgrid)
    yield made
    made.close()


def leading_to(sendgrid, url=None, key=None, ca_file=None, sender=SENDER):
    limits = Limits(0.4, str(sendgrid.ca_file) if ca_file is None else ca_file)
    return SendgridTransport(url or sendgrid.url, key or sendgrid.key, sender, limits, lambda: datetime.now(UTC))


def send(transport, to="a@example.org"):
    return transport.send(replace(LETTER, to=to), transport.seal(HELLO, "help@example.org", None))


def test_a_mail_says_all_that_it_should(transport, sendgrid):
    files = (Attachment("a.pdf", "application/pdf", b"%PDF"),)
    answer = transport.send(LETTER, transport.seal(HELLO, "help@example.org", transport.enclose(files)))
    assert (answer.outcome.reason, answer.provider_id) == (None, "S1")
    [body] = sendgrid.mails
    assert body["from"] == {"email": "notify@example.org", "name": "Notify"}
    assert body["reply_to"] == {"email": "help@example.org"}
    assert body["content"] == [{"type": "text/plain", "value": "text"}, {"type": "text/html", "value": "<p>html</p>"}]
    assert body["attachments"] == [
        {"content": base64.b64encode(b"%PDF").decode(), "type": "application/pdf", "filename": "a.pdf"}
    ]
    [person] = body["personalizations"]
    assert person["to"] == [{"email": "a@example.org"}]
    assert person["custom_args"] == {MAIL: "m1"}
    assert person["headers"]["Message-ID"] == "<m1@example.org>"
    assert person["headers"]["List-Unsubscribe"] == f"<{LETTER.unsubscribe}>"
    assert person["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        ("429", Reason.QUOTA_EXCEEDED),
        ("500", Reason.UNAVAILABLE),
        ("503", Reason.UNAVAILABLE),
        ("401", Reason.CREDENTIAL_REFUSED),
        ("403", Reason.SENDER_REFUSED),
        ("400", Reason.BAD_ADDRESS),
        ("413", Reason.MAIL_REJECTED),
        ("drop", Reason.CONNECTION_LOST),
        ("slow", Reason.CONNECTION_LOST),
    ],
)
def test_each_answer_has_its_meaning(transport, user, reason):
    assert send(transport, f"{user}@example.org").outcome.reason is reason


def test_a_retry_after_is_honoured(transport, sendgrid):
    assert send(transport, "429@example.org").outcome.retry_after == 7
    sendgrid.slow_down = {"X-RateLimit-Reset": str(int(datetime.now(UTC).timestamp()) + 60)}
    assert 50 < send(transport, "429@example.org").outcome.retry_after <= 60


def test_a_wrong_key_a_stranger_and_nobody_are_told_apart(sendgrid):
    for made, reason in (
        (leading_to(sendgrid, key="SG.wrong"), Reason.CREDENTIAL_REFUSED),
        (leading_to(sendgrid, ca_file=""), Reason.TLS_FAILED),
        (leading_to(sendgrid, url=f"https://localhost:{free_port()}"), Reason.UNAVAILABLE),
    ):
        assert send(made).outcome.reason is reason
        made.close()
    assert sendgrid.mails == []


def test_what_no_header_may_hold_is_refused(transport, sendgrid):
    with pytest.raises(ValueError, match="one line"):
        transport.seal(Mail("x\r\nBcc: v@example.org", "b"), None, None)
    assert send(transport, "a@example.org\r\nx").outcome.reason is Reason.BAD_ADDRESS
    assert sendgrid.mails == []


def test_the_words_of_a_refusal_are_not_kept(transport):
    assert send(transport, "400@example.org").detail == "400 personalizations.0.to.0.email"


def test_domains_of_other_scripts_are_written_in_ascii(sendgrid):
    made = leading_to(sendgrid, sender=Address("n@schüle.example", "Schüle"))
    assert send(made, "ada@schüle.example").outcome.reason is None
    [body] = sendgrid.mails
    assert body["from"] == {"email": "n@xn--schle-mva.example", "name": "Schüle"}
    assert body["personalizations"][0]["to"] == [{"email": "ada@xn--schle-mva.example"}]
    assert body["personalizations"][0]["headers"]["Message-ID"] == "<m1@xn--schle-mva.example>"
    assert made.sender == "n@xn--schle-mva.example"
    made.close()


def test_no_mail_makes_a_copy_of_attachments(transport):
    enclosed = transport.enclose((Attachment("a.pdf", "application/pdf", b"x" * 100_000),))
    sheets = [transport.seal(Mail(str(number), "text"), None, enclosed) for number in range(3)]
    assert all(sheet.enclosed is enclosed for sheet in sheets)
    assert transport.enclose(()) is None
