import smtplib
from email.message import EmailMessage

import httpx

from tests.mail_catcher import running_catcher


def test_what_is_sent_to_it_is_listed():
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Hello", "n@example.org", "a@example.org"
    message.set_content("text")
    with running_catcher() as (port, url):
        with smtplib.SMTP("127.0.0.1", port) as client:
            client.send_message(message)
        [mail] = httpx.get(f"{url}/mails").json()["mails"]
        assert (mail["subject"], mail["to"]) == ("Hello", ["a@example.org"])
        assert httpx.get(f"{url}/mails/{mail['id']}").json()["text"].strip() == "text"
        assert httpx.delete(f"{url}/mails").status_code == 204
        assert httpx.get(f"{url}/mails").json() == {"mails": []}
