import pytest

from tests.api.caller import refused

DEVICE = {"platform": "ios", "token": "t"}
RECEIPT = {"notification_id": "0" * 24, "status": "read"}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, ["platform"]),
        ({"platform": "ios"}, ["token"]),
        (DEVICE | {"fid": "f"}, ["token"]),
        (DEVICE | {"platform": "fridge"}, ["platform"]),
        (DEVICE | {"platform": None}, ["platform"]),
        (DEVICE | {"token": ""}, ["token"]),
        (DEVICE | {"token": None}, ["token"]),
        (DEVICE | {"token": 7}, ["token"]),
        (DEVICE | {"token": "t" * 4097}, ["token"]),
        (DEVICE | {"token": "t\0"}, ["token"]),
        *((DEVICE | {"token": token}, ["token"]) for token in ("t\n", "t\r\nX: y", "\x7f", "tökén", "\u202e", "t\t")),
        ({"platform": "ios", "fid": "f\u200b"}, ["fid"]),
        (DEVICE | {"app_version": "v" * 65}, ["app_version"]),
        (DEVICE | {"app_version": "1.0\u202e"}, ["app_version"]),
        (DEVICE | {"app_version": "1.0\n"}, ["app_version"]),
        (DEVICE | {"locale": "?"}, ["locale"]),
        (DEVICE | {"user": "u2"}, ["user"]),
        (DEVICE | {"active": False, "id": "d2"}, ["active", "id"]),
    ],
)
def test_a_bad_registration_is_refused_with_its_fields_named_and_nothing_is_stored(device_of, stored, body, named):
    phone, before = device_of("u1"), stored()
    refused(phone.put("/v1/me/devices/d1", body), 422, *named)
    assert stored() == before


@pytest.mark.parametrize(
    ("receipts", "named"),
    [
        (None, ["receipts"]),
        ([], ["receipts"]),
        ({}, ["receipts"]),
        ([RECEIPT, 1, None], ["receipts.1", "receipts.2"]),
        ([{}], ["receipts.0.notification_id", "receipts.0.status"]),
        ([RECEIPT | {"status": "sent"}], ["receipts.0.status"]),
        ([RECEIPT | {"status": "READ"}], ["receipts.0.status"]),
        ([RECEIPT | {"status": {"$ne": 1}}], ["receipts.0.status.$ne"]),
        ([RECEIPT | {"notification_id": ""}], ["receipts.0.notification_id"]),
        ([RECEIPT | {"notification_id": 1}], ["receipts.0.notification_id"]),
        ([RECEIPT | {"at": "now"}], ["receipts.0.at"]),
        ([RECEIPT | {"at": 1_800_000_000}], ["receipts.0.at"]),
        ([RECEIPT | {"device_id": "a/b"}], ["receipts.0.device_id"]),
        ([RECEIPT | {"user_id": "u2"}], ["receipts.0.user_id"]),
    ],
)
def test_a_bad_report_is_refused_as_a_whole_with_its_fields_named(device_of, notify, stored, receipts, named):
    phone, before = device_of("u1"), stored()
    refused(phone.post("/v1/me/receipts", {"receipts": receipts}), 422, *named)
    assert stored() == before


def test_the_document_names_what_may_be_reported(contract):
    status = contract.document["components"]["schemas"]["Receipt"]["properties"]["status"]
    assert status["enum"] == ["received", "read"]
