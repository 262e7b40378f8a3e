import socket
import ssl
import threading
from dataclasses import replace

import pytest

from notify_server.channels.mail.smtp_session import Patience, Refused, Session
from notify_server.domain.email_settings import SmtpServer
from notify_server.domain.mail import Security
from notify_server.domain.registry import Reason
from tests.fcm_simulator import free_port
from tests.mail_server import PASSWORD, USERNAME, MailServer

MESSAGE = b"Subject: x\r\n\r\n.first\r\nlast"
TIMEOUT = 2.0
PATIENCE = Patience(TIMEOUT, taking=TIMEOUT)


def trusting(server: MailServer) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=server.ca_file)


@pytest.fixture
def opened():
    """Opens sessions, and hangs up at the end."""
    sessions = []

    def open_one(server: MailServer, *, patience: Patience = PATIENCE, **changes) -> Session:
        settings = {"host": "localhost", "port": server.port, "security": Security.STARTTLS} | changes
        sessions.append(Session(SmtpServer(**settings), trusting(server), patience))
        return sessions[-1]

    yield open_one
    for session in sessions:
        session.close()


def reason(answer):
    return answer.outcome.reason


@pytest.fixture(params=[False, True], ids=["one by one", "pipelining"])
def server(tmp_path, request):
    with MailServer(tmp_path, pipelining=request.param) as running:
        yield running


def test_mails_go_one_after_the_other_and_arrive_as_they_were(server, opened):
    session = opened(server)
    for user in "ab":
        assert reason(session.send("n@example.org", f"{user}@example.org", MESSAGE)) is None
    session.quit()
    assert [caught.to for caught in server.mails] == ["a@example.org", "b@example.org"]
    assert server.mails[0].content.replace(b"\r\n", b"\n") == MESSAGE.replace(b"\r\n", b"\n") + b"\n"
    assert server.sessions == 1


def test_a_refused_mail_leaves_the_connection_to_the_next_one(server, opened):
    session = opened(server)
    assert reason(session.send("n@example.org", "rcpt-550@example.org", MESSAGE)) is Reason.BAD_ADDRESS
    assert reason(session.send("n@example.org", "data-554@example.org", MESSAGE)) is Reason.MAIL_REJECTED
    assert session.usable
    assert reason(session.send("n@example.org", "a@example.org", MESSAGE)) is None


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("421", Reason.UNAVAILABLE),
        ("drop", Reason.UNAVAILABLE),
        ("lost", Reason.CONNECTION_LOST),
        ("stuck", Reason.CONNECTION_LOST),
    ],
)
def test_a_broken_connection_is_in_doubt_only_after_the_message_was_handed_over(server, opened, user, expected):
    session = opened(server)
    assert reason(session.send("n@example.org", f"{user}@example.org", MESSAGE)) is expected
    assert not session.usable


def test_a_server_may_take_its_time_to_say_that_it_has_a_mail(server, opened):
    """It has it all the while: who hangs up sends it again."""
    server.delay = 1.0
    session = opened(server, patience=Patience(0.3))
    assert reason(session.send("n@example.org", "a@example.org", MESSAGE)) is None
    assert session.usable


def test_who_is_to_stop_waits_no_longer_than_for_any_other_answer(server, opened):
    session = opened(server, patience=Patience(0.3, hurry=lambda: True))
    assert reason(session.send("n@example.org", "stuck@example.org", MESSAGE)) is Reason.CONNECTION_LOST
    assert not session.usable


