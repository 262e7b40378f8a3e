from datetime import UTC, datetime, timedelta

import pytest

from notify_server.channels.mail.sendgrid import MAIL
from notify_server.domain.mail import mail_id
from notify_server.domain.registry import Status
from notify_server.storage.mails import Mails
from tests.api.caller import refused
from tests.sendgrid_server import Signer
from tests.storage.test_mails import a_mail

PATH = "/v1/hooks/sendgrid"


@pytest.fixture(scope="module")
def sendgrid():
    return Signer()


@pytest.fixture
def hook(caller, backend, sendgrid):
    """Calls the hook with a body signed at a time; without a token."""
    key = {"webhook_key": sendgrid.webhook_key}
    assert backend.put("/v1/settings/email", {"service": "disabled", "sendgrid": key}).status_code == 200

    def call(events, at=None, **headers):
        body, signed = sendgrid.signed(events, at or datetime.now(UTC))
        sent = {"Authorization": "", "Content-Type": "application/json"} | signed | headers
        return caller("")("POST", PATH, data=body, headers=sent)

    return call


@pytest.fixture
def mail(notify, database):
    """The id of a mail that was sent."""
    notification = notify("a", channels=["email"])
    Mails(database).enter([a_mail("a", notification, status=Status.SENT, address="a@example.org")])
    database["registry"].update_one({"_id.u": "a"}, {"$set": {"status": "sent", "sent_at": datetime.now(UTC)}})
    return mail_id(notification, "a")


def test_a_signed_event_moves_the_mail_and_the_entry(hook, mail, backend):
    assert hook([{"event": "delivered", MAIL: mail}, {"event": "open", MAIL: mail}]).status_code == 204
    assert backend.get(f"/v1/mails/{mail}").json["status"] == "read"
    [entry] = backend.get(f"/v1/notifications/{mail[:24]}/registry").json["entries"]
    assert (entry["status"], entry["history"][-1]["detail"]) == ("read", "mail opened")


def test_events_of_nobody_change_nothing(hook, mail, backend):
    assert hook([{"event": "bounce", MAIL: "0" * 40}, {"event": "bounce"}, {"event": "new"}]).status_code == 204
    assert backend.get(f"/v1/mails/{mail}").json["status"] == "sent"


def test_what_is_not_signed_or_too_old_is_refused_and_changes_nothing(hook, mail, backend, caller):
    event = [{"event": "bounce", MAIL: mail}]
    refused(hook(event, datetime.now(UTC) - timedelta(hours=1)), 403)
    refused(hook(event, **{"X-Twilio-Email-Event-Webhook-Signature": "AAAA"}), 403)
    refused(caller("")("POST", PATH, json=event, headers={"Authorization": ""}), 403)
    assert backend.get(f"/v1/mails/{mail}").json["status"] == "sent"


def test_without_a_key_nothing_is_believed(caller, sendgrid):
    body, headers = sendgrid.signed([], datetime.now(UTC))
    sent = headers | {"Content-Type": "application/json", "Authorization": ""}
    refused(caller("")("POST", PATH, data=body, headers=sent), 403)


def test_a_signed_body_that_is_no_list_is_refused(hook):
    assert hook(b'{"event": "open"}').status_code == 422
