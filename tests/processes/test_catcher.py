import os
import smtplib
import subprocess
import sys
import time
from email.message import EmailMessage

import httpx
import pytest

from tests.processes.free_ports import free_ports


@pytest.fixture
def catcher():
    """A running catcher: the ports of SMTP and HTTP."""
    smtp, http = free_ports(2)
    told = {"NOTIFY_CATCHER_SMTP_PORT": str(smtp), "NOTIFY_CATCHER_PORT": str(http)}
    process = subprocess.Popen(
        [sys.executable, "-m", "notify_server.cli", "catcher"], env=os.environ | told, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{http}/mails"
    while True:
        try:
            httpx.get(url)
            break
        except httpx.ConnectError:
            assert process.poll() is None
            time.sleep(0.05)
    yield smtp, url
    process.terminate()
    assert process.wait(20) in (0, -15)


def test_what_is_sent_to_it_is_listed(catcher):
    port, url = catcher
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Hello", "n@example.org", "a@example.org"
    message.set_content("text")
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.send_message(message)
    [mail] = httpx.get(url).json()["mails"]
    assert (mail["subject"], mail["to"]) == ("Hello", ["a@example.org"])
    assert httpx.get(f"{url}/{mail['id']}").json()["text"].strip() == "text"
    assert httpx.delete(url).status_code == 204
    assert httpx.get(url).json() == {"mails": []}
