from flask import Flask

from notify_server.bootstrap import build_services
from notify_server.config import Config
from notify_server.console import access, problems
from notify_server.console.app import create_app
from notify_server.console.mount import Mounted
from notify_server.errors import DatabaseUnavailable
from tests.console.visitor import Visitor, said
from tests.services.interruption import Interrupted


def test_what_is_not_there_is_a_page_that_leads_on(admin):
    for path in ("/nothing", "/notifications/6b007bddabf10665a8c867db", "/notifications/x", "/users/nobody"):
        page = admin.get(path)
        assert (page.status_code, page.mimetype) == (404, "text/html")
        assert "To the overview" in said(page)


def test_another_method_is_refused(admin):
    assert admin.post("/notifications", {}).status_code == 405


def test_while_the_database_is_away_a_page_says_so(config, database):
    def away():
        raise DatabaseUnavailable("no primary of 10.0.0.1")

    app = create_app(config, build_services(config, Interrupted(database, 0, away)))
    visitor = Visitor(Mounted(Flask("api"), app))
    visitor.take_cookie("notify_console", "x")
    page = visitor.get("/notifications")
    assert (page.status_code, page.headers["Retry-After"]) == (503, "5")
    assert "reload the page in some seconds" in said(page)
    assert "10.0.0.1" not in page.text


def test_a_broken_framing_is_told(console):
    with console.test_request_context():
        page = problems.malformed(ValueError("a secret"))
    assert (page.status_code, "secret" in page.get_data(as_text=True)) == (400, False)


def test_a_fault_of_ours_is_a_page_without_its_cause(services):
    app = create_app(Config(), services)

    @access.open_to_all
    def broken():
        raise ValueError("a secret")

    app.add_url_rule("/broken", "broken", broken)
    page = Visitor(Mounted(Flask("api"), app)).get("/broken")
    assert page.status_code == 500
    assert "It was logged" in said(page)
    assert "secret" not in page.text
    assert page.headers["X-Frame-Options"] == "DENY"
