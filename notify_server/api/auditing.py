"""The hook that writes the audit log: around the call of every route that changes something, once it may be called."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app, g, request

from notify_server.api import guards, remote
from notify_server.api.context import current_client, current_user, services
from notify_server.services.audit import Change, Kind, Party

READING = {"GET", "HEAD", "OPTIONS"}

# Changes that are recorded elsewhere, with who and when.
RECORDED = {
    "notifications.accept": "the notification itself holds it, and the log shows it from there",
    "realtime.notify": "the same",
    "me.report": "receipts are in the history of the registry entry",
    "inbox.mark": "reading marks are in the history of the registry entry",
    "inbox.mark_read": "the same",
    "jsonapi.mark": "the same",
    "templates.preview": "it changes nothing",
}
_OBJECTS = {  # the last of these that a path names is what is changed
    "user_id": Kind.USER,
    "notification_id": Kind.NOTIFICATION,
    "group_id": Kind.GROUP,
    "category_id": Kind.CATEGORY,
    "device_id": Kind.DEVICE,
    "token_id": Kind.TOKEN,
    "mail_id": Kind.OTHER,
    "template_name": Kind.TEMPLATE,
    "action_name": Kind.ACTION,
}


def install(app: Flask) -> None:
    """Complete the line of a request when its answer is known."""
    app.after_request(_end)


def is_audited(app: Flask, endpoint: str, method: str) -> bool:
    """Whether a request to this route gets a line."""
    guard = guards.guard_of(app, endpoint)
    return method not in READING and endpoint not in RECORDED and guard is not None and guard.scheme is not None


def audited(view: Callable[..., Any]) -> Callable[..., Any]:
    """`view`, whose calls are written down before they are made. Guards, ids and body have been checked by then."""

    @wraps(view)
    def call(*args: Any, **kwargs: Any) -> Any:
        if is_audited(current_app, request.endpoint or "", request.method):
            change = _change()
            g.audited = services().audit.begin(change), change
        return view(*args, **kwargs)

    return call


def _change() -> Change:
    rule = request.url_rule.rule if request.url_rule else request.path
    return Change(
        actor=_actor(),
        action=request.endpoint or "",
        route=f"{request.method} {rule.replace('<', '{').replace('>', '}')}",
        object=_object(),
        fields=g.get("fields", ()),
        address=remote.address(),
    )


def _actor() -> Party:
    return Party(Kind.USER, current_user()) if "user" in g else Party(Kind.CLIENT, current_client().id)


def _object() -> Party | None:
    named = [Party(_OBJECTS.get(name, Kind.OTHER), str(value)) for name, value in (request.view_args or {}).items()]
    return named[-1] if named else None


def _end(response: Response) -> Response:
    audited_as: tuple[str, Change] | None = g.pop("audited", None)
    if audited_as is not None:
        line, change = audited_as
        services().audit.end(line, change, response.status_code, _made(response, change))
    return response


def _made(response: Response, change: Change) -> Party | None:
    """What a request made whose path names nothing: the answer has its id."""
    if change.object is not None or response.status_code != HTTPStatus.CREATED:
        return None
    made = (response.get_json(silent=True) or {}).get("id")
    return Party(Kind.TOKEN if change.action.startswith("tokens.") else Kind.OTHER, str(made)) if made else None
