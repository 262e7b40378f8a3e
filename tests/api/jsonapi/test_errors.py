import pytest
from flask import Flask

from notify_server.api import problems
from notify_server.api.jsonapi.errors import MAX_FAULTS, Fault, Faulty, is_spoken, refusal
from notify_server.errors import DatabaseUnavailable, InvalidInput, TooManyRequests, Unauthenticated
from tests.api.caller import refused
from tests.api.jsonapi.rules import violations
from tests.api.jsonapi.speaker import faulty

RAISED = {
    "busy": (TooManyRequests(7), 429, ("Retry-After", "7")),
    "away": (DatabaseUnavailable("mongodb://u:secret@host"), 503, ("Retry-After", "5")),
    "who": (Unauthenticated("Who?"), 401, ("WWW-Authenticate", "Bearer")),
    "broken": (ZeroDivisionError("a secret"), 500, None),
    "input": (InvalidInput({"user_id": ["Bad."], "more": ["Worse."]}), 422, None),
}


@pytest.fixture
def client():
    """A client of an application whose every route raises."""
    app = Flask(__name__)
    app.config["PROPAGATE_EXCEPTIONS"] = False

    def view(name):
        raise RAISED[name][0]

    for number, prefix in enumerate(("/jsonapi/", "/")):
        app.add_url_rule(f"{prefix}<name>", f"view{number}", view)
    problems.install(app)
    return app.test_client()


@pytest.mark.parametrize("name", RAISED)
def test_every_error_below_jsonapi_is_an_error_document_with_its_headers(client, name):
    _, status, header = RAISED[name]
    answer = client.get(f"/jsonapi/{name}")
    faulty(answer, status)
    assert header is None or answer.headers[header[0]] == header[1]
    assert "secret" not in answer.text


def test_everywhere_else_it_is_a_problem_document(client):
    refused(client.get("/busy"), 429)
    assert client.get("/input").json["errors"] == {"user_id": ["Bad."], "more": ["Worse."]}


def test_each_field_of_invalid_input_has_an_error_of_its_own(client):
    details = [error["detail"] for error in client.get("/jsonapi/input").json["errors"]]
    assert details == ["user_id: Bad.", "more: Worse."]


@pytest.mark.parametrize(
    ("path", "spoken"),
    [("/jsonapi", True), ("/jsonapi/", True), ("/jsonapi/x/y", True), ("/jsonapis", False), ("/v1/jsonapi/", False)],
)
def test_only_what_lies_below_jsonapi_speaks_it(app, path, spoken):
    with app.test_request_context(path):
        assert is_spoken() is spoken


def test_outside_of_a_request_nothing_is_spoken():
    assert not is_spoken()


def test_a_refusal_shows_a_bounded_number_of_faults():
    answer = refusal(422, "Invalid input", [Fault("Bad.", pointer=f"/{n}") for n in range(MAX_FAULTS + 1)])
    assert len(answer.json["errors"]) == MAX_FAULTS
    assert violations(answer.json) == []


def test_a_fault_has_its_source():
    answer = refusal(400, "Invalid query parameter", [Fault("a", parameter="sort"), Fault("b", pointer=""), Fault("c")])
    same = {"status": "400", "code": "invalid-query-parameter", "title": "Invalid query parameter"}
    assert answer.json == {
        "jsonapi": {"version": "1.1"},
        "errors": [
            same | {"detail": "a", "source": {"parameter": "sort"}},
            same | {"detail": "b", "source": {"pointer": ""}},
            same | {"detail": "c"},
        ],
    }


def test_what_is_faulty_says_everything_in_its_text():
    assert str(Faulty(400, "t", [Fault("One."), Fault("Two.")])) == "One.; Two."
