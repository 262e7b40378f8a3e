"""Mails are made ready as they are sent: of what is the same for several there is one."""

import socket
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Thread
from typing import Self

import pytest

from notify_server.channels.mail.smtp import Limits, SmtpTransport
from notify_server.domain.email_settings import EmailSettings, SmtpServer
from notify_server.domain.mail import Address, Letter, Security, Service
from notify_server.domain.notification import Attachment, Audience, Channel
from notify_server.domain.texts import Mail, Text, Texts
from notify_server.domain.user import User
from notify_server.domain.user_fields import UserField, mark
from notify_server.services.mail_seals import Seals
from notify_server.services.mail_sorting import Sheet
from notify_server.storage.notifications import Notifications
from tests.builders import NOON, a_notification
from tests.services.scene import Scene

FILE = Attachment("a.pdf", "application/pdf", b"x" * 1000)
SAME = Mail("s", "t")
OWN = Mail(f"s {mark(UserField.ID)}", f"t {mark(UserField.ID)}")


@pytest.fixture
def read():
    return []


@pytest.fixture
def seals(read):
    def attachments(notification):
        read.append(notification)
        return [FILE]

    server, sender = SmtpServer("localhost", 1), Address("n@example.org")
    return Seals(SmtpTransport(server, sender, Limits(1.0), lambda: NOON), "r@example.org", attachments)


def sheet(mail=SAME, user="a", reader=None):
    return Sheet(user, Letter(f"{user}@example.org", user), mail, "c", reader)


def test_what_is_the_same_for_several_is_made_once(seals, read):
    notification = a_notification()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: seals.of(notification, sheet(user=str(n))), range(50)))
    assert all(each is found[0] for each in found)
    assert read == [notification.id]


def test_mails_with_fields_of_their_reader_share_the_attachments_alone(seals, read):
    notification = a_notification()
    first, second = (seals.of(notification, sheet(OWN, user, User(user))) for user in "ab")
    assert b"\r\nt a\r\n" in first.shared
    assert b"\r\nt b\r\n" in second.shared
    assert b"Subject: s b\r\n" in second.shared
    assert first.enclosed is second.enclosed
    assert read == [notification.id]


def test_each_notification_has_its_own_address_for_answers_and_attachments(seals, read):
    one, two = a_notification(), a_notification(reply_to="own@example.org")
    assert b"Reply-To: r@example.org" in seals.of(one, sheet()).shared
    assert b"Reply-To: own@example.org" in seals.of(two, sheet()).shared
    assert read == [one.id, two.id]


def test_few_notifications_are_kept_ready(seals):
    for _ in range(9):
        seals.of(a_notification(), sheet())
    assert len(seals._kept) == 2


def test_what_no_mail_may_hold_is_refused(seals):
    with pytest.raises(ValueError, match="one line"):
        seals.of(a_notification(), sheet(Mail("x\r\nBcc: v@example.org", "b")))


class Sink:
    """An SMTP server that takes everything, and keeps of it how much there was."""

    def __init__(self) -> None:
        self.mails, self.bytes = 0, 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self._threads = [Thread(target=self._listen)]
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join()
        self._listener.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._threads.append(Thread(target=self._converse, args=(connection,)))
                self._threads[-1].start()

    def _converse(self, connection: socket.socket) -> None:
        with connection, suppress(ConnectionError):  # who has said QUIT waits for no answer
            connection.sendall(b"220 sink\r\n")
            while command := connection.recv(1000):
                if command.upper().startswith(b"DATA"):
                    connection.sendall(b"354 go on\r\n")
                    self._take(connection)
                connection.sendall(b"250 OK\r\n")

    def _take(self, connection: socket.socket) -> None:
        end, buffer = b"", bytearray(65_536)
        while end != b"\r\n.\r\n":
            count = connection.recv_into(buffer)
            end = (end + buffer[max(count - 5, 0) : count])[-5:]
            self.bytes += count
        self.mails += 1


@pytest.mark.parametrize("own", [False, True], ids=["the same for all", "fields of its reader"])
def test_a_batch_of_500_mails_with_a_mebibyte_of_attachments_needs_a_few_of_them_in_memory(scene: Scene, own) -> None:
    """Less than 12 MiB, where each of the mails has 1.4: the encoded attachments once, and what encoding them takes."""
    fields = frozenset({UserField.ID}) if own else frozenset()
    said = Mail("s", f"t {mark(UserField.ID)}" if own else "t")
    people = tuple(sorted(f"u{number:03}" for number in range(500)))
    made = a_notification(
        audience=Audience(people),
        texts=Texts("t", 1, "en", {"en": Text("T")}, fields),
        mails={"en": said},
        attachments=(Attachment("a.bin", "application/octet-stream", bytes(1024 * 1024)),),
        channels=(Channel.EMAIL,),
    )
    Notifications(scene.database).add(made, None)
    scene.address(*people)
    scene.expand()
    with Sink() as sink:
        target = SmtpServer("127.0.0.1", sink.port, Security.NONE)
        scene.services.email_settings.put(EmailSettings(Service.SMTP, Address("n@example.org"), smtp=target))
        worker = scene.worker()
        tracemalloc.start()
        try:
            scene.mail(worker)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        worker.mailing.close()
    assert sink.mails == 500
    assert sink.bytes > 500 * 1.3 * 1024 * 1024
    assert most < 12 * 1024 * 1024
    assert set(scene.standing(made.id).values()) == {("sent", None)}
