"""That real events are as this document says is held in tests/realtime_clients."""

import json
import re

import pytest
from jsonschema import Draft7Validator

from tests.realtime_clients.documented import Documented
from tests.realtime_clients.npm import node_modules


@pytest.fixture
def document(app):
    return app.extensions["asyncapi"]


def test_the_document_is_valid_asyncapi_3_0(document):
    """By the schema that AsyncAPI's own package ships; it stands in one file there, without references elsewhere."""
    schema = json.loads((node_modules() / "@asyncapi/specs/schemas/3.0.0-without-$id.json").read_text())
    assert document["asyncapi"] == schema["properties"]["asyncapi"]["const"]
    assert [error.message for error in Draft7Validator(schema).iter_errors(document)] == []


def test_a_document_with_a_mistake_is_not(document):
    schema = json.loads((node_modules() / "@asyncapi/specs/schemas/3.0.0-without-$id.json").read_text())
    wrong = document | {"operations": {"tell": document["operations"]["tell"] | {"action": "emit"}}}
    assert not Draft7Validator(schema).is_valid(wrong)


def test_every_reference_leads_somewhere_and_every_part_is_used(document):
    references = set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)))
    for reference in references:
        found = document
        for step in reference.split("/"):
            found = found[step]
    for kind in ("schemas", "messages", "securitySchemes"):
        assert {f"components/{kind}/{name}" for name in document["components"][kind]} <= references
    told = {reference for reference in references if reference.startswith("channels/user/messages/")}
    assert {f"channels/user/messages/{name}" for name in document["channels"]["user"]["messages"]} == told


def test_every_message_has_an_example_that_its_schema_allows(document):
    documented = Documented(document)
    for name, message in document["components"]["messages"].items():
        for example in message["examples"]:
            assert documented.faults(name, example["payload"]) == []


def test_items_are_those_of_the_http_api(document, app):
    shared = app.extensions["openapi"]["components"]["schemas"]["InboxItem"]
    assert document["components"]["schemas"]["InboxItem"] == shared


def test_the_port_is_the_configured_one(document):
    assert document["servers"]["realtime"]["variables"]["host"]["default"] == "127.0.0.1:8001"
