"""A form to send a test to some users by name."""

import json
from http import HTTPStatus
from secrets import token_urlsafe
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from notify_server.api import files, remote
from notify_server.api.context import current_client, services
from notify_server.console import access, auditing
from notify_server.domain.notification import Channel, Notification
from notify_server.errors import Conflict, InvalidInput
from notify_server.services.audit import Kind, Party
from notify_server.services.server_tokens import Scope

pages = Blueprint("sending", __name__)

MOST = 100  # users of one test
_CHANNELS = (Channel.PUSH, Channel.REALTIME)
_EMPTY = {"users": "", "title": "", "body": "", "link": "", "category": "", "key": ""}
_FIELDS = {"title": "message.title", "body": "message.body", "link": "message.link"}  # by their place in the payload


@pages.get("/send")
@access.needs(Scope.SEND)
def show() -> Response:
    """The form; `user` in the address fills it in."""
    given = _EMPTY | {"users": request.args.get("user", ""), "key": token_urlsafe(16)}
    return _form(HTTPStatus.OK, given, [channel.value for channel in _CHANNELS], {})


@pages.post("/send")
@access.needs(Scope.SEND)
def send() -> AnyResponse:
    """Hand it over as a backend does, and lead to the page that shows what becomes of it. Sent twice, it is one."""
    given = {name: request.form.get(name, "").replace("\r\n", "\n").strip() for name in _EMPTY}
    channels = request.form.getlist("channels")
    try:
        notification = _accept(_payload(given, channels), given["key"])
    except InvalidInput as error:
        return _form(HTTPStatus.UNPROCESSABLE_ENTITY, given, channels, _by_field(error))
    except Conflict:
        return _form(
            HTTPStatus.CONFLICT, given | {"key": token_urlsafe(16)}, channels, {"form": "Please send it again."}
        )
    return redirect(url_for("notifications.show", notification_id=notification.id), HTTPStatus.SEE_OTHER)


def _payload(given: dict[str, str], channels: list[str]) -> dict[str, Any]:
    """The payload that a backend would send. Raises InvalidInput."""
    users = [user for line in given["users"].replace(",", "\n").splitlines() if (user := line.strip())]
    if not 1 <= len(users) <= MOST:
        raise InvalidInput({"users": [f"Name 1 to {MOST} users."]})
    message = {name: given[name] for name in _FIELDS if given[name]}
    payload = {"message": message, "users": users, "channels": channels}
    return payload | ({"category": given["category"]} if given["category"] else {})


def _accept(payload: dict[str, Any], key: str) -> Notification:
    """Accept it, with a line in the audit log that says that it came from here."""
    draft, address, client = files.draft(json.dumps(payload).encode()), remote.address(), current_client().id
    with auditing.recorded("console.send", payload) as outcome:
        notification = services().acceptance.accept(draft, client, f"console:{key}", address)
        outcome.made = Party(Kind.NOTIFICATION, notification.id)
    return notification


def _by_field(error: InvalidInput) -> dict[str, str]:
    """What is wrong, by the field of the form; what belongs to none, by `form`."""
    places = {place: name for name, place in _FIELDS.items()}
    faults: dict[str, list[str]] = {}
    for path, said in error.errors.items():
        name = places.get(path, path.partition(".")[0])
        faults.setdefault(name if name in _EMPTY or name == "channels" else "form", []).extend(said)
    return {name: " ".join(dict.fromkeys(said)) for name, said in faults.items()}


def _form(status: int, given: dict[str, str], channels: list[str], faults: dict[str, str]) -> Response:
    page = render_template("send.html", given=given, channels=channels, offered=_CHANNELS, faults=faults, most=MOST)
    return make_response(page, status)
