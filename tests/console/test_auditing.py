"""Lines of what is done at the console; tests of its pages look at those of each page."""

import pytest
from flask import Flask

from notify_server.config import Config
from notify_server.console import access, auditing
from notify_server.console.app import create_app
from notify_server.console.mount import Mounted
from notify_server.errors import Conflict
from notify_server.services.audit import Kind, Party
from tests.console.visitor import Visitor


def done(services, database, act):
    """The line of what a page does."""
    app = create_app(Config(), services)

    @access.needs()
    def page(thing):
        with auditing.recorded("console.try", ["b", "a"], Party(Kind.OTHER, thing)) as outcome:
            act(outcome)
        return ""

    app.add_url_rule("/things/<thing>", "late", page, methods=["GET"])
    visitor = Visitor(Mounted(Flask("api"), app))
    visitor.sign_in(services.server_tokens.create("ops", []))
    visitor.get("/things/t1")
    [line] = database["audit"].find({"action": "console.try"})
    return line


def test_it_tells_who_did_what_to_what_and_from_where(services, database):
    line = done(services, database, lambda _: None)
    [token] = services.server_tokens.listed()
    assert line["actor"]["id"] == token["_id"]
    assert (line["route"], line["fields"], line["address"]) == ("GET /console/things/{thing}", ["a", "b"], "127.0.0.1")
    assert (line["object"]["id"], line["status"]) == ("t1", 303)


@pytest.mark.parametrize(("error", "status"), [(Conflict("no"), 409), (RuntimeError("a fault"), 500)])
def test_it_tells_how_it_ended(services, database, error, status):
    def fail(outcome):
        raise error

    assert done(services, database, fail)["status"] == status
