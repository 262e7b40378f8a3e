import re
from dataclasses import replace
from html import unescape

import pytest
from flask import Flask

from notify_server.bootstrap import build_services
from notify_server.console.app import create_app
from notify_server.console.mount import Mounted
from notify_server.domain.server_token import client_of
from tests.console.visitor import Visitor, said
from tests.services.interruption import Interrupted, die


def test_a_token_of_an_admin_lets_in(visitor, services, database):
    token = services.server_tokens.create("ops", [])
    answer = visitor.sign_in(f"  {token}\n")
    assert (answer.status_code, answer.location) == (303, "/console/")
    assert "ops" in said(visitor.get("/notifications"))
    assert database["sessions"].count_documents({"client": client_of(token)}) == 1


def test_who_came_for_a_page_gets_there(visitor, services):
    token = services.server_tokens.create("ops", [])
    for wanted in ("/notifications?state=done", "/?days=7&timezone=Europe/Vienna"):
        asked = visitor.get(wanted).location
        assert asked.startswith("/console/sign-in?back=/")
        form = visitor.get(asked.removeprefix("/console")).text
        back = unescape(re.search(r'name="back" value="([^"]*)"', form)[1])
        assert visitor.sign_in(token, back=back).location == f"/console{wanted}"
        visitor.submit("/notifications", "/sign-out")


def test_the_form_holds_where_to_go_on(visitor):
    assert 'name="back" value="/users/u1?cursor=x"' in visitor.get("/sign-in?back=/users/u1?cursor%3Dx").text


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example",
        "//evil.example",
        "/?\\evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "x",
        "",
    ],
)
def test_nobody_is_led_elsewhere(visitor, services, back):
    assert visitor.sign_in(services.server_tokens.create("ops", []), back=back).location == "/console/"


def test_who_may_not_see_the_overview_is_led_to_what_they_may(visitor, services):
    token = services.server_tokens.create("ops", ["admin", "send"])
    assert visitor.sign_in(token).location == "/console/health"
    assert visitor.sign_in(token, back="/?days=7").location == "/console/health"


@pytest.mark.parametrize("token", ["nobody", "nst_0123456789ab_" + "x" * 43])
def test_a_bad_token_is_refused_and_not_shown_again(visitor, database, token):
    page = visitor.sign_in(token)
    assert page.status_code == 401
    assert "This is not a valid server token." in said(page)
    assert token not in page.text
    assert visitor.cookie("notify_console") is None
    assert database["sessions"].count_documents({}) == 0


def test_an_empty_one_is_not_even_counted(visitor):
    assert visitor.sign_in(" ").status_code == 422


def test_a_new_sign_in_ends_the_session_before(admin, services, database):
    before = admin.cookie("notify_console")
    admin.sign_in(services.server_tokens.create("ops", []))
    assert admin.cookie("notify_console") != before
    assert database["sessions"].count_documents({}) == 1


def test_a_token_without_the_scope_admin_is_refused(visitor, services):
    page = visitor.sign_in(services.server_tokens.create("billing", ["send", "read"]))
    assert page.status_code == 403
    assert "lacks the scope admin" in said(page)


def test_one_bad_token_after_another_has_to_wait_and_a_good_one_has_not(config, database):
    services = build_services(replace(config, rate_refused=5.0), database)
    visitor = Visitor(Mounted(Flask("api"), create_app(config, services)))
    answers = [visitor.sign_in(f"nobody-{number}") for number in range(8)]
    assert [answer.status_code for answer in answers[:1] + answers[-1:]] == [401, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert visitor.sign_in(services.server_tokens.create("ops", [])).status_code == 303


def test_signing_out_ends_the_session_everywhere(admin, mounted, database):
    session = admin.cookie("notify_console")
    answer = admin.submit("/notifications", "/sign-out")
    assert answer.location == "/console/sign-in?why=left"
    assert "You have signed out." in said(admin.get("/sign-in?why=left"))
    assert database["sessions"].count_documents({}) == 0
    thief = Visitor(mounted)
    thief.take_cookie("notify_console", session)
    assert thief.get("/notifications").status_code == 303


def test_coming_and_going_have_their_lines_in_the_audit_log(admin, services, database):
    admin.submit("/notifications", "/sign-out")
    [token] = services.server_tokens.listed()
    lines = list(database["audit"].find().sort("_id", 1))
    assert [line["action"] for line in lines] == ["console.sign_in", "console.sign_out"]
    assert {(line["actor"]["id"], line["status"], line["address"]) for line in lines} == {
        (token["_id"], 303, "127.0.0.1")
    }


@pytest.mark.parametrize("ends", [False, True])
def test_no_session_begins_or_ends_without_its_line(config, services, database, mounted, ends):
    """Whatever dies in between: a line without a status says that it may have been done."""
    token, happened, at = services.server_tokens.create("ops", []), True, 0
    while happened:
        before = Visitor(mounted)
        if ends:
            before.sign_in(token)
        fields = {"form_token": before.form_token("/health" if ends else "/sign-in"), "token": token}
        database["audit"].delete_many({})
        interrupted = Interrupted(database, at, die)
        visitor = Visitor(Mounted(Flask("api"), create_app(config, build_services(config, interrupted))))
        for name in ("notify_console", "notify_console_visitor"):
            visitor.take_cookie(name, before.cookie(name) or "")
        done = visitor.post("/sign-out" if ends else "/sign-in", fields)
        assert done.status_code == (500 if interrupted.happened else 303)
        changed = database["sessions"].count_documents({}) != ends
        assert database["audit"].count_documents({}) >= changed
        database["sessions"].delete_many({})
        happened, at = interrupted.happened, at + 1
    assert changed
    assert at > 3


@pytest.mark.parametrize(
    ("environment", "warned"),
    [
        ({}, False),
        ({"REMOTE_ADDR": "192.0.2.7"}, True),
        ({"REMOTE_ADDR": "192.0.2.7", "wsgi.url_scheme": "https"}, False),
    ],
)
def test_who_would_send_a_token_in_the_clear_is_warned(mounted, environment, warned):
    page = Visitor(mounted, **environment).get("/sign-in")
    assert ("This connection is not encrypted" in said(page)) is warned
