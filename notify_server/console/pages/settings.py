"""How mail goes out: a form over the settings of the API. Secrets go in, and never come out."""

import re
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from marshmallow import ValidationError
from werkzeug.wrappers import Response as AnyResponse

from notify_server.api.context import services
from notify_server.api.parsing import by_path
from notify_server.api.schemas.email_settings import EmailSettingsSchema
from notify_server.console import access, auditing
from notify_server.domain.email_settings import EmailSettings
from notify_server.domain.mail import Security
from notify_server.errors import Conflict, InvalidInput

pages = Blueprint("settings", __name__)

_PLACES = {  # of each field in the payload
    "service": "service",
    "from_address": "from.address",
    "from_name": "from.name",
    "reply_to": "reply_to",
    "host": "smtp.host",
    "port": "smtp.port",
    "security": "smtp.security",
    "username": "smtp.username",
    "password": "smtp.password",
    "key": "sendgrid.key",
    "webhook_key": "sendgrid.webhook_key",
}
_SECRETS = {"password", "key"}  # stored as they were entered, also with spaces around
_PORT = re.compile("[0-9]{1,9}")  # any other is refused as what it is, a text
_WHOLE = {"from": "from_address", "smtp": "host", "sendgrid": "key"}  # where a fault of a part as such is shown
_CHANGED = "Somebody else has changed the settings since you opened this form. Look at them, and try again."


@pages.get("/settings/email")
@access.needs()
def email() -> Response:
    """The settings as they are."""
    return _form(HTTPStatus.OK, _given(services().email_settings.show().settings), {})


@pages.post("/settings/email")
@access.needs()
def change_email() -> AnyResponse:
    """Replace them, as PUT /v1/settings/email does."""
    entered = {name: request.form.get(name, "") for name in (*_PLACES, "version")}
    given = {name: value if name in _SECRETS else value.strip() for name, value in entered.items()}
    payload = _payload(given)
    try:
        with auditing.recorded("console.put_email", payload):
            _put(payload, given["version"])
    except InvalidInput as error:
        return _form(HTTPStatus.UNPROCESSABLE_ENTITY, given, _by_field(error))
    except Conflict as error:
        current = _given(services().email_settings.show().settings)
        return _form(HTTPStatus.CONFLICT, current, {"form": str(error)})
    return redirect(url_for(".email", saved=1), HTTPStatus.SEE_OTHER)


def _put(payload: dict[str, Any], version: str) -> None:
    """Raises InvalidInput and Conflict."""
    if version != str(services().email_settings.show().settings.version):
        raise Conflict(_CHANGED)
    try:
        wanted = EmailSettingsSchema().load(payload)
    except ValidationError as error:
        raise InvalidInput(by_path(error.normalized_messages())) from None
    services().email_settings.put(wanted)


def _payload(given: dict[str, str]) -> dict[str, Any]:
    """What a client of the API would send; a part of which nothing is filled in is not there."""
    payload: dict[str, Any] = {}
    for name, place in _PLACES.items():
        part, _, field = place.partition(".")
        value: str | int = int(given[name]) if name == "port" and _PORT.fullmatch(given[name]) else given[name]
        if value and field:
            payload.setdefault(part, {})[field] = value
        elif value:
            payload[part] = value
    if not given["host"] and payload.get("smtp", {}).keys() <= {"port", "security"}:
        payload.pop("smtp", None)
    return payload


def _given(settings: EmailSettings) -> dict[str, str]:
    """The fields of the form, but for secrets."""
    sender, smtp = settings.sender, settings.smtp
    values = {
        "service": settings.service.value,
        "from_address": sender and sender.address,
        "from_name": sender and sender.name,
        "reply_to": settings.reply_to,
        "host": smtp and smtp.host,
        "port": smtp.port if smtp else 587,
        "security": smtp.security.value if smtp else Security.STARTTLS.value,
        "username": smtp and smtp.username,
        "webhook_key": settings.webhook_key,
        "version": settings.version,
    }
    return {name: "" if value is None else str(value) for name, value in values.items()}


def _by_field(error: InvalidInput) -> dict[str, str]:
    """What is wrong, by the field of the form."""
    fields = {place: name for name, place in _PLACES.items()} | _WHOLE
    return {fields.get(path, "form"): " ".join(said) for path, said in error.errors.items()}


def _form(status: int, given: dict[str, str], faults: dict[str, str]) -> Response:
    shown = services().email_settings.show()
    page = render_template(
        "email_settings.html",
        given={name: value for name, value in given.items() if name not in _SECRETS},
        faults=faults,
        secrets=shown.secrets,
        updated_at=shown.updated_at,
        saved="saved" in request.args,
    )
    return make_response(page, status)
