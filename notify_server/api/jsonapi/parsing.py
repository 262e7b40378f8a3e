"""Reading requests: what is wrong with them is pointed to, in the query as in the body."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NoReturn

from flask import Request, json
from marshmallow import Schema, ValidationError

from notify_server.api.blueprint import Routes
from notify_server.api.jsonapi.errors import MAX_FAULTS, Fault, Faulty
from notify_server.api.parsing import Parser
from notify_server.errors import InvalidInput

_QUERY = "Invalid query parameter"  # 400, says the section "Query Parameters"


class JsonApiParser(Parser):
    """Our parser, with error objects. Each schema of a body says itself what it does with unknown members."""

    DEFAULT_UNKNOWN_BY_LOCATION = Parser.DEFAULT_UNKNOWN_BY_LOCATION | {"json": None}

    def load_querystring(self, req: Request, schema: Schema) -> Any:
        """Read the query, in which nothing may stand twice."""
        repeated = [name for name, values in req.args.lists() if len(values) > 1]
        if repeated:
            raise Faulty(400, _QUERY, [Fault("Given more than once.", parameter=name) for name in repeated])
        return super().load_querystring(req, schema)

    def load_json(self, req: Request, schema: Schema) -> Any:
        """Read the body."""
        try:
            return super().load_json(req, schema)
        except InvalidInput as error:
            body = json.loads(req.get_data())
            shown = islice(error.errors.items(), MAX_FAULTS)
            faults = [Fault(" ".join(messages), _dotted(body, path)) for path, messages in shown]
            raise Faulty(error.status, error.title, faults) from None

    def handle_error(self, error: ValidationError, req: Request, schema: Schema, **_: Any) -> NoReturn:
        """Turn marshmallow's messages into error objects."""
        located = error.normalized_messages()
        if "query" in located:
            query = _messages(located["query"], ())
            raise Faulty(400, _QUERY, [Fault(message, parameter=path[0]) for path, message in query])
        body = json.loads(req.get_data())
        faults = [_in_body(body, path, message) for path, message in _messages(located["json"], ())]
        raise Faulty(InvalidInput.status, InvalidInput.title, faults)


class JsonApiRoutes(Routes):
    """A blueprint that speaks JSON:API."""

    ARGUMENTS_PARSER = JsonApiParser()


def _messages(messages: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each message with the path to what it is about."""
    if isinstance(messages, dict):
        for name, inner in messages.items():
            yield from _messages(inner, path if name == "_schema" else (*path, str(name)))
    else:
        yield from ((path, str(message)) for message in messages)


def _in_body(body: Any, path: Sequence[str], message: str) -> Fault:
    """A pointer may only lead to what is there (section "Error Objects"): else to what lacks it."""
    there = list[str]()
    for name in path:
        if not isinstance(body, dict) or name not in body:
            return Fault(f"{name}: {message}", _pointer(there))
        there.append(name)
        body = body[name]
    return Fault(message, _pointer(there))


def _dotted(body: Any, path: str) -> str:
    """The pointer for a path whose parts are joined by dots, which names may hold, too."""
    return _pointer(next(_found(body, path), []))


def _found(value: Any, path: str) -> Iterator[list[str]]:
    if not path:
        yield []
    elif isinstance(value, list):
        index, _, rest = path.partition(".")
        if index.isdecimal() and int(index) < len(value):
            yield from ([index, *inner] for inner in _found(value[int(index)], rest))
    elif isinstance(value, dict):
        for name in value:
            if path == name or path.startswith(name + "."):
                yield from ([name, *inner] for inner in _found(value[name], path[len(name) + 1 :]))


def _pointer(names: Sequence[str]) -> str:
    """RFC 6901 section 3."""
    return "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)
