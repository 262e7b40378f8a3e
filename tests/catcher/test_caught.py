from email.message import EmailMessage

import pytest

from notify_server.catcher.caught import MOST, MOST_BYTES, Mails


def a_message() -> bytes:
    message = EmailMessage()
    message["Subject"] = "Grüße"
    message["From"], message["To"], message["Message-ID"] = "n@example.org", "a@example.org", "<m1@example.org>"
    message.set_content("text")
    message.add_alternative("<p>html</p>", subtype="html")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="a.pdf")
    return message.as_bytes()


def test_a_mail_is_shown_with_what_it_says():
    caught = Mails().add("n@example.org", ["a@example.org"], a_message())
    brief, whole = caught.summary(), caught.whole()
    assert (brief["id"], brief["to"], brief["subject"]) == (1, ["a@example.org"], "Grüße")
    assert "text" not in brief
    assert (whole["text"].strip(), whole["html"].strip()) == ("text", "<p>html</p>")
    assert whole["attachments"] == [{"name": "a.pdf", "type": "application/pdf"}]
    assert ["Message-ID", "<m1@example.org>"] in whole["headers"]


def test_the_newest_are_kept_and_come_first():
    mails = Mails()
    for _ in range(MOST + 5):
        mails.add("n@example.org", ["a@example.org"], b"")
    numbers = [caught.number for caught in mails.newest()]
    assert (len(numbers), numbers[0], numbers[-1]) == (MOST, MOST + 5, 6)
    assert mails.find(5) is None
    assert mails.find(6) is not None
    mails.clear()
    assert mails.newest() == []


def test_what_is_hardly_a_mail_is_shown_all_the_same():
    shown = Mails().add("", [], b"\xff\x00 no mail").whole()
    assert shown["subject"] == ""


@pytest.mark.parametrize(
    ("content", "subject", "text"),
    [
        (b"Message-ID: <\r\nSubject: Hello\r\n\r\ntext", "Hello", "text"),
        (b"Subject: Hello\r\nMessage-ID: <a@[b\r\nFrom: <\r\n\r\ntext", "Hello", "text"),
        (b"Subject: Hello\r\nContent-Type: text/plain; charset=nonsense\r\n\r\ntext", "Hello", None),
        (b"Subject: Hello\r\nContent-Type: multipart/mixed\r\n\r\ntext", "Hello", None),
    ],
)
def test_what_the_parser_fails_on_is_left_out_and_all_else_is_shown(content, subject, text):
    caught = Mails().add("n@example.org", ["a@example.org"], content)
    assert (caught.summary()["subject"], caught.whole()["text"]) == (subject, text)
    assert ["Subject", "Hello"] in caught.whole()["headers"]
    assert caught.whole()["html"] is None


def test_the_oldest_go_where_all_are_large():
    mails, quarter = Mails(), bytes(MOST_BYTES // 4)
    for _ in range(5):
        mails.add("n@example.org", ["a@example.org"], quarter)
    assert [caught.number for caught in mails.newest()] == [5, 4, 3, 2]
    mails.add("n@example.org", ["a@example.org"], b"x")
    assert [caught.number for caught in mails.newest()] == [6, 5, 4, 3]
    mails.clear()
    mails.add("n@example.org", ["a@example.org"], quarter * 4)
    assert [caught.number for caught in mails.newest()] == [7]
    mails.add("n@example.org", ["a@example.org"], quarter * 4 + b"x")
    assert mails.newest() == []
