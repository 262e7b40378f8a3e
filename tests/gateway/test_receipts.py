"""What of receipts needs no socket; the rest is in tests/processes/test_realtime.py."""

from notify_server.domain.registry import Status
from notify_server.gateway.receipts import parsed
from notify_server.services.reception import Report


def test_a_well_formed_receipt_becomes_a_report() -> None:
    assert parsed({"notification_id": "n", "status": "received"}) == Report("n", Status.RECEIVED)


def test_a_status_that_devices_do_not_report_is_none() -> None:
    assert parsed({"notification_id": "n", "status": "failed"}) is None
    assert parsed({"notification_id": "n", "status": ["read"]}) is None
