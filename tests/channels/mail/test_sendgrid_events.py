import json
from datetime import UTC, datetime, timedelta

import pytest

from notify_server.channels.mail.sendgrid import MAIL
from notify_server.channels.mail.sendgrid_events import SIGNATURE, TIMESTAMP, WINDOW, is_key, is_signed, read
from notify_server.domain.mail_event import Kind, MailEvent
from tests.sendgrid_server import Signer

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
EVENTS = [{"event": "delivered", MAIL: "m1"}]


@pytest.fixture(scope="module")
def sendgrid():
    return Signer()


def test_what_sendgrid_has_signed_lately_is_believed(sendgrid):
    body, headers = sendgrid.signed(EVENTS, NOON)
    for passed in (timedelta(0), WINDOW, -WINDOW):
        assert is_signed(sendgrid.webhook_key, headers, body, NOON + passed)


def test_anything_else_is_not(sendgrid):
    body, headers = sendgrid.signed(EVENTS, NOON)
    late = NOON + WINDOW + timedelta(seconds=1)
    assert not is_signed(sendgrid.webhook_key, headers, body, late)
    assert not is_signed(sendgrid.webhook_key, headers, body + b" ", NOON)
    assert not is_signed(sendgrid.webhook_key, headers | {TIMESTAMP: str(int(NOON.timestamp()) + 1)}, body, NOON)
    for wrong in ({TIMESTAMP: "x"}, {TIMESTAMP: ""}, {SIGNATURE: ""}, {SIGNATURE: "AAAA"}, {SIGNATURE: "ä"}):
        assert not is_signed(sendgrid.webhook_key, headers | wrong, body, NOON)
    assert not is_signed(sendgrid.webhook_key, {}, body, NOON)
    assert not is_signed("", headers, body, NOON)


def test_a_key_is_one_of_p_256(sendgrid):
    assert is_key(sendgrid.webhook_key)
    for wrong in ("", "AAAA", "not base64!", "-----BEGIN PUBLIC KEY-----"):
        assert not is_key(wrong)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"event": "delivered"}, MailEvent("m1", Kind.DELIVERED)),
        ({"event": "bounce", "type": "bounce", "status": "5.1.1"}, MailEvent("m1", Kind.BOUNCED, "5.1.1")),
        ({"event": "bounce", "type": "blocked", "status": "5.7.1"}, MailEvent("m1", Kind.DROPPED, "5.7.1")),
        ({"event": "dropped", "reason": "Bounced Address"}, MailEvent("m1", Kind.DROPPED)),
        ({"event": "spamreport"}, MailEvent("m1", Kind.COMPLAINED)),
        ({"event": "open"}, MailEvent("m1", Kind.OPENED)),
        ({"event": "open", "sg_machine_open": True}, None),
        ({"event": "unsubscribe"}, MailEvent("m1", Kind.UNSUBSCRIBED)),
        ({"event": "group_unsubscribe"}, MailEvent("m1", Kind.UNSUBSCRIBED)),
        ({"event": "processed"}, None),
        ({"event": ["delivered"]}, None),
    ],
)
def test_each_event_is_read(event, expected):
    body = json.dumps([event | {MAIL: "m1"}]).encode()
    assert read(body) == ([] if expected is None else [expected])


def test_events_of_other_mails_are_left_out():
    assert read(json.dumps([{"event": "delivered"}, {"event": "delivered", MAIL: 5}]).encode()) == []


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b"x", b"\xff", b'{"event": "open"}'])
def test_what_is_no_list_of_events_is_refused(body):
    with pytest.raises(ValueError):  # noqa: PT011 - of json, or ours
        read(body)
