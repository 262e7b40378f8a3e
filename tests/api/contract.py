"""Holds every real answer against the published OpenAPI document."""

from http import HTTPStatus
from typing import Any

from flask import Flask
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from werkzeug.test import TestResponse

DOCUMENT = "urn:openapi"


class Contract:
    """The document of one application."""

    def __init__(self, app: Flask) -> None:
        self.document = app.extensions["openapi"]
        self._routes = app.url_map.bind("localhost")
        self._registry = Registry().with_resource(DOCUMENT, Resource(self.document, DRAFT202012))

    def check(self, method: str, path: str, answer: TestResponse) -> None:
        """Fails unless the answer's status, media type and body are documented for this route."""
        rule, _ = self._routes.match(path.partition("?")[0], method, return_rule=True)
        template = rule.rule.replace("<", "{").replace(">", "}")
        documented = self.document["paths"][template][method.lower()]["responses"]
        assert str(answer.status_code) in documented, f"{method} {template}: {answer.status} {answer.text[:300]}"
        content = documented[str(answer.status_code)].get("content", {})
        if answer.status_code == HTTPStatus.NO_CONTENT:
            assert answer.data == b""
        else:
            assert answer.mimetype in content
            self._validate(content[answer.mimetype]["schema"], answer)

    def faults(self, schema: dict[str, Any], value: Any) -> list[str]:
        """What is wrong with `value` by a schema of the document."""
        pointed = {"$ref": DOCUMENT + schema["$ref"]} if "$ref" in schema else schema
        validator = OAS31Validator(pointed, registry=self._registry, format_checker=oas31_format_checker)
        return [error.message for error in validator.iter_errors(value)]

    def _validate(self, schema: dict[str, Any], answer: TestResponse) -> None:
        value = answer.json if answer.mimetype.endswith(("/json", "+json")) else answer.text
        assert self.faults(schema, value) == []
