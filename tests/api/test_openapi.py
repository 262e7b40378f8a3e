import json
import re
from http import HTTPStatus

import pytest
from jsonschema import Draft202012Validator
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
    problem = {"application/problem+json": "#/components/schemas/Problem"}
    errors = {"application/vnd.api+json": "#/components/schemas/JsonApiErrors"}
    for (_, path), operation in operations.items():
        for status in operation["responses"].keys() & REFUSALS:
            content = operation["responses"][status]["content"]
            found = {media_type: media["schema"]["$ref"] for media_type, media in content.items()}
            not_http = problem if status == "400" else {}  # that is found before anyone looks at the path
            assert found == (errors | not_http if path.startswith("/jsonapi/") else problem)


def test_a_request_that_is_no_http_can_be_refused_by_every_route(operations):
    assert all("400" in operation["responses"] for operation in operations.values())


def test_every_body_and_every_answer_has_an_example_that_its_schema_allows(contract, operations):
    shown = 0
    for operation in operations.values():
        for part in (operation.get("requestBody", {}), *operation["responses"].values()):
            for media in part.get("content", {}).values():
                assert contract.faults(media["schema"], media["example"]) == []
                shown += 1
    assert shown > 3 * len(operations)


def test_every_answer_but_one_without_content_has_a_body_and_all_have_their_headers(operations):
    for operation in operations.values():
        for status, answer in operation["responses"].items():
            assert answer["description"]
            assert ("content" in answer) is (status != "204")
            if operation["security"]:
                assert {"RateLimit", "RateLimit-Policy"} <= answer["headers"].keys()
            assert ("WWW-Authenticate" in answer.get("headers", {})) is (status == "401")
            assert ("Retry-After" in answer.get("headers", {})) is (status in {"429", "503"})


def test_every_reference_leads_somewhere_and_every_component_is_used(document):
    named = set(re.findall(r'"\$ref": "#/components/([^"]+)"', json.dumps(document)))
    there = {f"{kind}/{name}" for kind in ("schemas", "headers") for name in document["components"][kind]}
    assert named == there


def test_every_operation_has_an_id_of_its_own_and_every_tag_is_described(document, operations):
    ids = [operation["operationId"] for operation in operations.values()]
    assert len(set(ids)) == len(operations)
    described = {tag["name"]: tag["description"] for tag in document["tags"]}
    assert {tag for operation in operations.values() for tag in operation["tags"]} == described.keys()
    assert all(described.values())
    assert [server["url"] for server in document["servers"]] == ["/"]


def test_a_refusal_for_want_of_a_scope_names_it(operations):
    for operation in operations.values():
        scopes = [scope for needed in operation["security"] for scope in needed.get("serverToken", [])]
        assert all(f"`{scope}`" in operation["responses"]["403"]["description"] for scope in scopes)


def test_every_schema_says_what_it_is_and_the_type_of_what_it_enumerates(document):
    for schema in document["components"]["schemas"].values():
        assert schema["description"]
        for field in schema.get("properties", {}).values():
            assert "type" in field or "$ref" in field or "anyOf" in field or "allOf" in field, field


def test_patterns_hold_in_every_language(document):
    """ECMA-262, as JSON Schema has it, which knows no \\Z and begins anywhere unless told."""
    patterns = re.findall(r'"pattern": "([^"]+)"', json.dumps(document))
    assert patterns
    assert all(pattern.startswith("^") and pattern.endswith("$") for pattern in patterns)


def test_an_answer_has_every_field_and_a_body_those_it_needs(document):
    schemas = document["components"]["schemas"]
    assert set(schemas["ShownNotification"]["required"]) == schemas["ShownNotification"]["properties"].keys()
    says = Draft202012Validator({"not": schemas["Notification"]["not"]})
    assert all(says.is_valid({name: ""}) for name in ("message", "template", "action"))
    assert not any(says.is_valid(fields) for fields in ({}, {"message": "", "action": ""}, {"users": []}))
    assert schemas["Template"]["required"] == ["locales"]
    assert "required" not in schemas["Profile"]


def test_every_operation_says_what_it_does_and_which_token_it_needs(app, operations):
    adapter = app.url_map.bind("localhost")
    for (method, path), operation in operations.items():
        guard = guards.guard_of(app, adapter.match(path, method)[0])
        named = [{guard.scheme: [scope]} for scope in guard.scopes] or ([{guard.scheme: []}] if guard.scheme else [])
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
