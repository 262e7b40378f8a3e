"""The push transport: FCM HTTP v1 over multiplexed HTTP/2, by libcurl."""

from collections.abc import Sequence
from datetime import datetime

from notify_server.channels.fcm.alarms import sound_alarms
from notify_server.channels.fcm.answer import CREDENTIAL_REFUSED, attribute
from notify_server.channels.fcm.call import Call
from notify_server.channels.fcm.credential import Credential
from notify_server.channels.fcm.encoding import EncodedMessage, encode
from notify_server.channels.fcm.engine import Engine
from notify_server.config import Config
from notify_server.domain.device import Target
from notify_server.domain.notification import Notification
from notify_server.domain.outcome import Outcome
from notify_server.domain.push import Encoded
from notify_server.errors import CredentialError


class CurlTransport:
    """A PushTransport (see notify_server.domain.push). Threads and connections begin with the first send."""

    def __init__(self, config: Config, credential: Credential) -> None:
        self._endpoint = config.fcm_endpoint
        self._project = config.fcm_project
        self._credential = credential
        self._engine = Engine(config.fcm_connections, config.fcm_timeout, config.fcm_ca_file)
        self._url = ""

    def encode(self, notification: Notification, at: datetime) -> EncodedMessage:
        """Build, validate and encode the message once. Raises InvalidInput where FCM would refuse it."""
        return encode(notification, at)

    def send(self, encoded: Encoded, targets: Sequence[Target]) -> list[Outcome]:
        """Send to every target; the outcomes stand in their order. Never raises for a provider or a network.

        What FCM answers with 401 is sent once more with a renewed credential.
        """
        if not isinstance(encoded, EncodedMessage):
            raise TypeError("Encoded by another transport.")
        if not targets:
            return []
        try:
            headers, url = self._credential.headers(), self._address()
        except CredentialError as error:
            outcomes = [CREDENTIAL_REFUSED] * len(targets)
            sound_alarms(outcomes, str(error))
            return outcomes
        call = self._run(Call(url, headers, encoded, targets))
        if call.refused:
            self._send_again(call, encoded, targets)
        attribute(call.outcomes)
        sound_alarms(call.outcomes, call.fault)
        return call.outcomes

    def close(self) -> None:
        """Let running sends end, for at most fcm_timeout seconds, then release connections and threads."""
        self._engine.close()

    def _send_again(self, call: Call, encoded: EncodedMessage, targets: Sequence[Target]) -> None:
        """Replace the refused outcomes of `call` by those of a second try, if a new credential can be had."""
        try:
            headers = self._credential.renew(call.headers)
        except CredentialError:
            return  # logged where it happened
        again = self._run(Call(call.url, headers, encoded, [targets[position] for position in call.refused]))
        for position, outcome in zip(call.refused, again.outcomes, strict=True):
            call.outcomes[position] = outcome
        if again.refused and not (call.authenticated or again.authenticated):
            self._credential.refuse(headers)

    def _run(self, call: Call) -> Call:
        self._engine.submit(call)
        call.wait()
        return call

    def _address(self) -> str:
        if not self._url:
            project = self._project or self._credential.project()
            self._url = f"{self._endpoint}/v1/projects/{project}/messages:send"
        return self._url
