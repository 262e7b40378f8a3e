from http import HTTPStatus

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from werkzeug.test import TestResponse

from notify_server.api import guards

SUCCESSES = {"200", "201", "202", "204"}
REFUSALS = {"400", "401", "403", "404", "409", "413", "415", "422", "429", "503"}  # and nothing else, says the contract


@pytest.fixture
def document(app):
    return app.extensions["openapi"]


@pytest.fixture
def operations(document):
    return {
        (method.upper(), path): operation
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method != "parameters"
    }


def test_the_document_is_valid_openapi_3_1(document):
    assert document["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(document).validate()


def test_every_route_but_the_documentation_itself_is_in_it(app, operations):
    routes = {
        (method, rule.rule.replace("<", "{").replace(">", "}"))
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD"}
    }
    assert routes - operations.keys() == {("GET", "/docs/"), ("GET", "/docs/{path:path}")}
    assert operations.keys() <= routes


def test_only_the_contracts_statuses_are_documented(operations):
    for (_, path), operation in operations.items():
        also = {"406"} if path.startswith("/jsonapi/") else set()
        assert operation["responses"].keys() <= SUCCESSES | REFUSALS | also
        assert operation["responses"].keys() & SUCCESSES


def test_every_refusal_is_a_problem_document_or_one_of_jsonapi(operations):
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    errors = {"application/vnd.api+json": {"schema": {"$ref": "#/components/schemas/JsonApiErrors"}}}
    for (_, path), operation in operations.items():
        for status in operation["responses"].keys() & REFUSALS:
            assert operation["responses"][status]["content"] == (errors if path.startswith("/jsonapi/") else problem)


def test_every_operation_says_what_it_does_and_which_token_it_needs(app, operations):
    adapter = app.url_map.bind("localhost")
    for (method, path), operation in operations.items():
        guard = guards.guard_of(app, adapter.match(path, method)[0])
        named = [{guard.scheme: [guard.scope] if guard.scope else []}] if guard.scheme else []
        assert operation["security"] == named + [{"userToken": []}] * guard.or_user
        assert operation["summary"]
        assert operation["tags"]


def test_an_unknown_member_is_forbidden_by_the_document_too(document, operations):
    """JSON:API demands that members are ignored which it does not know; but attributes are ours."""
    for (_, path), operation in operations.items():
        for media in operation.get("requestBody", {}).get("content", {}).values():
            if path.startswith("/jsonapi/"):
                media = {"schema": {"$ref": "#/components/schemas/JsonApiChangedAttributes"}}  # noqa: PLW2901
            schema = document["components"]["schemas"][media["schema"]["$ref"].rpartition("/")[2]]
            assert schema["additionalProperties"] is False


def test_headers_are_documented(operations):
    accept = operations["POST", "/v1/notifications"]
    assert [(p["in"], p["name"], p["required"]) for p in accept["parameters"]] == [("header", "Idempotency-Key", False)]
    assert "Location" in accept["responses"]["202"]["headers"]
    assert "409" in accept["responses"]


def test_a_path_that_names_nothing_is_never_not_found(operations):
    for (_, path), operation in operations.items():
        assert ("404" in operation["responses"]) is ("{" in path)


class TestContract:
    """The check that all other tests of the API go through can fail."""

    ENTRIES = ("GET", "/v1/users/u1/registry")

    def answer(self, status, json, content_type="application/json"):
        return TestResponse([json], status, {"Content-Type": content_type}, None)

    def test_a_good_answer_passes(self, contract):
        contract.check(*self.ENTRIES, self.answer("200 OK", b'{"entries": [], "next": null}'))

    @pytest.mark.parametrize(
        ("status", "body", "content_type"),
        [
            (HTTPStatus.OK, b'{"entries": []}', "application/json"),
            (HTTPStatus.OK, b'{"entries": [], "next": 1}', "application/json"),
            (HTTPStatus.OK, b'{"entries": [{}], "next": null}', "application/json"),
            (HTTPStatus.OK, b'{"entries": [], "next": null, "more": 1}', "application/json"),
            (HTTPStatus.OK, b'{"entries": [], "next": null}', "text/html"),
            (HTTPStatus.CREATED, b'{"entries": [], "next": null}', "application/json"),
            (HTTPStatus.INTERNAL_SERVER_ERROR, b"{}", "application/problem+json"),
            (HTTPStatus.NOT_FOUND, b'{"title": "t"}', "application/problem+json"),
        ],
    )
    def test_any_other_fails(self, contract, status, body, content_type):
        with pytest.raises(AssertionError):
            contract.check(*self.ENTRIES, self.answer(f"{status.value} {status.phrase}", body, content_type))
