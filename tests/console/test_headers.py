import re
from pathlib import Path

import pytest

from tests.console.test_access import closed

INLINE = re.compile(r"<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=|javascript:", re.IGNORECASE)
ELSEWHERE = re.compile(r"""(?:src|href|action)=["'](?!/console/|#|\?)([^"']+)""")


@pytest.fixture
def everything(console, admin, visitor, notify, services):
    """Every page, each with something on it."""
    identity = notify("u1", "u2", title="<b>Hello</b>", category="news")
    services.people.put("u1", {"groups": ["g1"], "community": "c1"})
    services.membership.replace("g1", None, ["u1"])
    paths = [path.replace("6b007bddabf10665a8c867db", identity) for path, method in closed(console) if method == "GET"]
    pages = {path: admin.get(path) for path in paths} | {"/sign-in": visitor.get("/sign-in")}
    return pages | {"/nothing": admin.get("/nothing"), "/users/u9": admin.get("/users/u9")}


def test_every_answer_is_confined(everything, admin):
    answers = {**everything, "/static/console.css": admin.get("/static/console.css")}
    assert len(answers) > 15
    for path, answer in answers.items():
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';"), path
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == ("no-cache" if path.startswith("/static") else "no-store")


def test_nothing_in_a_page_needs_more_than_that(everything):
    for path, answer in everything.items():
        if answer.mimetype == "text/html":
            assert not INLINE.search(answer.text), path
            assert ELSEWHERE.findall(answer.text) == [], path


def test_what_people_have_written_is_text(everything):
    assert any("&lt;b&gt;Hello" in answer.text for answer in everything.values())
    assert not any("<b>Hello" in answer.text for answer in everything.values() if answer.mimetype == "text/html")


def test_scripts_write_no_markup_and_run_no_text(console):
    for name in ("live.js", "charts.js", "export.js"):
        text = (Path(console.static_folder) / name).read_text()
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(", text)
        assert "http" not in text
