"""Holds events against the AsyncAPI document."""

from typing import Any

from jsonschema import Draft7Validator
from openapi_schema_validator import oas31_format_checker


class Documented:
    """The messages of a document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def faults(self, message: str, arguments: list[Any]) -> list[str]:
        """What is wrong with the arguments of an event, by the schema of its message."""
        schema = self._document["components"]["messages"][message]["payload"]
        whole = {"$schema": "http://json-schema.org/draft-07/schema", "components": self._document["components"]}
        validator = Draft7Validator(whole | schema, format_checker=oas31_format_checker)
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(arguments)]
