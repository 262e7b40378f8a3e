import smtplib
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from notify_server.channels.mail.catcher import Catcher
from notify_server.errors import NotFound
from tests.mail_catcher import running_catcher


def test_what_was_caught_is_read_from_the_catcher():
    with running_catcher() as (port, url):
        catcher = Catcher(url)
        assert catcher.mails() == []
        with smtplib.SMTP("127.0.0.1", port) as client:
            client.sendmail("n@example.org", "a@example.org", b"Subject: Hello\r\n\r\ntext")
        [mail] = catcher.mails()
        assert (mail["subject"], mail["to"]) == ("Hello", ["a@example.org"])
        assert catcher.mail(mail["id"])["text"].strip() == "text"
        with pytest.raises(NotFound, match="not kept any more"):
            catcher.mail(mail["id"] + 1)


def test_where_none_answers_nothing_is_known():
    catcher = Catcher("http://127.0.0.1:1")
    assert catcher.mails() is None
    with pytest.raises(NotFound):
        catcher.mail(1)


@pytest.mark.parametrize("status", [302, 403, 404, 500])
def test_an_answer_that_is_none_of_the_catchers_counts_as_none(status):
    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            catcher = Catcher(f"http://127.0.0.1:{server.server_port}")
            assert catcher.mails() is None
            with pytest.raises(NotFound):
                catcher.mail(1)
        finally:
            server.shutdown()
            thread.join()
