import re
from pathlib import Path

import pytest

from notify_server.config import Config
from notify_server.console.app import create_app
from notify_server.domain.mail import MailRecord
from notify_server.domain.registry import Status
from notify_server.domain.template import Content, Source
from notify_server.domain.texts import Mail
from notify_server.storage.mails import Mails
from tests.builders import NOON, after
from tests.console.test_access import N, closed

INLINE = re.compile(r"<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=|javascript:", re.IGNORECASE)
ELSEWHERE = re.compile(r"""(?:src|href|action)=["'](?!/console/|#|\?)([^"']+)""")


@pytest.fixture
def mail(database):
    """A mail with HTML, which others have written."""
    identity, far = f"{N}0123456789abcdef", after(9e8)
    message = Mail("<b>Hello", "<b>Hello</b>", "<style>p {}</style><p onclick=x>Hi</p><script>alert(1)</script>")
    mails = Mails(database)
    mails.say([("said", message)], far)
    mails.enter([MailRecord(identity, N, "u1", Status.PENDING, NOON, far, far, content="said", subject="<b>Hello")])
    return identity


@pytest.fixture
def everything(admin, visitor, notify, services, mail):
    """Every page, each with something on it."""
    identity = notify("u1", "u2", title="<b>Hello</b>", category="news")
    services.people.put("u1", {"groups": ["g1"], "community": "c1"})
    services.membership.replace("g1", None, ["u1"])
    source = Source("<b>Hello</b>", subject="<b>Hello</b>", text="<b>Hello</b>", html="<style>p {}</style><p>Hi")
    services.templates.put("g1", Content("en", {"en": source}))
    found = [path for path, method in closed(create_app(Config(), services)) if method == "GET"]
    paths = [path if mail in path else path.replace(N, identity) for path in found]
    pages = {path: admin.get(path) for path in paths} | {"/sign-in": visitor.get("/sign-in")}
    return pages | {"/nothing": admin.get("/nothing"), "/users/u9": admin.get("/users/u9")}


def is_framed(answer):
    return "sandbox" in answer.headers["Content-Security-Policy"]


def test_every_answer_is_confined(everything, admin):
    answers = {**everything, "/static/console.css": admin.get("/static/console.css")}
    assert len(answers) > 15
    assert [path for path, answer in answers.items() if is_framed(answer)] == [
        f"/mails/{N}0123456789abcdef/html",
        "/templates/g1/html",
    ]
    for path, answer in answers.items():
        if is_framed(answer):
            continue
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';"), path
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == ("no-cache" if path.startswith("/static") else "no-store")


def test_nothing_in_a_page_needs_more_than_that(everything):
    for path, answer in everything.items():
        if answer.mimetype == "text/html" and not is_framed(answer):
            assert not INLINE.search(answer.text), path
            assert ELSEWHERE.findall(answer.text) == [], path


def test_what_people_have_written_is_text(everything):
    assert any("&lt;b&gt;Hello" in answer.text for answer in everything.values())
    pages = [answer for answer in everything.values() if answer.mimetype == "text/html" and not is_framed(answer)]
    assert not any("<b>Hello" in answer.text for answer in pages)


def test_what_is_framed_runs_nothing_fetches_nothing_and_is_in_no_frame_of_others(everything):
    for answer in filter(is_framed, everything.values()):
        policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["Content-Security-Policy"].split(";"))
        assert policy == {
            "default-src": "'none'",
            "style-src": "'unsafe-inline'",
            "img-src": "data:",
            "sandbox": "",
            "form-action": "'none'",
            "base-uri": "'none'",
            "frame-ancestors": "'self'",
        }
        assert (answer.headers["X-Frame-Options"], answer.headers["Cache-Control"]) == ("SAMEORIGIN", "no-store")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_scripts_write_no_markup_and_run_no_text(console):
    for name in ("live.js", "charts.js", "export.js"):
        text = (Path(console.static_folder) / name).read_text()
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(", text)
        assert "http" not in text
