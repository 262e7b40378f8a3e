"""Mail: from one POST until every mail is `sent`, through a local SMTP server; and what texts of three locales cost.

The SMTP server is a stand-in that accepts everything, in processes of its own, so that what is measured is ours.
"""

import multiprocessing
import smtplib
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from time import thread_time
from typing import Any

import psutil

from notify_server.bootstrap import build_email_settings
from notify_server.channels.mail import composition
from notify_server.domain import plain_html
from notify_server.domain.email_settings import EmailSettings, SmtpServer
from notify_server.domain.mail import Address, Letter, Security, Service
from notify_server.domain.notification import Audience, Message, Notification
from notify_server.domain.texts import Mail, Text, Texts
from notify_server.domain.user import User
from scripts.benchmarks.delivery import await_done
from scripts.benchmarks.fcm_peer import FcmPeer
from scripts.benchmarks.installation import Installation, cpu_seconds, installation
from scripts.benchmarks.population import fill_group
from scripts.benchmarks.report import Result

RECIPIENTS = 10_000
_RENDERED = 100_000
_LOCALES = ("en", "de", "fr")
_BARE = 4_000  # mails of the reference
_PAYLOAD: dict[str, Any] = {
    "message": {"title": "Timetable", "body": "Monday begins at nine.\n\nBring your books."},
    "groups": ["school"],
    "category": "timetable",
    "channels": ["email"],
}


def run() -> Result:
    """Measure; `cpu_us` is the worker's processor time for one mail, in microseconds, the others are beside it.

    The reference is smtplib with email.message over as many connections, which writes nothing down.
    """
    with FcmPeer() as peer, _smtp_server() as (port, server), installation(peer) as running:
        fill_group(running.database, "school", RECIPIENTS)
        running.database.users.update_many({}, [{"$set": {"email": {"$concat": ["$_id", "@example.org"]}}}])
        target = SmtpServer("127.0.0.1", port, Security.NONE)
        settings = build_email_settings(running.config, running.database)
        settings.put(EmailSettings(Service.SMTP, Address("notify@example.org", "Notify"), smtp=target))
        figures = _measure(running, server)
        reference = _bare(port, running.config.mail_connections)
    return Result("email", figures | _texts(), reference)


def _measure(running: Installation, server: psutil.Process) -> dict[str, float]:
    parts = {"cpu_us": running.workers, "mongod_cpu_us": [running.mongod], "server_cpu_us": [server]}
    with running.client() as backend:
        before = {name: cpu_seconds(processes) for name, processes in parts.items()}
        began = time.perf_counter()
        await_done(running, running.post(backend, _PAYLOAD))
        seconds = time.perf_counter() - began
    sent = running.database.mails.count_documents({"status": "sent"})
    if sent != RECIPIENTS:
        raise RuntimeError(f"{sent} of {RECIPIENTS} mails were sent")
    used = {name: cpu_seconds(processes) - before[name] for name, processes in parts.items()}
    figures = {name: round(spent / RECIPIENTS * 1e6, 1) for name, spent in used.items()}
    return {"mails_per_second": round(RECIPIENTS / seconds)} | figures


def _bare(port: int, connections: int) -> dict[str, float]:
    """The same mail by the standard library alone."""
    each = _BARE // connections

    def send(_: int) -> float:
        with smtplib.SMTP("127.0.0.1", port) as smtp:
            for number in range(each):
                message = EmailMessage()
                message["From"], message["To"] = "Notify <notify@example.org>", f"u{number}@example.org"
                message["Subject"], message["Message-ID"] = "Timetable", f"<{number}@example.org>"
                message.set_content(_PAYLOAD["message"]["body"])
                message.add_alternative(plain_html.page(_PAYLOAD["message"]["body"]), subtype="html")
                smtp.send_message(message)
            return thread_time()

    began = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        spent = sum(pool.map(send, range(connections)))
    seconds = time.perf_counter() - began
    sent = each * connections
    return {"mails_per_second": round(sent / seconds), "cpu_us": round(spent / sent * 1e6, 1)}


def _texts() -> dict[str, float]:
    """What it costs to know what to say to one of 100,000 recipients of three locales, and to write their mail."""
    said = "Monday at nine. " * 40
    mails = {locale: Mail(f"Timetable {locale}", said, f"<p>{said}</p>") for locale in _LOCALES}
    texts = Texts("timetable", 1, "en", {locale: Text("Timetable", "Monday") for locale in _LOCALES})
    now = datetime.now(UTC)
    notification = Notification("0" * 24, Message("t"), Audience(everyone=True), now, texts=texts)
    sender, users = Address("notify@example.org"), [User(f"u{n}", locale=_LOCALES[n % 3]) for n in range(_RENDERED)]
    began = time.process_time()
    written = {mail: composition.write(mail, sender, None) for mail in mails.values()}
    for user in users:
        _ = written[mails[notification.texts.choose(user.locale)]]  # type: ignore[union-attr]
    rendered = time.process_time() - began
    began = time.process_time()
    sheet = next(iter(written.values()))
    for user in users[:5_000]:
        composition.complete(sheet, Letter(f"{user.id}@example.org", "0" * 40), now)
    composed = time.process_time() - began
    return {
        "rendering_us": round(rendered / _RENDERED * 1e6, 2),
        "composition_us": round(composed / 5_000 * 1e6, 1),
    }


@contextmanager
def _smtp_server() -> Iterator[tuple[int, psutil.Process]]:
    """The port of an SMTP server that takes everything as fast as it comes, and its process."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    process = multiprocessing.Process(target=_accept_everything, args=(listener,), daemon=True)
    process.start()
    try:
        yield int(listener.getsockname()[1]), psutil.Process(process.pid)
    finally:
        process.terminate()
        process.join()
        listener.close()


def _accept_everything(listener: socket.socket) -> None:
    import threading  # noqa: PLC0415 - of the child alone

    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_converse, args=(connection,), daemon=True).start()


def _converse(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection, connection.makefile("rb") as lines:
        connection.sendall(b"220 bench ESMTP\r\n")
        for line in lines:
            command = line[:4].upper()
            if command == b"DATA":
                connection.sendall(b"354 go on\r\n")
                for part in lines:
                    if part == b".\r\n":
                        break
                connection.sendall(b"250 2.0.0 Ok: queued as B\r\n")
            elif command == b"EHLO":
                connection.sendall(b"250-bench\r\n250 PIPELINING\r\n")
            elif command == b"QUIT":
                connection.sendall(b"221 bye\r\n")
                return
            else:
                connection.sendall(b"250 OK\r\n")
