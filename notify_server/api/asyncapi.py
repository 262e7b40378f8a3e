"""The AsyncAPI document: the realtime port for those who write its clients. Inbox items are OpenAPI's."""

from typing import Any

from notify_server import __version__
from notify_server.api.asyncapi_messages import EVENTS, SCHEMAS

Node = dict[str, Any]

_CHANNEL = "#/channels/user"
_TOLD = ["notification", "payload", "replay", "updated", "marked", "counts", "closing"]
_INFO = (
    "Every user's private channel: Socket.IO 5 over WebSocket. Connect with `transports: ['websocket']` and `auth`. "
    "The server alone puts sockets into rooms; events other than these are ignored."
)
_TOKEN = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "A user token, as on the HTTP API; given as `auth.token` when the socket connects. "
    "The socket ends 30 s after its `exp`",
}


def describe(openapi: Node, port: int) -> Node:
    """The document, with the schemas that it shares taken from the finished OpenAPI document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Notify Server: realtime",
            "version": __version__,
            "description": _INFO,
            "license": {"name": "Apache 2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"realtime": _server(port)},
        "channels": {"user": _channel()},
        "operations": _operations(),
        "components": {
            "schemas": SCHEMAS | {"InboxItem": openapi["components"]["schemas"]["InboxItem"]},
            "messages": {name: _message(name) for name in EVENTS},
            "securitySchemes": {"userToken": _TOKEN},
        },
    }


def _server(port: int) -> Node:
    return {
        "host": "{host}",
        "pathname": "/socket.io/",
        "protocol": "ws",
        "protocolVersion": "13",
        "description": "Any realtime process: no sticky sessions are needed",
        "variables": {"host": {"default": f"127.0.0.1:{port}", "description": "Host and port of the realtime process"}},
        "security": [{"$ref": "#/components/securitySchemes/userToken"}],
    }


def _channel() -> Node:
    return {
        "address": "/",
        "title": "The user's own channel",
        "description": "The default namespace. A socket is in the room of its user, `user:{id}`, and in no other.",
        "servers": [{"$ref": "#/servers/realtime"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in EVENTS},
    }


def _operations() -> Node:
    return {
        "connect": _asked("connect", "Prove the user, and ask for what was missed", ["connected", "refused"]),
        "tell": {
            "action": "send",
            "channel": {"$ref": _CHANNEL},
            "summary": "What the server emits to the user's open sockets",
            "messages": _references(_TOLD),
        },
        "report": _asked("receipt", "Report a receipt, answered by an acknowledgement", ["acknowledgement"]),
    }


def _asked(message: str, summary: str, answers: list[str]) -> Node:
    return {
        "action": "receive",
        "channel": {"$ref": _CHANNEL},
        "summary": summary,
        "messages": _references([message]),
        "reply": {"channel": {"$ref": _CHANNEL}, "messages": _references(answers)},
    }


def _references(names: list[str]) -> list[Node]:
    return [{"$ref": f"{_CHANNEL}/messages/{name}"} for name in names]


def _message(name: str) -> Node:
    event, summary, arguments, example = EVENTS[name]
    return {
        "name": event,
        "title": event,
        "summary": summary,
        "contentType": "application/json",
        "payload": {
            "type": "array",
            "description": "The arguments, in order",
            "items": [{"$ref": f"#/components/schemas/{argument}"} for argument in arguments],
            "minItems": len(arguments),
            "additionalItems": False,
        },
        "examples": [{"name": name, "payload": example}],
    }
