import asyncio
import json

import pytest

from notify_server.catcher.caught import Mails
from notify_server.catcher.listing import Listing


@pytest.fixture
def mails():
    made = Mails()
    made.add("n@example.org", ["a@example.org"], b"Subject: first\r\n\r\ntext\r\n")
    made.add("n@example.org", ["b@example.org"], b"Subject: second\r\n\r\ntext\r\n")
    return made


def ask(mails, method, path, host="127.0.0.1:8003", **headers):
    sent = []

    async def send(event):
        sent.append(event)

    given = [(b"host", host.encode()), *((name.encode(), value.encode()) for name, value in headers.items())]
    scope = {"type": "http", "method": method, "path": path, "headers": given}
    asyncio.run(Listing(mails)(scope, None, send))
    return sent[0]["status"], sent[1]["body"]


def test_mails_are_listed_the_newest_first_and_shown_one_by_one(mails):
    status, body = ask(mails, "GET", "/mails")
    assert (status, [mail["subject"] for mail in json.loads(body)["mails"]]) == (200, ["second", "first"])
    status, body = ask(mails, "GET", "/mails/1")
    assert (status, json.loads(body)["text"]) == (200, "text\r\n")
    assert ask(mails, "GET", "/mails/1/source") == (200, b"Subject: first\r\n\r\ntext\r\n")


def test_they_can_be_forgotten(mails):
    assert ask(mails, "DELETE", "/mails") == (204, b"")
    assert json.loads(ask(mails, "GET", "/mails")[1]) == {"mails": []}


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/mails/9"), ("POST", "/mails"), ("DELETE", "/mails/1"), ("GET", "/mails/x")],
)
def test_nothing_else_is_there(mails, method, path):
    assert ask(mails, method, path)[0] == 404


@pytest.mark.parametrize("host", ["evil.example.org", "127.0.0.1.evil.example.org", "", "localhost:x"])
def test_who_names_another_host_gets_nothing(mails, host):
    assert ask(mails, "GET", "/mails", host)[0] == 403


def test_a_page_of_another_site_gets_nothing(mails):
    assert ask(mails, "DELETE", "/mails", origin="https://evil.example.org")[0] == 403
    assert len(mails.newest()) == 2
