"""What the page is made of, and who gets it; what it does is in tests/realtime_clients/test_demo_page.py."""

import re
from dataclasses import replace

import pytest

from notify_server.api.app import create_app
from notify_server.config import Config
from tests.api.test_docs import References

HERE = {"Host": "127.0.0.1:8000"}
PAGE = HERE | {"Origin": "http://127.0.0.1:8000"}  # what the page's own requests say


@pytest.fixture(scope="module")
def browser(_services):
    return create_app(replace(Config(), demo=True), _services).test_client()


def test_without_up_there_is_none(app):
    browser = app.test_client()
    for path in ("/demo", "/demo/demo.js", "/demo/tokens/demo-ada"):
        assert browser.get(path, headers=HERE).status_code == 404
    assert browser.post("/demo/tokens/demo-ada", headers=PAGE).status_code == 404


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "localhost", "[::1]:8000"])
def test_the_page_comes_with_all_that_it_loads(browser, host):
    page = browser.get("/demo", headers={"Host": host})
    assert (page.status_code, page.mimetype) == (200, "text/html")
    found = References(page.text).found
    assert {"/demo/demo.js", "/demo/demo.css", "/demo/socket.io.min.js"} <= set(found)
    for path in found:
        assert browser.get(path, headers={"Host": host}, buffered=True).status_code == 200
    assert 'data-realtime-port="8001"' in page.text


def test_nothing_in_the_page_needs_more_than_the_policy_allows(browser):
    page = browser.get("/demo", headers=HERE)
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert "ws://127.0.0.1:8001" in policy
    assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=|\sstyle=", page.text)
    script = browser.get("/demo/demo.js", headers=HERE, buffered=True).text
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script)
    assert "http" not in script.replace("${location.protocol}", "")


def test_a_demo_user_gets_a_token_of_their_own(browser, services):
    answer = browser.post("/demo/tokens/demo-ada", headers=PAGE)
    assert services.user_tokens.authenticate(answer.json["token"]) == "demo-ada"
    assert answer.headers["Cache-Control"] == "no-store"
    headers = HERE | {"Authorization": f"Bearer {answer.json['token']}"}
    assert browser.get("/v1/me/notifications", headers=headers).status_code == 200


@pytest.mark.parametrize("user", ["ada", "Demo-ada", "demo", "x-demo-ada"])
def test_nobody_else_does(browser, user):
    answer = browser.post(f"/demo/tokens/{user}", headers=PAGE)
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["user_id"])


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "notify.example"},
        {"Host": "notify.example:8000"},
        {"Host": "127.0.0.1.example:8000"},
        HERE | {"Origin": "http://127.0.0.1:9000"},
        HERE | {"Origin": "https://evil.example"},
        HERE | {"Origin": "null"},
        PAGE | {"X-Forwarded-For": "192.0.2.7"},
        PAGE | {"X-Real-IP": "192.0.2.7"},
        PAGE | {"X-Forwarded-Proto": "https"},
        PAGE | {"Forwarded": "for=192.0.2.7"},
        PAGE | {"Via": "1.1 proxy"},
    ],
)
def test_who_comes_from_elsewhere_finds_nothing(browser, headers):
    assert browser.get("/demo", headers=headers).status_code == 404
    answer = browser.post("/demo/tokens/demo-ada", headers=headers)
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")


def test_who_is_not_the_page_gets_no_token(browser):
    """As what comes through a proxy that sends its own Host and says nothing of itself."""
    for said in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "none"}):
        assert browser.post("/demo/tokens/demo-ada", headers=HERE | said).status_code == 404
    assert browser.post("/demo/tokens/demo-ada", headers=HERE | {"Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_another_machine_finds_nothing_either(browser):
    answer = browser.post("/demo/tokens/demo-ada", headers=PAGE, environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert answer.status_code == 404


@pytest.mark.parametrize("name", ["index.html", "nothing.js", "..%2fdemo.py", "../demo.py"])
def test_there_are_no_other_files(browser, name):
    assert browser.get(f"/demo/{name}", headers=HERE).status_code == 404


def test_the_vendored_client_comes_with_its_licence(browser):
    assert browser.get("/demo/socket.io.min.js", headers=HERE, buffered=True).text.startswith("/*!\n * Socket.IO v4.")
    assert "MIT License" in browser.get("/demo/socket.io.LICENSE.txt", headers=HERE, buffered=True).text
