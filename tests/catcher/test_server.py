import asyncio

from aiosmtpd.smtp import Envelope

from notify_server.catcher.caught import Mails
from notify_server.catcher.server import Catching


def test_a_mail_is_kept_and_delivered_to_nobody():
    mails, envelope = Mails(), Envelope()
    envelope.mail_from, envelope.rcpt_tos, envelope.content = "n@example.org", ["a@example.org"], b"Subject: x\r\n\r\n"
    said = asyncio.run(Catching(mails).handle_DATA(None, None, envelope))
    assert said == "250 2.0.0 Ok: queued as 1"
    assert mails.find(1).to == ("a@example.org",)
