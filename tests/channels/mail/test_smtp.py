from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from notify_server.channels.mail.smtp import Limits, SmtpTransport
from notify_server.domain.email_settings import SmtpServer
from notify_server.domain.mail import Address, Letter
from notify_server.domain.notification import Attachment
from notify_server.domain.registry import Reason
from notify_server.domain.texts import Mail
from tests.mail_server import MailServer

LETTER = Letter("a@example.org", "m1")
HELLO = Mail("Hello", "text")


@pytest.fixture
def server(tmp_path):
    with MailServer(tmp_path) as running:
        yield running


@pytest.fixture
def transport(server):
    made = SmtpTransport(
        SmtpServer("localhost", server.port),
        Address("n@example.org"),
        Limits(2.0, str(server.ca_file)),
        lambda: datetime.now(UTC),
    )
    yield made
    made.close()


def test_a_connection_is_used_again(transport, server):
    sealed = transport.seal(HELLO, None, None)
    for _ in range(5):
        assert transport.send(LETTER, sealed).outcome.reason is None
    assert (len(server.mails), server.sessions) == (5, 1)


def test_there_are_as_many_connections_as_senders(transport, server):
    server.delay = 0.05
    sealed = transport.seal(HELLO, None, None)
    with ThreadPoolExecutor(3) as pool:
        letters = [replace(LETTER, to=f"u{number}@example.org") for number in range(12)]
        answers = list(pool.map(lambda letter: transport.send(letter, sealed), letters))
    assert [answer.outcome.reason for answer in answers] == [None] * 12
    assert server.sessions == 3


def test_a_broken_connection_is_followed_by_a_new_one(transport, server):
    sealed = transport.seal(HELLO, None, None)
    assert transport.send(replace(LETTER, to="lost@example.org"), sealed).outcome.reason is Reason.CONNECTION_LOST
    assert transport.send(LETTER, sealed).outcome.reason is None
    assert server.sessions == 2


@pytest.mark.parametrize("farewell", [b"", b"421 4.4.2 timeout\r\n"])
def test_a_connection_that_the_server_has_ended_meanwhile_costs_no_mail_its_attempt(transport, server, farewell):
    sealed = transport.seal(HELLO, None, None)
    assert transport.send(LETTER, sealed).outcome.reason is None
    server.hang_up(farewell)
    assert transport.send(LETTER, sealed).outcome.reason is None
    assert (len(server.mails), server.sessions) == (2, 2)


def test_a_server_that_hangs_up_on_a_new_connection_as_well_is_asked_no_more(transport, server):
    sealed = transport.seal(HELLO, None, None)
    assert transport.send(LETTER, sealed).outcome.reason is None
    assert transport.send(replace(LETTER, to="drop@example.org"), sealed).outcome.reason is Reason.UNAVAILABLE
    assert server.tried["drop@example.org"] == 2


def test_what_cannot_be_an_address_costs_no_connection(transport, server):
    sealed = transport.seal(HELLO, None, None)
    for wrong in ("ä@example.org", "nobody", "a@example.org\r\nx"):
        assert transport.send(replace(LETTER, to=wrong), sealed).outcome.reason is Reason.BAD_ADDRESS
    assert server.sessions == 0


def test_a_closed_transport_lets_a_mail_end_and_keeps_no_connection(transport, server):
    sealed = transport.seal(HELLO, None, None)
    transport.close()
    assert transport.send(LETTER, sealed).outcome.reason is None
    assert not transport._free


def test_attachments_follow_the_rest_of_a_mail(transport, server):
    content = bytes(range(256)) * 4000
    enclosed = transport.enclose((Attachment("größe.bin", "application/octet-stream", content),))
    for number in range(3):
        sealed = transport.seal(Mail(f"Hello {number}", ".\n..\n. text", "<p>.</p>"), None, enclosed)
        assert transport.send(LETTER, sealed).outcome.reason is None
    for number, caught in enumerate(server.mails):
        assert caught.message["Subject"] == f"Hello {number}"
        assert caught.message.get_body(("plain",)).get_content().splitlines() == [".", "..", ". text"]
        [part] = caught.message.iter_attachments()
        assert (part.get_filename(), part.get_payload(decode=True)) == ("größe.bin", content)


def test_domains_of_other_scripts_are_spoken_in_ascii(server):
    target, limits = SmtpServer("localhost", server.port), Limits(2.0, str(server.ca_file))
    made = SmtpTransport(target, Address("n@schüle.example"), limits, lambda: datetime.now(UTC))
    sealed = made.seal(HELLO, None, None)
    assert made.send(replace(LETTER, to="ada@schüle.example"), sealed).outcome.reason is None
    [caught] = server.mails
    assert (caught.sender, caught.to) == ("n@xn--schle-mva.example", "ada@xn--schle-mva.example")
    assert made.sender == "n@xn--schle-mva.example"
    made.close()


@pytest.mark.parametrize("sender", [Address("ä@example.org"), Address("nobody"), Address("n@example.org", "=?x?=")])
def test_a_sender_that_no_mail_could_name_is_refused_at_once(server, sender):
    with pytest.raises(ValueError, match="ddress"):
        SmtpTransport(SmtpServer("localhost", server.port), sender, Limits(2.0), lambda: datetime.now(UTC))
