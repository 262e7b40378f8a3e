"""The reference transport: firebase-admin's own `send_each`, with its threads, retries and HTTP/1.1."""

import copy
import itertools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import firebase_admin
from firebase_admin import messaging
from firebase_admin.exceptions import FirebaseError
from google.auth.exceptions import GoogleAuthError

from notify_server.channels.fcm.alarms import sound_alarms
from notify_server.channels.fcm.answer import CONNECTION_LOST, CREDENTIAL_REFUSED, attribute, outcome, seconds
from notify_server.channels.fcm.encoding import encode
from notify_server.channels.fcm.message import build
from notify_server.config import Config
from notify_server.domain.device import Target, TargetType
from notify_server.domain.notification import Notification
from notify_server.domain.outcome import ACCEPTED, Outcome
from notify_server.domain.push import Encoded, Sending, Sent
from notify_server.domain.texts import Text
from notify_server.domain.user import User

_MOST = 500  # messages in one send_each


@dataclass(frozen=True, slots=True)
class SdkMessage:
    """A message of the SDK; each target is put into a copy."""

    template: messaging.Message
    notification: Notification
    at: datetime

    def to(self, target: Target) -> messaging.Message:
        """The message for one target."""
        message = copy.copy(self.template)
        message.fid, message.token = None, None
        setattr(message, target.type.value, target.value)
        return message

    def filled(self, user: User) -> "SdkMessage":
        """The message to one user, in whose texts their own fields stand where marks did."""
        message = self.notification.message
        text = Text(message.title, message.body).filled(user)
        own = replace(self.notification, message=replace(message, title=text.title, body=text.body))
        return SdkMessage(build(own, self.at, TargetType.FID.value), own, self.at)


class SdkTransport:
    """A PushTransport (see notify_server.domain.push) that leaves all to the SDK.

    The SDK repeats by itself what fails: a POST that got 500, 503 or no answer, and a 401. It has no setting for
    the endpoint, so `fcm_endpoint` and `fcm_ca_file` mean nothing here; it heeds HTTPS_PROXY and REQUESTS_CA_BUNDLE.
    """

    def __init__(self, config: Config) -> None:
        options = {"httpTimeout": config.fcm_timeout, "projectId": config.fcm_project or None}
        self._app: firebase_admin.App | None = firebase_admin.initialize_app(
            options={name: value for name, value in options.items() if value}, name=f"notify-{uuid.uuid4()}"
        )

    def encode(self, notification: Notification, at: datetime) -> SdkMessage:
        """Build and validate the message once. Raises InvalidInput where FCM would refuse it."""
        encode(notification, at)
        return SdkMessage(build(notification, at, TargetType.FID.value), notification, at)

    def begin(self, sends: Sequence[tuple[Encoded, Sequence[Target]]]) -> Sending:
        """Send one message after the other, each to all its targets, and wait. Never raises for provider or network."""
        return Sent([self._send(encoded, targets) for encoded, targets in sends])

    def _send(self, encoded: Encoded, targets: Sequence[Target]) -> list[Outcome]:
        if not isinstance(encoded, SdkMessage):
            raise TypeError("Encoded by another transport.")
        parts = (targets[start : start + _MOST] for start in range(0, len(targets), _MOST))
        outcomes = list(itertools.chain.from_iterable(self._send_part(encoded, part) for part in parts))
        attribute(outcomes)
        sound_alarms(outcomes)
        return outcomes

    def close(self) -> None:
        """Send nothing more; what runs ends in the thread that sent it."""
        app, self._app = self._app, None
        if app is not None:
            firebase_admin.delete_app(app)

    def _send_part(self, encoded: SdkMessage, targets: Sequence[Target]) -> list[Outcome]:
        app = self._app
        if app is None:
            return [CONNECTION_LOST] * len(targets)
        try:
            answers = messaging.send_each([encoded.to(target) for target in targets], app=app)
        except (FirebaseError, GoogleAuthError, OSError, ValueError) as error:
            return [_failure(error)] * len(targets)
        return [_outcome(answer) for answer in answers.responses]


def _failure(error: Exception) -> Outcome:
    """What failed all at once: the SDK wraps a token endpoint's failure as an UnknownError."""
    cause = error.cause if isinstance(error, FirebaseError) else error
    return CREDENTIAL_REFUSED if isinstance(cause, GoogleAuthError | ValueError) else CONNECTION_LOST


def _outcome(answer: messaging.SendResponse) -> Outcome:
    if answer.exception is None:
        return ACCEPTED
    response = answer.exception.http_response
    if response is None:
        return CONNECTION_LOST
    return outcome(response.status_code, response.content, seconds(response.headers.get("Retry-After")))
