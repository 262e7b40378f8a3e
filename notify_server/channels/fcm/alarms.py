"""Says aloud, once a send, what an operator has to act on; the recipients only wait meanwhile."""

from collections.abc import Sequence

import structlog

from notify_server.domain.outcome import ACCEPTED, Outcome
from notify_server.domain.registry import Reason

_ALARMS = {
    Reason.CREDENTIAL_REFUSED: "fcm_credential_refused",  # our credential, project or endpoint is wrong
    Reason.PROVIDER_CREDENTIAL: "fcm_provider_credential_refused",  # the app's APNs or web push credential, in Firebase
    Reason.CONNECTION_LOST: "fcm_connection_lost",
}
_log = structlog.get_logger()


def sound_alarms(outcomes: Sequence[Outcome], detail: str | None = None) -> None:
    """Log each kind of trouble among `outcomes` with the number of messages that met it; `detail` says more."""
    reasons = [outcome.reason for outcome in outcomes if outcome is not ACCEPTED]
    for reason, event in _ALARMS.items():
        if reason in reasons:
            _log.error(event, messages=reasons.count(reason), detail=detail)
