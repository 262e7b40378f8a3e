from notify_server.api.schemas.mails import MailQuerySchema, ShownMailSchema
from notify_server.domain.registry import Reason, Status
from tests.builders import NOON
from tests.storage.test_mails import a_mail


def test_a_mail_is_written_with_the_words_of_the_registry():
    record = a_mail("a", status=Status.FAILED, reason=Reason.BAD_ADDRESS, sent_at=NOON)
    shown = ShownMailSchema().dump({name: getattr(record, name) for name in record.__slots__} | {"message": None})
    assert (shown["recipient"], shown["status"], shown["reason"]) == ("a", "failed", "bad_address")
    assert shown["notification_id"] == record.notification
    assert shown["sent_at"] == "2026-11-20T12:00:00.000Z"
    assert shown["message"] is None


def test_a_query_names_its_bounds_as_the_contract_does():
    loaded = MailQuerySchema().load({"from": "2026-11-20T12:00:00Z", "recipient": "a", "status": "sent"})
    assert (loaded["from"], loaded["recipient"], loaded["status"]) == (NOON, "a", Status.SENT)
