"""Calls the application with a token, and lets no answer pass that the contract does not know."""

from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from tests.api.contract import Contract


class Caller:
    """A client of the API."""

    def __init__(self, app: Flask, contract: Contract, token: str) -> None:
        self._client = app.test_client()
        self._contract = contract
        self._headers = {"Authorization": f"Bearer {token}"}

    def __call__(self, method: str, path: str, **options: Any) -> TestResponse:
        headers = self._headers | options.pop("headers", {})
        answer = self._client.open(path, method=method, headers=headers, **options)
        self._contract.check(method, path, answer)
        return answer

    def get(self, path: str, **options: Any) -> TestResponse:
        return self("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> TestResponse:
        return self("POST", path, **({"json": json} if json is not None else {}), **options)

    def put(self, path: str, json: Any, **options: Any) -> TestResponse:
        return self("PUT", path, json=json, **options)

    def delete(self, path: str, **options: Any) -> TestResponse:
        return self("DELETE", path, **options)


def refused(answer: TestResponse, status: int, *fields: str) -> None:
    """The answer is a problem document with this status, and names exactly these fields."""
    assert answer.status_code == status, answer.text[:500]
    assert answer.mimetype == "application/problem+json"
    assert answer.json is not None
    assert answer.json["status"] == status
    assert answer.json.keys() - {"errors"} == {"type", "title", "status", "detail"}
    assert sorted(answer.json.get("errors", {})) == sorted(fields)
    assert "Traceback" not in answer.text
