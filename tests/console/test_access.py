from dataclasses import replace

import pytest
from flask import Flask

from notify_server.bootstrap import build_services
from notify_server.config import Config
from notify_server.console import access
from notify_server.console.app import create_app
from notify_server.console.mount import Mounted
from notify_server.domain.server_token import Scope, client_of
from notify_server.services.sessions import IDLE
from tests.builders import NOON, StoppedClock
from tests.console.visitor import Visitor, said

N = "6b007bddabf10665a8c867db"
NAMED = {"notification_id": N, "user_id": "u1", "name": "g1", "mail_id": f"{N}0123456789abcdef", "number": 1}


def closed(console):
    """Path and methods of every page that is not open to all."""
    for rule in console.url_map.iter_rules():
        if access.access_to(console, rule.endpoint).scopes is not None:
            _, path = rule.build({name: NAMED[name] for name in rule.arguments})
            yield path, "POST" if "POST" in rule.methods else "GET"


def test_only_the_way_in_and_static_files_are_open_to_all(console):
    open_ones = {name for name in console.view_functions if access.access_to(console, name).scopes is None}
    assert open_ones == {"static", "entrance.show", "entrance.sign_in"}


def test_who_is_not_signed_in_is_led_to_the_sign_in_and_sees_nothing(console, visitor):
    pages = list(closed(console))
    assert len(pages) > 15
    for path, method in pages:
        answer = visitor.get(path) if method == "GET" else visitor.post(path, {})
        assert (answer.status_code, answer.location.partition("?")[0]) == (303, "/console/sign-in"), path


def test_a_script_is_told_and_not_led(console, visitor):
    for path, method in closed(console):
        if method == "GET":
            assert visitor.get(path, accept="application/json").status_code == 401


def test_a_made_up_session_is_none(visitor):
    visitor.take_cookie("notify_console", "made-up")
    assert visitor.get("/notifications").location == "/console/sign-in?back=/notifications&why=ended"
    visitor.take_cookie("notify_console", "x" * 500)
    assert visitor.get("/notifications").status_code == 303


@pytest.mark.parametrize(
    ("path", "needed"),
    [
        ("/", "read or statistics"),
        ("/notifications", "read"),
        ("/users/u1", "read"),
        ("/send", "send"),
        ("/export", "read"),
        ("/templates/g1", "read"),
    ],
)
def test_a_token_without_the_scope_of_a_page_is_told_which(signed_in, path, needed):
    page = signed_in("users").get(path)
    assert page.status_code == 403
    assert f"lacks the scope {needed}." in said(page)


def test_figures_are_for_either_scope(signed_in):
    assert signed_in("statistics").get("/groups").status_code == 200
    assert signed_in("read").get("/groups").status_code == 200


def test_a_session_ends_with_its_token(admin, services):
    [token] = services.server_tokens.listed()
    assert admin.get("/notifications").status_code == 200
    services.server_tokens.revoke(token["_id"])
    asked = admin.get("/notifications").location
    assert asked == "/console/sign-in?back=/notifications&why=ended"
    assert "Your session has ended." in said(admin.get(asked.removeprefix("/console")))


def test_a_token_that_loses_its_scope_loses_the_console(admin, services, database):
    database["clients"].update_many({}, {"$set": {"scopes": ["read"]}})
    assert admin.get("/notifications").status_code == 403


@pytest.fixture
def timed(config, database):
    """A console by a clock that stands still, somebody in it, and the clock."""
    clock = StoppedClock(NOON)
    services = build_services(config, database, clock)
    visitor = Visitor(Mounted(Flask("api"), create_app(config, services)))
    visitor.sign_in(services.server_tokens.create("ops", []))
    return visitor, clock


def test_what_a_page_asks_for_by_itself_keeps_no_session_going(timed, database):
    visitor, clock = timed
    live = f"/notifications/{N}/live"
    for _ in range(2):
        clock.forward(IDLE.total_seconds() * 0.6)
        last = visitor.get(live, accept="application/json").status_code
    assert last == 401


def test_pages_do(timed):
    visitor, clock = timed
    for _ in range(4):
        clock.forward(IDLE.total_seconds() * 0.6)
        assert visitor.get("/notifications").status_code == 200


def test_requests_count_towards_the_rate_of_the_token(config, database):
    services = build_services(replace(config, rate_server=0.1), database)
    visitor = Visitor(Mounted(Flask("api"), create_app(config, services)))
    visitor.sign_in(services.server_tokens.create("ops", []))
    answers = [visitor.get("/notifications").status_code for _ in range(3)]
    assert answers[-1] == 429


def test_a_page_that_does_not_say_who_may_see_it_is_not_built(services):
    app = Flask(__name__)
    app.add_url_rule("/bare", "bare", lambda: "")
    with pytest.raises(LookupError, match="bare"):
        access.install(app)


def test_a_page_that_is_added_later_is_refused(services):
    app = create_app(Config(), services)
    app.add_url_rule("/late", "late", lambda: "secret")
    page = Visitor(Mounted(Flask("api"), app)).get("/late")
    assert (page.status_code, "secret" in page.text) == (403, False)


def test_scopes_of_pages_are_known(console):
    for endpoint in console.view_functions:
        assert (access.access_to(console, endpoint).scopes or frozenset()) <= set(Scope)


def test_the_last_use_of_the_token_is_noted(admin, services):
    admin.get("/notifications")
    [token] = services.server_tokens.listed()
    assert token["used_at"] is not None
    assert client_of(f"nst_{token['_id']}_x") == token["_id"]
