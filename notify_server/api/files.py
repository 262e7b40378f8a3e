"""Payloads in files: read as the body of POST /v1/notifications is, and answered alike."""

from marshmallow import ValidationError

from notify_server.api import strict_json
from notify_server.api.parsing import by_path
from notify_server.api.schemas.notification import NotificationSchema
from notify_server.api.schemas.shown_notification import AcceptedSchema
from notify_server.domain.notification import Notification
from notify_server.errors import InvalidInput
from notify_server.services.acceptance import Draft


def draft(payload: bytes) -> Draft:
    """The draft that `payload` describes. Raises Refused where it is not JSON, else InvalidInput."""
    try:
        found: Draft = NotificationSchema().load(strict_json.loads(payload))
    except ValidationError as error:
        raise InvalidInput(by_path(error.normalized_messages())) from None
    return found


def answer(notification: Notification) -> str:
    """What a caller is told of an accepted notification, as JSON on one line."""
    return str(AcceptedSchema().dumps(notification))