@pytest.mark.parametrize("implicit", [True, False])
def test_both_ways_of_tls_and_a_login(tmp_path, opened, implicit):
    with MailServer(tmp_path, implicit=implicit, login=True) as server:
        security = Security.TLS if implicit else Security.STARTTLS
        session = opened(server, security=security, username=USERNAME, password=PASSWORD)
        assert reason(session.send("n@example.org", "a@example.org", MESSAGE)) is None
        with pytest.raises(Refused) as caught:
            opened(server, security=security, username=USERNAME, password="wrong")
        assert reason(caught.value.answer) is Reason.CREDENTIAL_REFUSED
        assert server.logins == 2  # a refusal is not answered with the next way to log in


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_a_server_that_hangs_up_in_the_handshake_is_unavailable(security):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            connection, _ = listener.accept()
            with connection:
                if security is Security.STARTTLS:
                    for line in (b"220 here\r\n", b"250-here\r\n250 STARTTLS\r\n", b"220 go on\r\n"):
                        connection.sendall(line)
                        connection.recv(1000)
                else:
                    connection.recv(1000)

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(Refused) as caught:
            Session(
                SmtpServer("127.0.0.1", listener.getsockname()[1], security), ssl.create_default_context(), PATIENCE
            )
        thread.join()
    assert reason(caught.value.answer) is Reason.UNAVAILABLE


def test_who_takes_leave_waits_for_nothing():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        heard: list[bytes] = []

        def keep_silent() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(TIMEOUT / 2)
                for line in (b"220 here\r\n", b"250 here\r\n"):
                    connection.sendall(line)
                    heard.append(connection.recv(1000))
                try:
                    heard.append(connection.recv(1000))
                except TimeoutError:
                    heard.append(b"it waits")

        thread = threading.Thread(target=keep_silent)
        thread.start()
        server = SmtpServer("127.0.0.1", listener.getsockname()[1], Security.NONE)
        Session(server, ssl.create_default_context(), PATIENCE).quit()
        thread.join()
    assert heard[1:] == [b"quit\r\n", b""]


def test_a_certificate_for_another_name_or_of_a_stranger_is_refused(server, tmp_path):
    with pytest.raises(Refused) as caught:
        Session(SmtpServer("localhost", server.port), ssl.create_default_context(), PATIENCE)
    assert reason(caught.value.answer) is Reason.TLS_FAILED
    with MailServer(tmp_path, host="127.0.0.2") as other:
        with pytest.raises(Refused) as caught:
            Session(SmtpServer("127.0.0.2", other.port), trusting(other), PATIENCE)
        assert reason(caught.value.answer) is Reason.TLS_FAILED


def test_a_server_without_starttls_gets_nothing_in_the_clear(tmp_path, opened):
    with MailServer(tmp_path, plain=True) as server:
        with pytest.raises(Refused) as caught:
            opened(server, username=USERNAME, password=PASSWORD)
        assert reason(caught.value.answer) is Reason.TLS_FAILED
        assert reason(opened(server, security=Security.NONE).send("n@e.org", "a@e.org", MESSAGE)) is None


class Scripted:
    """A server that answers each command with the next of its lines, whatever it was told."""

    def __init__(self, *lines: str) -> None:
        self.heard: list[bytes] = []
        self._lines = lines
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._converse)

    def __enter__(self) -> SmtpServer:
        self._thread.start()
        return SmtpServer("127.0.0.1", self._listener.getsockname()[1], Security.NONE)

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._listener.close()

    def _converse(self) -> None:
        connection, _ = self._listener.accept()
        with connection, connection.makefile("rb") as commands:
            connection.sendall(b"220 scripted\r\n")
            for line in self._lines:
                self.heard.append(commands.readline())
                if self.heard[-1] == b"Subject: x\r\n":
                    while self.heard[-1] != b".\r\n":
                        self.heard.append(commands.readline())
                connection.sendall(f"{line}\r\n".encode())


