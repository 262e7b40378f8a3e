from dataclasses import replace
from ipaddress import ip_network

import pytest
from flask import Flask

from notify_server.config import Config
from notify_server.console.app import create_app
from notify_server.console.mount import Mounted
from tests.console.visitor import Visitor

HTTPS = {"wsgi.url_scheme": "https"}


def set_cookies(answer):
    return {cookie.partition("=")[0]: set(cookie.split("; ")[1:]) for cookie in answer.headers.getlist("Set-Cookie")}


def test_no_script_and_no_other_site_gets_at_a_cookie(visitor, services):
    plain = {"HttpOnly", "SameSite=Strict", "Path=/console"}
    assert set_cookies(visitor.get("/sign-in")) == {"notify_console_visitor": plain}
    made = set_cookies(visitor.sign_in(services.server_tokens.create("ops", [])))
    assert made["notify_console"] == plain
    assert "Max-Age=0" in made["notify_console_visitor"]


@pytest.mark.parametrize(
    ("environment", "headers", "is_secure"),
    [
        ({}, {}, False),
        (HTTPS, {}, True),
        ({}, {"X_Forwarded_Proto": "https"}, False),
        ({"REMOTE_ADDR": "10.0.0.9"}, {"X_Forwarded_Proto": "https"}, True),
        ({"REMOTE_ADDR": "10.0.0.9"}, {"X_Forwarded_Proto": "http"}, False),
    ],
)
def test_over_https_a_cookie_goes_over_nothing_else(services, environment, headers, is_secure):
    app = create_app(replace(Config(), trusted_proxies=(ip_network("10.0.0.0/8"),)), services)
    answer = Visitor(Mounted(Flask("api"), app), **environment).get("/sign-in", **headers)
    [flags] = set_cookies(answer).values()
    assert ("Secure" in flags) is is_secure


def test_the_secret_of_a_session_is_not_stored(admin, database):
    [session] = database["sessions"].find()
    assert admin.cookie("notify_console") not in str(session)
    assert len(session["_id"]) == 64
