"""The push transport: FCM HTTP v1 over multiplexed HTTP/2, by libcurl."""

from collections.abc import Sequence
from datetime import datetime

from notify_server.channels.fcm.alarms import sound_alarms
from notify_server.channels.fcm.answer import CREDENTIAL_REFUSED, attribute
from notify_server.channels.fcm.call import Call
from notify_server.channels.fcm.credential import Credential, Headers
from notify_server.channels.fcm.encoding import EncodedMessage, encode
from notify_server.channels.fcm.engine import Engine
from notify_server.channels.fcm.underway import Underway
from notify_server.config import Config
from notify_server.domain.device import Target
from notify_server.domain.notification import Notification
from notify_server.domain.outcome import Outcome
from notify_server.domain.push import Encoded, Sending, Sent
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

    def begin(self, sends: Sequence[tuple[Encoded, Sequence[Target]]]) -> Sending:
        """Send each message to its targets, all at once. Never raises for a provider or a network.

        What FCM answers with 401 is sent once more with a renewed credential.
        """
        try:
            headers, url = self._credential.headers(), self._address()
        except CredentialError as error:
            outcomes = [[CREDENTIAL_REFUSED] * len(targets) for _, targets in sends]
            sound_alarms([outcome for part in outcomes for outcome in part], str(error))
            return Sent(outcomes)
        return Underway([self._submit(url, headers, encoded, targets) for encoded, targets in sends], self._finish)

    def close(self) -> None:
        """Let running sends end, for at most fcm_timeout seconds, then release connections and threads."""
        self._engine.close()

    def _submit(self, url: str, headers: Headers, encoded: Encoded, targets: Sequence[Target]) -> Call:
        if not isinstance(encoded, EncodedMessage):
            raise TypeError("Encoded by another transport.")
        call = Call(url, headers, encoded, targets)
        if targets:
            self._engine.submit(call)
        return call

    def _finish(self, call: Call) -> Sequence[Outcome]:
        call.wait()
        if call.refused:
            self._send_again(call)
        attribute(call.outcomes)
        sound_alarms(call.outcomes, call.fault)
        return call.outcomes

    def _send_again(self, call: Call) -> None:
        """Replace the refused outcomes of `call` by those of a second try, if a new credential can be had."""
        try:
            headers = self._credential.renew(call.headers)
        except CredentialError:
            return  # logged where it happened
        again = self._submit(call.url, headers, call.encoded, [call.targets[position] for position in call.refused])
        again.wait()
        for position, outcome in zip(call.refused, again.outcomes, strict=True):
            call.outcomes[position] = outcome
        if again.refused and not (call.authenticated or again.authenticated):
            self._credential.refuse(headers)

    def _address(self) -> str:
        if not self._url:
            project = self._project or self._credential.project()
            self._url = f"{self._endpoint}/v1/projects/{project}/messages:send"
        return self._url
