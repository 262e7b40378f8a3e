from email.message import EmailMessage

from notify_server.catcher.caught import MOST, Mails


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
    brief, whole = caught.as_json(), caught.as_json(whole=True)
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
    shown = Mails().add("", [], b"\xff\x00 no mail").as_json(whole=True)
    assert shown["subject"] == ""