_EHLO, _PIPELINING = "250 scripted", "250-scripted\r\n250 PIPELINING"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["250 OK", "250 OK", "354 go", "banana"], Reason.CONNECTION_LOST),
        (["250 OK", "250 OK", "354 go", "199 hm"], Reason.CONNECTION_LOST),
        (["250 OK", "250 OK", "354 go", "354 go on"], Reason.CONNECTION_LOST),
        (["250 OK", "250 OK", "250 no data"], Reason.UNAVAILABLE),
        (["250 OK", "199 hm"], Reason.UNAVAILABLE),
        (["-1"], Reason.UNAVAILABLE),
        (["250 OK", "250 OK", "354 go", "250 OK"], None),
        (["250 OK", "251 will forward", "354 go", "250 OK"], None),
    ],
)
def test_only_a_reply_that_says_so_accepts_a_mail(lines, expected):
    with Scripted(_EHLO, *lines) as server:
        session = Session(server, ssl.create_default_context(), PATIENCE)
        answer = session.send("n@example.org", "a@example.org", b"Subject: x\r\n\r\ntext\r\n")
        assert reason(answer) is expected
        assert session.usable is (expected is None)
        session.close()


def test_a_server_that_goes_on_after_it_has_refused_all_gets_an_empty_message():
    scripted = Scripted(_PIPELINING, "250 OK", "550 5.1.1 nobody", "354 go on", "554 no recipients", "250 reset")
    with scripted as server:
        session = Session(server, ssl.create_default_context(), PATIENCE)
        assert reason(session.send("n@example.org", "a@example.org", MESSAGE)) is Reason.BAD_ADDRESS
        assert session.usable
        session.close()
    assert scripted.heard[1:] == [
        b"MAIL FROM:<n@example.org>\r\n",
        b"RCPT TO:<a@example.org>\r\n",
        b"DATA\r\n",
        b".\r\n",
        b"rset\r\n",
    ]


@pytest.mark.parametrize(
    ("mechanisms", "asked"), [("LOGIN", ["334 VXNlcm5hbWU6"]), ("CRAM-MD5", ["334 PDFA+"]), ("X", [])]
)
def test_a_server_that_offers_no_way_to_log_in_with_this_password_refuses_it(mechanisms, asked):
    with Scripted(f"250-scripted\r\n250 AUTH {mechanisms}", *asked) as server, pytest.raises(Refused) as caught:
        Session(replace(server, username="n", password="ünsafe"), ssl.create_default_context(), PATIENCE)
    assert reason(caught.value.answer) is Reason.CREDENTIAL_REFUSED


def test_a_connection_that_is_lost_at_the_login_says_nothing_of_the_password():
    with Scripted("250-scripted\r\n250 AUTH PLAIN") as server, pytest.raises(Refused) as caught:
        Session(replace(server, username="n", password="p"), ssl.create_default_context(), PATIENCE)
    assert reason(caught.value.answer) is Reason.UNAVAILABLE


def test_a_server_without_auth_refuses_the_credential(tmp_path, opened):
    with MailServer(tmp_path) as server:
        with pytest.raises(Refused) as caught:
            opened(server, username=USERNAME, password=PASSWORD)
        assert reason(caught.value.answer) is Reason.CREDENTIAL_REFUSED


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".example", "no such host"])
def test_a_host_that_cannot_be_is_unavailable(host):
    with pytest.raises(Refused) as caught:
        Session(SmtpServer(host, 25), ssl.create_default_context(), PATIENCE)
    assert reason(caught.value.answer) is Reason.UNAVAILABLE


def test_no_address_breaks_its_line(server, opened):
    session = opened(server)
    with pytest.raises(ValueError, match="one line"):
        session.send("n@example.org", "a@example.org>\r\nRCPT TO:<b@example.org", MESSAGE)
    assert server.tried == {}


def test_nobody_there_is_unavailable():
    with pytest.raises(Refused) as caught:
        Session(SmtpServer("127.0.0.1", free_port()), ssl.create_default_context(), PATIENCE)
    assert reason(caught.value.answer) is Reason.UNAVAILABLE


def test_a_server_that_greets_with_a_refusal_is_unavailable():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"554 no SMTP here\r\n")
                connection.recv(100)

        thread = threading.Thread(target=refuse)
        thread.start()
        with pytest.raises(Refused) as caught:
            Session(SmtpServer("127.0.0.1", listener.getsockname()[1]), ssl.create_default_context(), PATIENCE)
        thread.join()
    assert caught.value.answer.detail == "554"
