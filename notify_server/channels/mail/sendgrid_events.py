"""SendGrid's signed event webhook (its reference, "Event Webhook", "Security features" and "Events").

The signature is ECDSA on P-256 with SHA-256 over the timestamp and the body as they came.
"""

import base64
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from notify_server.channels.mail.sendgrid import MAIL
from notify_server.domain.mail_event import Kind, MailEvent

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"
WINDOW = timedelta(minutes=10)  # that a signed request is good for
_KINDS = {
    "delivered": Kind.DELIVERED,
    "bounce": Kind.BOUNCED,
    "dropped": Kind.DROPPED,
    "spamreport": Kind.COMPLAINED,
    "open": Kind.OPENED,
    "unsubscribe": Kind.UNSUBSCRIBED,
    "group_unsubscribe": Kind.UNSUBSCRIBED,
}
_BLOCKED = "blocked"  # the type of a bounce for which the address is not to blame


def is_key(written: str) -> bool:
    """Whether it is a verification key as SendGrid shows it: a P-256 public key, DER in base64."""
    try:
        _key(written)
    except ValueError:
        return False
    return True


def is_signed(written: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Whether SendGrid signed this request lately; `written` is the verification key."""
    timestamp = headers.get(TIMESTAMP, "")
    if not timestamp.isascii() or not timestamp.isdecimal() or len(timestamp) > 12:
        return False
    if abs(now.timestamp() - int(timestamp)) > WINDOW.total_seconds():
        return False
    try:
        signature = base64.b64decode(headers.get(SIGNATURE, ""), validate=True)
        _key(written).verify(signature, timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def read(body: bytes) -> list[MailEvent]:
    """The events that concern our mails, in order. Raises ValueError where the body is no list of events."""
    found = json.loads(body)
    if not isinstance(found, list) or not all(isinstance(event, dict) for event in found):
        raise ValueError("Not a list of events.")
    return [event for event in map(_event, found) if event is not None]


def _event(found: dict[str, Any]) -> MailEvent | None:
    kind, mail = _KINDS.get(str(found.get("event"))), found.get(MAIL)
    if kind is None or not isinstance(mail, str):
        return None
    if kind is Kind.OPENED and found.get("sg_machine_open") is True:
        return None  # a mail program fetched the images for itself: nobody has read it
    if kind is Kind.BOUNCED and found.get("type") == _BLOCKED:
        kind = Kind.DROPPED
    status = found.get("status")
    return MailEvent(mail, kind, str(status)[:16] if status and str(status).isascii() else None)


def _key(written: str) -> ec.EllipticCurvePublicKey:
    key = serialization.load_der_public_key(base64.b64decode(written, validate=True))
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("Not a key of P-256.")
    return key
