from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from notify_server.channels.mail.smtp import Limits, SmtpTransport
from notify_server.domain.email_settings import SmtpServer
from notify_server.domain.mail import Address, Letter
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
    sealed = transport.seal(HELLO, None, ())
    for _ in range(5):
        assert transport.send(LETTER, sealed).outcome.reason is None
    assert (len(server.mails), server.sessions) == (5, 1)


def test_there_are_as_many_connections_as_senders(transport, server):
    server.delay = 0.05
    sealed = transport.seal(HELLO, None, ())
    with ThreadPoolExecutor(3) as pool:
        letters = [replace(LETTER, to=f"u{number}@example.org") for number in range(12)]
        answers = list(pool.map(lambda letter: transport.send(letter, sealed), letters))
    assert [answer.outcome.reason for answer in answers] == [None] * 12
    assert server.sessions == 3


def test_a_broken_connection_is_followed_by_a_new_one(transport, server):
    sealed = transport.seal(HELLO, None, ())
    assert transport.send(replace(LETTER, to="lost@example.org"), sealed).outcome.reason is Reason.CONNECTION_LOST
    assert transport.send(LETTER, sealed).outcome.reason is None
    assert server.sessions == 2


def test_what_cannot_be_an_address_costs_no_connection(transport, server):
    sealed = transport.seal(HELLO, None, ())
    for wrong in ("ä@example.org", "nobody", "a@example.org\r\nx"):
        assert transport.send(replace(LETTER, to=wrong), sealed).outcome.reason is Reason.BAD_ADDRESS
    assert server.sessions == 0


def test_a_closed_transport_lets_a_mail_end_and_keeps_no_connection(transport, server):
    sealed = transport.seal(HELLO, None, ())
    transport.close()
    assert transport.send(LETTER, sealed).outcome.reason is None
    assert not transport._free
