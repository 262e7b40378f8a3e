"""Mails of a real catcher, which listens in this process."""

import smtplib
from dataclasses import replace
from email.message import EmailMessage

import pytest
from flask import Flask

from notify_server.channels.mail.catcher import Catcher
from notify_server.config import Config
from notify_server.console.app import create_app
from notify_server.console.mount import Mounted
from tests.console.visitor import Visitor, said
from tests.mail_catcher import running_catcher


@pytest.fixture
def catcher():
    with running_catcher() as found:
        yield found


@pytest.fixture
def admin_with(services):
    """Makes somebody signed in where the catcher listens at `url`."""

    def make(url):
        found = replace(services, catcher=Catcher(url))
        visitor = Visitor(Mounted(Flask("api"), create_app(Config(), found)))
        visitor.sign_in(services.server_tokens.create("ops", []))
        return visitor

    return make


def test_what_was_caught_is_shown_with_its_html_in_a_frame(admin_with, catcher):
    smtp, url = catcher
    visitor = admin_with(url)
    assert "Nothing has come in yet." in said(visitor.get("/caught"))
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Hello <b>", "n@example.org", "a@example.org"
    message.set_content("plain text")
    message.add_alternative("<p>as <b>HTML</b></p>", subtype="html")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="ticket.pdf")
    with smtplib.SMTP("127.0.0.1", smtp) as client:
        client.send_message(message)
    text = said(visitor.get("/caught"))
    assert "Hello <b> a@example.org n@example.org" in text
    page = visitor.get("/caught/1")
    assert '<iframe class="framed" sandbox src="/console/caught/1/html"' in page.text
    assert "plain text" in said(page)
    assert "ticket.pdf application/pdf" in said(page)
    framed = visitor.get("/caught/1/html")
    assert framed.text.strip() == "<p>as <b>HTML</b></p>"
    assert "; sandbox;" in framed.headers["Content-Security-Policy"]
    missing = visitor.get("/caught/7")
    assert (missing.status_code, "is not kept any more" in said(missing)) == (404, True)


def test_a_mail_without_html_has_no_frame(admin_with, catcher):
    smtp, url = catcher
    with smtplib.SMTP("127.0.0.1", smtp) as client:
        client.sendmail("n@example.org", "a@example.org", b"\r\nnothing but text")
    visitor = admin_with(url)
    page = visitor.get("/caught/1")
    assert "A mail without a subject" in said(page)
    assert "<iframe" not in page.text
    assert visitor.get("/caught/1/html").status_code == 404


def test_a_catcher_that_is_gone_is_told(admin_with):
    visitor = admin_with("http://127.0.0.1:1")
    assert "It does not answer." in said(visitor.get("/caught"))
    assert visitor.get("/caught/1").status_code == 404


def test_without_a_catcher_there_is_nothing_to_see(admin):
    page = admin.get("/caught")
    assert (page.status_code, "No mail catcher runs here" in said(page)) == (404, True)
    assert "/console/caught" not in admin.get("/mails").text
