import pytest
import structlog
from flask import Flask

from notify_server import errors
from notify_server.api import problems
from tests.api.caller import refused

RAISED = {
    "bad": (errors.Refused("Bad."), 400),
    "unauthenticated": (errors.Unauthenticated("Who?"), 401),
    "forbidden": (errors.Forbidden("No."), 403),
    "absent": (errors.NotFound("Where?"), 404),
    "conflict": (errors.Conflict("Again?"), 409),
    "away": (errors.DatabaseUnavailable("mongodb://u:secret@host is away"), 503),
    "pending": (errors.MigrationsPending("Run it."), 503),
    "standalone": (errors.NotAReplicaSet("mongodb://u:secret@host"), 503),
    "broken": (ZeroDivisionError("a secret"), 500),
    "channel": (errors.CredentialError("a secret"), 500),
}


@pytest.fixture
def client():
    """A client of an application whose every route raises."""
    app = Flask(__name__)
    app.config["PROPAGATE_EXCEPTIONS"] = False

    def view(name):
        raise RAISED[name][0]

    app.add_url_rule("/<name>", "view", view)
    problems.install(app)
    return app.test_client()


@pytest.mark.parametrize("name", RAISED)
def test_every_error_becomes_a_problem_document_without_secrets(client, name):
    with structlog.testing.capture_logs():
        answer = client.get(f"/{name}")
    refused(answer, RAISED[name][1])
    assert "secret" not in answer.text
    assert ("Retry-After" in answer.headers) is (answer.status_code == 503)
    assert answer.headers.get("WWW-Authenticate") == ("Bearer" if answer.status_code == 401 else None)


def test_what_nobody_foresaw_is_logged_with_its_route(client):
    with structlog.testing.capture_logs() as logged:
        client.get("/broken")
    [line] = logged
    assert (line["event"], line["endpoint"], line["log_level"]) == ("request failed", "view", "error")
    assert isinstance(line["exc_info"], ZeroDivisionError)


def test_a_wrong_method_says_which_are_right(app, backend):
    for method, path in [("DELETE", "/v1/notifications"), ("PATCH", "/v1/users/u1"), ("OPTIONS", "/v1/groups/g")]:
        answer = app.test_client().open(path, method=method)
        refused(answer, 405)
        assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v2/notifications", "/v1//notifications", "/v1/users/a/b", "/favicon.ico"]
)
def test_what_is_no_route_is_not_found_without_a_redirect(app, path):
    refused(app.test_client().get(path), 404)


def test_a_broken_framing_is_a_bad_request(app):
    with app.test_request_context("/"):
        answer = problems.malformed(ValueError("an Authorization header"))
    assert answer.status_code == 400
    assert "Authorization" not in answer.get_data(as_text=True)
