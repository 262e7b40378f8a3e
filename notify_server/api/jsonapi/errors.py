"""Error documents of JSON:API (section "Errors"): the form of every refusal below /jsonapi."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, has_request_context, json, request

from notify_server.errors import Refused

MEDIA_TYPE = "application/vnd.api+json"
IMPLEMENTED = {"version": "1.1"}
MAX_FAULTS = 100  # error objects in one answer


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and where: a JSON pointer (RFC 6901) into the body, or the name of a query parameter."""

    detail: str
    pointer: str | None = None
    parameter: str | None = None


class Faulty(Refused):
    """A request in which something, or several things, are wrong. All faults share `status` and `title`."""

    def __init__(self, status: int, title: str, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(fault.detail for fault in faults))
        self.status = status
        self.title = title
        self.faults = faults


def is_spoken() -> bool:
    """Whether the current request is for a path whose answers are JSON:API documents."""
    return has_request_context() and (request.path == "/jsonapi" or request.path.startswith("/jsonapi/"))


def refusal(status: int, title: str, faults: Sequence[Fault]) -> Response:
    """An error document with one error object for each fault, of which the first MAX_FAULTS are shown."""
    same = {"status": str(status), "code": title.lower().replace(" ", "-"), "title": title}
    errors = [same | {"detail": fault.detail} | _source(fault) for fault in faults[:MAX_FAULTS]]
    return answer({"jsonapi": IMPLEMENTED, "errors": errors}, status)


def answer(document: dict[str, Any], status: int = 200) -> Response:
    """The HTTP response that carries a document."""
    return Response(json.dumps(document), status, content_type=MEDIA_TYPE)


def install(app: Flask) -> None:
    """Answer every Faulty."""
    app.register_error_handler(Faulty, lambda error: refusal(error.status, error.title, error.faults))


def _source(fault: Fault) -> dict[str, Any]:
    if fault.pointer is not None:
        return {"source": {"pointer": fault.pointer}}
    return {} if fault.parameter is None else {"source": {"parameter": fault.parameter}}
